"""Alerts to officials and messages to citizens, through the outbox."""
