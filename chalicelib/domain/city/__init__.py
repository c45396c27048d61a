"""A city: areas, services, units, business hours, boundaries."""
