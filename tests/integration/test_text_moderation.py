"""Words are hidden with a reason, corrected by their author, and later erased."""
# ruff: noqa: F811

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.notifications import alerts
from chalicelib.services.notifications import alert_texts
from chalicelib.services.open_data import publishing
from chalicelib.services.people import erasure
from chalicelib.services.reports import text_moderation
from chalicelib.storage import files, people, tables, timeline_rows
from infra.ops import verify
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Edge
from tests.support.world import JURISDICTION

SAID = "Pak Budi di nomor 7 mencuri lampu"
NAME = {"start": 4, "end": 8}


def hide(edge: Edge, report: str, who: str = "officer1", **more: Any) -> Any:
    """What hiding words of the description answers."""
    body = {"version": 1, "field": "description", "reason": "personal_data", **more}
    return edge.post(f"/v1/reports/{report}/texts", body, edge.staff(who))


def everywhere(*words: str) -> list[str]:
    """The rows of any table that hold one of the words."""
    return [
        f"{name} {getattr(row, 'pk', '')}"
        for name, model in tables.MODELS.items()
        for row in model.scan()
        if any(word in json.dumps(row.to_simple_dict(), default=str) for word in words)
    ]


def kept(report: str) -> str:
    """The open data of the month."""
    return (files.get(f"open-data/{JURISDICTION}/2026-11.csv") or b"").decode()


def test_a_hidden_passage_is_nowhere_in_public_and_a_mark_says_so(edge: Edge) -> None:
    report = edge.file(edge.device(), description=SAID, landmark="Di depan").body["id"]
    edge.project()
    publishing.publish(edge.now)
    assert "Budi" in kept(report)
    edge.advance(minutes=5)
    assert hide(edge, report, passages=[NAME]).status == 200
    edge.project()
    view = edge.get(f"/v1/reports/{report}").body
    assert view["description"] == "Pak […] di nomor 7 mencuri lampu"
    assert view["hidden_texts"] == [
        {"version": 1, "field": "description", "by": 2, "reason": "personal_data"}
    ]
    events = edge.get(f"/v1/reports/{report}/timeline").body["events"]
    assert "Budi" not in json.dumps(events)
    assert events[1]["action"] == "text_hidden"
    assert events[1]["data"] == {"texts": [[1, "description"]], "reason": "personal_data"}
    assert "Budi" not in edge.get("/open311/v2/requests.json").text
    assert "[…]" in json.loads(edge.get("/open311/v2/requests.json").text)[0]["description"]
    assert "Budi" not in edge.get(f"/v1/reports/{report}/case", edge.staff("officer1")).text
    publishing.publish(edge.now)
    assert "Budi" not in kept(report)
    assert verify.check()["faults"] == []


def test_a_hidden_text_reaches_the_open_data_of_a_report_closed_long_ago(edge: Edge) -> None:
    me = edge.device()
    report = edge.file(me, description=SAID).body["id"]
    assert edge.act(me, report, "withdraw").status == 200
    edge.project()
    edge.advance(days=8)
    publishing.publish(edge.now)
    assert "Budi" in kept(report)
    edge.advance(hours=5)
    assert hide(edge, report).status == 200
    edge.project()
    publishing.publish(edge.now)
    assert "Budi" not in kept(report)


def test_only_officials_in_scope_hide_words(edge: Edge) -> None:
    report = edge.file(edge.device(), description=SAID).body["id"]
    for who, status in (
        ("officer2", 404), ("worker1", 403), ("verifier", 403), ("auditor", 403),
        ("head1", 200), ("dispatcher", 409),
    ):  # fmt: skip
        assert hide(edge, report, who).status == status, who
    assert edge.post(f"/v1/reports/{report}/texts", {}, edge.device()).status == 403


@pytest.mark.parametrize(
    "passages",
    [[{"start": 5, "end": 5}], [{"start": 0, "end": 999}],
     [{"start": 0, "end": 5}, {"start": 4, "end": 8}]],
)  # fmt: skip
def test_passages_that_do_not_lie_in_the_text_are_refused(edge: Edge, passages: Any) -> None:
    report = edge.file(edge.device(), description=SAID).body["id"]
    assert hide(edge, report, passages=passages).status == 422
    assert hide(edge, report, field="landmark").slug == "unknown_text"


