"""Addresses for messages and receipts, which lead to the right city from anywhere."""

from chalicelib.settings import settings


def absolute(path: str) -> str:
    """The address of ``path`` where the path itself names the city, as a signed link does."""
    return f"{settings().public_url}{path}"


def in_city(jurisdiction: str, path: str) -> str:
    """The address of ``path``; a city that is not the deployment's own is named in it."""
    chosen = settings()
    city = "" if jurisdiction == chosen.jurisdiction else f"?jurisdiction_id={jurisdiction}"
    return f"{chosen.public_url}{path}{city}"
