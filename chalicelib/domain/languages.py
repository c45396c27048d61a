"""Languages by their tags: what a reader asks for, and the text of several that they get."""

from collections.abc import Iterable, Mapping

# What older phones call a language, and its tag of today (ISO 639-1).
_OLDER = {"in": "id", "iw": "he", "ji": "yi"}


def plain(tag: str) -> str:
    """A tag without region or script, as of today: ``in-ID`` is ``id``."""
    first = tag.strip().lower().replace("_", "-").split("-")[0]
    return _OLDER.get(first, first)


def asked(accept_language: str | None) -> tuple[str, ...]:
    """The languages of an Accept-Language header in the order in which they stand there (weights
    are not read); none for "*" and for no header."""
    tags = [plain(part.split(";")[0]) for part in (accept_language or "").split(",")]
    return tuple(dict.fromkeys(tag for tag in tags if tag and tag != "*"))


def chosen(wanted: Iterable[str], offered: Iterable[str]) -> str | None:
    """The first of the wanted languages that is offered."""
    known = set(offered)
    return next((tag for one in wanted if (tag := plain(one)) in known), None)


def pick(texts: Mapping[str, str], order: Iterable[str]) -> str:
    """The text in the first language of ``order`` that has one, else any; "" if there is none."""
    found = next((texts[one] for one in order if texts.get(one)), None)
    return found if found is not None else next(iter(texts.values()), "")
