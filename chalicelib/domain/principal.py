"""Who makes a request: a principal with roles and grants, as far as the rules need them.

The roles of officials are in rules/roles.json, each with the groups that it belongs to.

Tests: tests/integration/test_permissions.py
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from chalicelib import rules

Kind = Literal["public", "citizen", "staff", "system"]
ANY = "*"
# The permission of another system that files for many people.
FOR_MANY = "for_many"
# Reads everything except personal data and writes nothing; has no permissions.
AUDITOR = "auditor"
# The permission of a system whose statuses repeat a report's present state, as FixMyStreet's do.
REPEATS_STATE = "repeats_state"
# Followed by a report's id: the permission of the one-tap link to that report, and of a person
# whom the channel of that report names by the contact that the report was filed with.
BY_LINK = "by_link:"
BY_CONTACT = "by_contact:"


@cache
def roles() -> dict[str, Any]:
    """Every role of an official: {role: {"is": who that is, "groups": [group]}}."""
    table: dict[str, Any] = rules.load("roles")["roles"]
    return table


@cache
def group(name: str) -> frozenset[str]:
    """The roles that belong to a group; ``ValueError`` for a group that rules/roles.json lacks."""
    if name not in rules.load("roles")["groups"]:
        raise ValueError(f"rules/roles.json has no group {name}")
    return frozenset(role for role, row in roles().items() if name in row["groups"])


def spelt_out(names: Iterable[str]) -> list[str]:
    """Roles in which each ``@group`` is replaced by its roles; each role once."""
    lists = [sorted(group(name[1:])) if name.startswith("@") else [name] for name in names]
    return list(dict.fromkeys(role for roles in lists for role in roles))


@dataclass(frozen=True)
class Grant:
    """One role of an official over some districts and services ("*" is all).

    ``permissions`` ("contact") hold only where the grant holds.
    """

    role: str
    districts: frozenset[str]
    services: frozenset[str]
    permissions: frozenset[str] = frozenset()

    def covers(self, district: str | None, service: str | None) -> bool:
        """Whether the grant reaches this district and service (``None``: any)."""
        return (district is None or bool({ANY, district} & self.districts)) and (
            service is None or bool({ANY, service} & self.services)
        )


@dataclass(frozen=True)
class Principal:
    """Who makes a request. ``uid`` is a stable pseudonym of a device, citizen or official.

    An official's rights are in ``grants``; ``permissions`` are those of other systems.
    """

    kind: Kind
    jurisdiction: str
    uid: str | None = None
    unit: str | None = None
    home_district: str | None = None
    grants: tuple[Grant, ...] = ()
    permissions: frozenset[str] = frozenset()

    def roles(self, district: str | None = None, service: str | None = None) -> frozenset[str]:
        """The roles held over this district and service."""
        if self.kind == "staff":
            return frozenset(grant.role for grant in self.grants if grant.covers(district, service))
        return frozenset({self.kind})

    def may(self, permission: str, district: str | None = None, service: str | None = None) -> bool:
        """Whether the principal has a permission over this district and service.

        An official has it only by a grant that reaches there.
        """
        if self.kind != "staff":
            return permission in self.permissions
        return any(
            permission in grant.permissions
            and grant.role != AUDITOR
            and grant.covers(district, service)
            for grant in self.grants
        )


PUBLIC_KIND: Kind = "public"


def system(jurisdiction: str) -> Principal:
    """The clock and the projections, which act for the city itself."""
    return Principal("system", jurisdiction, uid="system")
