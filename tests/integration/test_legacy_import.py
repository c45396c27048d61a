"""Import of an old system's history: its own times are kept, faults are reported, nothing comes
twice."""

import csv
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.http import georeport_formats
from chalicelib.services.notifications import alert_texts, daily_digest
from chalicelib.services.open311 import request_views
from chalicelib.services.open311 import requests as open311
from chalicelib.services.people import closed_reports
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import legacy_import, queries, queues
from chalicelib.services.reports.legacy_import import LegacyReport
from chalicelib.services.scorecards import lifecycle
from chalicelib.storage import (
    control,
    open311_requests,
    report_lists,
    reports,
    score_rows,
    timeline_rows,
)
from chalicelib.storage.transactions import Unavailable, commit
from infra.city import importing
from infra.city.findings import CityErrors
from infra.city.import_mapping_checks import checked
from infra.city.import_rows import EXTRA
from infra.ops import backfill
from tests.support.world import JURISDICTION, PUBLIC, World, city, faults, official, spot

HERE = spot("D1-W1")
MAPPING: dict[str, Any] = {
    "source": "oldtown",
    "columns": {"id": "no", "created": "opened", "closed": "closed", "lat": "lat", "long": "lon",
                "service": "kind", "status": "state", "description": "text"},
    "statuses": {"Baru": "open", "Selesai": "unverified", "Ditolak": "rejected"},
    "services": {"LUBANG": "pothole", "*": "litter"},
}  # fmt: skip


def row(number: int = 1, **more: Any) -> dict[str, Any]:
    """A row that is right, with changes."""
    good = {"no": f"A-{number}", "opened": "2024-03-05 08:00:00", "closed": "2024-03-09 17:30",
            "lat": HERE["lat"], "lon": HERE["long"], "kind": "LUBANG", "state": "Selesai",
            "text": "Lubang besar"}  # fmt: skip
    return {**good, **more}


def run(world: World, *rows: dict[str, Any]) -> importing.Outcome:
    """Import rows."""
    return importing.run(city(), iter(rows), checked(MAPPING, city()), world.now)


def the_report(number: int = 1) -> Any:
    """The head of an imported row."""
    filed = checked(MAPPING, city()).moment("2024-03-05 08:00:00", city())
    old = LegacyReport("oldtown", f"A-{number}", "pothole", HERE["lat"], HERE["long"], filed)
    found = reports.get(JURISDICTION, legacy_import.id_of(JURISDICTION, old))
    assert found is not None
    return found


def test_times_status_place_and_words_are_kept(world: World) -> None:
    outcome = run(world, row(1), row(2, state="Ditolak"), row(3, state="Baru", closed=""))
    assert outcome.summary() == {
        "imported": 3, "known": 0, "findings": {}, "services": {"pothole": 3},
        "statuses": {"open": 1, "rejected": 1, "unverified": 1},
    }  # fmt: skip
    closed, rejected, still = (the_report(number) for number in (1, 2, 3))
    # Without a zone the old system's clocks were the city's, at +07:00.
    assert iso(closed.filed_at) == "2024-03-05T01:00:00.000Z"
    assert iso(closed.closed_at) == "2024-03-09T10:30:00.000Z"
    assert (closed.state, closed.resolution, closed.channel) == ("closed", "unverified", "import")
    assert (rejected.resolution, still.state) == ("rejected", "submitted")
    assert (closed.ward, closed.district, closed.service) == ("D1-W1", "D1", "pothole")
    shown = queries.public(PUBLIC, closed.id)
    assert shown["description"] == "Lubang besar"
    (event,) = world.events(closed.id)
    assert event["action"] == "import"
    assert event["data"] == {"source": "oldtown", "old": "A-1"}


