"""Speaking to servers that are not ours."""
