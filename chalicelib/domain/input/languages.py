"""Languages by their tags: which ones a reader prefers, and the text that they get."""

import re
from collections.abc import Iterable, Mapping

# A text in several languages: {tag: text}.
Text = dict[str, str]

_READ_AT_MOST = 50
_WEIGHT = re.compile(r"\s*[qQ]\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.ASCII)
# Tags that older phones send, and the present ones (ISO 639-1).
_OLDER = {"in": "id", "iw": "he", "ji": "yi"}


def plain(tag: str) -> str:
    """A tag without region or script, in its present form: ``in-ID`` becomes ``id``."""
    first = tag.strip().lower().replace("_", "-").split("-")[0]
    return _OLDER.get(first, first)


def requested(accept_language: str | None, locale: str | None = None) -> tuple[str, ...]:
    """The languages that a reader prefers, the best first.

    First ``locale``, then those of an Accept-Language header by their weights (RFC 9110, 12.5.4).
    Languages of weight 0 are left out, and those below the weight of "*". Empty for "*" alone and
    without a header.
    """
    weighed = [_weighed(part) for part in (accept_language or "").split(",")[:_READ_AT_MOST]]
    floor = max((weight for tag, weight in weighed if tag == "*"), default=0.0)
    # Sorting is stable: languages of equal weight keep their order.
    best = sorted(weighed, key=lambda pair: -pair[1])
    tags = [plain(locale or ""), *(tag for tag, weight in best if weight and weight >= floor)]
    return tuple(dict.fromkeys(tag for tag in tags if tag and tag != "*"))


def _weighed(part: str) -> tuple[str, float]:
    tag, *parameters = part.split(";")
    weight = next((match[1] for text in parameters if (match := _WEIGHT.fullmatch(text))), "1")
    return plain(tag), float(weight)


def first_offered(wanted: Iterable[str], offered: Iterable[str]) -> str | None:
    """The first of the wanted languages that is offered."""
    tags = set(offered)
    return next((tag for language in wanted if (tag := plain(language)) in tags), None)


def pick(texts: Mapping[str, str], order: Iterable[str]) -> str:
    """The text in the first language of ``order`` that has one, else any text; "" without any."""
    text = next((texts[language] for language in order if texts.get(language)), None)
    return text if text is not None else next(iter(texts.values()), "")
