"""The formats of open data."""