def test_importing_again_changes_nothing(world: World) -> None:
    rows = [row(number) for number in range(5)]
    assert run(world, *rows[:3]).imported == 3
    again = run(world, *rows)
    assert (again.imported, again.known) == (2, 3)
    assert run(world, *rows).imported == 0
    assert all(the_report(number).version == 1 for number in range(5))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"no": ""}, "id_unusable"),
        ({"no": "surat@example.org x"}, "id_unusable"),
        ({"opened": "kemarin"}, "created_unreadable"),
        ({"opened": "2124-01-01"}, "created_in_the_future"),
        ({"opened": "1969-12-30"}, "created_before_1970"),
        ({"opened": "1901-01-01"}, "created_before_1970"),
        ({"closed": "2124-01-01"}, "closed_in_the_future"),
        ({"closed": ""}, "closed_unreadable"),
        ({"closed": "2024-03-04"}, "closed_before_created"),
        ({"state": "?"}, "unknown_status"),
        ({"lat": HERE["long"], "lon": HERE["lat"]}, "place_swapped"),
        ({"lat": 0, "lon": 0}, "place_zero"),
        ({"lat": "-6", "lon": "107"}, "place_in_whole_degrees"),
        ({"lat": "", "lon": "x"}, "place_unreadable"),
        ({"lat": "-7.5", "lon": "110.25"}, "outside_area"),
        ({"lat": "1e300", "lon": "nan"}, "place_unreadable"),
        ({"lat": "-6_2.1", "lon": "106.8"}, "place_unreadable"),
        ({"lat": "-6.175,0", "lon": "106.8"}, "place_unreadable"),
    ],
    ids=str,
)
def test_a_fault_of_a_row_is_reported_and_holds_up_no_other(
    world: World, change: dict[str, Any], finding: str
) -> None:
    outcome = run(world, row(1), row(2, **change), row(3))
    assert outcome.imported == 2
    ((number, _, kind),) = outcome.findings
    assert number == 2
    assert kind == finding


def test_a_place_with_the_comma_of_a_spreadsheet_is_read(world: World) -> None:
    comma = {"lat": str(HERE["lat"]).replace(".", ","), "lon": str(HERE["long"]).replace(".", ",")}
    assert run(world, row(**comma)).summary()["imported"] == 1
    assert the_report().ward == "D1-W1"


def test_a_report_that_was_closed_on_its_day_without_a_time_is_kept(world: World) -> None:
    outcome = run(world, row(closed="2024-03-05"))
    assert outcome.summary()["findings"] == {"closed_time_assumed": 1}
    report = the_report()
    assert report.closed_at == report.filed_at


def test_a_report_that_was_closed_in_the_hour_that_the_clocks_repeat_is_kept(world: World) -> None:
    """In New York 01:50 and then 01:10 on the morning of 3 November 2024, 20 minutes later."""
    mapping = checked({**MAPPING, "zone": "America/New_York"}, city())
    times = {"opened": "2024-11-03 01:50:00", "closed": "2024-11-03 01:10:00"}
    outcome = importing.run(city(), iter([row(**times)]), mapping, world.now)
    assert outcome.summary()["findings"] == {"closed_time_assumed": 1}
    (report_id,) = {json.loads(text)["report"] for text, _ in timeline_rows.whole_timeline()}
    report = reports.get(JURISDICTION, report_id)
    assert report
    assert report.closed_at
    assert (iso(report.filed_at), iso(report.closed_at)) == (
        "2024-11-03T05:50:00.000Z",
        "2024-11-03T06:10:00.000Z",
    )


def test_retention_visits_what_an_import_brought_that_broke_off_or_was_killed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    restarted: list[str] = []
    monkeypatch.setattr(closed_reports, "restart", restarted.append)
    real = legacy_import.import_report

    def break_off(city: Any, old: Any, *more: Any, **options: Any) -> bool:
        if old.id == "A-2":
            raise Unavailable
        return real(city, old, *more, **options)

    monkeypatch.setattr(legacy_import, "import_report", break_off)
    with pytest.raises(Unavailable):
        run(world, row(1), row(2))
    assert restarted == [JURISDICTION]
    # Killed after the last row: the repetition finds only known reports.
    assert run(world, row(1)).summary()["known"] == 1
    assert restarted == [JURISDICTION, JURISDICTION]


def test_a_row_with_more_cells_than_columns_is_left_out(world: World) -> None:
    """A separator within a text moved its cells: nobody knows which is which."""
    moved, trailing = row(2, **{EXTRA: ["", "Baru"]}), row(3, **{EXTRA: ["", " "]})
    outcome = run(world, row(1), moved, trailing)
    assert (outcome.imported, outcome.findings) == (2, [(2, "A-2", "too_many_cells")])


