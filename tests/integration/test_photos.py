"""Photos: processing, where and when they were taken, repeated use, moderation, flags."""

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import ExifTags, Image

from chalicelib.domain.principal import Principal
from chalicelib.entrypoints import batches
from chalicelib.errors import Problem
from chalicelib.services.notifications import outbox
from chalicelib.services.photos import moderation, photo_views, processing, storage_keys, tickets
from chalicelib.services.reports import queries
from chalicelib.settings import settings
from chalicelib.storage import (
    control,
    files,
    open311_requests,
    people,
    photo_tickets,
    tables,
)
from chalicelib.storage.transactions import commit
from infra.deploy.names import QUEUES
from infra.ops import backfill, dead
from tests.integration.test_engagement import refusal
from tests.support import aws, photo_files
from tests.support.world import JURISDICTION, PUBLIC, World, citizen, faults, official, spot

REPORTER, OFFICER, WORKER = citizen("reporter"), official("officer1"), official("worker1")
VERIFIER = official("verifier")
UNKNOWN = "01J00000000000000000000001"


class Context:
    """A Lambda context with time left."""

    function_name = "test"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 20_000


def message(body: dict[str, Any], received: int = 1) -> dict[str, Any]:
    """An event of the photos' queue."""
    record = {
        "messageId": "1",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(received)},
        "eventSource": "aws:sqs",
    }
    return {"Records": [record]}


def deliver(body: dict[str, Any], received: int = 1) -> bool:
    """Whether the photo function could handle a message."""
    answer = batches.process_photos(message(body, received), Context())
    return not answer["batchItemFailures"]


def arrived(photo: str) -> dict[str, Any]:
    """The bucket's event."""
    return {"Records": [{"s3": {"object": {"key": f"quarantine/{JURISDICTION}/{photo}"}}}]}


def queued() -> list[dict[str, Any]]:
    """The messages of the photos' queue; they are removed."""
    held = aws.backend("sqs").queues[settings().photos_queue]._messages
    bodies = [json.loads(one.body) for one in held]
    held.clear()
    return bodies


def work_off(world: World) -> None:
    """Run every background function until nothing is left to do."""
    while world.project() or outbox.drain(now=world.now):
        outbox.drain(now=world.now)
        for body in queued():
            assert deliver(body)


def stored() -> set[str]:
    """The names of all objects."""
    return set(aws.backend("s3").buckets[settings().bucket].keys)


def of(photo: str) -> set[str]:
    """The names of a photo's objects."""
    return {key for key in stored() if photo in key}


def held(photo: str) -> storage_keys.Files:
    """The names of what was made of a photo."""
    found = photo_tickets.photo(JURISDICTION, photo)
    assert found is not None
    return storage_keys.Files(JURISDICTION, photo, found[1]["cut"])


def made(photo: str, rev: int) -> set[str]:
    """The objects of one revision."""
    return set(held(photo).by_name(rev).values())


def master(photo: str, rev: int) -> str:
    """The master of one revision."""
    return held(photo).master(rev)


def shown(report: str) -> list[dict[str, Any]]:
    """The pictures of a report as the public sees it."""
    found: list[dict[str, Any]] = queries.public(PUBLIC, report)["pictures"]
    return found


def states(report: str, who: Principal = OFFICER) -> list[tuple[str, str]]:
    """(kind, state) of every picture, for an official."""
    return [(one["kind"], one["state"]) for one in queries.case(who, report)["pictures"]]


def moderate(world: World, report: str, photo: str, action: str, **more: Any) -> dict[str, Any]:
    """Hide, unhide or blur as the officer."""
    body = {"action": action, "reason": "face", **more}
    who = more.pop("who", OFFICER)
    body.pop("who", None)
    op = world.operation(who, "moderatePhoto", body)
    return moderation.moderate(who, op, report, photo, body, world.now).answer


def flag(world: World, who: Principal, report: str, **more: Any) -> dict[str, Any]:
    """Flag a report."""
    body = {"reason": "personal_data", **more}
    op = world.operation(who, "flagReport", body)
    return moderation.flag(who, op, report, body, world.now).answer


def actions(world: World, report: str) -> list[str]:
    """The actions of a report's events."""
    return [event["action"] for event in world.events(report)]


def placed(where: tuple[float, float] | None, taken: str | None = None) -> bytes:
    """A JPEG that says where and when it was taken."""
    exif = Image.Exif()
    if where:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        for value, ref, name in ((where[0], "NS", "Latitude"), (where[1], "EW", "Longitude")):
            gps[getattr(ExifTags.GPS, f"GPS{name}Ref")] = ref[value < 0]
            gps[getattr(ExifTags.GPS, f"GPS{name}")] = (abs(value), 0.0, 0.0)
    if taken:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    return photo_files.jpeg(exif=exif.tobytes())