def test_hiding_more_of_a_hidden_text_names_its_newest_version(edge: Edge) -> None:
    report = edge.file(edge.device(), description=SAID).body["id"]
    assert hide(edge, report, passages=[NAME]).status == 200
    moved = hide(edge, report)
    assert (moved.status, moved.slug, moved.body["newest"]) == (409, "text_moved", 2)
    assert hide(edge, report, version=2).status == 200
    assert edge.get(f"/v1/reports/{report}").body["description"] == "[…]"
    assert everywhere("mencuri") == [f"people {JURISDICTION}#W#{report}"]
    assert verify.check()["faults"] == []


def test_the_same_request_to_hide_twice_is_once(edge: Edge) -> None:
    report = edge.file(edge.device(), description=SAID).body["id"]
    body = {"version": 1, "field": "description", "reason": "abuse", "passages": [NAME]}
    asked = [
        edge.post(f"/v1/reports/{report}/texts", body, edge.staff("officer1"), key="k")
        for _ in range(2)
    ]
    assert [one.body for one in asked] == [{"id": report, "version": 2}] * 2


def test_a_comment_can_be_hidden_too(edge: Edge) -> None:
    me = edge.device()
    report = edge.file(me).body["id"]
    said = {"text": SAID, "audience": "public"}
    assert edge.post(f"/v1/reports/{report}/comments", said, me).status == 201
    assert hide(edge, report, version=2, field="comment").status == 200
    assert "Budi" not in edge.get(f"/v1/reports/{report}/timeline").text


def test_auditors_see_the_original_for_a_month_and_then_it_is_gone(edge: Edge) -> None:
    report = edge.file(edge.device(), description=SAID).body["id"]
    assert hide(edge, report, passages=[NAME]).status == 200
    address = f"/v1/reports/{report}/texts"
    (found,) = edge.get(address, edge.staff("auditor")).body["texts"]
    assert (found["version"], found["field"], found["text"]) == (1, "description", SAID)
    for who in ("officer1", "verifier", "admin"):
        assert edge.get(address, edge.staff(who)).status == 403, who
    assert edge.get(address, edge.device()).status == 403
    edge.advance(days=29)
    assert text_moderation.erase_due_originals(edge.now) == 0
    edge.now += timedelta(days=1, seconds=1)
    assert text_moderation.erase_due_originals(edge.now) == 1
    assert text_moderation.erase_due_originals(edge.now) == 0
    assert edge.get(address, edge.staff("auditor")).body["texts"] == []
    assert everywhere("Budi", "#WAS#") == []
    last = edge.get(f"/v1/reports/{report}/timeline").body["events"][-1]
    assert (last["action"], last["data"]) == ("text_erased", {"texts": [[1, "description"]]})
    assert verify.check()["faults"] == []


def test_a_reporter_corrects_their_words_while_nobody_has_acted(edge: Edge) -> None:
    me = edge.device()
    report = edge.file(me, description=SAID).body["id"]
    address = f"/v1/reports/{report}/correction"
    assert edge.post(address, {"description": "x"}, edge.device()).status == 403
    done = edge.post(address, {"description": "Lampu hilang", "landmark": "Di depan"}, me)
    assert (done.status, done.body["version"]) == (200, 2)
    view = edge.get(f"/v1/reports/{report}").body
    assert (view["description"], view["landmark"]) == ("Lampu hilang", "Di depan")
    assert everywhere("Budi") == []
    event = edge.get(f"/v1/reports/{report}/timeline").body["events"][-1]
    assert (event["action"], event["data"]) == ("text_corrected", {"texts": [[1, "description"]]})
    assert edge.post(address, {"description": "Lagi", "landmark": ""}, me).status == 200
    view = edge.get(f"/v1/reports/{report}").body
    assert (view["description"], view["landmark"]) == ("Lagi", None)
    assert everywhere("Lampu hilang", "Di depan") == []
    assert verify.check()["faults"] == []