def test_texts_of_the_old_system_are_cleaned_and_what_is_unreadable_stops_nothing(
    world: World, tmp_path: Path
) -> None:
    spoilt = row(1, text="Lubang\x00 be\ud800sar\u202e!\r\nDi jalan")
    outcome = run(world, spoilt, row(2, no="A\ud800"), row(3, kind="\ud800", state="\ud800"))
    assert outcome.imported == 1
    assert queries.public(PUBLIC, the_report().id)["description"] == "Lubang besar!\nDi jalan"
    importing._write_findings(tmp_path / "findings.csv", outcome)
    assert (tmp_path / "findings.csv").read_text().count("\n") == 3
    assert json.dumps(outcome.summary(), ensure_ascii=False).encode()


# What a server that is broken or hostile gives instead of a text or a number.
ODD: list[Any] = [
    None, True, 10**400, 1e308, float("nan"), "\0", "\ud800", "A" * 100_000, "\u202e", [], {"a": 1},
    "0001-01-01", "9999-12-31T23:59:59-14:00", "2024-02-30", "2024-06-30T23:59:60Z", "1e-400",
    "1_0", "\u0662\u0660", "=cmd|' /C calc'!A0", "2024-01-01T00:00:00+25:00", "../../etc/passwd",
]  # fmt: skip
ANSWER = {
    "requested_datetime": "2024-01-01T00:00:00Z", "updated_datetime": "2024-01-02T00:00:00Z",
    "expected_datetime": "2024-01-03T00:00:00Z", "service_code": "pothole", "status": "Open",
    "description": "x", "address": "y", **HERE,
}  # fmt: skip


@pytest.mark.parametrize("field", ["service_request_id", *ANSWER])
def test_no_value_of_an_open311_server_stops_an_import_or_spoils_what_is_shown(
    world: World, tmp_path: Path, field: str
) -> None:
    rows = [
        {**ANSWER, "service_request_id": f"R-{number}", field: value}
        for number, value in enumerate([*ODD, ANSWER.get(field, "R-good")])
    ]
    outcome = importing.run(city(), iter(rows), checked(importing.GEOREPORT, city()), world.now)
    assert outcome.imported >= 1
    importing._write_findings(tmp_path / "findings.csv", outcome)
    assert json.dumps(outcome.summary(), ensure_ascii=False).encode()
    assert world.project() == outcome.imported
    assert control.dead(JURISDICTION, "projection", 9) == []
    window = {"start_date": "2023-12-31T00:00:00Z", "end_date": "2024-03-01T00:00:00Z"}
    shown = open311.search(city(), window, world.now)
    rendered = georeport_formats.rendered("service_requests", shown, "xml")
    assert len(ElementTree.fromstring(rendered)) == outcome.imported
    assert "{" not in rendered
    assert "[]" not in rendered


@pytest.mark.parametrize("since", ["0001-01-01", "1969-12-31", "9999-12-31", "soon", ""])
def test_a_beginning_that_cannot_be_is_said(world: World, since: str) -> None:
    with pytest.raises(CityErrors, match="--since"):
        importing._since(since, world.now)


def test_a_second_row_of_the_same_id_is_told(world: World) -> None:
    outcome = run(world, row(1), row(1, text="x"))
    assert (outcome.imported, outcome.findings) == (1, [(2, "A-1", "duplicate_id")])


def test_a_file_without_ids_and_statuses_is_known_by_its_rows(world: World) -> None:
    columns = {**MAPPING["columns"], "id": "", "status": ""}
    mapping = {**MAPPING, "columns": columns, "statuses": {"": "open"}}
    rows = [row(1), row(1, text="another"), row(1)]
    outcome = importing.run(city(), iter(rows), checked(mapping, city()), world.now)
    assert (outcome.imported, outcome.known) == (2, 0)
    assert [kind for *_, kind in outcome.findings] == ["duplicate_id"]


def test_an_unknown_service_is_told_where_there_is_no_other(world: World) -> None:
    mapping = {**MAPPING, "services": {}}
    outcome = importing.run(city(), iter([row(1)]), checked(mapping, city()), world.now)
    assert outcome.findings == [(1, "A-1", "unknown_service")]


@pytest.mark.parametrize(
    "secret", ["siti@example.org", "0812-3456-7890", "+62 812 3456 7890", "+31 20 123 4567"]
)
def test_personal_data_in_notes_are_hidden_and_told(world: World, secret: str) -> None:
    outcome = run(world, row(1, text=f"Hubungi {secret} segera, jam 08.00, 12 rumah, RT 05/08"))
    assert [kind for *_, kind in outcome.findings] == ["personal_data_hidden"]
    text = queries.public(PUBLIC, the_report().id)["description"]
    assert text == "Hubungi […] segera, jam 08.00, 12 rumah, RT 05/08"


