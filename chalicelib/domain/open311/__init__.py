"""GeoReport's times and statuses, and which reports are forwarded."""
