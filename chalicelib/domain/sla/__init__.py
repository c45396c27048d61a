"""Deadlines, pauses, timers, and who held a report when."""
