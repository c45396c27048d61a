"""Whose right reaches a report: an official's grants as they hold there, and who may do what.

A right holds only where its own grant holds. The table of operations (rules/permissions.json)
names roles; the edge asks whether somebody has one anywhere, a service whether they have it here.
"""

from dataclasses import replace
from functools import cache

from chalicelib import rules
from chalicelib.domain.principal import ANY, AUDITOR, Principal, group, spelt_out
from chalicelib.domain.report import Report

# The roles that go with a report to a unit that has accepted it, whatever services it is for.
ENTRUSTED = group("entrusted")


@cache
def operations() -> dict[str, list[str]]:
    """Which kinds of principals may call which operation: rules/permissions.json."""
    return {name: spelt_out(named) for name, named in rules.load("permissions").items()}


def over(actor: Principal, report: Report) -> Principal:
    """The actor with no other grants than those that reach the report: by district and service,
    and those of ``ENTRUSTED`` roles in a unit that has accepted it.

    "All services" does not reach a protected one of another unit: a verifier's grant must name it.
    """
    ours = report.entrusted and not report.protected and actor.unit == report.unit
    held = [
        one
        for one in actor.grants
        if one.covers(report.district, report.service) or (ours and one.role in ENTRUSTED)
    ]
    if report.protected and actor.unit != report.unit:
        held = [one for one in held if one.role == "verifier" and report.service in one.services]
    return replace(actor, grants=tuple(held))


def may(actor: Principal, permission: str, report: Report) -> bool:
    """Whether a permission holds over the report."""
    return over(actor, report).may(permission)


def permitted(actor: Principal, operation: str, report: Report) -> bool:
    """Whether a role that the actor has over this report may call the operation.

    Who belongs to a unit that is called in has there the roles that they work with elsewhere.
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

    ``None`` is an official who left: only a grant of the whole city reaches what they did.
    """
    wanted = person.grants if person else ()
    districts = {one for grant in wanted for one in grant.districts} or {ANY}
    services = {one for grant in wanted for one in grant.services} or {ANY}
    return any(
        grant.role == role
        and (ANY in grant.districts or districts <= grant.districts)
        and (ANY in grant.services or services <= grant.services)
        for grant in actor.grants
    )
