"""Moments as text: ISO 8601, UTC, milliseconds, ``Z``. The texts sort by time."""

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """An aware moment as text, for example ``2017-02-20T00:58:22.262Z``."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """The aware UTC moment of a text that ``iso`` wrote."""
    return datetime.fromisoformat(text).astimezone(UTC)
