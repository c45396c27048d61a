"""The city's rules and its officials."""
