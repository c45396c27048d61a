"""Who acts: a principal with roles, as far as the rules need to know them.

The roles of officials are in rules/roles.json, each with the groups that it belongs to.
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
# Reads everything but personal data, and writes nothing: no permission comes with it.
AUDITOR = "auditor"
# With a report's id after it: the permission of whoever got the one-tap link to that report.
BY_LINK = "by_link:"


@cache
def roles() -> dict[str, Any]:
    """Every role of an official: {role: {"is": who that is, "groups": [group]}}."""
    found: dict[str, Any] = rules.load("roles")["roles"]
    return found


@cache
def group(name: str) -> frozenset[str]:
    """The roles that belong to a group; ``ValueError`` for a group that rules/roles.json lacks."""
    if name not in rules.load("roles")["groups"]:
        raise ValueError(f"rules/roles.json has no group {name}")
    return frozenset(role for role, row in roles().items() if name in row["groups"])


def spelt_out(names: Iterable[str]) -> list[str]:
    """Roles, with those of ``@group`` in place of the group, each once."""
    each = [sorted(group(one[1:])) if one.startswith("@") else [one] for one in names]
    return list(dict.fromkeys(role for several in each for role in several))


@dataclass(frozen=True)
class Grant:
    """One role of an official, over some districts and services ("*" is all).

    ``permissions`` ("contact") hold where the grant holds and nowhere else.
    """

    role: str
    districts: frozenset[str]
    services: frozenset[str]
    permissions: frozenset[str] = frozenset()

    def covers(self, district: str | None, service: str | None) -> bool:
        """Whether the grant reaches this district and service (``None`` asks for neither)."""
        return (district is None or bool({ANY, district} & self.districts)) and (
            service is None or bool({ANY, service} & self.services)
        )


@dataclass(frozen=True)
class Principal:
    """Who is asking. ``uid`` is a pseudonym, stable for a device, a citizen or an official.

    An official's rights lie in the ``grants``; ``permissions`` are those of other systems.
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
            return frozenset(g.role for g in self.grants if g.covers(district, service))
        return frozenset({self.kind})

    def may(self, permission: str, district: str | None = None, service: str | None = None) -> bool:
        """Whether a permission holds over this district and service: an official's only by a
        grant that reaches there, whatever other grants the record has."""
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
    """The clock and the projections, acting for the city itself."""
    return Principal("system", jurisdiction, uid="system")
