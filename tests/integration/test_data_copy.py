"""A person gets a copy of all their own data, and of nobody else's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.errors import Problem
from chalicelib.services.people import claiming, data_copy, erasure, preferences
from chalicelib.services.platform import signing
from chalicelib.services.reports import engagement, text_moderation
from chalicelib.storage import people, reach
from chalicelib.storage.transactions import commit
from infra.ops import commands
from tests.integration.test_erasing_everything import (
    BUDI,
    CANARY,
    CONTACT,
    OFFICER,
    SITI,
    lived,
    photo,
)
from tests.support import aws, personal_data_search
from tests.support.world import JURISDICTION, World


@pytest.fixture(name="world")
def fixture_world(aws: None) -> Iterator[World]:
    """The test city."""
    with personal_data_search.quick():
        yield World()


def copy(world: World, who: Principal, limit: int = 3) -> list[dict[str, Any]]:
    """All pages of somebody's copy."""
    items: list[dict[str, Any]] = []
    cursor = None
    for _ in range(100):
        page = data_copy.own_data(who, limit, cursor, world.now)
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["cursor"]
        if cursor is None:
            return items
    raise AssertionError("it comes to no end")


def said(items: list[dict[str, Any]]) -> list[str]:
    """Every text of a copy."""
    return sorted(text["text"] for item in items for text in item["texts"])


def held(who: Principal) -> list[str]:
    """Every text that the table keeps of somebody."""
    docs = [json.loads(row["doc"]) for row in aws.rows("people") if "#T#" in row["pk"]]
    return sorted(doc["text"] for doc in docs if doc.get("by") == who.uid)


def test_all_that_an_erasure_would_find_of_a_person_is_in_their_copy_and_in_nobody_elses(
    world: World,
) -> None:
    life = lived(world)
    items = copy(world, SITI)
    assert said(items) == held(SITI)
    assert len(said(items)) == len([one for one in said(items) if CANARY in one]) > 8
    assert [one["report"] for one in items if one["kind"] == "report"][::-1] == sorted(life["mine"])
    assert [one["contact"] for one in items if one["contact"]] == [CONTACT]
    photos = [one["id"] for item in items for one in item["photos"]]
    assert sorted(photos) == sorted(life["photos"])
    shown = [one["large"] for item in items for one in item["photos"] if one["state"] == "ready"]
    assert all(one["url"] for one in shown)
    assert len(shown) >= 3
    assert [one["facts"]["model"] for item in items for one in item["photos"] if one["facts"]]
    kinds = {one["kind"] for one in items}
    assert kinds == {
        "report", "text", "photo", "support", "follow", "flag", "duplicate",
    }  # fmt: skip
    rated = next(one for one in items if one["report"] == life["first"] and one["about"])
    assert rated["about"]["rating"] == 4
    for who in (BUDI, Principal("citizen", JURISDICTION, uid="d_nobody")):
        text = json.dumps(copy(world, who))
        assert CANARY not in text
        assert (SITI.uid or "") not in text
    assert said(copy(world, BUDI)) == held(BUDI)
    erasure.erase(JURISDICTION, life["first"], world.now)
    assert copy(world, SITI) == []


def test_the_city_gives_the_same_copy_on_paper_by_a_report(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    life = lived(world)
    assert commands.main(["copy", JURISDICTION, life["first"]]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said(told) == held(SITI)
    assert [one["contact"] for one in told if one["contact"]] == [CONTACT]
    assert commands.main(["copy", JURISDICTION, "0" * 26]) == 1


def test_a_copy_says_what_was_chosen_for_messages_and_where_a_follower_is_reached(
    world: World,
) -> None:
    world.file(SITI, contact=CONTACT)
    other = world.file(BUDI)["id"]
    mine = {"email": f"{CANARY}.news@example.org", "safe": {"way": "email"}}
    engagement.follow(SITI, other, True, world.now, mine)
    commit(
        [reach.put_choice(JURISDICTION, preferences.key(mine), {"notify": "digest", "way": None})]
    )
    told = {one["report"]: one for one in copy(world, SITI) if one["contact"]}
    wish = {"notify": "digest", "way": None, "bounced": []}
    assert (told[other]["contact"], told[other]["notifications"]) == (mine, wish)
    assert len(told) == 2
    assert CANARY not in json.dumps(copy(world, BUDI))


def test_a_stolen_phone_gets_no_copy_of_what_its_owner_has_claimed_back(world: World) -> None:
    mine = world.file(SITI, description=CANARY, contact=CONTACT, photos=[photo(world, SITI)])["id"]
    assert CANARY in json.dumps(copy(world, SITI))
    secret = signing.claim_secret(mine)
    claiming.claim(BUDI, world.operation(BUDI, "claim", {}), mine, secret, world.now)
    assert CANARY not in json.dumps(copy(world, SITI))
    assert [one["kind"] for one in copy(world, SITI) if one["kept"]] == ["contact", "photo", "text"]
    # The new owner of a report reads its words, and not the other person's contact.
    (theirs,) = [one for one in copy(world, BUDI) if one["kind"] == "report"]
    assert (said([theirs]), theirs["contact"], theirs["kept"]) == ([CANARY], None, True)
    assert next(data_copy.of_report(JURISDICTION, mine))["contact"] == CONTACT


def test_what_officials_have_hidden_of_a_person_is_in_their_copy(world: World) -> None:
    mine = world.file(SITI, description=f"{CANARY} my number")["id"]
    body = {"field": "description", "version": 1, "reason": "personal_data"}
    op = world.operation(OFFICER, "hideText", body)
    text_moderation.hide(OFFICER, op, mine, body, world.now)
    texts = [text for item in copy(world, SITI) for text in item["texts"]]
    assert f"{CANARY} my number" in [text["text"] for text in texts if text["hidden"]]


def test_a_report_of_a_key_is_copied_alone_and_a_key_gets_no_copy(world: World) -> None:
    many = frozenset({FOR_MANY})
    key = Principal("citizen", JURISDICTION, uid="k_" + "0" * 16, permissions=many)
    mine = world.file(key, description=CANARY, contact=CONTACT)["id"]
    world.file(key, description="Somebody else's")
    (item,) = data_copy.of_report(JURISDICTION, mine)
    assert (said([item]), item["contact"]) == ([CANARY], CONTACT)
    with pytest.raises(Problem, match="not_found"):
        data_copy.own_data(key, 10, None, world.now)


def test_what_was_left_before_the_index_is_in_the_copy_of_its_reporter(world: World) -> None:
    mine = world.file(SITI, description=CANARY, contact=CONTACT)["id"]
    for kind, report, detail in people.traces(JURISDICTION, SITI.uid or "", "", 50):
        commit([people.delete_trace(JURISDICTION, SITI.uid or "", kind, report, detail)])
    (item,) = copy(world, SITI)
    assert (item["report"], said([item]), item["contact"]) == (mine, [CANARY], CONTACT)
