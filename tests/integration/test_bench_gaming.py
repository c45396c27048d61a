"""The bench of tricks judges a month as the monthly close does (bench/gaming/judging.py)."""

import pytest

from bench.gaming.place import city
from bench.gaming.simulation import END, JUDGED, Base
from chalicelib.domain.scorecards.card_types import Card
from chalicelib.domain.sla import periods
from chalicelib.services.city import cities
from chalicelib.services.scorecards import compute
from chalicelib.storage import report_filers, score_rows
from chalicelib.storage.transactions import Write, commit

_BATCH = 40


def _store(base: Base) -> None:
    place = city().jurisdiction
    writes: list[Write] = []
    for played in (base.honest, *base.peers):
        for code, row in (played.rows | played.audits).items():
            last = periods.last_month(row, city())
            writes.append(score_rows.put_score(place, code, row["version"], row, last))
        for month, filers in played.filers().items():
            writes += [
                report_filers.put_filer(place, month, code, uid) for code, uid in filers.items()
            ]
    for first in range(0, len(writes), _BATCH):
        commit(writes[first : first + _BATCH])


def _used(cards: list[Card]) -> list[tuple[object, ...]]:
    """What the bench reads of cards. The people of a month are counted for the city's card only."""
    return [
        (card["kind"], card["code"], card["n"], card["score"], card["measures"])
        for card in cards
        if card["kind"] != "city"
    ]


@pytest.mark.usefixtures("aws")
def test_the_bench_and_the_monthly_close_give_equal_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cities, "districts", lambda _: compute.districts(city())[:-1])
    # So low a cap that many filers' reports count less than 1.
    base = Base(1, 12, {"reporter_cap": 1})
    _store(base)
    month = JUDGED[1]
    closed = compute.compute(city(), month, base.settings, END, whole=False)
    assert _used(base.cards(month)) == _used(closed.cards)
