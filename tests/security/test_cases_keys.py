"""Cases 22 to 27: one effect an idempotency key, one report a photo."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.security.edge import ADDRESS, Context, Edge, application, event_of, new_report, sent_to
from tests.support import aws, moto_speedups
from tests.support.world import JURISDICTION

PATH = "/v1/reports"


@pytest.fixture(name="me")
def me_fixture(edge: Edge) -> str:
    """A device."""
    return edge.device()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """moto loses updates between threads; one lock around it makes it as atomic as AWS."""
    lock = threading.Lock()

    def stub(request: Any, event_name: str, **more: Any) -> Any:
        with lock:
            return moto_speedups.stub(event_name, request, **more)

    clients = aws.clients().values()
    for client in clients:
        client.meta.events.unregister("before-send", moto_speedups.stub)
        client.meta.events.register("before-send", stub)
    try:
        yield
    finally:
        for client in clients:
            client.meta.events.unregister("before-send", stub)
            client.meta.events.register("before-send", moto_speedups.stub)


def reports() -> int:
    """How many reports there are."""
    table = sent_to("dynamodb").tables["tanggap-reports"]
    return sum(key.value.startswith(f"{JURISDICTION}#R#") for key in table.items)


def test_case_22_the_same_key_and_body_give_the_same_answer(edge: Edge, me: str) -> None:
    first = edge.post(PATH, new_report(), me, key="k")
    edge.advance(days=2)
    again = edge.post(PATH, new_report(), me, key="k")
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.writes == ()
    assert reports() == 1


def test_case_22_the_spelling_of_the_body_does_not_matter(edge: Edge, me: str) -> None:
    body = new_report()
    edge.post(PATH, body, me, key="k")
    turned = dict(reversed(list(body.items())))
    assert edge.post(PATH, turned, me, key="k").headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("changed", [{"description": "Another"}, {"accuracy": 1}])
def test_case_23_the_same_key_with_another_body_is_422(
    edge: Edge, me: str, changed: dict[str, Any]
) -> None:
    edge.post(PATH, new_report(), me, key="k")
    reply = edge.post(PATH, new_report(**changed), me, key="k")
    assert (reply.status, reply.slug) == (422, "key_reused")


def test_case_23_a_key_is_bound_to_the_report_that_it_acted_on(edge: Edge, me: str) -> None:
    one, other = (edge.file(me).body["id"] for _ in range(2))
    assert edge.post(f"/v1/reports/{one}/support", who=me, key="k").status == 200
    reply = edge.post(f"/v1/reports/{other}/support", who=me, key="k")
    assert (reply.status, reply.slug) == (422, "key_reused")


def test_case_24_twenty_at_once_are_one_report_and_one_alert(edge: Edge, me: str) -> None:
    edge.file(me)  # so that the city's rules are read before the threads start
    headers = {"Authorization": me, "Idempotency-Key": "k", "Content-Type": "application/json"}
    body = '{"service":"pothole","lat":-6.1955,"long":106.8055}'
    start = threading.Barrier(20)

    def send(_: int) -> dict[str, Any]:
        event = event_of("POST", PATH, body, {}, headers, ADDRESS)
        start.wait()
        answer: dict[str, Any] = application()(event, Context())
        return answer

    with one_at_a_time(), ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(send, range(20)))
    assert {answer["statusCode"] for answer in answers} <= {201, 409}
    made = [answer for answer in answers if answer["statusCode"] == 201]
    assert len([one for one in made if "Idempotent-Replayed" not in one["headers"]]) == 1
    assert len({one["body"] for one in made}) == 1
    assert reports() == 2
    edge.project()
    (topic,) = sent_to("sns").topics.values()
    assert len(topic.sent_notifications) == 2


def test_case_25_a_key_belongs_to_who_sent_it(edge: Edge, me: str) -> None:
    mine = edge.post(PATH, new_report(), me, key="k")
    theirs = edge.post(PATH, new_report(), edge.device(), key="k")
    assert theirs.status == 201
    assert "idempotent-replayed" not in theirs.headers
    for secret in ("id", "code", "claim_secret"):
        assert theirs.body[secret] != mine.body[secret]


@pytest.mark.parametrize("key", ["k" * 256, "\x7f", "kunci-é", "a\tb", "\u0661"])
def test_case_26_a_key_of_another_form_is_400(edge: Edge, me: str, key: str) -> None:
    reply = edge.post(PATH, new_report(), me, key=None, headers={"Idempotency-Key": key})
    assert (reply.status, reply.slug) == (400, "idempotency_key_invalid")


def test_case_26_an_empty_or_missing_key_is_400(edge: Edge, me: str) -> None:
    empty = edge.post(PATH, new_report(), me, key=None, headers={"Idempotency-Key": ""})
    assert (empty.status, empty.slug) == (400, "idempotency_key_invalid")
    missing = edge.post(PATH, new_report(), me, key=None)
    assert (missing.status, missing.slug) == (400, "idempotency_key_missing")


@pytest.mark.parametrize("key", ["k" * 255, " ", "#", "a|b|c"])
def test_case_26_every_printable_key_works(edge: Edge, me: str, key: str) -> None:
    first, again = (edge.post(PATH, new_report(), me, key=key) for _ in range(2))
    assert (first.status, again.body) == (201, first.body)


def test_case_27_a_photo_belongs_to_one_report(edge: Edge, me: str) -> None:
    photo = edge.photo(me)
    assert edge.file(me, photos=[photo]).status == 201
    reply = edge.file(me, photos=[photo])
    assert (reply.status, reply.slug) == (422, "photo_used")


def test_case_27_a_photo_of_somebody_else_is_unknown(edge: Edge, me: str) -> None:
    theirs, none = edge.photo(edge.device()), "0" * 26
    refused = [edge.file(me, photos=[photo]) for photo in (theirs, none)]
    assert {(reply.status, reply.slug) for reply in refused} == {(422, "unknown_photo")}
    assert refused[0].body == refused[1].body


def test_case_27_a_photo_that_has_not_arrived_is_422(edge: Edge, me: str) -> None:
    reply = edge.file(me, photos=[edge.photo(me, uploaded=False)])
    assert (reply.status, reply.slug) == (422, "photo_missing")


def test_case_27_a_photo_of_yesterday_is_422(edge: Edge, me: str) -> None:
    photo = edge.photo(me)
    edge.advance(hours=24, seconds=1)
    assert edge.file(me, photos=[photo]).slug == "unknown_photo"


def test_case_27_too_many_photos_are_422(edge: Edge, me: str) -> None:
    photo = edge.photo(me)
    assert edge.file(me, photos=[f"{n:026d}" for n in range(11)]).status == 422
    assert edge.file(me, photos=[photo, photo]).slug == "too_many_photos"


@pytest.mark.parametrize("photo", ["../../etc/passwd", "quarantine/x/y", "", 1, None, "x" * 26])
def test_case_27_a_photo_id_of_another_form_is_422(edge: Edge, me: str, photo: Any) -> None:
    reply = edge.file(me, photos=[photo])
    assert (reply.status, reply.body["field"]) == (422, "photos.0")
