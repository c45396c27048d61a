"""A person's own data: contacts, claiming, preferences, copy, erasure, retention."""