def real(world: World, who: Principal, data: bytes) -> str:
    """A photo that was uploaded and really processed."""
    photo = world.photo(who, data, processed=False)
    processing.develop(JURISDICTION, photo, world.now)
    return photo


def test_a_photo_waits_in_its_report_until_it_is_made(world: World) -> None:
    photo = world.photo(REPORTER, processed=False)
    report = world.file(REPORTER, photos=[photo])["id"]
    (one,) = shown(report)
    assert (one["state"], one["small"], one["width"]) == ("pending", None, None)
    with photo_files.quick():
        work_off(world)
    (one,) = shown(report)
    assert (one["state"], one["width"], one["large"]["width"]) == ("ready", 640, 640)
    assert actions(world, report) == ["file", "photo_ready"]
    assert of(photo) == made(photo, 1)


def test_three_deliveries_in_any_order_leave_one_set_and_one_event(world: World) -> None:
    photo = world.photo(REPORTER, processed=False)
    report = world.file(REPORTER, photos=[photo])["id"]
    job = {"kind": "photo", "task": "develop", "jurisdiction": JURISDICTION, "report": report,
           "photo": photo, "rev": 1, "dedupe": "x"}  # fmt: skip
    with photo_files.quick() as asked:
        for body in (job, arrived(photo), arrived(photo), job):
            assert deliver(body)
    assert asked == ["develop"]
    assert actions(world, report) == ["file", "photo_ready"]
    assert of(photo) == made(photo, 1)
    assert world.head(report).version == 2


@pytest.mark.parametrize("used", [True, False])
def test_a_run_that_is_killed_after_any_step_is_finished_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch, used: bool
) -> None:
    """Kill it before each of its writes: the second delivery makes the same."""
    steps = ("put", "put", "put", "delete")
    for number in range(len(steps)):
        photo = world.photo(REPORTER, f"upload {number}".encode() * 20, processed=False)
        report = world.file(REPORTER, photos=[photo] if used else [])["id"]
        left = iter(range(number))
        with monkeypatch.context() as broken, photo_files.quick():

            def dying(real: Callable[..., None], left: Any = left) -> Callable[..., None]:
                def step(*given: Any, **more: Any) -> None:
                    if next(left, None) is None:
                        raise KeyboardInterrupt
                    real(*given, **more)

                return step

            broken.setattr(processing.files, "put", dying(files.put))
            broken.setattr(processing.files, "delete", dying(files.delete))
            with pytest.raises(KeyboardInterrupt):
                processing.develop(JURISDICTION, photo, world.now)
        with photo_files.quick():
            processing.develop(JURISDICTION, photo, world.now)
        assert of(photo) == made(photo, 1)
        assert actions(world, report) == ["file", "photo_ready"][: 1 + used]


def test_after_two_uploads_with_one_form_the_checked_picture_is_shown(world: World) -> None:
    """The second arrives while the first is made: neither shows the other's pictures."""
    photo = world.photo(REPORTER, b"first" * 50, processed=False)
    report = world.file(REPORTER, photos=[photo])["id"]
    with photo_files.quick():
        real_put = processing.files.put

        def put(key: str, body: bytes, content_type: str, **more: Any) -> None:
            real_put(key, body, content_type, **more)
            if key.endswith("320.webp") and body == b"small":
                overtaken.pop()() if overtaken else None

        def again() -> None:
            upload = storage_keys.quarantined(JURISDICTION, photo)
            real_put(upload, b"second" * 50, "image/jpeg")
            processing.develop(JURISDICTION, photo, world.now)

        overtaken = [again]
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(processing.files, "put", put)
            processing.develop(JURISDICTION, photo, world.now)
    (one,) = shown(report)
    assert files.get(master(photo, 1)) == b"second" * 50
    assert held(photo).cut in one["large"]["url"]
    found = photo_tickets.photo(JURISDICTION, photo)
    assert found is not None
    assert found[1]["sha256"] == hashlib.sha256(b"second" * 50).hexdigest()
    assert actions(world, report) == ["file", "photo_ready"]