def test_history_counts_in_tallies_and_not_in_scorecards(world: World) -> None:
    run(world, row(1), row(2, state="Baru", closed=""))
    assert world.project() == 2
    counted = world.tallies()[JURISDICTION, "202403", "D1"]
    assert counted == {"received": 2, "open": 1, "unverified": 1}
    assert monthly_counts.rebuild()["changed"] == 0
    assert score_rows.score(JURISDICTION, the_report(1).id) == {}
    lifecycle.update_all(world.now)


def test_an_imported_open_report_is_worked_on_as_any_other(world: World) -> None:
    run(world, row(3, state="Baru", closed=""))
    report = the_report(3).id
    world.act(official("officer1"), report, "assign", person="s_worker1")
    world.finish(official("worker1"), report)
    assert world.head(report).state == "work_done"


def outbox() -> list[Any]:
    """The messages that wait to be published."""
    return control.outbox(50)


def test_a_closed_report_of_the_old_system_breaches_no_deadline(world: World) -> None:
    run(world, row(1), row(2, state="Ditolak"))
    assert world.sweep() == {}
    assert [len(world.events(the_report(number).id)) for number in (1, 2)] == [1, 1]


def test_an_open_report_of_the_old_system_climbs_no_ladder(world: World) -> None:
    run(world, row(3, state="Baru", closed=""))
    world.project()
    for _ in range(3):
        assert world.sweep() == {}
        world.advance(days=40)
    assert (outbox(), the_report(3).late) == ([], False)


def test_old_open_reports_are_not_in_the_morning_notice(world: World) -> None:
    run(world, *(row(number, state="Baru", closed="") for number in range(3)))
    mine = world.file()["id"]
    world.advance(days=4, hours=23)
    assert daily_digest.notify(world.now) == 1
    ((_, notice),) = outbox()
    assert (notice["due"], notice["overdue"]) == ([mine], 0)


def test_old_open_reports_come_last_in_the_queue(world: World) -> None:
    run(world, row(3, state="Baru", closed=""))
    mine = world.file()["id"]
    page = queues.queue(official("officer1"), "D1", None, None, 10, None, world.now)
    assert [entry["id"] for entry in page["reports"]] == [mine, the_report(3).id]


def test_work_on_an_imported_report_counts_in_no_scorecard(world: World) -> None:
    run(world, row(3, state="Baru", closed=""))
    report = the_report(3).id
    world.act(official("officer1"), report, "assign", person="s_worker1")
    world.finish(official("worker1"), report)
    world.project()
    assert score_rows.score(JURISDICTION, report) == {}
    assert lifecycle.update_all(world.now) == [f"{JURISDICTION} 202611 live"]


def test_an_old_report_that_is_opened_again_is_judged_from_then_on(world: World) -> None:
    run(world, row(1))
    report = the_report(1).id
    opened = world.now
    world.act(official("officer1"), report, "reopen", reason="Rusak lagi")
    assert world.sweep() == {}
    world.project()
    scored = score_rows.score(JURISDICTION, report)
    assert [period["from"] for period in scored["rounds"]] == [iso(opened)]
    assert (scored["filed_at"], scored["marks"]) == (iso(opened), [])
    world.advance(days=30)
    assert world.sweep()["breach"] == 1
    world.project()
    assert f"{JURISDICTION} 202611 provisional" in lifecycle.update_all(world.now)


def test_no_alert_about_an_old_report_says_how_late_it_is(world: World) -> None:
    run(world, row(3, state="Baru", closed=""))
    report = the_report(3).id
    world.act(official("officer1"), report, "assign", person="s_worker1")
    world.project()
    (alert, *_) = [message for _, message in outbox() if message["kind"] == "alert"]
    text = alert_texts.compose(alert, city())
    assert "tanpa tenggat di sini" in text
    assert "Janji" not in text
    text, late, _ = alert_texts.digest([alert], city())
    assert (late, "terlambat" in text.splitlines()[-1]) == (0, False)
    assert faults(world.head(report), world.links(report)) == []


