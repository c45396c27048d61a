"""Filing: place, service, deadlines and answers are decided and stored in one transaction."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib import ids
from chalicelib.domain.city.service import QUESTION_TYPES, Option, Question
from chalicelib.domain.hash_chain import commitment
from chalicelib.domain.principal import Principal
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.open311 import attributes
from chalicelib.services.platform import signing
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import queries, queues, service_attributes
from chalicelib.services.reports.intake import locate
from chalicelib.storage import people, photo_tickets, report_texts, tables
from tests.support.world import (
    BUNDLE,
    JURISDICTION,
    PUBLIC,
    SIDE,
    SOUTH,
    STAFF,
    WEST,
    World,
    blob,
    citizen,
    city,
    faults,
    official,
    spot,
)

METRE = 1 / 110_585  # a metre north, in degrees, on WGS84 at 6° S


def refusal(call: Any, *given: Any, **fields: Any) -> Problem:
    """The problem that a call raises."""
    with pytest.raises(Problem) as found:
        call(*given, **fields)
    return found.value


def rows() -> int:
    """How many rows all tables hold, the city's own apart."""
    return sum(
        sum(1 for _ in model.scan()) for name, model in tables.MODELS.items() if name != "city"
    )


def test_a_receipt_says_where_who_and_until_when(world: World) -> None:
    """Ids, place, unit and promise; the timeline begins with one event."""
    filed = world.file(description="A hole.", landmark="At the school")
    assert (filed["state"], filed["version"], filed["flags"]) == ("submitted", 1, [])
    assert (filed["ward"]["code"], filed["district"]["code"]) == ("D1-W1", "D1")
    assert filed["unit"]["code"] == "u-d1"
    assert filed["acknowledge_due"] == iso(world.now + timedelta(hours=24))
    assert filed["due_at"] == iso(world.now + timedelta(hours=120))
    assert filed["emergency"] is None
    assert filed["claim_secret"] == signing.claim_secret(filed["id"])
    view = queries.track(PUBLIC, filed["code"])
    assert view == queries.public(PUBLIC, filed["id"])
    assert (view["description"], view["landmark"]) == ("A hole.", "At the school")
    assert faults(world.head(filed["id"]), world.links(filed["id"])) == []


def test_a_description_may_be_empty(world: World) -> None:
    """Twenty-four of the real reports have no words."""
    view = queries.public(PUBLIC, world.file(description="  ")["id"])
    assert view["description"] is None


def test_working_promises_follow_the_calendar_and_its_holidays(world: World) -> None:
    """A lamp reported on Friday evening is due three working days later, around the holiday."""
    world.now = datetime.fromisoformat("2026-11-06T18:00:00+07:00")
    filed = world.file(service="lamp")
    assert filed["unit"]["code"] == "u-lamps"
    due = datetime.fromisoformat("2026-11-12T17:00:00+07:00")  # Mon, Wed, Thu; Tue is a holiday
    assert filed["due_at"] == iso(due)


def test_a_districts_own_promise_is_not_the_citys_target(world: World) -> None:
    """Both are stored in the report."""
    head = world.head(world.file(service="litter", ward="D2-W2")["id"])
    assert head.due_at == world.now + timedelta(hours=12)
    assert head.city_due_at == world.now + timedelta(hours=24)


@pytest.mark.parametrize("service", ["none", "retired", "inspection"])
def test_a_service_that_citizens_cannot_choose_is_422(world: World, service: str) -> None:
    """Unknown, out of use, or for officials."""
    before = rows()
    problem = refusal(world.file, service=service)
    assert (problem.status, problem.slug, problem.field) == (422, "unknown_service", "service")
    assert rows() == before


def test_officials_file_for_others(world: World) -> None:
    """At the counter or by telephone, with services for officials; they are not its reporter."""
    officer = official("officer1")
    filed = world.file(officer, service="inspection", channel="counter")
    assert filed["state"] == "submitted"
    assert world.events(filed["id"])[0]["actor"]["uid"] == "s_officer1"
    assert refusal(world.act, officer, filed["id"], "withdraw").status == 403


@pytest.mark.parametrize(
    ("lat", "long", "ward"),
    [
        (SOUTH + SIDE / 2, WEST + SIDE / 2, "D1-W1"),
        (SOUTH + SIDE / 2, WEST + SIDE, "D1-W1"),
        (SOUTH + SIDE / 2, WEST + 2 * SIDE, "D1-W2"),
        (SOUTH, WEST, "D1-W1"),
    ],
)
def test_a_point_on_a_shared_border_has_one_ward(
    world: World, lat: float, long: float, ward: str
) -> None:
    """The one whose code sorts first; nothing is flagged."""
    filed = world.file(lat=lat, long=long)
    assert (filed["ward"]["code"], filed["outside_m"], filed["flags"]) == (ward, 0, [])