def test_an_unreadable_photo_is_refused_on_its_report_with_a_reason(world: World) -> None:
    photo = world.photo(REPORTER, b"\xff\xd8\xff" + bytes(300), processed=False)
    report = world.file(REPORTER, photos=[photo])["id"]
    processing.develop(JURISDICTION, photo, world.now)
    assert shown(report) == []
    assert states(report) == [("before", "refused")]
    assert queries.public(PUBLIC, report)["photos"] == 0
    (event,) = [one for one in world.events(report) if one["action"] == "photo_refused"]
    assert event["data"]["reason"] == "undecodable"
    mine = tickets.status(REPORTER, photo, world.now)
    assert mine["reason"]["code"] == "undecodable"
    assert set(mine["reason"]["text"]) == {"en", "id"}
    assert of(photo) == set()
    other = world.photo(REPORTER, b"\xff\xd8\xff" + bytes(300), processed=False)
    processing.develop(JURISDICTION, other, world.now)
    problem = refusal(world.file, REPORTER, photos=[other])
    assert (problem.slug, problem.members["reason"]) == ("photo_refused", "undecodable")


def test_a_photo_whose_upload_is_gone_is_refused_and_not_waited_for(world: World) -> None:
    photo = world.photo(REPORTER, processed=False)
    report = world.file(REPORTER, photos=[photo])["id"]
    files.delete([storage_keys.quarantined(JURISDICTION, photo)])
    work_off(world)
    assert states(report) == [("before", "refused")]
    assert world.events(report)[-1]["data"]["reason"] == "missing"
    # An unused ticket still accepts an upload.
    waiting = world.photo(REPORTER, processed=False)
    files.delete([storage_keys.quarantined(JURISDICTION, waiting)])
    processing.develop(JURISDICTION, waiting, world.now)
    assert tickets.status(REPORTER, waiting, world.now)["state"] == "issued"


@pytest.mark.parametrize(
    ("put", "reason"),
    [
        (lambda key: files.put(key, photo_files.UPLOAD, "text/html"), "type_mismatch"),
        (lambda key: files.put(key, bytes(10 * 1024 * 1024 + 1), "image/jpeg"), "too_large"),
        (lambda key: files.put(key, b"", "image/jpeg"), "empty"),
    ],
    ids=["another type", "too large", "empty"],
)
def test_an_upload_that_the_form_should_have_refused_is_refused(
    world: World, put: Callable[[str], None], reason: str
) -> None:
    photo = world.photo(REPORTER, processed=False)
    put(storage_keys.quarantined(JURISDICTION, photo))
    processing.develop(JURISDICTION, photo, world.now)
    assert tickets.status(REPORTER, photo, world.now)["reason"]["code"] == reason


def test_a_photo_that_fails_at_its_last_delivery_is_refused_and_noted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = world.photo(REPORTER, processed=False)
    report = world.file(REPORTER, photos=[photo])["id"]

    def broken(data: bytes, declared: str) -> Any:
        raise OSError("no space left")

    monkeypatch.setattr(processing.sandbox, "develop", broken)
    for received in range(1, 6):
        assert states(report) == [("before", "pending")]
        assert not deliver(arrived(photo), received)
    assert states(report) == [("before", "refused")]
    assert world.events(report)[-1]["data"]["reason"] == "processing_failed"
    (note,) = control.dead(JURISDICTION, "photos", 10)
    assert note == {"name": photo, "photo": photo, "error": "OSError"}
    listed = dead.look()
    assert listed["notes"] == {f"{JURISDICTION} photos": [note]}
    assert listed["queues"] == {f"tanggap-{name}-dead": 0 for name in QUEUES}


def test_work_is_proved_by_a_photo_that_can_be_seen(world: World) -> None:
    report = world.file()["id"]
    world.act(OFFICER, report, "assign", person=WORKER.uid)
    photo = world.photo(WORKER, processed=False)
    problem = refusal(world.act, WORKER, report, "finish", photos=[photo], note="Done.")
    assert (problem.slug, problem.status) == ("photo_processing", 409)
    assert problem.headers["Retry-After"]
    broken = world.photo(WORKER, b"\xff\xd8\xff" + bytes(300), processed=False)
    processing.develop(JURISDICTION, broken, world.now)
    problem = refusal(world.act, WORKER, report, "finish", photos=[broken], note="Done.")
    assert problem.slug == "photo_refused"
    assert world.head(report).state == "assigned"
    world.process(photo)
    world.act(WORKER, report, "finish", photos=[photo], note="Done.")
    assert [(one["kind"], one["state"]) for one in shown(report)] == [("after", "ready")]


def test_an_after_photo_of_work_that_did_not_hold_is_an_earlier_one(world: World) -> None:
    before = world.photo(REPORTER)
    report = world.finished(photos=[before])
    objection = world.photo(REPORTER)
    world.act(REPORTER, report, "refuse", reason="No", photos=[objection])
    world.finish(WORKER, report)
    kinds = [one["kind"] for one in shown(report)]
    assert kinds == ["before", "after", "earlier", "follow_up"]
    answer = queries.public(PUBLIC, report)
    assert (answer["photos"], answer["after_photos"]) == (1, 1)


