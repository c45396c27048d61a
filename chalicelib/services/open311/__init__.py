"""Open311 GeoReport v2: services, requests, posting, updates."""