def test_a_row_that_an_older_version_wrote_of_an_imported_repair_counts_nowhere(
    world: World,
) -> None:
    mine = world.file()["id"]
    world.project()
    scored = score_rows.score(JURISDICTION, mine)
    assert scored is not None
    period = {
        **scored["rounds"][0], "stop": None, "closed_at": iso(world.now),
        "resolution": "unverified",
    }  # fmt: skip
    old = {**scored, "report": "01HR61ZRM0QE953JHYVWF1GMQM", "rounds": [period]}
    commit([score_rows.put_score(JURISDICTION, old["report"], 2, old, "202611")])
    world.advance(hours=2)
    assert lifecycle.update_all(world.now) == [f"{JURISDICTION} 202611 live"]
    assert control.dead(JURISDICTION, "keep_scorecards", 9) == []


def test_reports_imported_by_an_older_version_leave_the_index_of_what_is_due(
    world: World,
) -> None:
    run(world, row(1), row(2, state="Baru", closed=""))
    for number in (1, 2):
        # As an older version wrote it: due, and not marked.
        head = replace(the_report(number), imported=None)
        commit([reports.put_head(head, head.acknowledge_due, seen=1)])
    assert len(report_lists.due(world.now, None, 10)) == 2
    assert world.sweep() == {}
    assert report_lists.due(world.now, None, 10) == []
    assert len(world.events(the_report(1).id)) == 1


def test_months_before_the_city_began_here_get_no_scorecard(world: World) -> None:
    run(world, row(1, opened="2026-10-05", closed="2026-10-06"))
    world.project()
    assert lifecycle.update_all(world.now) == [f"{JURISDICTION} 202611 live"]
    assert outbox() == []


def test_a_status_that_does_not_exist_never_enters_a_timeline(world: World) -> None:
    with pytest.raises(CityErrors, match="'done' is neither"):
        checked({**MAPPING, "statuses": {"Selesai": "done"}}, city())
    old = LegacyReport(
        "oldtown", "A-1", "pothole", HERE["lat"], HERE["long"], world.now,
        closed_at=world.now, resolution="done",
    )  # fmt: skip
    with pytest.raises(Problem):
        legacy_import.import_report(city(), old, world.now)
    assert list(timeline_rows.whole_timeline()) == []


def test_a_dry_run_counts_the_same_and_stores_nothing(world: World) -> None:
    run(world, row(1))
    rows = [row(1), row(2), row(3, lat=0, lon=0), row(4, kind="?", state="??")]
    mapping = checked({**MAPPING, "services": {"LUBANG": "pothole"}}, city())
    dry = importing.run(city(), iter(rows), mapping, world.now, dry=True)
    assert (dry.imported, dry.known, len(list(timeline_rows.whole_timeline()))) == (1, 1, 1)
    assert dry.summary()["without a line"] == {"status '??'": 1}
    assert dry.summary() == importing.run(city(), iter(rows), mapping, world.now).summary()


def test_an_imported_open_report_has_one_last_change(world: World) -> None:
    run(world, row(3, state="Baru", closed=""))
    world.project()
    (listed,) = open311.search(
        city(), {"start_date": "2024-03-01T00:00:00Z", "end_date": "2024-04-01T00:00:00Z"},
        world.now,
    )  # fmt: skip
    (single,) = open311.request(JURISDICTION, the_report(3).id)
    assert listed["updated_datetime"] == single["updated_datetime"]