def test_the_place_of_a_photo_is_offered_to_its_owner_until_it_is_used(world: World) -> None:
    here = spot("D1-W1")
    photo = real(world, REPORTER, placed((here["lat"], here["long"]), "2026:11:02 07:30:00"))
    mine = tickets.status(REPORTER, photo, world.now)
    assert (mine["place"]["lat"], mine["place"]["long"]) == pytest.approx(tuple(here.values()))
    assert mine["taken_at"] == "2026-11-02T00:30:00.000Z"  # the city's clocks are at +07:00
    for other in (citizen("b"), OFFICER, PUBLIC):
        assert refusal(tickets.status, other, photo, world.now).slug == "not_found"
    assert people.photo_facts(JURISDICTION, photo) is not None
    world.file(REPORTER, photos=[photo])
    assert people.photo_facts(JURISDICTION, photo) is None
    after = tickets.status(REPORTER, photo, world.now)
    assert (after["place"], after["taken_at"], after["pictures"]) == (None, None, None)
    for table in ("reports", "timeline", "figures", "control"):
        assert "2026-11-02T07:30" not in json.dumps(aws.rows(table))


@pytest.mark.parametrize("where", [(0.0, 0.0), (-6.9, 107.6), None])
def test_a_place_outside_the_city_is_not_offered(
    world: World, where: tuple[float, float] | None
) -> None:
    photo = real(world, REPORTER, placed(where))
    assert tickets.status(REPORTER, photo, world.now)["place"] is None


@pytest.mark.parametrize(
    ("metres", "taken", "proof"),
    [
        (20, "2026:11:02 12:00:00", {"place": "near", "time": "after"}),
        (900, "2026:11:01 12:00:00", {"place": "far", "time": "before"}),
        (None, None, {"place": "unknown", "time": "unknown"}),
    ],
)
def test_verifiers_see_whether_an_after_photo_fits_place_and_time(
    world: World, metres: int | None, taken: str | None, proof: dict[str, str]
) -> None:
    here = spot("D1-W1")
    report = world.file()["id"]
    world.act(OFFICER, report, "assign", person=WORKER.uid)
    where = None if metres is None else (here["lat"] + metres / 111_195, here["long"])
    photo = real(world, WORKER, placed(where, taken))
    world.act(WORKER, report, "finish", photos=[photo], note="Done.")
    inside = queries.case(VERIFIER, report)["timeline"][-1]
    assert inside["data"]["proof"] == {photo: proof}
    public = queries.timeline(PUBLIC, report, 0)["events"][-1]
    assert public["action"] == "finish"
    assert "proof" not in public["data"]


def test_the_same_file_in_another_report_is_flagged_there(world: World) -> None:
    first = world.file(REPORTER, photos=[real(world, REPORTER, photo_files.jpeg())])["id"]
    world.advance(seconds=1)
    second = world.file(REPORTER, photos=[real(world, REPORTER, photo_files.jpeg())])["id"]
    work_off(world)
    assert "photo_reused" not in world.head(first).flags
    assert world.head(second).flags == ("photo_reused",)
    (event,) = [one for one in world.events(second) if one["action"] == "photo_reused"]
    assert event["data"]["alike"] == "same"
    assert event["data"]["of"]["report"] == first
    assert queries.case(OFFICER, second)["flags"] == ["photo_reused"]
    sealed = queries.timeline(PUBLIC, second, 0)["events"][-1]
    assert sealed["action"] == "inside"
    assert "data" not in sealed


def test_a_picture_that_was_sent_around_is_found_again_and_others_are_not(world: World) -> None:
    picture = photo_files.scene(1600, 1200, seed=3)
    small = photo_files.jpeg(picture.resize((700, 525)), quality=45)
    other = photo_files.jpeg(photo_files.scene(900, 700, seed=8))
    made = [real(world, REPORTER, one) for one in (photo_files.jpeg(picture), small, other)]
    ids = []
    for photo in made:
        world.advance(seconds=1)
        ids.append(world.file(REPORTER, photos=[photo])["id"])
    work_off(world)
    assert [bool(world.head(one).flags) for one in ids] == [False, True, False]
    assert world.events(ids[1])[-1]["data"]["alike"] == "near"


