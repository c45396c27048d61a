"""Personal data are erased when their time is over, class by class, and not a day earlier."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.entrypoints import batches
from chalicelib.services.city import cities
from chalicelib.services.identity import api_keys
from chalicelib.services.open311 import updates
from chalicelib.services.open311.attachments import Attachments
from chalicelib.services.open_data import publishing
from chalicelib.services.people import closed_reports, preferences, report_retention, retention
from chalicelib.services.photos import duplicates, moderation, processing, storage_keys
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import engagement, text_moderation
from chalicelib.storage import control, files, people, reach, report_texts, tables
from infra.ops import backups, commands, restores, verify
from tests.integration.test_filers import post
from tests.support import aws, personal_data_search, photo_files, random_people
from tests.support.world import BUNDLE, JURISDICTION, STAFF, START, World, blob, citizen, official

SITI, BUDI, ANI = citizen("siti"), citizen("budi"), citizen("ani")
OFFICER, WORKER = official("officer1"), official("worker1")
REACH, WORD = "qzreach", "qzword"
CONTACT = {"email": f"{REACH}@example.org", "phone": "+6281234567890", "name": REACH}
DAYS = {
    "contact_days": 60,
    "closed_days": 400,
    "cancelled_days": 200,
    "originals_days": 20,
    "addresses_days": 90,
}


@pytest.fixture(name="world")
def fixture_world(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The test city with days for every class, whose bucket keeps old versions."""
    monkeypatch.setattr(closed_reports, "FIRST_MONTH", "202611")
    monkeypatch.setattr(publishing, "FIRST", START)
    with personal_data_search.versions_kept(), personal_data_search.quick():
        world = World()
        clock.use(lambda: world.now)
        publish(world, DAYS)
        yield world


def publish(world: World, days: dict[str, int]) -> None:
    """A version of the city with these days."""
    bundle = {**BUNDLE, "retention": days, "version": f"{next(world.keys):012x}"}
    cities.publish(bundle, blob(), list(STAFF), world.now)


def keep(world: World) -> dict[str, int]:
    """Run the schedule once."""
    return retention.erase_expired(cities.current(JURISDICTION, world.now), world.now)


def shown(world: World) -> dict[str, int]:
    """How much of each class would be erased next."""
    found = retention.preview(cities.current(JURISDICTION, world.now), world.now)
    return {kind: one["count"] for kind, one in found.items() if one["count"]}


def photo(world: World, who: Principal, number: int) -> str:
    """A photo with the canary in it, whose original is kept."""
    data = b"\xff\xd8\xff" + f"{WORD} {number}".encode() * 30
    made = world.photo(who, data, processed=False)
    with photo_files.quick(likeness=f"{number:032x}", facts={"model": WORD}):
        processing.develop(JURISDICTION, made, world.now)
    files.put(storage_keys.original(JURISDICTION, made), data, "image/jpeg")
    return made


def say(world: World, who: Principal, report: str, text: str) -> None:
    """A public comment."""
    op = world.operation(who, "comment", [report, text])
    engagement.comment(who, op, report, text, "public", world.now)


def repaired(world: World) -> str:
    """A report with everything that people leave on one, closed as repaired; its id."""
    shots = [photo(world, SITI, number) for number in range(2)]
    mine: str = world.file(
        SITI, description=f"{WORD} hole", landmark=f"{WORD} gate", contact=CONTACT,
        photos=shots[:1],
    )["id"]  # fmt: skip
    engagement.support(BUDI, world.operation(BUDI, "support", [mine]), mine, world.now)
    engagement.follow(BUDI, mine, True, world.now, {"email": f"b{REACH}@example.org"})
    note = {"reason": "spam", "note": f"{WORD} an advertisement"}
    moderation.flag(ANI, world.operation(ANI, "flag", [mine]), mine, note, world.now)
    say(world, SITI, mine, f"{WORD} still there")
    say(world, OFFICER, mine, "We are looking at it")
    hide(world, mine)
    world.act(OFFICER, mine, "assign", person=WORKER.uid)
    world.act(WORKER, mine, "start")
    world.finish(WORKER, mine)
    world.act(SITI, mine, "refuse", reason=f"{WORD} not repaired", photos=shots[1:])
    world.finish(WORKER, mine)
    world.act(SITI, mine, "verify", note=f"{WORD} thanks")
    engagement.rate(SITI, world.operation(SITI, "rate", [mine]), mine, 4, f"{WORD} good", world.now)
    for shot in shots:
        duplicates.register_use(JURISDICTION, mine, shot, world.now)
    world.project()
    return mine