def test_the_command_reads_a_file_and_writes_what_it_found(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from infra.city.__main__ import _parser

    with (tmp_path / "old.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(row()))
        writer.writeheader()
        writer.writerows([row(1), row(2, lat=0, lon=0), row(1)])
    (tmp_path / "mapping.json").write_text(json.dumps(MAPPING))
    options = _parser().parse_args(
        ["import-reports", str(tmp_path / "old.csv"), "--mapping", str(tmp_path / "mapping.json"),
         "--findings", str(tmp_path / "out" / "findings.csv")]
    )  # fmt: skip
    assert importing.command(options, city()) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["imported"] == 1
    assert printed["findings"] == {"duplicate_id": 1, "place_zero": 1}
    with (tmp_path / "out" / "findings.csv").open(encoding="utf-8", newline="") as file:
        assert [one["row"] for one in csv.DictReader(file)] == ["2", "3"]


PROMISES = ("acknowledge_due", "due_at", "city_due_at")


def promises_seen(world: World, report: str) -> dict[str, Any]:
    """Every promise that somebody sees of a report, by where it stands."""
    seen: dict[str, Any] = {}
    official_view = queries.case(official("officer1"), report)
    for name in PROMISES:
        seen[f"case {name}"] = official_view.get(name)
    for event in official_view["timeline"]:
        seen[f"case event {event['version']}"] = event.get("due_at")
    public_view = queries.public(PUBLIC, report)
    for name in PROMISES[:2]:
        seen[f"public {name}"] = public_view.get(name)
    for event in queries.timeline(PUBLIC, report, 0)["events"]:
        seen[f"event {event['version']}"] = event.get("due_at")
    (single,) = open311.request(JURISDICTION, report)
    window = {"start_date": "2024-03-01T00:00:00Z", "end_date": "2024-04-01T00:00:00Z"}
    listed = {
        request["service_request_id"]: request
        for request in open311.search(city(), window, world.now)
    }[report]
    for name in ("expected_datetime", "service_notice"):
        seen[f"open311 {name}"] = single[name]
        seen[f"open311 list {name}"] = listed[name]
    for view in queues.queue(official("officer1"), "D1", None, None, 10, None, world.now)[
        "reports"
    ]:
        if view["id"] == report:
            seen["queue"] = view["due_at"]
    return seen


def test_nobody_sees_a_promise_of_an_old_systems_report(world: World) -> None:
    run(world, row(1), row(3, state="Baru", closed=""))
    still = the_report(3).id
    answer = world.act(official("officer1"), still, "assign", person="s_worker1")
    world.project()
    assert answer["due_at"] is None
    for report in (the_report(1).id, still):
        seen = promises_seen(world, report)
        assert {name: value for name, value in seen.items() if value is not None} == {}
        assert queries.public(PUBLIC, report)["clock"] == "stopped"
    assert "queue" in promises_seen(world, still)
    alerts = [message for _, message in outbox() if message["kind"] == "alert"]
    assert [message["due_at"] for message in alerts] == [None]


def test_an_old_report_that_is_opened_again_shows_the_promise_from_then_on(world: World) -> None:
    run(world, row(1))
    report = the_report(1).id
    answer = world.act(official("officer1"), report, "reopen", reason="Rusak lagi")
    world.project()
    due = iso(world.head(report).due_at)
    assert (answer["due_at"], queries.public(PUBLIC, report)["due_at"]) == (due, due)
    seen = promises_seen(world, report)
    assert (seen["event 1"], seen["event 2"], seen["queue"]) == (None, due, due)
    assert seen["open311 list expected_datetime"] == seen["open311 expected_datetime"]
    assert seen["open311 expected_datetime"] is not None


def test_what_the_old_system_promised_is_shown_as_its_promise(world: World) -> None:
    columns = {**MAPPING["columns"], "promised": "target"}
    mapping = checked({**MAPPING, "columns": columns}, city())
    rows = [
        row(1, target="2024-03-08 08:00:00"), row(2, target=""), row(3, target="segera"),
        row(4, target="2024-03-01 08:00:00", state="Baru"),
    ]  # fmt: skip
    outcome = importing.run(city(), iter(rows), mapping, world.now)
    assert outcome.summary()["imported"] == 4
    assert outcome.summary()["findings"] == {"promise_unusable": 2}
    shown = [queries.public(PUBLIC, the_report(number).id)["old_due_at"] for number in range(1, 5)]
    assert shown == ["2024-03-08T01:00:00.000Z", None, None, None]
    assert queries.public(PUBLIC, the_report(1).id)["due_at"] is None
    assert queries.case(official("officer1"), the_report(1).id)["old_due_at"] == shown[0]
    assert queries.public(PUBLIC, world.file()["id"])["old_due_at"] is None
    assert faults(world.head(the_report(1).id), world.links(the_report(1).id)) == []


def test_imports_of_an_older_version_show_no_promise_either(world: World) -> None:
    run(world, row(1), row(3, state="Baru", closed=""))
    world.project()
    for number in (1, 3):
        # As an older version wrote it: with a deadline in every row.
        head = replace(the_report(number), imported=None)
        due = iso(head.due_at)
        put = reports.put_head(head, None, seen=1)
        card = json.loads(put.item.m)
        put.item.m = json.dumps([*card[:8], due, *card[9:]])
        if head.open:
            put.item.qsk = f"{due}#{head.id}"
        stored = request_views.row_of(head)
        line = open311_requests.put_known(JURISDICTION, {**stored, "due_at": due}, 1)
        commit([put, line])
    assert backfill.run()["written"] == 2
    for number in (1, 3):
        seen = promises_seen(world, the_report(number).id)
        assert {name: value for name, value in seen.items() if value is not None} == {}
