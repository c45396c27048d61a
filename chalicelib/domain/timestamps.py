"""Moments as text: ISO 8601, UTC, milliseconds, ``Z``; they sort as they follow each other."""

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """``2017-02-20T00:58:22.262Z`` of an aware moment."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """The aware UTC moment of ``iso``'s text."""
    return datetime.fromisoformat(text).astimezone(UTC)
