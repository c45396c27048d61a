"""The daily root of a city's record: one hash that stands for every event of every report.

Reports are grouped by their month of filing (of the id, UTC). A month's tree has a leaf for each
report: its id, its last version and that event's hash. Random leaves fill the tree up to a power of
two, and the leaves are in the order of their hashes.

A report that is secret at the end of a day is in another tree, ``HIDDEN``. Its size and all its
hashes would tell who compares two days what happened to secret reports; so it is there from the
first day, has room to spare, and gets a new random hash beside each leaf every day.

Tests: tests/integration/test_record_root.py
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from chalicelib.domain import merkle
from chalicelib.domain.hash_chain import GENESIS, canonical, digest

SCHEMA = 1
# Random leaves of a month, at least.
_FILLERS = 8
# The name of the tree of secret reports, among the months, and its smallest size.
HIDDEN, _HIDDEN_SIZE = "hidden", 256


class Tail(NamedTuple):
    """The last event of a report. A filler has no report, and a random hash as its ``hash``.

    ``beside``: a random hash that hides the leaf from the paths of other reports.
    """

    report: str
    version: int
    hash: str
    beside: str = ""

    def leaf(self, jurisdiction: str) -> str:
        """The report's leaf in the tree of its month."""
        if not self.report:
            return self.hash
        leaf = merkle.leaf(canonical_list([jurisdiction, *self[:3]]))
        return merkle.climb(leaf, self.first_steps())

    def first_steps(self) -> merkle.Path:
        """The path from the hash of the report's last event to its place in the tree."""
        return [(merkle.LEFT, self.beside)] if self.beside else []


def canonical_list(values: list[Any]) -> bytes:
    """The bytes of a list in a leaf: JSON without spaces."""
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()


def month_with(
    tails: Iterable[Tail], newer: Iterable[Tail], filler: Callable[[], bytes]
) -> list[Tail]:
    """The tails of a month with newer ones; of one report, the highest version stays."""
    known = list(tails)
    by_report = _newest(known, newer)
    size = 1 << (len(by_report) + _FILLERS - 1).bit_length()
    fillers = [tail for tail in known if not tail.report][: size - len(by_report)]
    while len(by_report) + len(fillers) < size:
        fillers.append(Tail("", 0, hashlib.sha256(filler()).hexdigest()))
    return sorted([*by_report.values(), *fillers])


def hidden_with(
    tails: Iterable[Tail], newer: Iterable[Tail], filler: Callable[[], bytes]
) -> list[Tail]:
    """The tails of secret reports with the newer ones; their tree repeats no earlier hash."""
    reports = _newest(tails, newer).values()
    size = max(_HIDDEN_SIZE, 1 << (len(reports) + _FILLERS - 1).bit_length())
    fresh = [hashlib.sha256(filler()).hexdigest() for _ in range(size)]
    shown = [tail._replace(beside=beside) for tail, beside in zip(reports, fresh, strict=False)]
    return sorted([*shown, *(Tail("", 0, other) for other in fresh[len(shown) :])])


def _newest(tails: Iterable[Tail], newer: Iterable[Tail]) -> dict[str, Tail]:
    by_report = {tail.report: tail for tail in tails if tail.report}
    for tail in newer:
        if tail.report not in by_report or by_report[tail.report].version < tail.version:
            by_report[tail.report] = tail
    return by_report


def leaves(jurisdiction: str, tails: Iterable[Tail]) -> list[str]:
    """The leaves of a month's tree, in order."""
    return sorted(tail.leaf(jurisdiction) for tail in tails)


def document(
    jurisdiction: str, day: str, months: Mapping[str, str], previous: str | None
) -> tuple[str, str]:
    """(canonical text, its hash) of a day. ``months``: {month: root}; ``previous``: the hash of the
    document of the day before."""
    document = {
        "schema": SCHEMA,
        "jurisdiction": jurisdiction,
        "day": day,
        "months": [{"month": month, "root": root} for month, root in sorted(months.items())],
        "root": top(months),
        "prev": previous or GENESIS,
    }
    text = canonical(document)
    return text.decode(), digest(text)


def top(months: Mapping[str, str]) -> str:
    """The root over the roots of all months."""
    return merkle.root(
        [merkle.leaf(canonical_list([month, root])) for month, root in sorted(months.items())]
    )


def pack(tails: Iterable[Tail]) -> bytes:
    """The lines of a month's file."""
    rows = ([*tail[:3], tail.beside] if tail.beside else list(tail[:3]) for tail in sorted(tails))
    return b"\n".join(canonical_list(row) for row in rows)


def unpack(data: bytes) -> list[Tail]:
    """The tails that ``pack`` wrote."""
    return [Tail(*json.loads(line)) for line in data.splitlines()]