def test_up_to_a_hundred_metres_outside_is_the_nearest_wards_and_flagged(world: World) -> None:
    """Farther is 422 with the nearest ward and the distance."""
    where = {"long": WEST + SIDE / 2}
    filed = world.file(lat=SOUTH - 90 * METRE, **where)
    assert (filed["ward"]["code"], filed["flags"]) == ("D1-W1", ["near"])
    assert filed["outside_m"] == pytest.approx(90, abs=2)
    assert queries.public(PUBLIC, filed["id"])["near"] is True
    before = rows()
    problem = refusal(world.file, lat=SOUTH - 812 * METRE, **where)
    assert (problem.status, problem.slug) == (422, "outside_area")
    assert problem.members["nearest"] == {"ward": "D1-W1", "name": "Ward D1-W1"}
    assert problem.members["distance_m"] == pytest.approx(812, rel=0.005)
    assert rows() == before


def test_swapped_coordinates_get_a_hint(world: World) -> None:
    """Latitude and longitude of a place in the city, the wrong way round, where both can be."""
    bundle = json.loads(json.dumps(BUNDLE)) | {"version": "cccccccccccc"}
    from chalicelib.domain.city.boundaries import build

    west, south = 10.0, 20.0
    ring = [(west, south), (west + 1, south), (west + 1, south + 1), (west, south + 1)]
    cities.publish(bundle, build([("D1-W1", [[[*ring, ring[0]]]])]), list(STAFF), world.now)
    city = cities.current(JURISDICTION, world.now)
    assert locate(city, 20.5, 10.5) == ("D1-W1", 0)
    problem = refusal(locate, city, 10.5, 20.5)
    assert problem.members["hint"] == "swapped"
    assert refusal(locate, city, 50.0, 60.0).members["hint"] is None


GOOD = {
    "depth": 12.5,
    "where": "road",
    "what": ["power", "cars", "cars"],
    "since": "2026-11-02T07:00:00+07:00",
    "story": "It came at night.",
}


def test_answers_are_kept_by_type(world: World) -> None:
    """Codes in the head, numbers as decimal text, free text in ``people``."""
    filed = world.file(service="flood", answers=GOOD)
    head = world.head(filed["id"])
    assert head.answers == {
        "depth": "12.5",
        "where": "road",
        "what": ["cars", "power"],
        "since": "2026-11-02T07:00:00+07:00",
    }
    kept = report_texts.texts(JURISDICTION, filed["id"], 1, 1)
    assert kept["00000001#answer.story"]["text"] == "It came at night."
    assert kept["00000001#answer.story"]["audience"] == "inside"
    shown = queries.timeline(PUBLIC, filed["id"], 0)["events"][0]["words"]
    assert "answer.story" not in shown
    case = queries.case(official("officer1"), filed["id"])
    assert case["timeline"][0]["words"]["answer.story"] == "It came at night."
    assert case["answers"]["depth"] == "12.5"


@pytest.mark.parametrize(
    ("code", "value", "slug", "field"),
    [
        ("depth", None, "answer_missing", "answers.depth"),
        ("depth", "deep", "answer_invalid", "answers.depth"),
        ("depth", True, "answer_invalid", "answers.depth"),
        ("where", "garden", "answer_invalid", "answers.where"),
        ("where", ["road"], "answer_invalid", "answers.where"),
        ("what", "cars", "answer_invalid", "answers.what"),
        ("what", ["boats"], "answer_invalid", "answers.what"),
        ("since", "yesterday", "answer_invalid", "answers.since"),
        ("since", "2026-02-30T00:00:00Z", "answer_invalid", "answers.since"),
        ("since", "2026-11-02T07:00:00", "answer_invalid", "answers.since"),
        ("story", 5, "answer_invalid", "answers.story"),
        ("story", "x" * 501, "answer_invalid", "answers.story"),
        ("mood", "bad", "unknown_question", "answers"),
    ],
)
def test_an_answer_that_does_not_fit_is_422_and_names_the_question(
    world: World, code: str, value: Any, slug: str, field: str
) -> None:
    """By type, option and requirement; the value is not repeated."""
    problem = refusal(world.file, service="flood", answers={**GOOD, code: value})
    assert (problem.status, problem.slug, problem.field) == (422, slug, field)
    assert "yesterday" not in json.dumps(problem.document())


@pytest.mark.parametrize("value", [[[1]], [{"a": 1}], [None]])
def test_strange_lists_are_422_and_not_a_crash(world: World, value: Any) -> None:
    """Whatever JSON allows within a list."""
    problem = refusal(world.file, service="flood", answers={**GOOD, "what": value})
    assert problem.slug == "answer_invalid"


