"""Months as the first engine of scores published them: ``golden/months-engine-1.json``.

The file was written before there was a second engine. It has, for some random towns, the
settings of the month as it stored them, the SHA-256 of each file and each stored document, and one
whole public scorecard.
"""

import hashlib
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.services.scorecards import compute
from chalicelib.storage.rows import dump
from tests.support.random_score_rows import Town, bundle

FILE = Path(__file__).parent / "golden" / "months-engine-1.json"
SEEDS = (0, 1, 3, 4, 7, 11)
WHOLE_TEXT = 7


def load() -> dict[str, Any]:
    """{seed: {"settings", "digest", "hashes": {name: SHA-256}}}, and one "scorecard" in full."""
    known: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return known


def published(seed: int, settings: Settings) -> tuple[str, dict[str, bytes]]:
    """(digest, {name: bytes} of each file and document) of a town's month, published as a draft.

    The town's rows must be stored.
    """
    town = Town(seed)
    city = City.from_json(bundle(town.zone))
    written: dict[str, bytes] = {}

    def put_file(key: str, body: bytes, kind: str, *, locked: bool = False) -> None:
        written[f"{key} {kind} {locked}"] = body

    def put_cards(place: str, month: str, folder: str, cards: dict[str, Any]) -> None:
        written.update({f"{folder} {name}": dump(card).encode() for name, card in cards.items()})

    found = compute.compute(city, town.month, settings, town.now)
    with patch.object(compute.files, "put", put_file), \
         patch.object(compute.store, "put_cards", put_cards):  # fmt: skip
        compute.publish(city, found, "draft", 1)
    return found.digest, written


def hashes(written: dict[str, bytes]) -> dict[str, str]:
    """{name: SHA-256 in hex}."""
    return {name: hashlib.sha256(body).hexdigest() for name, body in sorted(written.items())}
