"""A thief corrects the contact first: the former contact hears of it and of claims."""

from typing import Any

import pytest

from chalicelib.pages import claim_page
from chalicelib.services.people import claiming
from chalicelib.services.platform import signing
from chalicelib.services.reports import text_correction
from chalicelib.storage import people
from infra.city.validate import OPTIONAL_RULES
from tests.integration.test_citizen_messages import Run, run, to
from tests.support.world import BUNDLE, JURISDICTION, World, citizen, faults

__all__ = ["run"]
PHONE, THIEF = citizen("reporter"), citizen("thief")
ANN, CROOK = {"email": "ann@example.org"}, {"email": "crook@example.org"}
Post = list[tuple[str, str]]


def correct(world: World, report: str, contact: dict[str, Any], **more: Any) -> None:
    body = {"contact": contact, **more}
    op = world.operation(PHONE, "correctReport", [report, body])
    text_correction.correct(PHONE, op, report, body, world.now)


def claim(world: World, report: str, secret: str) -> None:
    op = world.operation(THIEF, "claimReport", secret)
    claiming.claim(THIEF, op, report, secret, world.now)


def token(post: Post, who: str) -> str:
    """The token of the link that ends it, in the message to somebody."""
    (text,) = (text for reader, text in post if reader == who)
    return text.rsplit("/v1/claims/", 1)[1].split()[0]


@pytest.mark.parametrize("contact", [CROOK, {}])
def test_the_former_contact_hears_that_the_contact_was_changed(
    world: World, run: Run, contact: dict[str, Any]
) -> None:
    """Once, at the former address; the link removes the phone's access and restores report and
    contact."""
    report = world.file(contact=ANN)["id"]
    run()
    world.advance(hours=2)
    correct(world, report, contact)
    post = run()
    assert to(post) == ["ann@example.org"]
    assert run() == []
    page = claim_page.ask(token(post, "ann@example.org"), world.now)
    assert "Kontak laporan Anda diubah" in page
    page = claim_page.undo(token(post, "ann@example.org"), world.now)
    head = world.head(report)
    assert head.reporter is None
    assert head.contactable
    assert people.contact(JURISDICTION, head.contact or "") == ANN
    assert signing.claim_secret(report, 1) in page
    assert faults(head, world.links(report)) == []
    assert "example.org" not in str(world.events(report))


def test_the_former_contact_hears_of_a_claim_too(world: World, run: Run) -> None:
    """Correct first, claim then: both addresses hear, and the old one ends it."""
    filed = world.file(contact=ANN)
    report = filed["id"]
    run()
    world.advance(hours=2)
    correct(world, report, CROOK, description="Other words.")
    world.advance(days=1)
    claim(world, report, filed["claim_secret"])
    post = run()
    assert to(post) == ["ann@example.org", "ann@example.org", "crook@example.org"]
    last = post[-1:] if post[-1][0] == "ann@example.org" else post[-2:-1]
    claim_page.undo(token(last, "ann@example.org"), world.now)
    head = world.head(report)
    assert (head.reporter, head.former) == (None, None)
    assert people.contact(JURISDICTION, head.contact or "") == ANN
    assert faults(head, world.links(report)) == []


def test_a_second_correction_does_not_push_the_first_contact_out(world: World, run: Run) -> None:
    filed = world.file(contact=ANN)
    world.advance(hours=2)
    correct(world, filed["id"], CROOK)
    world.advance(hours=2)
    correct(world, filed["id"], {"email": "crook2@example.org"})
    run()
    claim(world, filed["id"], filed["claim_secret"])
    assert to(run()) == ["ann@example.org", "crook2@example.org"]


def test_a_contact_corrected_within_the_hour_is_told_to_nobody(world: World, run: Run) -> None:
    """An address that was corrected at once may belong to a stranger."""
    report = world.file(contact=CROOK)["id"]
    run()
    world.advance(minutes=5)
    correct(world, report, ANN)
    assert run() == []
    assert world.head(report).former is None


def test_the_former_contact_is_kept_only_for_a_time(world: World, run: Run) -> None:
    filed = world.file(contact=ANN)
    world.advance(hours=2)
    correct(world, filed["id"], CROOK)
    run()
    ref = world.head(filed["id"]).former or ""
    row = people.tables.Person.get(f"{JURISDICTION}#C#{ref}", "contact")
    assert row.ttl is not None
    world.advance(days=31)
    claim(world, filed["id"], filed["claim_secret"])
    assert to(run()) == ["crook@example.org"]


def test_a_city_says_how_long_a_contact_must_have_held(world: World, run: Run) -> None:
    from chalicelib.services.city import cities
    from tests.support.world import STAFF, blob

    rules = {**BUNDLE["rules"], "contact_settled_hours": 5, "former_contact_days": 3}
    assert OPTIONAL_RULES.keys() >= {"contact_settled_hours", "former_contact_days"}
    cities.publish({**BUNDLE, "version": "cccccccccccc", "rules": rules}, blob(), list(STAFF),
                   world.now)  # fmt: skip
    early, late = world.file(contact=ANN)["id"], world.file(contact=ANN)["id"]
    world.advance(hours=2)
    correct(world, early, CROOK)
    world.advance(hours=4)
    correct(world, late, CROOK)
    assert world.head(early).former is None
    assert world.head(late).former is not None


def test_an_erasure_finds_the_former_contact(world: World) -> None:
    """It belongs to the person, and is erased with the report."""
    from chalicelib.services.people import erasure

    report = world.file(contact=ANN)["id"]
    world.advance(hours=2)
    correct(world, report, CROOK)
    ref = world.head(report).former or ""
    assert people.contact(JURISDICTION, ref) == ANN
    erasure.erase(JURISDICTION, "d_reporter", world.now)
    assert people.contact(JURISDICTION, ref) is None
    assert world.head(report).former is None