def test_the_same_key_files_one_report(world: World) -> None:
    """The same answer, secret included; another body is 422; another person's key is another."""
    first = world.file(key="k", description="A hole.")
    before = rows()
    world.advance(hours=1)
    assert world.file(key="k", description="A hole.") == first
    assert rows() == before
    problem = refusal(world.file, key="k", description="Two holes.")
    assert (problem.status, problem.slug) == (422, "key_reused")
    other = world.file(citizen("other"), key="k", description="A hole.")
    assert other["id"] != first["id"]


def test_possible_duplicates_are_near_open_and_of_the_same_group(world: World) -> None:
    """At most five, nearest first; not closed, protected, far or of another group."""
    made = []
    for number in range(7):
        ward = spot("D1-W1", east=0.5 + number * 0.02)
        made.append(world.file(citizen(f"n{number}"), **ward)["id"])
    world.act(official("officer1"), made[1], "reject", reason_code="spam", text="x")
    world.file(citizen("a"), service="litter")
    world.file(citizen("b"), service="violence")
    world.file(citizen("c"), **spot("D1-W1", east=0.1))
    found = world.file(citizen("d"), service="lamp")["possible_duplicates"]
    assert [one["id"] for one in found] == [made[0], *made[2:6]]
    assert [one["distance_m"] for one in found] == pytest.approx([0, 44, 66, 88, 111], abs=2)
    assert set(found[0]) == {"id", "service", "state", "filed_at", "distance_m"}


def test_a_protected_report_stays_private_though_the_reporter_wants_it_public(world: World) -> None:
    """The wish to be public is flagged; it has no possible duplicates and is none."""
    world.file(citizen("a"))
    filed = world.file(service="violence", public=True)
    assert (filed["flags"], filed["possible_duplicates"]) == (["made_private"], [])
    assert (filed["protected"], filed["emergency"]) == (True, "112")
    assert filed["unit"]["code"] == "u-safe"
    found = world.file(citizen("b"))["possible_duplicates"]
    assert filed["id"] not in {one["id"] for one in found}
    world.project()
    total = monthly_counts.month(JURISDICTION, "202611", world.now)["city"]["received"]
    assert total == 2


def test_the_phones_clock_is_only_noted(world: World) -> None:
    """It moves no deadline; too far ahead is flagged, unreadable is 422."""
    ahead = iso(world.now + timedelta(hours=1))
    filed = world.file(client_time=ahead)
    assert filed["flags"] == ["clock_ahead"]
    assert filed["filed_at"] == iso(world.now)
    assert world.file(citizen("b"), client_time=iso(world.now))["flags"] == []
    for strange in ("yesterday", "2026-11-02T07:00:00", "9999-12-31T23:59:59-12:00"):
        problem = refusal(world.file, client_time=strange)
        assert (problem.slug, problem.field) == ("moment_unreadable", "client_time")


def test_a_contact_is_kept_apart_from_the_head(world: World) -> None:
    """The head holds a random reference; the event only that there is one."""
    contact = {"name": "Budi", "email": "budi@example.org", "phone": "+628111111111"}
    report = world.file(contact=contact)["id"]
    head = world.head(report)
    assert head.contactable
    assert people.contact(JURISDICTION, head.contact or "") == contact
    assert "budi" not in json.dumps(head.to_doc()).lower()
    assert head.contact not in json.dumps(world.events(report))
    nameless = world.head(world.file(citizen("b"), contact={"name": "Budi"})["id"])
    assert not nameless.contactable


def test_photos_are_claimed_with_the_report(world: World) -> None:
    """Once; the second report with the same photo is 422 and writes nothing."""
    reporter = citizen("reporter")
    photo = world.photo(reporter)
    report = world.file(reporter, photos=[photo])["id"]
    found = photo_tickets.photo(JURISDICTION, photo)
    assert found is not None
    assert (found[1]["state"], found[1]["report"]) == ("ready", report)
    assert queries.public(PUBLIC, report)["photos"] == 1
    before = rows()
    assert refusal(world.file, reporter, photos=[photo]).slug == "photo_used"
    assert refusal(world.file, citizen("b"), photos=[photo]).slug == "unknown_photo"
    assert rows() == before
    late = world.photo(reporter)
    world.advance(hours=25)
    assert refusal(world.file, reporter, photos=[late]).slug == "unknown_photo"


