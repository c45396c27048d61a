"""Texts that people read outside the screens: alerts, mails, short messages, in their language."""

import json
from functools import cache
from typing import Any

from chalicelib.errors import RULES


@cache
def table() -> dict[str, dict[str, str]]:
    """rules/messages.json: key -> {en, id}."""
    found: dict[str, dict[str, str]] = json.loads((RULES / "messages.json").read_bytes())
    return found


def say(key: str, language: str, **values: Any) -> str:
    """The text of ``key`` in ``language`` ("en" where it has no other)."""
    entry = table()[key]
    return entry.get(language, entry["en"]).format(**values)
