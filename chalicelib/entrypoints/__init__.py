"""What Lambda calls besides HTTP: schedules, streams and queues."""
