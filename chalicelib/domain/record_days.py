"""The daily root of a city's record: one hash that stands for every event of every report.

Reports are grouped by their month of filing (of the id, UTC). A month's tree has a leaf for each
report: its id, its last version and that event's hash. Random leaves fill the tree up to a power of
two, and the leaves are in the order of their hashes, so nobody can count reports that are not
public.

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


class Tail(NamedTuple):
    """The last event of a report. A filler has no report, and a random hash as its ``hash``."""

    report: str
    version: int
    hash: str

    def leaf(self, jurisdiction: str) -> str:
        """The report's leaf in the tree of its month."""
        if not self.report:
            return self.hash
        return merkle.leaf(canonical_list([jurisdiction, *self]))


def canonical_list(values: list[Any]) -> bytes:
    """The bytes of a list in a leaf: JSON without spaces."""
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()


def month_with(
    tails: Iterable[Tail], newer: Iterable[Tail], filler: Callable[[], bytes]
) -> list[Tail]:
    """The tails of a month with newer ones; of one report, the highest version stays."""
    known = list(tails)
    by_report = {tail.report: tail for tail in known if tail.report}
    for tail in newer:
        if tail.report not in by_report or by_report[tail.report].version < tail.version:
            by_report[tail.report] = tail
    size = 1 << (len(by_report) + _FILLERS - 1).bit_length()
    fillers = [tail for tail in known if not tail.report][: size - len(by_report)]
    while len(by_report) + len(fillers) < size:
        fillers.append(Tail("", 0, hashlib.sha256(filler()).hexdigest()))
    return sorted([*by_report.values(), *fillers])


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
    return b"\n".join(canonical_list(list(tail)) for tail in sorted(tails))


def unpack(data: bytes) -> list[Tail]:
    """The tails that ``pack`` wrote."""
    return [Tail(*json.loads(line)) for line in data.splitlines()]
