"""The numbered cases of the threat model, through the front door (README.md maps them)."""
