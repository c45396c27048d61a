"""What looks personal in a reporter's public words, by the city's patterns."""

from collections.abc import Iterable
from typing import Any

from chalicelib.domain.city import City
from chalicelib.domain.events import Words
from chalicelib.domain.hiding import finds

FIELDS = ("description", "landmark")


def personal(words: Iterable[Words], city: City) -> list[dict[str, Any]]:
    """{"field", "kind", "start", "end"} of everything found in the public words of a filing."""
    return [
        {"field": one.field, **find._asdict()}
        for one in words
        if one.field in FIELDS
        for find in finds(one.text, city.patterns)
    ]
