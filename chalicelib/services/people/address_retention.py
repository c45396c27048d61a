"""Addresses with their preferences whose retention is over since their last use.

Tests: tests/integration/test_retention.py
"""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.domain.timestamps import parse
from chalicelib.storage import reach
from chalicelib.storage.transactions import Refused, commit

PAGE = 100


def forget_address(jurisdiction: str, at: str, address: str, until: datetime) -> bool:
    """Erase an address last used before ``until``, and its entry in the index by time.

    Returns whether it was erased.
    """
    docs = reach.address_rows(jurisdiction, address)
    newest = max([at, *(doc["at"] for doc in docs.values() if "at" in doc)], key=parse)
    over = bool(docs) and parse(newest) <= until
    writes = [reach.delete_address_entry(jurisdiction, at, address)]
    if over:
        writes += [
            reach.delete_unchanged(jurisdiction, address, name, doc) for name, doc in docs.items()
        ]
    try:
        commit(writes)
    except Refused:
        return False  # A new choice came just now; it has a newer entry of its own.
    return over


def old_addresses(jurisdiction: str, until: datetime) -> Iterator[datetime]:
    seen, after = set[str](), ""
    while page := reach.address_entries(jurisdiction, after, until, PAGE):
        after = "#".join(page[-1])
        for at, address in page:
            docs = reach.address_rows(jurisdiction, address) if address not in seen else {}
            last = max([parse(at), *(parse(doc["at"]) for doc in docs.values() if "at" in doc)])
            if docs and last <= until:
                seen.add(address)
                yield last
