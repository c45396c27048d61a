"""Passing reports on to units' own Open311 servers, and reading what became of them."""
