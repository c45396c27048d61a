"""What an outsider can check of a report, and what they do not learn."""
# ruff: noqa: F811

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain import event_parts, hash_chain
from chalicelib.services.reports import queries
from chalicelib.storage import report_texts, tables
from infra.ops import proof, verify
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Edge
from tests.support.world import JURISDICTION

PLACE = ("lat7", "long7", "accuracy", "place")


def outsider(edge: Edge, who: str | None = None) -> Callable[[str], dict[str, Any]]:
    """Gets public answers of the city."""

    def fetch(path: str) -> dict[str, Any]:
        path, _, query = path.partition("?")
        reply = edge.get(path, who, **dict(pair.split("=") for pair in query.split("&") if pair))
        assert reply.status == 200
        body: dict[str, Any] = reply.body
        return body

    return fetch


def checked(edge: Edge, report: str) -> dict[str, Any]:
    """The outsider's findings."""
    return proof.check(report, outsider(edge))


def test_anybody_recomputes_the_chain_of_a_public_report(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE", 3)
    me = edge.device()
    report = edge.finished(me)
    edge.act(me, report, "refuse", reason="Still broken")
    found = checked(edge, report)
    assert found["faults"] == []
    assert found["events"] == edge.head(report).version == 4
    assert found["withheld"] == 0
    assert found["tail"] == edge.head(report).tail


def test_the_public_part_tells_no_place_no_official_and_no_text(edge: Edge) -> None:
    report = edge.finished(edge.device())
    pages = json.dumps(outsider(edge)(f"/v1/reports/{report}/proof"))
    assert [one for one in (*PLACE, "s_officer", "s_worker", "salt") if one in pages] == []
    for name, row in report_texts.texts(JURISDICTION, report, 1, 99).items():
        assert row["text"] not in pages, name


@pytest.mark.parametrize("how", ["edit", "drop", "swap", "back-date"])
def test_a_changed_record_does_not_pass_the_outsiders_check(edge: Edge, how: str) -> None:
    report = edge.finished(edge.device())
    rows = sorted(tables.Event.scan(), key=lambda row: int(row.version))
    if how == "drop":
        rows[1].delete()
    elif how == "swap":
        rows[1].event, rows[2].event = rows[2].event, rows[1].event
        rows[1].hash, rows[2].hash = rows[2].hash, rows[1].hash
    else:
        old, new = ("assign", "reject") if how == "edit" else ('"at":"2026', '"at":"2025')
        assert old in rows[1].event
        rows[1].event = rows[1].event.replace(old, new)
    for row in rows[1:3] if how != "drop" else []:
        row.save()
    assert checked(edge, report)["faults"] != []


def test_a_private_report_is_checked_without_its_contents(edge: Edge) -> None:
    me = edge.device()
    report = edge.file(me, public=False).body["id"]
    found = checked(edge, report)
    assert (found["faults"], found["withheld"]) == ([], 0)
    (row,) = outsider(edge)(f"/v1/reports/{report}/proof")["events"]
    assert json.loads(row["event"]).keys() == {
        "schema", "jurisdiction", "report", "version", "at", "action", "rules", "actor", "after",
        "inside", "prev",
    }  # fmt: skip


def test_a_report_that_came_back_private_withholds_what_was_public(edge: Edge) -> None:
    report = edge.file(edge.device()).body["id"]
    row = tables.Report.get(f"{JURISDICTION}#R#{report}")
    row.doc = json.dumps({**json.loads(row.doc), "private": True})
    row.save()
    found = checked(edge, report)
    assert (found["faults"], found["withheld"]) == ([], 1)


def test_a_protected_report_has_no_proof_for_anybody_else(edge: Edge) -> None:
    me = edge.device()
    report = edge.file(me, service="misconduct").body
    assert edge.get(f"/v1/reports/{report['id']}/proof").status == 404
    (row,) = edge.get(f"/v1/reports/{report['id']}/proof", me).body["events"]
    assert json.loads(row["event"]).keys() == {
        "schema", "jurisdiction", "report", "version", "at", "inside", "prev",
    }  # fmt: skip


def test_an_event_of_schema_1_is_a_link_without_contents(edge: Edge) -> None:
    report = edge.file(edge.device()).body["id"]
    (row,) = tables.Event.scan()
    row.inside = row.salt = None
    row.save()
    (shown,) = edge.get(f"/v1/reports/{report}/proof").body["events"]
    assert (shown["event"], shown["hash"]) == (None, row.hash)


def test_a_report_of_before_goes_on_in_the_new_form(edge: Edge) -> None:
    """Local data of the first versions: one text an event, whose bytes nobody outside sees."""
    report = edge.file(edge.device()).body["id"]
    (row,) = tables.Event.scan()
    event = json.loads(event_parts.whole(row.event, row.inside))
    old = {name: value for name, value in event.items() if name not in ("inside", "prev")}
    row.event, row.hash = hash_chain.chain({**old, "schema": 1}, hash_chain.GENESIS)
    row.inside = row.salt = None
    row.save()
    head = tables.Report.get(f"{JURISDICTION}#R#{report}")
    head.doc = json.dumps({**json.loads(head.doc), "tail": row.hash})
    head.save()
    assert edge.act(edge.staff("officer1"), report, "assign", unit="u-d1").status == 200
    edge.project()
    assert verify.check()["faults"] == []
    assert [one["action"] for one in edge.get(f"/v1/reports/{report}/timeline").body["events"]] == [
        "file", "assign",
    ]  # fmt: skip
    found = checked(edge, report)
    assert (found["faults"], found["events"], found["withheld"]) == ([], 2, 1)


def test_events_of_two_functions_that_began_in_another_order_are_no_fault(edge: Edge) -> None:
    """A schedule writes the moment at which it began, also minutes later."""
    report = edge.file(edge.device()).body["id"]
    edge.now -= timedelta(minutes=2)
    assert edge.act(edge.staff("officer1"), report, "assign", unit="u-d1").status == 200
    assert checked(edge, report)["faults"] == []
