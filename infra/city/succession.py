"""Reads and checks the successors of codes that the city no longer has.

    {"areas": {"31.71.01.1002": ["31.71.01.1007", "31.71.01.1008"]},
     "units": {"pju": "dinas_energi"}, "services": {"lampu_jalan": "penerangan"}}

An area that was divided has several successors, perhaps also itself; a unit and a service have one.
A successor is a code of this folder, or a code that has successors itself.
"""

from typing import Any

from infra.city.fields import Fields
from infra.city.schemas.words import KINDS


def read(fields: Fields, bundle: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """The successors by kind and code, each as a list."""
    successors = {}
    for kind in KINDS:
        known = {row["code"] for row in bundle[kind]}
        if fields.has(kind):
            successors[kind] = _links(fields.inner(kind), kind, known)
    if "areas" in successors:
        _check_levels(
            fields, successors["areas"], {row["code"]: row["level"] for row in bundle["areas"]}
        )
    return successors


def _links(fields: Fields, kind: str, known: set[str]) -> dict[str, list[str]]:
    links: dict[str, list[str]] = {}
    for code in fields.names():
        value = fields.raw(code)
        heirs = [value] if isinstance(value, str) else fields.texts(code)
        if code in known and code not in heirs:
            fields.fault(code, "is still a code of this folder, so it must be among its successors")
        else:
            links[code] = heirs
    for code, heirs in links.items():
        for heir in heirs:
            if heir not in known and heir not in links:
                fields.fault(code, f"names {heir!r}, which is neither here nor has a successor")
        if _circles(code, links):
            fields.fault(code, "comes back to itself")
    return links


def _circles(code: str, links: dict[str, list[str]]) -> bool:
    waiting, met = [heir for heir in links[code] if heir != code], set[str]()
    while waiting:
        successor = waiting.pop()
        if successor == code:
            return True
        if successor not in met:
            met.add(successor)
            waiting += [heir for heir in links.get(successor, ()) if heir != successor]
    return False


def _check_levels(fields: Fields, links: dict[str, list[str]], levels: dict[str, str]) -> None:
    for code, heirs in links.items():
        if len({levels[heir] for heir in heirs if heir in levels}) > 1:
            fields.fault(f"areas.{code}", "has successors of several levels")
