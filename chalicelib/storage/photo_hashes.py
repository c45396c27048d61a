"""Finds photos that were used before: one row for each part of a photo's hash.

Two hashes that differ in at most seven of 128 bits share one of eight parts of 16 bits, so that
an equal part finds every similar hash.
"""

import json
from dataclasses import dataclass
from datetime import timedelta

from chalicelib import clock
from chalicelib.domain.photos import hash_distance
from chalicelib.storage import tables
from chalicelib.storage.rows import dump
from chalicelib.storage.transactions import Delete, Put, commit, read

BITS = 7
KEPT = timedelta(days=400)
_PART = 4
_LIMIT = 40


@dataclass(frozen=True)
class Use:
    """A photo as a report used it: ``used`` is when, ``likeness`` its hash if it has one."""

    photo: str
    report: str
    kind: str
    used: str
    sha256: str
    likeness: str | None

    def differs(self, other: "Use") -> int:
        """In how many bits two pictures differ; 0 for the same file, 128 for two with no hash."""
        if self.sha256 == other.sha256:
            return 0
        if self.likeness is None or other.likeness is None:
            return 128
        return hash_distance(self.likeness, other.likeness)


def put(jurisdiction: str, use: Use) -> None:
    """Record a use for ``KEPT``; a repetition is harmless."""
    doc = dump(vars(use))
    expiry = int((clock.wall() + KEPT).timestamp())
    commit(
        [
            Put(part, tables.Control(f"{jurisdiction}#{part}", use.photo, doc=doc, ttl=expiry))
            for part in _parts(use)
        ]
    )


def forget(jurisdiction: str, photo: str, sha256: str, likeness: str | None) -> None:
    """Delete the record of a photo's use; a repetition is harmless."""
    use = Use(photo, "", "", "", sha256, likeness)
    commit([Delete(part, tables.Control(f"{jurisdiction}#{part}", photo)) for part in _parts(use)])


def near(jurisdiction: str, use: Use) -> list[Use]:
    """Other uses of the same picture, or of a picture that differs in at most ``BITS`` bits.

    At most nine consistent queries of the newest 40 rows each.
    """
    similar: dict[str, Use] = {}
    for part in _parts(use):
        for other in _uses(f"{jurisdiction}#{part}"):
            if other.photo != use.photo and use.differs(other) <= BITS:
                similar[other.photo] = other
    return [similar[photo] for photo in sorted(similar)]


def _uses(key: str) -> list[Use]:
    rows = read(
        lambda: list(
            tables.Control.query(key, scan_index_forward=False, limit=_LIMIT, consistent_read=True)
        )
    )
    return [Use(**json.loads(row.doc)) for row in rows]


def _parts(use: Use) -> list[str]:
    parts = [f"LIKE#S#{use.sha256}"]
    digits = use.likeness or ""
    parts += [
        f"LIKE#{start}#{digits[start : start + _PART]}" for start in range(0, len(digits), _PART)
    ]
    return parts
