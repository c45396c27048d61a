"""Texts that people read outside the screens: alerts, e-mails and text messages, translated.

Tests: tests/integration/test_languages.py
"""

from functools import cache
from typing import Any

from chalicelib import rules
from chalicelib.domain.city.city import EMERGENCY, EMERGENCY_NAME, City
from chalicelib.domain.input.languages import pick
from chalicelib.domain.scorecards.measures import measures
from chalicelib.services.platform import photo_reasons

SHIPPED = "en"


@cache
def city_texts() -> dict[str, dict[str, str]]:
    """Every text that a city can replace with its own: key -> {en, id}."""
    texts: dict[str, dict[str, str]] = rules.load("messages")
    flags = {f"flag.{reason}": text for reason, text in photo_reasons.flags().items()}
    return {**texts, **flags, EMERGENCY: EMERGENCY_NAME}


@cache
def optional_texts() -> dict[str, dict[str, str]]:
    """Texts that answers give in every language at once: why a photo was refused, and the measures
    of a scorecard. A city may translate them, but need not."""
    texts = {f"refusal.{reason}": text for reason, text in photo_reasons.refusals().items()}
    for code, measure in measures().items():
        texts |= {f"measure.{code}.{name}": measure[name] for name in ("name", "formula")}
    return texts


def translations(key: str, city: City) -> dict[str, str]:
    """{language: text} of a key of ``optional_texts``, with the city's own translations."""
    return optional_texts()[key] | _own_texts(key, city)


def message_text(key: str, language: str | None, city: City | None = None, **values: Any) -> str:
    """The text of ``key`` in ``language``, from the city's catalogue or the shipped one.

    If the city does not speak that language: in the first of its languages that has the text,
    else in English.
    """
    if city is None:
        return pick(city_texts()[key], (language or SHIPPED, SHIPPED)).format(**values)
    texts = city_texts()[key] | _own_texts(key, city)
    return pick(texts, (*city.language_order(language), SHIPPED)).format(**values)


def official_text(city: City, key: str, **values: Any) -> str:
    """The text of ``key`` for a city's officials, in the city's first language."""
    return message_text(key, None, city, **values)


def _own_texts(key: str, city: City) -> dict[str, str]:
    return {language: texts[key] for language, texts in city.messages.items() if key in texts}
