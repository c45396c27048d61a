"""No answer of the API has erased data: every GET operation is called by every kind of caller."""
# ruff: noqa: F811

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.services.city import cities
from chalicelib.services.people import closed_reports, erasure, retention
from infra.ops import verify
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Edge
from tests.support import personal_data_search
from tests.support.world import JURISDICTION

WORD = "qzanswered"
CONTACT = {"email": f"{WORD}@example.org", "name": WORD}
DAYS = {"contact_days": 60, "closed_days": 400, "cancelled_days": 200}


@pytest.fixture(name="life")
def fixture_life(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A report that was repaired, with words and a photo of its reporter, and who may ask."""
    monkeypatch.setattr(closed_reports, "FIRST_MONTH", "202611")
    with personal_data_search.quick():
        yield lived(edge)


def lived(edge: Edge) -> dict[str, Any]:
    """What happens to it, through the API."""
    edge.publish(retention=DAYS)
    siti = edge.device()
    shot = edge.photo(siti, processed=True)
    given = {"description": f"{WORD} hole", "landmark": f"{WORD} gate", "contact": CONTACT}
    made = edge.finished(siti, **given, photos=[shot])
    assert edge.act(siti, made, "refuse", reason=f"{WORD} still there").status == 200
    worker = edge.staff("worker1")
    again = [edge.photo(worker, processed=True)]
    assert edge.act(worker, made, "finish", note="Again.", photos=again).status == 200
    assert edge.act(siti, made, "verify", note=f"{WORD} thanks").status == 200
    said = {"rating": 5, "text": f"{WORD} good"}
    assert edge.post(f"/v1/reports/{made}/rating", said, siti).status == 200
    edge.project()
    head = edge.head(made)
    officials = [edge.staff(one) for one in ("officer1", "auditor")]
    return {
        "report": made,
        "siti": siti,
        "people": [None, siti, *officials],
        "known": {
            "id": [made], "code": [head.code], "photo": [shot], "month": ["202611"],
            "area": ["D1"],
        },
    }  # fmt: skip


def told(edge: Edge, life: dict[str, Any]) -> list[str]:
    """Which operations show her words or her photo's address, and to whom."""
    shot = life["known"]["photo"][0]
    canaries = (WORD, f"photos/{JURISDICTION}/{shot}")
    return personal_data_search.answered(edge, canaries, life["people"], **life["known"])


def before_it_was_gone(edge: Edge, life: dict[str, Any]) -> None:
    """Before the erasure many operations show it."""
    where = {one.split(" as ")[0] for one in told(edge, life)}
    report = life["report"]
    for path in (f"/v1/reports/{report}", f"/v1/reports/{report}/case", "/v1/me/data",
                 "/open311/v2/requests.json"):  # fmt: skip
        assert f"GET {path}" in where, (path, where)


def test_no_operation_tells_anything_of_a_person_who_was_erased(
    edge: Edge, life: dict[str, Any]
) -> None:
    before_it_was_gone(edge, life)
    erasure.erase(JURISDICTION, life["report"], edge.now)
    edge.project()
    assert told(edge, life) == []
    assert verify.check()["faults"] == []


def test_no_operation_tells_anything_whose_time_is_over(edge: Edge, life: dict[str, Any]) -> None:
    before_it_was_gone(edge, life)
    edge.advance(days=400)
    life["people"] = [None]
    retention.erase_expired(cities.current(JURISDICTION, edge.now), edge.now)
    edge.project()
    life["people"] = [None, edge.device(), *(edge.staff(one) for one in ("officer1", "auditor"))]
    assert told(edge, life) == []
    assert verify.check()["faults"] == []