def hide(world: World, report: str) -> None:
    """An official hides the landmark."""
    body = {"version": 1, "field": "landmark", "reason": "personal_data"}
    admin = official("admin")
    op = world.operation(admin, "hideText", [report, body])
    text_moderation.hide(admin, op, report, body, world.now)


def held() -> list[str]:
    """The rows that name a person of the closed report, except rate limits, which expire within
    days."""
    names = [WORD, REACH, CONTACT["phone"], *(str(one.uid) for one in (SITI, BUDI, ANI))]
    return [place for place in personal_data_search.stored(*names) if "#RATE#" not in place]


def test_contacts_and_words_go_when_their_time_is_over_and_not_a_day_before(
    world: World,
) -> None:
    mine = repaired(world)
    publishing.publish(world.now)
    before, closed, reached = world.tallies(), world.now, personal_data_search.stored(REACH)
    everything = " ".join(held())
    for kind in ("#T#", "#W#", "#C#", "SUP#", "FOL#", "FLG#", "#FILED#", "#BY#", "masters/",
                 "evidence/", "open-data/"):  # fmt: skip
        assert kind in everything, kind

    world.now = closed + timedelta(days=59, hours=23)
    assert "contact" not in {**shown(world), **keep(world)}
    assert personal_data_search.stored(REACH) == reached

    world.now = closed + timedelta(days=60)
    assert shown(world) == {"contact": 1}
    assert world.head(mine).contact, "what is shown is not done"
    assert keep(world) == {"contact": 1}
    assert personal_data_search.stored(REACH, CONTACT["phone"]) == []
    head = world.head(mine)
    assert (head.contact, head.contactable, head.reporter) == (None, False, SITI.uid)
    assert any(f"#T#{mine}" in place for place in held()), "words have days of their own"

    world.now = closed + timedelta(days=399)
    assert shown(world) == keep(world) == {}
    world.now = closed + timedelta(days=400)
    assert shown(world) == {"closed": 1}
    assert keep(world) == {"closed": 1}
    world.project()
    world.advance(hours=1)
    publishing.publish(world.now)
    assert held() == []
    assert verify.check()["faults"] == []
    assert world.tallies() == before
    assert monthly_counts.rebuild()["changed"] == 0
    head = world.head(mine)
    assert (head.supports, head.rating, head.reporter, head.filer) == (1, 4, None, None)
    told = [text for text, _ in report_texts.all_texts(JURISDICTION, mine).values()]
    assert "We are looking at it" in told, "what the city said stays"
    assert [head.pictures[one]["state"] for one in head.after_photos] == ["ready"]
    gone = [event["data"] for event in world.events(mine) if event["action"] == "erased"]
    assert {one["reason"] for one in gone} == {"retention"}
    assert [1, "description"] in [text for one in gone for text in one["texts"]]
    # Once more is nothing new.
    closed_reports.restart(JURISDICTION)
    assert shown(world) == {}
    keep(world)
    assert world.head(mine).version == head.version


def test_an_open_report_keeps_everything_and_so_does_a_duplicate_of_it(world: World) -> None:
    first = world.file(BUDI, description="A hole")["id"]
    mine = world.file(SITI, description=WORD, contact=CONTACT)["id"]
    world.act(OFFICER, mine, "merge", into=first)
    world.advance(days=250)
    assert keep(world) == {}
    assert people.contact(JURISDICTION, str(world.head(mine).contact)) == CONTACT
    world.act(BUDI, first, "withdraw", reason="Gone")
    publish(world, {"contact_days": 60, "closed_days": 90})
    world.advance(days=61)
    # A withdrawn report has its own days for words; here it has none.
    assert shown(world) == {"contact": 1}
    assert keep(world) == {"contact": 1}
    assert personal_data_search.stored(REACH) == []
    world.advance(days=140)
    assert keep(world) == {}
    publish(world, DAYS)
    assert keep(world) == {"cancelled": 2}
    assert personal_data_search.stored(WORD, SITI.uid or "", BUDI.uid or "") == []
    assert people.duplicates(JURISDICTION, first) == [mine]
    assert verify.check()["faults"] == []


