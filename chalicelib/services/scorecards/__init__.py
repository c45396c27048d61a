"""A month's scorecards: computed, closed, revised, audited, read."""