def test_the_photo_of_the_problem_does_not_pass_for_one_of_the_repair_unseen(world: World) -> None:
    report = world.file(photos=[real(world, REPORTER, photo_files.jpeg())])["id"]
    world.act(OFFICER, report, "assign", person=WORKER.uid)
    world.advance(seconds=1)
    photo = real(world, WORKER, photo_files.jpeg())
    world.act(WORKER, report, "finish", photos=[photo], note="Done.")
    work_off(world)
    assert world.head(report).flags == ("photo_reused",)
    assert world.events(report)[-1]["data"]["photo"] == photo


def test_the_later_use_of_a_photo_is_flagged_in_any_order(world: World) -> None:
    """Two reports with the same photo: the later use is found, once."""
    ids = []
    for _ in range(2):
        world.advance(seconds=1)
        photo = real(world, REPORTER, photo_files.jpeg())
        ids.append(world.file(REPORTER, photos=[photo])["id"])
    world.project()
    outbox.drain(now=world.now)
    bodies = queued()
    for body in (*reversed(bodies), *bodies):
        assert deliver(body)
    assert [world.head(one).flags for one in ids] == [(), ("photo_reused",)]
    assert actions(world, ids[1]).count("photo_reused") == 1


def test_a_protected_report_is_not_named_to_others(world: World) -> None:
    data = photo_files.jpeg()
    world.file(REPORTER, service="violence", photos=[real(world, REPORTER, data)])
    world.advance(seconds=1)
    open_one = world.file(REPORTER, photos=[real(world, REPORTER, data)])["id"]
    work_off(world)
    assert world.events(open_one)[-1]["data"]["of"] is None


def test_unused_photos_expire_and_used_ones_do_not(world: World) -> None:
    def tagged(photo: str) -> set[bool]:
        held = aws.backend("s3")
        found = (held.get_object(settings().bucket, key) for key in of(photo))
        return {bool(held.tagger.list_tags_for_resource(one.arn)["Tags"]) for one in found}

    photo = world.photo(REPORTER)
    assert tagged(photo) == {True}
    world.file(REPORTER, photos=[photo])
    work_off(world)
    assert tagged(photo) == {False}
    late = world.photo(REPORTER, processed=False)
    world.file(REPORTER, photos=[late])
    with photo_files.quick():
        work_off(world)
    assert tagged(late) == {False}


def test_a_hidden_picture_is_gone_everywhere_and_comes_back_under_another_address(
    world: World,
) -> None:
    photo = world.photo(REPORTER)
    report = world.file(REPORTER, photos=[photo])["id"]
    work_off(world)
    address = shown(report)[0]["large"]["url"]
    answer = moderate(world, report, photo, "hide", reason="face", note="Ask the family.")
    assert (answer["picture"], shown(report)) == ("hidden", [])
    assert queries.public(PUBLIC, report)["photos"] == 0
    assert states(report) == [("before", "hidden")]
    (inside,) = queries.case(OFFICER, report)["pictures"]
    assert (inside["small"], inside["large"]) == (None, None)
    work_off(world)
    assert of(photo) == {master(photo, 1)}
    event = queries.timeline(PUBLIC, report, 0)["events"][-1]
    assert (event["action"], event["data"]["reason"], event["words"]) == (
        "photo_hidden",
        "face",
        {},
    )
    assert queries.case(OFFICER, report)["timeline"][-1]["words"] == {"note": "Ask the family."}
    assert moderate(world, report, photo, "unhide", reason="mistake")["picture"] == "pending"
    with photo_files.quick():
        work_off(world)
    (one,) = shown(report)
    assert one["state"] == "ready"
    assert one["large"]["url"].partition("?")[0] != address.partition("?")[0]
    assert of(photo) == made(photo, 2)


def test_other_systems_are_led_to_a_jpeg_where_a_photo_has_one(world: World) -> None:
    """FixMyStreet takes only JPEG. A photo that an older version made gets one when it changes."""
    photo = world.photo(REPORTER)
    version, ticket = photo_tickets.photo(JURISDICTION, photo) or (0, {})
    jpeg = held(photo).served(1)["1280.jpg"]
    new = world.file(REPORTER, photos=[world.photo(REPORTER, b"\xff\xd8\xff" + b"1" * 200)])["id"]
    del ticket["jpeg"]  # type: ignore[typeddict-item]
    commit([photo_tickets.put_photo(JURISDICTION, photo, ticket, seen=version)])
    files.delete([jpeg])
    old = world.file(REPORTER, photos=[photo])["id"]
    work_off(world)

    def leads_to(report: str, *, jpeg: bool = True) -> str | None:
        (one,) = world.head(report).pictures
        url = photo_views.current_address(JURISDICTION, report, one, jpeg=jpeg)
        return url and url.partition("?")[0].rpartition("/")[2]

    assert (leads_to(new), leads_to(new, jpeg=False)) == ("1280.jpg", "1280.webp")
    assert (leads_to(old), leads_to(old, jpeg=False)) == ("1280.webp", "1280.webp")
    rectangle = {"x": 100, "y": 100, "width": 300, "height": 200}
    moderate(world, old, photo, "blur", rectangle=rectangle)
    assert leads_to(old) is None
    with photo_files.quick():
        work_off(world)
    assert leads_to(old) == "1280.jpg"
    moderate(world, old, photo, "hide", reason="face")
    assert leads_to(old) is None
    work_off(world)
    assert of(photo) == {master(photo, 2)}


