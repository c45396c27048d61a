"""Devices, API keys, who filed a report, and rate limits."""
