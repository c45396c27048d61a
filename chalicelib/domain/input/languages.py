"""Languages by their tags: what a reader asks for, and the text of several that they get."""

import re
from collections.abc import Iterable, Mapping

_READ_AT_MOST = 50
_WEIGHT = re.compile(r"\s*[qQ]\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*")
# What older phones call a language, and its tag of today (ISO 639-1).
_OLDER = {"in": "id", "iw": "he", "ji": "yi"}


def plain(tag: str) -> str:
    """A tag without region or script, as of today: ``in-ID`` is ``id``."""
    first = tag.strip().lower().replace("_", "-").split("-")[0]
    return _OLDER.get(first, first)


def requested(accept_language: str | None, locale: str | None = None) -> tuple[str, ...]:
    """The languages that a reader asks for, the best first: ``locale``, then those of an
    Accept-Language header by their weights (RFC 9110, 12.5.4).

    What weighs nothing is left out, and so is what weighs less than "*", which any language is
    better than; none for "*" alone and for no header.
    """
    weighed = [_weighed(part) for part in (accept_language or "").split(",")[:_READ_AT_MOST]]
    floor = max((weight for tag, weight in weighed if tag == "*"), default=0.0)
    # Sorting is stable: of equal weight is first what stands first.
    best = sorted(weighed, key=lambda one: -one[1])
    tags = [plain(locale or ""), *(tag for tag, weight in best if weight and weight >= floor)]
    return tuple(dict.fromkeys(tag for tag in tags if tag and tag != "*"))


def _weighed(part: str) -> tuple[str, float]:
    tag, *parameters = part.split(";")
    weight = next((found[1] for one in parameters if (found := _WEIGHT.fullmatch(one))), "1")
    return plain(tag), float(weight)


def first_offered(wanted: Iterable[str], offered: Iterable[str]) -> str | None:
    """The first of the wanted languages that is offered."""
    known = set(offered)
    return next((tag for one in wanted if (tag := plain(one)) in known), None)


def pick(texts: Mapping[str, str], order: Iterable[str]) -> str:
    """The text in the first language of ``order`` that has one, else any; "" if there is none."""
    found = next((texts[one] for one in order if texts.get(one)), None)
    return found if found is not None else next(iter(texts.values()), "")