def test_a_blurred_picture_leaves_no_way_to_the_one_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANGGAP_KEEP_ORIGINALS", "yes")
    settings.cache_clear()
    photo = real(world, REPORTER, photo_files.jpeg())
    report = world.file(REPORTER, photos=[photo])["id"]
    work_off(world)
    assert storage_keys.original(JURISDICTION, photo) in of(photo)
    before = files.get(master(photo, 1))
    rectangle = {"x": 100, "y": 100, "width": 300, "height": 200}
    moderate(world, report, photo, "blur", rectangle=rectangle)
    assert [(one["state"], one["large"]) for one in shown(report)] == [("pending", None)]
    work_off(world)
    assert of(photo) == made(photo, 2)
    blurred = files.get(master(photo, 2))
    assert blurred is not None
    assert blurred != before
    assert [one["state"] for one in shown(report)] == ["ready"]
    assert world.events(report)[-2]["data"]["rectangle"] == [100, 100, 300, 200]


@pytest.mark.parametrize("order", ["as sent", "reversed", "twice"])
def test_jobs_that_change_places_never_show_what_was_blurred(world: World, order: str) -> None:
    picture = photo_files.scene()
    picture.paste(Image.effect_noise((240, 160), 200).convert("RGB"), (60, 100))
    photo = real(world, REPORTER, photo_files.jpeg(picture))
    report = world.file(REPORTER, photos=[photo])["id"]
    work_off(world)
    rectangle = {"x": 0, "y": 0, "width": 500, "height": 600}
    moderate(world, report, photo, "blur", rectangle=rectangle)
    moderate(world, report, photo, "hide") if order != "twice" else None
    if order != "twice":
        moderate(world, report, photo, "unhide")
    world.project()
    outbox.drain(now=world.now)
    bodies = queued()
    for body in {"as sent": bodies, "reversed": bodies[::-1], "twice": bodies * 2}[order]:
        assert deliver(body)
    work_off(world)
    rev = world.head(report).pictures[photo]["rev"]
    assert rev == (2 if order == "twice" else 3)
    assert [one["state"] for one in shown(report)] == ["ready"]
    assert of(photo) == made(photo, rev)
    drawn = files.get(master(photo, rev))
    assert drawn is not None
    with Image.open(io.BytesIO(drawn)) as picture:
        lowest, highest = picture.convert("L").crop((100, 140, 140, 180)).getextrema()
    assert highest - lowest < 60


def test_a_picture_that_is_hidden_while_it_is_made_is_not_shown(world: World) -> None:
    photo = world.photo(REPORTER, processed=False)
    report = world.file(REPORTER, photos=[photo])["id"]
    moderate(world, report, photo, "hide")
    with photo_files.quick():
        work_off(world)
    assert states(report) == [("before", "hidden")]
    assert of(photo) == {master(photo, 1)}


def test_who_may_moderate_and_what_not(world: World) -> None:
    photo = world.photo(REPORTER)
    report = world.file(REPORTER, photos=[photo])["id"]
    for who in (official("officer2"), official("lamps")):
        assert refusal(moderate, world, report, photo, "hide", who=who).slug == "not_found"
    assert refusal(moderate, world, report, UNKNOWN, "hide").slug == "not_found"
    assert refusal(moderate, world, report, photo, "unhide").slug == "picture_state"
    assert refusal(moderate, world, report, photo, "blur").slug == "action_field_missing"
    rectangle = dict.fromkeys(("x", "y", "width", "height"), 10)
    problem = refusal(moderate, world, report, photo, "hide", rectangle=rectangle)
    assert problem.slug == "action_field_unknown"
    waiting = world.photo(REPORTER, processed=False)
    other = world.file(REPORTER, photos=[waiting])["id"]
    assert (
        refusal(moderate, world, other, waiting, "blur", rectangle=rectangle).slug
        == "picture_state"
    )
    assert world.head(report).version == 1


