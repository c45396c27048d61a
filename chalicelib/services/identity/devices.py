"""Devices of citizens without an account: a signed token, which is not stored.

Tests: tests/security/test_cases_identity.py
"""

from datetime import datetime

from chalicelib import ids
from chalicelib.services.city import cities
from chalicelib.services.identity import rate_limits
from chalicelib.services.platform import signing
from chalicelib.services.platform.record_answer_types import DeviceToken


def register(jurisdiction: str, ip: str, now: datetime) -> DeviceToken:
    """The token of a new device. The city's limits say how many an IP address can get."""
    city = cities.current(jurisdiction, now)
    limits = {"devices": city.limits["devices"]} if "devices" in city.limits else {}
    address = rate_limits.address_pseudonym(ip, city.month(now))
    rate_limits.take(jurisdiction, limits, {"devices": address}, now, fail_open=False)
    token = signing.sign("device", {"d": ids.token_bytes(8).hex(), "j": jurisdiction}, None)
    return {"token": token, "kind": "Device"}
