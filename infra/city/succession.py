"""Reads and checks the successors of codes that the city no longer has.

    {"areas": {"31.71.01.1002": ["31.71.01.1007", "31.71.01.1008"]},
     "units": {"pju": "dinas_energi"}, "services": {"lampu_jalan": "penerangan"}}

An area that was divided has several successors, perhaps also itself; a unit and a service have one.
A successor is a code of this folder, or a code that has successors itself.
"""

from typing import Any

from infra.city.fields import Fields
from infra.city.schemas.words import KINDS


def read(one: Fields, bundle: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """The successors by kind and code, each as a list."""
    successors = {}
    for kind in KINDS:
        known = {row["code"] for row in bundle[kind]}
        if one.has(kind):
            successors[kind] = _links(one.inner(kind), kind, known)
    if "areas" in successors:
        _check_levels(
            one, successors["areas"], {row["code"]: row["level"] for row in bundle["areas"]}
        )
    return successors


def _links(one: Fields, kind: str, known: set[str]) -> dict[str, list[str]]:
    links: dict[str, list[str]] = {}
    for code in one.names():
        value = one.raw(code)
        heirs = [value] if isinstance(value, str) else one.texts(code)
        if code in known and code not in heirs:
            one.fault(code, "is still a code of this folder, so it must be among its successors")
        else:
            links[code] = heirs
    for code, heirs in links.items():
        for heir in heirs:
            if heir not in known and heir not in links:
                one.fault(code, f"names {heir!r}, which is neither here nor has a successor")
        if _circles(code, links):
            one.fault(code, "comes back to itself")
    return links


def _circles(code: str, links: dict[str, list[str]]) -> bool:
    waiting, met = [one for one in links[code] if one != code], set[str]()
    while waiting:
        one = waiting.pop()
        if one == code:
            return True
        if one not in met:
            met.add(one)
            waiting += [heir for heir in links.get(one, ()) if heir != one]
    return False


def _check_levels(one: Fields, links: dict[str, list[str]], levels: dict[str, str]) -> None:
    for code, heirs in links.items():
        if len({levels[heir] for heir in heirs if heir in levels}) > 1:
            one.fault(f"areas.{code}", "has successors of several levels")
