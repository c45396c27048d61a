"""Pure rules, without any input or output: a package a subject, ordered in pyproject.toml."""
