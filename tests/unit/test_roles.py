"""The roles of rules/roles.json, and every other rule that names a role."""

import pytest

from chalicelib import rules
from chalicelib.domain import principal
from chalicelib.domain.notifications import alerts
from chalicelib.domain.workflow import permissions, table
from infra.docs.workflow import ACTORS

# Relations to a report, besides roles.
WORDS = {"unit", "holder", "called", "left", "tell", "arrived", "judges"}
KINDS = {"public", "citizen"}


def strangers() -> list[tuple[str, str]]:
    """(rule, word) of every role named somewhere that roles.json does not have."""
    known = principal.roles()
    found = [
        (f"permissions.json: {operation}", role)
        for operation, named in permissions.operations().items()
        for role in named
        if role not in {*known, *KINDS}
    ]
    data = table.table()
    for part in ("actions", "protected", "proposed"):
        found += [
            (f"workflow.json: {part}.{name}", one)
            for name, row in data[part].items()
            for one in (*row.get("who", ()), *row.get("only", ()))
            if one not in {*known, *ACTORS}
        ]
    found += [
        (f"alerts: {name}", word)
        for name, row in alerts.rules()["officials"].items()
        for word in (row["audience"] if row else ())
        if word.removeprefix(alerts.LOCAL) not in {*known, *WORDS}
    ]
    climb = alerts.rules()["climb"]
    found += [
        ("alerts: climb", one) for step in climb for one in step if one not in {*known, "unit"}
    ]
    return found


def test_every_role_that_a_rule_names_is_a_role() -> None:
    assert strangers() == []


@pytest.mark.parametrize("role", principal.roles())
def test_a_role_says_who_it_is_and_may_do_something(role: str) -> None:
    row = principal.roles()[role]
    assert row["is"]
    assert set(row["groups"]) <= set(rules.load("roles")["groups"])
    assert any(role in named for named in permissions.operations().values())


def test_a_group_that_nobody_defined_is_an_error() -> None:
    with pytest.raises(ValueError, match="stranger"):
        principal.spelt_out(["citizen", "@stranger"])


def test_a_group_stands_for_its_roles() -> None:
    assert principal.spelt_out(["verifier", "@entrusted"]) == [
        "verifier",
        "field_worker",
        "officer",
    ]


def test_auditors_are_neither_officials_nor_workers() -> None:
    for name in ("official", "worker", "entrusted", "moderator"):
        assert principal.AUDITOR not in principal.group(name)
