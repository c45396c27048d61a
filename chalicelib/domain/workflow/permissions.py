"""Whose rights reach a report: an official's grants, and which roles may call an operation.

A right holds only where its own grant holds. rules/permissions.json names the roles of each
operation: the edge asks whether a principal has one of them anywhere, a service whether they
have it over this report.
"""

from dataclasses import replace
from functools import cache

from chalicelib import rules
from chalicelib.domain.principal import ANY, AUDITOR, Principal, group, spelt_out
from chalicelib.domain.report import Report

# In a unit that has accepted a report, these roles reach it for every service.
ENTRUSTED = group("entrusted")


@cache
def operations() -> dict[str, list[str]]:
    """The roles and kinds of principal that may call each operation (rules/permissions.json)."""
    return {name: spelt_out(named) for name, named in rules.load("permissions").items()}


def over(actor: Principal, report: Report) -> Principal:
    """The actor with only those grants that reach the report, by district and service.

    Grants of ``ENTRUSTED`` roles in a unit that has accepted the report reach it too. "All
    services" does not reach a protected report of another unit: a verifier's grant must name it.
    """
    ours = report.entrusted and not report.protected and actor.unit == report.unit
    grants = [
        grant
        for grant in actor.grants
        if grant.covers(report.district, report.service) or (ours and grant.role in ENTRUSTED)
    ]
    if report.protected and actor.unit != report.unit:
        grants = [
            grant
            for grant in grants
            if grant.role == "verifier" and report.service in grant.services
        ]
    return replace(actor, grants=tuple(grants))


def may(actor: Principal, permission: str, report: Report) -> bool:
    """Whether a permission holds over the report."""
    return over(actor, report).may(permission)


def permitted(actor: Principal, operation: str, report: Report) -> bool:
    """Whether a role that the actor has over this report may call the operation.

    Officials of a unit that is called in keep there the roles that they have elsewhere.
    """
    named = frozenset(operations()[operation])
    if actor.kind != "staff":
        return bool(actor.roles() & named)
    here = over(actor, report).roles()
    if called(actor, report):
        here |= actor.roles() - {AUDITOR}
    return bool(here & named)


def called(actor: Principal, report: Report) -> bool:
    """Whether the report is offered to the official's unit, or coordinated with it."""
    if actor.unit is None or report.protected:
        return False
    return actor.unit in (report.offered_to, report.agency)


def reaches_all_of(actor: Principal, role: str, person: Principal | None) -> bool:
    """Whether one grant of this role reaches everything that an official works on.

    ``None`` stands for an official who left: only a grant over the whole city reaches their work.
    """
    wanted = person.grants if person else ()
    districts = {code for grant in wanted for code in grant.districts} or {ANY}
    services = {code for grant in wanted for code in grant.services} or {ANY}
    return any(
        grant.role == role
        and (ANY in grant.districts or districts <= grant.districts)
        and (ANY in grant.services or services <= grant.services)
        for grant in actor.grants
    )
