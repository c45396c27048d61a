"""Reading a report with rights, and writing one change of it with its event."""
