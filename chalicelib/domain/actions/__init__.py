"""What each action does to a report."""
