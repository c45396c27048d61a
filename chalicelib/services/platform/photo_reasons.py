"""Why a photo is refused, hidden or reported: codes and their texts, in rules/photos.json."""

from functools import cache

from chalicelib import rules

Texts = dict[str, dict[str, str]]


def refusals() -> Texts:
    """{reason: {"en", "id"}} of what the function of photos refuses."""
    return _rules()["refusals"]


def moderations() -> Texts:
    """{reason: {"en", "id"}} for which an official hides or blurs a picture."""
    return _rules()["moderations"]


def texts() -> Texts:
    """{reason: {"en", "id"}} for which an official hides words."""
    return _rules()["texts"]


def flags() -> Texts:
    """{reason: {"en", "id"}} for which anybody may flag a report or a picture."""
    return _rules()["flags"]


@cache
def _rules() -> dict[str, Texts]:
    found: dict[str, Texts] = rules.load("photos")
    return found