def test_a_drawing_that_fails_for_good_shows_nothing_and_can_be_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = world.photo(REPORTER)
    report = world.file(REPORTER, photos=[photo])["id"]
    work_off(world)
    moderate(
        world, report, photo, "blur", rectangle=dict.fromkeys(("x", "y", "width", "height"), 9)
    )
    world.project()
    outbox.drain(now=world.now)
    (job,) = queued()
    with monkeypatch.context() as broken:
        broken.setattr(processing.sandbox, "redraw", lambda *_: 1 / 0)
        assert not deliver(job, 5)
    assert states(report) == [("before", "refused")]
    assert control.dead(JURISDICTION, "photos", 10)[0]["error"] == "ZeroDivisionError"
    moderate(world, report, photo, "unhide")
    with photo_files.quick():
        work_off(world)
    assert [one["state"] for one in shown(report)] == ["ready"]


def test_pictures_are_shown_in_the_order_in_which_the_reporter_gave_them(world: World) -> None:
    first, second, third = (world.photo(REPORTER) for _ in range(3))
    given = [third, first, second]
    report = world.file(REPORTER, photos=given)["id"]
    assert [one["id"] for one in queries.public(PUBLIC, report)["pictures"]] == given
    worker = world.photo(WORKER), world.photo(WORKER)
    world.act(OFFICER, report, "assign", person=WORKER.uid)
    world.act(WORKER, report, "start")
    world.act(WORKER, report, "finish", note="done", photos=list(reversed(worker)))
    seen = [one["id"] for one in queries.public(PUBLIC, report)["pictures"]]
    assert seen == [*given, *reversed(worker)]


def test_the_pictures_of_a_protected_report_need_its_role(world: World) -> None:
    photo = world.photo(REPORTER)
    report = world.file(REPORTER, service="violence", photos=[photo])["id"]
    assert len(queries.public(REPORTER, report)["pictures"]) == 1
    assert len(queries.case(official("safe"), report)["pictures"]) == 1
    for call in (lambda who: queries.public(who, report), lambda who: queries.case(who, report)):
        for who in (citizen("b"), OFFICER, official("dispatcher")):
            assert refusal(call, who).slug == "not_found"
    assert refusal(moderate, world, report, photo, "hide").slug == "not_found"
    moderate(world, report, photo, "hide", who=official("safe"))
    assert queries.public(REPORTER, report)["pictures"] == []


def test_anybody_may_flag_a_report_once_and_the_unit_hears_of_the_first(world: World) -> None:
    photo = world.photo(REPORTER)
    report = world.file(REPORTER, photos=[photo])["id"]
    assert flag(world, citizen("a"), report, photo=photo, note="My house")["flagged"] == 1
    assert flag(world, citizen("a"), report, photo=photo)["flagged"] == 1
    assert flag(world, citizen("b"), report)["flagged"] == 2
    assert world.head(report).flags == ("flagged",)
    assert actions(world, report) == ["file", "flag", "flag_again"]
    assert [one["action"] for one in queries.timeline(PUBLIC, report, 0)["events"]][1:] == [
        "inside"
    ] * 2
    case = queries.case(OFFICER, report)
    assert (case["flagged"], case["timeline"][1]["words"]) == (2, {"note": "My house"})
    world.project()
    levels = [row["level"] for _, row in control.outbox(100) if row["kind"] == "alert"]
    assert levels.count("flagged") == 1
    assert shown(report)[0]["state"] == "ready"
    assert refusal(flag, world, citizen("a"), report, photo=UNKNOWN).slug == "unknown_photo"
    hidden = world.file(citizen("b"), service="violence")["id"]
    assert refusal(flag, world, citizen("a"), hidden).slug == "not_found"


def test_flags_are_limited_a_person(world: World) -> None:
    for _ in range(20):
        flag(world, citizen("a"), world.file(REPORTER)["id"])
    problem = refusal(flag, world, citizen("a"), world.file(REPORTER)["id"])
    assert (problem.slug, problem.status) == ("too_many", 429)
    flag(world, citizen("b"), world.file(REPORTER)["id"])


def test_a_form_is_not_given_again_once_pictures_are_made(world: World) -> None:
    op = world.operation(REPORTER, "ticketPhoto", {}, "one")
    first = tickets.issue(REPORTER, op, "image/avif", world.now).answer
    assert tickets.issue(REPORTER, op, "image/avif", world.now).answer["upload"]
    files.put(
        storage_keys.quarantined(JURISDICTION, first["photo"]), photo_files.UPLOAD, "image/avif"
    )
    world.process(first["photo"])
    assert tickets.issue(REPORTER, op, "image/avif", world.now).answer["upload"] is None