@pytest.mark.parametrize("acted", ["staff", "support", "comment", "stale"])
def test_words_that_somebody_has_acted_on_are_not_corrected(edge: Edge, acted: str) -> None:
    me, officer = edge.device(), edge.staff("officer1")
    report = edge.file(me, description=SAID).body["id"]
    address = f"/v1/reports/{report}"
    if acted == "stale":
        # The officer has seen the former words.
        assert edge.post(f"{address}/correction", {"description": "x"}, me).status == 200
        late = edge.act(officer, report, "assign", version=1, person="s_worker1")
        assert late.slug == "stale_version"
        return
    if acted == "staff":
        assert edge.act(officer, report, "assign", person="s_worker1").status == 200
    if acted == "support":
        assert edge.post(f"{address}/support", who=edge.device()).status == 200
    if acted == "comment":
        said = {"text": "?", "audience": "public"}
        assert edge.post(f"{address}/comments", said, officer).status == 201
    assert edge.post(f"{address}/correction", {"description": "x"}, me).slug == "correction_late"


def test_a_corrected_contact_is_in_no_event(edge: Edge) -> None:
    me = edge.device()
    old = {"email": "lama@example.org"}
    report = edge.file(me, contact=old).body["id"]
    address = f"/v1/reports/{report}/correction"
    assert edge.post(address, {"contact": {"phone": "+628123456789"}}, me).status == 200
    head = edge.head(report)
    assert people.contact(JURISDICTION, head.contact) == {"phone": "+628123456789"}
    assert everywhere("lama@example.org") == []
    assert "8123456789" not in edge.get(f"/v1/reports/{report}/timeline").text
    assert edge.get(f"/v1/reports/{report}/timeline").body["events"][-1]["action"] == "inside"
    assert edge.post(address, {"contact": {}}, me).status == 200
    assert not edge.head(report).contactable
    assert everywhere("8123456789") == []


def test_a_reporter_hides_what_the_receipt_pointed_out(edge: Edge) -> None:
    me = edge.device()
    filed = edge.file(me, description="Telepon 0812 3456 7890 segera").body
    assert len(filed["personal_data"]) == 1
    done = edge.post(f"/v1/reports/{filed['id']}/correction", {"mask": True}, me)
    assert (done.status, done.body["personal_data"]) == (200, [])
    assert edge.get(f"/v1/reports/{filed['id']}").body["description"] == "Telepon […] segera"


@pytest.mark.parametrize("way", ["hidden", "corrected"])
def test_erasing_a_person_erases_what_was_hidden_or_corrected(edge: Edge, way: str) -> None:
    me = edge.device()
    report = edge.file(me, description=SAID).body["id"]
    if way == "hidden":
        assert hide(edge, report, passages=[NAME]).status == 200
    else:
        new = {"description": "Lampu dicuri", "landmark": "Nomor tujuh"}
        assert edge.post(f"/v1/reports/{report}/correction", new, me).status == 200
    erasure.erase(JURISDICTION, report, edge.now)
    assert everywhere("Budi", "lampu", "Lampu", "tujuh") == []
    assert verify.check()["faults"] == []


def test_a_flag_for_personal_data_leads_to_the_text(edge: Edge) -> None:
    report = edge.file(edge.device(), description=SAID).body["id"]
    flag = {"reason": "personal_data"}
    assert edge.post(f"/v1/reports/{report}/flags", flag, edge.device()).status == 200
    case = edge.get(f"/v1/reports/{report}/case", edge.staff("officer1")).body
    assert case["timeline"][-1]["data"] == {**flag, "text": [1, "description"]}
    event = json.loads(timeline_rows.timeline(JURISDICTION, report, 1, 1)[0][0])
    (message,) = alerts.messages(event)
    assert "description, versi 1" in alert_texts.compose(message, edge.city)
    named = {"reason": "abuse", "text": {"version": 9, "field": "comment"}}
    assert edge.post(f"/v1/reports/{report}/flags", named, edge.device()).slug == "unknown_text"
