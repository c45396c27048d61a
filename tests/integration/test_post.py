"""The answer to an Open311 client's form, also to a repeated one."""

import json
from typing import Any

import pytest

from chalicelib.domain.city.city import City
from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.services.open311 import post, requests, service_list
from chalicelib.services.people import erasure
from chalicelib.services.reports import presenters
from chalicelib.storage import report_texts, reports
from tests.integration.test_filers import a_key
from tests.support import aws
from tests.support.world import BUNDLE, JURISDICTION, World, city, official, spot

TELLING = {"service_code": "violence", "description": "Every night", "email": "ani@example.org"}


def send(world: World, key: Principal, town: City | None = None, **given: Any) -> dict[str, Any]:
    """The answer to a form."""
    form = {"service_code": "pothole", **spot("D1-W1"), **given}
    fields = {name: [str(text)] for name, text in form.items()}
    outcome = post.file(key, town or city(), fields, [], "192.0.2.9", world.now)
    (answer,) = outcome.answer["requests"]
    return dict(answer)


def filed() -> list[str]:
    """The ids of all reports."""
    heads, after = reports.heads_page(None, 100)
    assert after is None
    return [head.id for head in heads]


def town_with(code: str, **changed: Any) -> City:
    """The test city with a service changed."""
    services = [{**row, **changed} if row["code"] == code else row for row in BUNDLE["services"]]
    return City.from_json({**BUNDLE, "services": services})


def test_a_protected_request_gets_a_token_whose_id_reveals_no_report(world: World) -> None:
    """FixMyStreet repeats a request without an id; the id of the token finds no report."""
    key = a_key(world)
    answer = send(world, key, **TELLING)
    (report,) = filed()
    assert "service_request_id" not in answer
    ((row),) = requests.token(JURISDICTION, answer["token"])
    assert row["token"] == answer["token"]
    assert row["service_request_id"]
    for text in (answer["token"], row["service_request_id"]):
        assert report not in text
        with pytest.raises(Problem, match="not_found"):
            requests.request(JURISDICTION, text)
        with pytest.raises(Problem, match="not_found"):
            requests.request(JURISDICTION, text.removeprefix("p"))
    with pytest.raises(Problem, match="not_found"):
        requests.token(JURISDICTION, f"t{report}")


def test_an_invented_token_or_one_of_another_city_is_unknown(world: World) -> None:
    token = send(world, a_key(world), **TELLING)["token"]
    other = "0" if token[-1] != "0" else "1"
    for wrong in ("p", "p" + "0" * (len(token) - 1), token[:-1] + other, token[1:], token.upper(),
                  "p\udc80", "pé"):  # fmt: skip
        with pytest.raises(Problem, match="not_found"):
            requests.token(JURISDICTION, wrong)
    with pytest.raises(Problem, match="not_found"):
        requests.token("elsewhere", token)


@pytest.mark.parametrize("minutes", [1, 11, 25, 60 * 24 * 29])
def test_the_same_form_about_a_protected_service_is_one_report(world: World, minutes: int) -> None:
    key = a_key(world)
    first = send(world, key, **TELLING)
    world.advance(minutes=minutes)
    assert send(world, key, **TELLING) == first
    assert len(filed()) == 1


def test_a_client_that_never_stops_makes_no_second_report_of_a_protected_service(
    world: World,
) -> None:
    key = a_key(world)
    first = send(world, key, **TELLING)
    (report,) = filed()
    world.act(official("safe"), report, "reject", reason_code="spam", text="No.")
    for _ in range(9):
        world.advance(days=3)
        assert send(world, key, **TELLING) == first
    assert filed() == [report]


def test_another_key_or_another_word_is_another_report(world: World) -> None:
    key = a_key(world)
    send(world, key, **TELLING)
    send(world, a_key(world, "another"), **TELLING)
    send(world, key, **{**TELLING, "description": "Every day"})
    assert len(filed()) == 3


def test_the_same_form_is_the_same_open_report_for_a_month(world: World) -> None:
    """The client repeats the form half an hour later."""
    key = a_key(world)
    first = send(world, key, description="A hole")
    world.advance(days=20)
    assert send(world, key, description="A hole") == first
    world.advance(days=11)
    assert send(world, key, description="A hole") != first


def test_the_same_words_about_a_closed_report_are_a_new_one(world: World) -> None:
    key = a_key(world)
    first = send(world, key, description="A hole")["service_request_id"]
    world.act(official("officer1"), first, "reject", reason_code="spam", text="No.")
    world.advance(minutes=2)
    assert send(world, key, description="A hole")["service_request_id"] == first
    world.advance(days=2)
    second = send(world, key, description="A hole")["service_request_id"]
    assert second != first
    world.advance(days=1)
    assert send(world, key, description="A hole")["service_request_id"] == second


def test_services_that_are_not_public_have_private_as_their_first_keyword() -> None:
    town = town_with("lamp", public=False, keywords=["light"])
    words = {row["service_code"]: row["keywords"] for row in service_list.services(town)}
    assert words["violence"].split(",")[0] == "private"
    assert words["lamp"] == "private, light"
    assert "private" not in words["pothole"]


def test_a_city_can_leave_a_service_out_of_open311(world: World) -> None:
    town = town_with("violence", reception="none")
    codes = [row["service_code"] for row in service_list.services(town)]
    assert "violence" not in codes
    assert "misconduct" in codes
    with pytest.raises(Problem, match="not_found"):
        service_list.definition(town, "violence")
    with pytest.raises(Problem, match="not_found"):
        send(world, a_key(world), town, **TELLING)


def test_a_city_can_still_say_nothing_at_all_about_a_request(world: World) -> None:
    for code in ("violence", "pothole"):
        town = town_with(code, reception="blackbox")
        answer = send(world, a_key(world), town, service_code=code)
        assert not {"service_request_id", "token"} & set(answer)


def test_the_address_beside_a_pin_is_erased_with_the_report(world: World) -> None:
    report = send(world, a_key(world), address_string="Jalan Kenanga 14", email="ani@example.org")
    report_id = report["service_request_id"]
    name = presenters.ADDRESS
    assert report_texts.texts(JURISDICTION, report_id, 1, 1)[name]["text"] == "Jalan Kenanga 14"
    assert erasure.erase(JURISDICTION, report_id, world.now) == [report_id]
    assert name not in report_texts.texts(JURISDICTION, report_id, 1, 1)


def test_texts_of_a_request_are_cleaned_of_what_cannot_be_seen_and_never_refused_for_it(
    world: World,
) -> None:
    dirty = "pay \u202etxt\u202c\x00\x0b no\u200bw"
    key = a_key(world)
    send(world, key, description=dirty, address_string=dirty, first_name=dirty,
         service_code="flood", email="ani@example.org", **{"attribute[depth]": "2"})  # fmt: skip
    (report,) = filed()
    kept = report_texts.texts(JURISDICTION, report, 1, 1)
    stored = json.dumps([kept, aws.rows("people")], default=str)
    for hidden in ("\\u202e", "\\u202c", "\\u0000", "\\u000b", "\\u200b"):
        assert hidden not in stored
    assert stored.count("pay txt now") >= 3
