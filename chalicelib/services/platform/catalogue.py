"""Texts that people read outside the screens: alerts, mails, short messages, in their language."""

from functools import cache
from typing import Any

from chalicelib import rules
from chalicelib.domain.city.city import EMERGENCY, EMERGENCY_NAME, City
from chalicelib.domain.input.languages import pick
from chalicelib.domain.scorecards.cards import measures
from chalicelib.services.platform import photo_reasons

SHIPPED = "en"


@cache
def table() -> dict[str, dict[str, str]]:
    """Every text that a city may bring in its own words: key -> {en, id}."""
    found: dict[str, dict[str, str]] = rules.load("messages")
    flags = {f"flag.{reason}": text for reason, text in photo_reasons.flags().items()}
    return {**found, **flags, EMERGENCY: EMERGENCY_NAME}


@cache
def more() -> dict[str, dict[str, str]]:
    """Texts that answers give in every language at once, which a city may bring in its own words
    too, but need not: why a photo was refused, and the measures of a scorecard."""
    found = {f"refusal.{reason}": text for reason, text in photo_reasons.refusals().items()}
    for code, one in measures().items():
        found |= {f"measure.{code}.{name}": one[name] for name in ("name", "formula")}
    return found


def translated(key: str, city: City) -> dict[str, str]:
    """{language: text} of ``more``, with what the city's catalogues say in its languages."""
    own = {one: texts[key] for one, texts in city.messages.items() if key in texts}
    return more()[key] | own


def say(key: str, language: str | None, city: City | None = None, **values: Any) -> str:
    """The text of ``key`` for a reader of ``language``: of the city's own catalogue or the shipped
    ones, in that language if it is the city's, else in the city's next, at last in English."""
    if city is None:
        return pick(table()[key], (language or SHIPPED, SHIPPED)).format(**values)
    own = {one: texts[key] for one, texts in city.messages.items() if key in texts}
    return pick(table()[key] | own, (*city.language_order(language), SHIPPED)).format(**values)


def tell(city: City, key: str, **values: Any) -> str:
    """The text of ``key`` for a city's officials, who read one message: in its first language."""
    return say(key, None, city, **values)
