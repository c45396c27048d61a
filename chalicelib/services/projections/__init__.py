"""What follows from an event: counters, rows, messages; and computing it again."""
