"""For how long personal data are kept."""
