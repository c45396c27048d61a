"""``python -m infra.ops``: what administrators run on a deployment or locally."""
