"""Who acts: a principal with roles, as far as the rules need to know them."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["public", "citizen", "staff", "system"]
ANY = "*"
# The permission of another system that files for many people.
FOR_MANY = "for_many"


@dataclass(frozen=True)
class Grant:
    """One role of an official, over some districts and services ("*" is all)."""

    role: str
    districts: frozenset[str]
    services: frozenset[str]

    def covers(self, district: str | None, service: str | None) -> bool:
        """Whether the grant reaches this district and service (``None`` asks for neither)."""
        return (district is None or bool({ANY, district} & self.districts)) and (
            service is None or bool({ANY, service} & self.services)
        )


@dataclass(frozen=True)
class Principal:
    """Who is asking. ``uid`` is a pseudonym, stable for a device, a citizen or an official."""

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


PUBLIC_KIND: Kind = "public"


def system(jurisdiction: str) -> Principal:
    """The clock and the projections, acting for the city itself."""
    return Principal("system", jurisdiction, uid="system")
