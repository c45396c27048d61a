"""Webhooks: the public events of reports, sent in order to the systems that a city names."""
