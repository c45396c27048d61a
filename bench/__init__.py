"""What is fast, as ratios in one run."""