def test_a_taken_tracking_code_is_drawn_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three collisions nothing is written."""
    taken = world.file()["code"]
    codes = iter([taken, taken, "FREE-0000"])
    monkeypatch.setattr(ids, "new_code", lambda: next(codes))
    assert world.file(citizen("b"))["code"] == "FREE-0000"
    monkeypatch.setattr(ids, "new_code", lambda: taken)
    assert refusal(world.file, citizen("c")).status == 503


def test_my_reports_are_mine_newest_first(world: World) -> None:
    """Protected ones included, in pages; nobody sees another's."""
    mine = []
    for service in ("pothole", "violence", "litter"):
        world.advance(minutes=1)
        mine.append(world.file(service=service)["id"])
    world.file(citizen("other"))
    page = queues.mine(citizen("reporter"), 2, None, world.now)
    rest = queues.mine(citizen("reporter"), 2, page["cursor"], world.now)
    found = [card["id"] for card in page["reports"] + rest["reports"]]
    assert found == mine[::-1]
    assert rest["cursor"] is None
    assert "holder" not in page["reports"][0]
    problem = refusal(queues.mine, citizen("other"), 2, page["cursor"], world.now)
    assert problem.slug == "cursor_invalid"


def test_rates_are_the_citys_data(world: World) -> None:
    """429 with the wait; a replay and an official are not counted."""
    limited = json.loads(json.dumps(BUNDLE)) | {"version": "dddddddddddd"}
    limited["limits"] = {"device": [{"n": 2, "seconds": 600}]}
    cities.publish(limited, blob(), list(STAFF), world.now)
    for number in (1, 2):
        world.file(key=f"k{number}")
    problem = refusal(world.file, key="k3")
    assert (problem.status, problem.slug) == (429, "too_many")
    assert 1 <= int(problem.headers["Retry-After"]) <= 600
    assert world.file(key="k2")["state"] == "submitted"
    for _ in range(4):
        world.file(official("officer1"))
    assert world.file(citizen("other"))["state"] == "submitted"
    world.advance(seconds=600)
    assert world.file(key="k3")["state"] == "submitted"


def test_a_refused_request_does_not_count_against_a_limit(world: World) -> None:
    """A request that fails before counting does not count."""
    limited = json.loads(json.dumps(BUNDLE)) | {"version": "dddddddddddd"}
    limited["limits"] = {"device": [{"n": 1, "seconds": 600}]}
    cities.publish(limited, blob(), list(STAFF), world.now)
    for _ in range(3):
        refusal(world.file, service="none")
        refusal(world.file, lat=0.0, long=0.0)
    assert world.file()["state"] == "submitted"


def test_invisible_characters_flag_the_report(world: World) -> None:
    """The receipt says that characters were removed, and not which."""
    from chalicelib.services.reports import intake

    who = citizen("reporter")
    body = {"service": "pothole", **spot("D1-W1"), "description": "clean"}
    op = world.operation(who, "fileReport", body)
    filed = intake.file_report(
        who, op, body, intake.Origin("192.0.2.1", stripped=("description",)), world.now
    ).answer
    assert filed["flags"] == ["invisible_text"]


def test_an_event_commits_to_each_text_with_its_salt(world: World) -> None:
    """Recomputed from ``people``."""
    report = world.file(description="A hole.", landmark="School")["id"]
    kept = report_texts.texts(JURISDICTION, report, 1, 1)
    for one in world.events(report)[0]["words"]:
        row = kept[report_texts.text_name(1, one["field"])]
        assert one["commitment"] == commitment(row["text"], bytes.fromhex(row["salt"]))


def test_a_report_without_a_device_has_no_reporter(world: World) -> None:
    """A report without a uid has a reporter only by its claim secret."""
    nobody = Principal("citizen", JURISDICTION)
    report = world.file(nobody)["id"]
    assert world.head(report).reporter is None
    assert refusal(world.act, nobody, report, "withdraw").status == 403
    assert queues.mine(nobody, 10, None, world.now)["reports"] == []


def test_an_unknown_city_is_404(world: World) -> None:
    """The city is checked first."""
    problem = refusal(world.file, Principal("citizen", "nowhere", uid="d_a"))
    assert (problem.status, problem.slug) == (404, "unknown_jurisdiction")


# An answer of each type: as JSON, and as the texts of a form.
ANSWERS: dict[str, tuple[Any, list[str]]] = {
    "text": ("By the school", ["By the school"]),
    "number": (3, ["3"]),
    "singlevaluelist": ("a", ["a"]),
    "multivaluelist": (["a", "b"], ["a", "b"]),
    "datetime": ("2026-11-02T10:00:00.000Z", ["2026-11-02T10:00:00Z"]),
}


@pytest.mark.parametrize("kind", QUESTION_TYPES)
def test_a_question_of_each_type_takes_an_answer_from_json_and_from_a_form(kind: str) -> None:
    options = tuple(Option(key, {"en": key}) for key in ("a", "b"))
    question = Question("q", kind, True, {"en": "Which?"}, options)
    pothole = replace(city().services["pothole"], questions=(question,))
    answer, texts = ANSWERS[kind]
    values, free_texts = service_attributes.check(pothole, {"q": answer})
    from_form = attributes.value(question, texts, city())
    assert service_attributes.check(pothole, {"q": from_form}) == (values, free_texts)
