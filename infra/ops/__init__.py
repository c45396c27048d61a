"""``python -m infra.ops``: commands for administrators, on a deployment or locally."""
