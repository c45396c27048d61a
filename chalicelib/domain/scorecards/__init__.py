"""The arithmetic of a month's scorecards."""
