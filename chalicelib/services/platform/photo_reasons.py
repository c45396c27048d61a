"""Reasons to refuse, hide or flag a photo or a text: codes and texts of rules/photos.json.

Tests: tests/integration/test_languages.py
"""

from functools import cache

from chalicelib import rules

Texts = dict[str, dict[str, str]]


def refusals() -> Texts:
    """{reason: {"en", "id"}} for which ``process_photos`` refuses an upload."""
    return _rules()["refusals"]


def moderations() -> Texts:
    """{reason: {"en", "id"}} for which an official hides or blurs a picture."""
    return _rules()["moderations"]


def texts() -> Texts:
    """{reason: {"en", "id"}} for which an official hides a text."""
    return _rules()["texts"]


def flags() -> Texts:
    """{reason: {"en", "id"}} for which anybody can flag a report, a text or a picture."""
    return _rules()["flags"]


@cache
def _rules() -> dict[str, Texts]:
    reasons: dict[str, Texts] = rules.load("photos")
    return reasons
