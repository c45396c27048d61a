"""URLs for messages and receipts, which name the city where that is needed.

Tests: tests/integration/test_links_in_messages.py
"""

from chalicelib.settings import settings


def absolute(path: str) -> str:
    """The URL of ``path``, for a path that itself identifies the city, such as a signed link."""
    return f"{settings().public_url}{path}"


def in_city(jurisdiction: str, path: str) -> str:
    """The URL of ``path`` in a city; the query names the city if it is not the default one."""
    configured = settings()
    query = "" if jurisdiction == configured.jurisdiction else f"?jurisdiction_id={jurisdiction}"
    return f"{configured.public_url}{path}{query}"
