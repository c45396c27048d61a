"""Undoing an import: nothing but the timelines tells of its reports, and it can be done again."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.domain.report import Report
from chalicelib.errors import Problem
from chalicelib.services.notifications import import_notice, outbox
from chalicelib.services.open311 import requests as open311
from chalicelib.services.open_data import publishing
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import engagement, import_undo, queries, queues
from chalicelib.storage import control, files, imports, reports, timeline_rows
from infra.city import __main__ as city_command
from infra.city import importing
from infra.city.import_mapping_checks import checked
from infra.emulator import session
from infra.ops import verify
from tests.integration.test_failures_in_words import Here
from tests.integration.test_legacy_import import MAPPING, row
from tests.support.world import JURISDICTION, PUBLIC, World, citizen, city, faults, official

RUN = "01M6CWACM0M000000000000001"


@pytest.fixture(name="world")
def fixture_world(aws: None) -> World:
    """The test city with an import of two closed reports and an open one."""
    world = World()
    do_import(world)
    world.project()
    return world


def do_import(world: World, run: str = RUN, **more: Any) -> importing.Outcome:
    """Import three rows."""
    imports.save(JURISDICTION, run, {"source": "oldtown"})
    rows = [row(1), row(2, state="Ditolak"), row(3, state="Baru", closed="")]
    mapping = checked({**MAPPING, **more}, city())
    return importing.run(city(), iter(rows), mapping, world.now, run)


def heads() -> list[Report]:
    """Every report, by id."""
    names = {json.loads(text)["report"] for text, _ in timeline_rows.whole_timeline()}
    found = [reports.get(JURISDICTION, name) for name in sorted(names)]
    return [head for head in found if head is not None]


def open_one() -> Report:
    """The open report."""
    return next(head for head in heads() if head.open)


def test_after_it_nobody_finds_the_reports_and_no_count_has_them(world: World) -> None:
    publishing.publish(world.now)
    assert b"01HR" in (files.get(f"open-data/{JURISDICTION}/2024-03.csv") or b"")
    assert import_undo.undo(city(), RUN, world.now) == {"undone": 3}
    world.project()
    assert world.tallies() == {}
    assert monthly_counts.rebuild()["changed"] == 0
    world.advance(hours=1)
    publishing.publish(world.now)
    assert b"01HR" not in (files.get(f"open-data/{JURISDICTION}/2024-03.csv") or b"")
    for head in heads():
        assert faults(head, world.links(head.id)) in ([], ["import_undone moved the report"])
        for who in (PUBLIC, citizen("x"), official("officer1"), official("admin")):
            with pytest.raises(Problem, match="not_found"):
                queries.public(who, head.id)
        with pytest.raises(Problem, match="not_found"):
            queries.case(official("officer1"), head.id)
        with pytest.raises(Problem, match="not_found"):
            queries.track(PUBLIC, head.code)
        with pytest.raises(Problem, match="not_found"):
            open311.request(JURISDICTION, head.id)
    page = queues.queue(official("officer1"), "D1", None, None, 10, None, world.now)
    assert page["reports"] == []
    assert control.outbox(9) == []
    assert world.sweep() == {}


def test_the_timelines_stay_whole_with_one_event_more(world: World) -> None:
    import_undo.undo(city(), RUN, world.now)
    world.project()
    for head in heads():
        events = world.events(head.id)
        assert [event["action"] for event in events] == ["import", "import_undone"]
        assert events[1]["data"] == {"run": RUN}
    assert verify.check()["faults"] == []


def test_what_people_have_worked_on_is_kept(world: World) -> None:
    mine = open_one().id
    world.act(official("officer1"), mine, "assign", person="s_worker1")
    assert import_undo.undo(city(), RUN, world.now, dry=True) == {"undone": 2, "kept": 1}
    assert import_undo.undo(city(), RUN, world.now) == {"undone": 2, "kept": 1}
    assert not world.head(mine).undone
    assert import_undo.undo(city(), RUN, world.now) == {"kept": 1}
    known = imports.load(JURISDICTION, RUN)
    assert known is not None
    assert (known["undone"], known["kept"]) == (2, 1)


def test_a_support_keeps_a_report_too(world: World) -> None:
    mine = open_one().id
    op = world.operation(citizen("x"), "support", [mine])
    engagement.support(citizen("x"), op, mine, world.now)
    assert import_undo.undo(city(), RUN, world.now) == {"undone": 2, "kept": 1}


def test_an_undoing_that_was_interrupted_continues(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = import_undo.add, []

    def add(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*given)

    with monkeypatch.context() as broken:
        broken.setattr(import_undo, "add", add)
        with pytest.raises(KeyboardInterrupt):
            import_undo.undo(city(), RUN, world.now)
    assert sum(head.undone for head in heads()) == 1
    assert import_undo.undo(city(), RUN, world.now) == {"undone": 2}
    assert import_undo.undo(city(), RUN, world.now) == {}
    assert {len(world.events(head.id)) for head in heads()} == {2}


def test_what_was_undone_can_be_imported_again_with_another_mapping(world: World) -> None:
    import_undo.undo(city(), RUN, world.now)
    again = do_import(world, f"{RUN[:-1]}2", services={"LUBANG": "lamp", "*": "litter"})
    assert (again.imported, again.known) == (3, 0)
    assert do_import(world, f"{RUN[:-1]}3").known == 3
    shown = [head for head in heads() if not head.undone]
    assert [head.service for head in shown] == ["lamp"] * 3
    assert len(heads()) == 6
    world.project()
    assert world.tallies()[JURISDICTION, "202403", "D1"]["received"] == 3


def test_a_corrected_zone_doubles_no_report_and_is_read_after_the_undoing(world: World) -> None:
    """A first import took the city's zone; the old system's clocks were in UTC."""
    do_import(world)
    filed = {head.id: head.filed_at for head in heads()}
    again = do_import(world, "second", zone="UTC")
    assert (again.imported, again.known) == (0, 3)
    assert {head.id: head.filed_at for head in heads()} == filed
    assert import_undo.undo(city(), RUN, world.now) == {"undone": 3}
    assert do_import(world, "third", zone="UTC").imported == 3
    new = [head for head in heads() if not head.undone]
    assert sorted(head.filed_at for head in new) == sorted(
        moment + timedelta(hours=7) for moment in filed.values()
    )


def test_an_import_that_is_not_known_is_a_problem(world: World) -> None:
    with pytest.raises(Problem, match="not_found"):
        import_undo.undo(city(), "01M6CWACM0M000000000000009", world.now)


def test_units_are_told_once_of_the_open_reports_if_the_importer_wishes(world: World) -> None:
    assert import_notice.tell(city(), RUN, {"u-d1": 1, "u-d2": 0}, world.now) == ["u-d1"]
    assert import_notice.tell(city(), RUN, {"u-d1": 1}, world.now) == []
    ((_, notice),) = control.outbox(9)
    assert "1 laporan terbuka dari sistem lama" in notice["text"]
    assert outbox.drain(now=world.now) == 1


def test_the_commands_import_list_and_undo(
    aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    world = World()
    clock.use(lambda: world.now)
    monkeypatch.setattr(session, "aws", Here)
    (tmp_path / "mapping.json").write_text(json.dumps(MAPPING))
    lines = [",".join(row()), *(",".join(map(str, row(n, state="Baru").values())) for n in (1, 2))]
    (tmp_path / "old.csv").write_text("\n".join(lines))
    here = ["--jurisdiction", JURISDICTION]
    words = ["import-reports", str(tmp_path / "old.csv"), "--mapping",
             str(tmp_path / "mapping.json"), "--findings", str(tmp_path / "out.csv")]  # fmt: skip
    assert city_command.main([*words, *here, "--notify-units"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["imported"], said["notified"]) == (2, ["u-d1"])
    assert city_command.main(["imports", *here]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["imported"]) == (said["import"], 2)
    assert city_command.main(["undo-import", said["import"], "--dry-run", *here]) == 0
    assert json.loads(capsys.readouterr().out) == {"dry_run": True, "undone": 2}
    assert city_command.main(["undo-import", said["import"], *here]) == 0
    assert json.loads(capsys.readouterr().out) == {"undone": 2}
    assert city_command.main(["undo-import", "01M6CWACM0M000000000000009", *here]) == 1
