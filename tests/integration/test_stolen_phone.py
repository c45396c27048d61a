"""A stolen phone: a claim uses the secret up and removes the former device's access."""

import pytest

from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.pages import claim_page
from chalicelib.services.people import claiming
from chalicelib.services.photos import tickets
from chalicelib.services.platform import signing
from chalicelib.services.reports import engagement, queries
from chalicelib.storage import people, report_lists
from tests.support.world import JURISDICTION, World, citizen

OLD, NEW = citizen("reporter"), citizen("newphone")


def claim(world: World, actor: Principal, report: str, secret: str, key: str | None = None) -> str:
    """Claim; the next secret."""
    op = world.operation(actor, "claimReport", secret, key)
    answer = claiming.claim(actor, op, report, secret, world.now).answer
    assert set(answer) == {"id", "version", "claimed", "claim_secret"}
    return str(answer["claim_secret"])


def not_found(world: World, actor: Principal, report: str, secret: str) -> bool:
    """Whether this secret opens nothing."""
    with pytest.raises(Problem) as found:
        claim(world, actor, report, secret)
    return found.value.slug == "not_found"


def test_the_secret_on_the_stolen_phone_works_no_more_after_a_claim(world: World) -> None:
    filed = world.file(key="first")
    report, first = filed["id"], filed["claim_secret"]
    second = claim(world, NEW, report, first)
    assert second != first
    assert not_found(world, OLD, report, first)
    assert not_found(world, citizen("third"), report, first)
    # The receipt, sent again, shows the secret of its own generation: a used one.
    assert world.file(key="first")["claim_secret"] == first
    third = claim(world, citizen("third"), report, second)
    assert len({first, second, third}) == 3


def test_a_claim_sent_again_shows_the_same_next_secret(world: World) -> None:
    filed = world.file()
    report, first = filed["id"], filed["claim_secret"]
    assert claim(world, NEW, report, first, "k") == claim(world, NEW, report, first, "k")
    assert world.head(report).claims == 1


def test_claiming_ones_own_report_changes_no_secret(world: World) -> None:
    filed = world.file()
    assert claim(world, OLD, filed["id"], filed["claim_secret"]) == filed["claim_secret"]


def test_the_old_phone_has_no_access_to_the_report(world: World) -> None:
    """It gets neither the report, its list, its photo's upload and its news, nor rights in the
    original."""
    photo = world.photo(OLD)
    filed = world.file(photos=[photo], service="violence")
    report = filed["id"]
    engagement.follow(OLD, report, True, world.now)
    assert tickets.status(OLD, photo, world.now)
    claim(world, NEW, report, filed["claim_secret"])
    with pytest.raises(Problem):
        queries.public(OLD, report)
    with pytest.raises(Problem):
        tickets.status(OLD, photo, world.now)
    assert tickets.status(NEW, photo, world.now)
    assert report_lists.of_reporter(JURISDICTION, "d_reporter", None, 5) == []
    assert people.marks(JURISDICTION, report, people.FOLLOW, 5) == []


def test_an_older_head_is_claimed_by_the_secret_of_its_receipt(world: World) -> None:
    filed = world.file()
    assert "claims" not in world.head(filed["id"]).to_doc()
    assert filed["claim_secret"] == signing.claim_secret(filed["id"])
    claim(world, NEW, filed["id"], filed["claim_secret"])


def link(world: World, report: str) -> str:
    """The token of the link in the message about the newest claim."""
    made = claiming.undo_link(JURISDICTION, report, world.head(report).claims, world.now)
    return made.rsplit("/", 1)[1]


def test_the_former_contact_can_end_the_claim_and_gets_a_new_secret(world: World) -> None:
    """After that no device has the report: neither the stolen phone nor the thief's."""
    filed = world.file()
    report = filed["id"]
    stolen = claim(world, citizen("thief"), report, filed["claim_secret"])
    token = link(world, report)
    page = claim_page.ask(token, world.now)
    assert page.count("<form") == 1
    assert world.head(report).reporter == "d_thief"
    page = claim_page.undo(token, world.now)
    assert world.head(report).reporter is None
    secret = signing.claim_secret(report, 2)
    assert secret in page
    assert claim_page.undo(token, world.now) == page
    assert not_found(world, citizen("thief"), report, stolen)
    claim(world, OLD, report, secret)
    assert world.head(report).reporter == "d_reporter"
    assert "<form" not in claim_page.ask(token, world.now)


def test_the_link_that_ends_a_claim_lapses_after_a_week(world: World) -> None:
    filed = world.file()
    claim(world, NEW, filed["id"], filed["claim_secret"])
    token = link(world, filed["id"])
    world.advance(days=7)
    with pytest.raises(Problem, match="invalid_token"):
        claim_page.undo(token, world.now)
