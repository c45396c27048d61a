"""Whom an event tells, and how a person can be reached."""
