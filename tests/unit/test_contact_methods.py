"""Each declared way to reach a person has a sender, a name and rights."""

import re
from pathlib import Path

import pytest

from chalicelib import rules
from chalicelib.domain.filer import contact_name
from chalicelib.domain.input import schema
from chalicelib.domain.input.contact_methods import METHODS, first_address
from chalicelib.domain.notifications import reachability
from chalicelib.http.operation import PATH_PATTERNS
from chalicelib.routes.schemas.requests import CONTACT, CONTACT_CODE, OWN_CONTACT
from chalicelib.services.platform import senders
from infra.deploy import policies
from infra.deploy.functions import FUNCTIONS


def test_each_way_to_reach_a_person_has_a_sender() -> None:
    assert senders.SENDERS.keys() == METHODS.keys()


@pytest.mark.parametrize("name", METHODS)
def test_a_contact_of_one_address_is_accepted_known_and_contactable(name: str) -> None:
    contact = {name: METHODS[name].example}
    for body in (contact, {**contact, "safe": {"way": name}}):
        schema.body(schema.compiled(CONTACT), CONTACT, dict(body))
        assert reachability.contactable(body)
        assert reachability.way(body, None, frozenset()) == name
    schema.body(schema.compiled(OWN_CONTACT), OWN_CONTACT, dict(contact))
    schema.body(schema.compiled(CONTACT_CODE), CONTACT_CODE, {**contact, "code": "123456"})
    assert re.fullmatch(PATH_PATTERNS["wish"], name)
    assert first_address(contact) == (name, METHODS[name].example)
    assert (contact_name(contact) or "").startswith(f"{name}:")


@pytest.mark.parametrize("name", METHODS)
def test_the_normal_form_of_an_address_is_its_own_normal_form(name: str) -> None:
    plain = METHODS[name].plain
    assert plain(f" {METHODS[name].example} ") == plain(plain(METHODS[name].example))


def test_the_function_that_sends_may_use_every_service_of_the_ways() -> None:
    statements = policies.policy("dev", "send_messages", "group")["Statement"]
    rights = {str(statement["Sid"]) for statement in statements}
    needed = {"ses": "Mails", "sns": "Texts", "outside": "Outside"}
    assert {needed[method.service] for method in METHODS.values()} <= rights
    assert [name for name, function in FUNCTIONS.items() if function.delivers] == ["send_messages"]


def test_each_way_has_a_name_on_the_page_of_preferences_and_on_the_privacy_page() -> None:
    texts = rules.load("messages")
    assert [name for name in METHODS if f"notices.{name}" not in texts] == []
    page = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith("| contact: name"))
    assert [name for name in METHODS if f"`{name}`" not in row] == []