def test_an_original_is_kept_only_by_the_setting_and_only_the_one_that_was_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = world.photo(REPORTER)
    assert not any(key.startswith(("evidence/", "quarantine/")) for key in of(plain))
    monkeypatch.setenv("TANGGAP_KEEP_ORIGINALS", "yes")
    settings.cache_clear()
    kept = world.photo(REPORTER)
    assert files.get(storage_keys.original(JURISDICTION, kept)) == photo_files.UPLOAD
    # A second upload with the same form is neither evidence nor a picture.
    files.put(storage_keys.quarantined(JURISDICTION, kept), b"another" * 30, "image/jpeg")
    world.process(kept)
    assert files.get(storage_keys.original(JURISDICTION, kept)) == photo_files.UPLOAD
    assert storage_keys.quarantined(JURISDICTION, kept) not in stored()


def test_a_photo_that_becomes_ready_makes_no_version_stale(world: World) -> None:
    photo = world.photo(REPORTER, processed=False)
    report = world.file(REPORTER, photos=[photo])["id"]
    seen = world.head(report).version
    world.process(photo)
    assert world.head(report).version == seen + 1
    assert world.act(OFFICER, report, "assign", seen, person=WORKER.uid)["version"] == seen + 2


@pytest.mark.parametrize("body", [{"kind": "photo", "task": "paint"}, {"kind": "photo"}])
def test_an_unknown_job_becomes_a_dead_letter(world: World, body: dict[str, Any]) -> None:
    known = {"jurisdiction": JURISDICTION, "report": UNKNOWN, "photo": UNKNOWN, "rev": 1}
    assert not deliver({**known, **body})


def test_jobs_about_unknown_photos_do_nothing(world: World) -> None:
    for task in ("develop", "used", "draw", "hide"):
        assert deliver({"kind": "photo", "task": task, "jurisdiction": JURISDICTION,
                        "report": UNKNOWN, "photo": UNKNOWN, "rev": 1})  # fmt: skip
    assert photo_tickets.photo(JURISDICTION, UNKNOWN) is None


def test_problem_is_raised_for_too_many(world: World) -> None:
    many = [world.photo(REPORTER) for _ in range(7)]
    with pytest.raises(Problem) as refused:
        world.file(REPORTER, photos=many)
    assert refused.value.slug == "too_many_photos"


def test_a_picture_hidden_on_a_closed_report_makes_what_was_copied_of_it_out_of_date(
    world: World,
) -> None:
    """Open311 clients that ask for changes get the closed report again without the picture, and
    again once it is shown."""
    photo = world.photo(REPORTER)
    report = world.file(REPORTER, photos=[photo])["id"]
    world.act(REPORTER, report, "withdraw")
    world.project()
    for action, there in (("hide", False), ("unhide", True)):
        world.advance(days=40)
        since = world.now
        moderate(world, report, photo, action)
        if there:
            world.advance(minutes=1)
            revision = world.head(report).pictures[photo]["rev"]
            with photo_files.quick():
                processing.redraw(JURISDICTION, report, photo, revision, world.now)
        world.project()
        (row,), _ = open311_requests.updated(JURISDICTION, since, world.now, 5)
        assert (row["id"], row["picture"] == photo) == (report, there)
    assert faults(world.head(report), world.links(report)) == []


def expiries() -> dict[str, int | None]:
    """{photo: when its ticket is deleted, in seconds since 1970, if it is}."""
    rows = [row for row in tables.Report.scan() if "#P#" in row.pk]
    return {row.pk.rpartition("#")[2]: None if row.ttl is None else int(row.ttl) for row in rows}


def test_the_ticket_of_every_unused_upload_is_forgotten_and_of_no_used_one(world: World) -> None:
    me = citizen("siti")
    used, unused = world.photo(me), world.photo(me)
    report = world.file(me, photos=[used])["id"]
    for photo in (used, unused):
        world.process(photo)
    assert world.head(report).pictures[used]["state"] == "ready"
    assert (expiries()[used], expiries()[unused] is None) == (None, False)


def test_an_older_ticket_of_an_unused_photo_expires_after_a_backfill(world: World) -> None:
    me = citizen("siti")
    used, unused = world.photo(me), world.photo(me)
    world.file(me, photos=[used])
    for photo in (used, unused):
        row = tables.Report.get(f"{JURISDICTION}#P#{photo}")
        row.ttl = None  # As older versions wrote it.
        row.save()
    backfill.main()
    assert (expiries()[used], expiries()[unused] is None) == (None, False)
