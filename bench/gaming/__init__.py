"""What a trick gains a district in the scorecards: ``python -m bench.gaming``."""