def test_what_a_report_was_reopened_for_is_kept_from_its_second_closing(world: World) -> None:
    mine = world.file(SITI, description=WORD, contact=CONTACT)["id"]
    world.act(OFFICER, mine, "reject", reason_code="spam", text="Not there")
    world.advance(days=29)
    world.act(SITI, mine, "reopen", reason="It is")
    world.advance(days=100)
    assert keep(world) == {}
    world.act(SITI, mine, "withdraw", reason="Gone")
    world.advance(days=59)
    assert keep(world) == {}
    world.advance(days=1)
    assert keep(world) == {"contact": 1}


def test_protected_reports_have_the_same_days_and_a_unit_that_is_gone_has_left_none(
    world: World,
) -> None:
    mine = world.file(SITI, "misconduct", description=WORD, contact=CONTACT)["id"]
    world.act(official("safe"), mine, "reject", reason_code="spam", text="Known already")
    world.advance(days=60)
    units = [one for one in BUNDLE["units"] if one["code"] != "u-safe"]
    offered = [one for one in BUNDLE["services"] if one["unit"] != "u-safe"]
    bundle = {**BUNDLE, "units": units, "services": offered, "retention": DAYS, "version": "c" * 12}
    cities.publish(bundle, blob(), list(STAFF), world.now)
    assert keep(world) == {"contact": 1}
    assert personal_data_search.stored(REACH) == []


