"""What the product does: a package a subject, in the order that pyproject.toml states."""