def test_a_wish_not_to_be_written_to_holds_as_long_as_there_is_something_to_write(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.services.notifications import citizen_messages
    from chalicelib.storage import mail

    sent: list[str] = []
    monkeypatch.setattr(mail, "send", lambda to, *_: sent.append(to) or "id")
    old = world.file(SITI, contact=CONTACT)["id"]
    new = world.file(SITI, contact=CONTACT, ward="D1-W2")["id"]
    token = (
        preferences.link(JURISDICTION, preferences.key(CONTACT))
        .rpartition("/")[2]
        .partition("?")[0]
    )
    preferences.choose(JURISDICTION, token, "nothing")
    preferences.mark_bounced(JURISDICTION, CONTACT, "phone", world.now)
    world.act(SITI, old, "withdraw", reason="Gone")
    world.advance(days=89)
    assert keep(world) == {"contact": 1}
    # Another report has the address too: it gets no message, and its wish is stored again.
    world.advance(days=60)
    told = {"kind": "closed", "jurisdiction": JURISDICTION, "report": new, "dedupe": "1",
            "at": "2026-11-02T01:00:00.000Z"}  # fmt: skip
    assert not citizen_messages.send(told, world.now)
    publish(world, {"addresses_days": 90})
    world.advance(days=80)
    assert keep(world) == {}
    assert preferences.choice(JURISDICTION, token)["notify"] == "nothing"
    world.advance(days=11)
    assert shown(world) == {"addresses": 1}
    assert keep(world) == {"addresses": 1}
    assert reach.address_rows(JURISDICTION, preferences.key(CONTACT)) == {}
    assert [row for row in aws.rows("people") if "#ADR#" in row["pk"]] == []
    assert keep(world) == {}
    assert sent == []


def test_originals_go_after_their_days_but_of_an_open_report(world: World) -> None:
    used, kept_one, _ = (photo(world, SITI, number) for number in range(3))
    closed = world.file(SITI, photos=[used])["id"]
    world.file(SITI, photos=[kept_one])
    world.act(SITI, closed, "withdraw", reason="Gone")
    world.advance(days=20, minutes=1)
    young = photo(world, SITI, 4)
    here = "evidence/"
    assert shown(world) == {"originals": 2}
    assert keep(world) == {"originals": 2}
    left = [key for key in aws.backend("s3").buckets["tanggap-files"].keys if here in key]
    assert left == [f"{here}{JURISDICTION}/{one}" for one in (kept_one, young)]


def test_one_bad_report_holds_up_no_other_and_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = [world.file(SITI, contact=CONTACT, ward=f"D{n}-W1")["id"] for n in (1, 2)]
    for one in several:
        world.act(SITI, one, "withdraw", reason="Gone")
    world.advance(days=60)
    real = report_retention.forget_contacts

    def bad(head: Any, now: Any) -> None:
        if head.id == several[0]:
            raise RuntimeError(WORD)
        real(head, now)

    with monkeypatch.context() as patch:
        patch.setattr(report_retention, "forget_contacts", bad)
        assert keep(world) == {"contact": 1, "failed": 1}
        assert keep(world) == {"failed": 1}
    (note,) = control.dead(JURISDICTION, "retention", 9)
    assert (note["name"], note["error"]) == (f"{several[0]}:contact", "RuntimeError")
    assert keep(world) == {"contact": 1}
    assert control.dead(JURISDICTION, "retention", 9) == []
    assert personal_data_search.stored(REACH, WORD) == []


def test_a_run_that_is_killed_anywhere_is_finished_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGE", 1)
    monkeypatch.setattr(closed_reports, "PAGE", 1)
    several = [repaired(world)]
    for name in ("ani", "budi"):
        several.append(world.file(citizen(name), description=WORD, contact=CONTACT)["id"])
        world.act(citizen(name), several[-1], "withdraw", reason=WORD)
    world.advance(days=401)
    real, steps = tables.client().transact_write_items, 0

    class Killed(BaseException):
        """As if the process ended."""

    def limited(**given: Any) -> Any:
        nonlocal steps
        steps -= 1
        if steps < 0:
            raise Killed
        return real(**given)

    for number in range(60):
        steps = number % 7
        with monkeypatch.context() as patch:
            patch.setattr(tables.client(), "transact_write_items", limited)
            try:
                keep(world)
            except Killed:
                continue
            break
    else:
        raise AssertionError("it never came to an end")
    world.project()
    assert [place for place in held() if "open-data" not in place] == []
    assert verify.check()["faults"] == []
    assert monthly_counts.rebuild()["changed"] == 0


def test_a_run_whose_time_is_over_is_continued_where_it_was(world: World) -> None:
    several = [world.file(SITI, contact=CONTACT, ward=f"D{n}-W1")["id"] for n in (1, 2)]
    for one in several:
        world.act(SITI, one, "withdraw", reason="Gone")
    world.advance(days=60)
    city, times = cities.current(JURISDICTION, world.now), iter([True, False])
    assert retention.erase_expired(city, world.now, lambda: next(times)) == {"contact": 1}
    world.advance(hours=1)
    assert keep(world) == {"contact": 1}


def test_a_restore_of_an_older_copy_is_erased_again_by_the_schedule(
    world: World, tmp_path: Path
) -> None:
    repaired(world)
    copy = Path(backups.backup(tmp_path)["copy"])
    world.advance(days=400)
    assert keep(world)["closed"] == 1
    aws.fresh()
    restores.restore(copy)
    assert any("#T#" in place for place in held())
    keep(world)
    world.project()
    world.advance(hours=1)
    publishing.publish(world.now)
    assert held() == []
    assert verify.check()["faults"] == []


def test_after_tables_were_set_back_the_schedule_looks_at_everything_again(
    world: World, tmp_path: Path
) -> None:
    repaired(world)
    copy = Path(backups.backup(tmp_path)["copy"])
    since = world.now
    world.advance(days=400)
    keep(world)
    later = list(tables.Control.scan())
    aws.fresh()
    restores.restore(copy)
    for row in later:
        row.save()
    for note in tables.Person.scan(tables.Person.pk.contains("#LATE#")):
        note.delete()
    assert "closed" not in keep(world), "the walk is past them"
    assert commands.main(["erase-again", since.isoformat()]) == 0
    keep(world)
    assert [place for place in held() if "open-data" not in place] == []
    assert verify.check()["faults"] == []


def test_the_command_shows_what_is_over_and_erases_it_only_if_asked(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = world.file(SITI, description=WORD, contact=CONTACT)["id"]
    world.act(SITI, mine, "withdraw", reason="Gone")
    closed = world.now
    world.advance(days=61)
    publish(world, {"contact_days": 60})
    assert commands.main(["retention", JURISDICTION]) == 0
    told = json.loads(capsys.readouterr().out)
    when = closed.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert told["contact"] == {"days": 60, "count": 1, "oldest": when, "newest": when}
    assert told["closed"] == {"days": None, "count": 0, "oldest": None, "newest": None}
    assert world.head(mine).contact
    assert commands.main(["retention", JURISDICTION, "--run"]) == 0
    assert json.loads(capsys.readouterr().out) == {"contact": 1}
    assert personal_data_search.stored(REACH) == []


def test_the_schedule_works_at_night_by_the_citys_own_clock(world: World) -> None:
    mine = world.file(SITI, contact=CONTACT)["id"]
    world.act(SITI, mine, "withdraw", reason="Gone")
    world.now = START.replace(hour=5) + timedelta(days=70)  # noon in Jakarta
    assert batches.erase_expired(None) == {}
    world.advance(hours=14)
    assert batches.erase_expired(None) == {"contact": 1}


def test_a_city_that_fails_does_not_keep_the_data_of_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = world.file(SITI, contact=CONTACT)["id"]
    world.act(SITI, mine, "withdraw", reason="Gone")
    world.now = START.replace(hour=19) + timedelta(days=70)  # two in the morning in Jakarta
    own = cities.jurisdictions()
    monkeypatch.setattr(cities, "jurisdictions", lambda: ["broken", *own])
    assert batches.erase_expired(None) == {"contact": 1}
    assert not world.head(mine).contact
    assert [note["error"] for note in control.dead("broken", "retention", 9)] == ["Problem"]


def test_of_twenty_people_data_are_left_only_on_open_reports(world: World) -> None:
    assert random_people.outlive(1, steps=15) == []


def test_a_photo_that_a_front_end_passed_on_goes_when_its_time_is_over(world: World) -> None:
    key_id, _ = api_keys.issue(JURISDICTION, "front end", 10_000, world.now)
    key = Principal("citizen", JURISDICTION, uid=f"k_{key_id}", permissions=frozenset({FOR_MANY}))
    mine = post(world, key, 1, email=CONTACT["email"])
    form = {
        "update_id": "1", "service_request_id": mine, "status": "UNCHANGED",
        "updated_datetime": "2026-11-02T00:00:00Z", "description": f"{WORD} look",
    }  # fmt: skip
    picture = Attachments((("image/jpeg", b"\xff\xd8\xff" + WORD.encode() * 30),))
    updates.receive(key, form.get, world.now, picture)
    (photo_id,) = world.head(mine).pictures
    assert [place for place in held() if photo_id in place]
    world.act(OFFICER, mine, "reject", reason_code="spam", text="x")
    world.advance(days=401)
    keep(world)
    assert held() == []


def test_a_city_without_retention_keeps_everything(world: World) -> None:
    publish(world, {})
    mine = repaired(world)
    world.advance(days=500)
    assert keep(world) == {}
    assert world.head(mine).contact


def test_data_added_to_a_report_after_its_time_are_erased_a_month_later(world: World) -> None:
    mine = world.file(SITI, description="A hole")["id"]
    world.act(SITI, mine, "withdraw", reason="Gone")
    world.advance(days=200)
    assert keep(world) == {"cancelled": 1}
    note = {"reason": "spam", "note": f"{WORD} an advertisement"}
    moderation.flag(ANI, world.operation(ANI, "flag", [mine]), mine, note, world.now)
    engagement.follow(BUDI, mine, True, world.now, {"email": f"b{REACH}@example.org"})
    world.advance(days=29)
    assert keep(world) == {}
    world.advance(days=1)
    assert keep(world) == {"contact": 1, "cancelled": 1}
    assert held() == []
    assert keep(world) == {}
    assert [row for row in aws.rows("people") if "#LATE#" in row["pk"]] == []
