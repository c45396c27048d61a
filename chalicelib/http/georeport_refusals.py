"""Refusals in GeoReport's form: a list of errors, in XML or JSON as the path asks for."""

from collections.abc import Mapping
from typing import Any

from chalicelib.errors import Problem
from chalicelib.http import georeport_formats

_BASE = "/open311/"


def serves(path: str) -> bool:
    """Whether refusals at this path have the standard's form."""
    return path.startswith(_BASE)


def errors(status: int, faults: Mapping[str, str]) -> list[dict[str, Any]]:
    """The errors of {argument: what is wrong with it}."""
    return [
        {"code": status, "description": f"{name} {why}".strip()} for name, why in faults.items()
    ]


def refusal(problem: Problem, path: str, language: str) -> dict[str, Any]:
    """The Lambda proxy answer to an unknown path or method."""
    form = path.rpartition(".")[2]
    form = form if form in georeport_formats.MEDIA else "xml"
    document = problem.document(language)
    text = f"{document['title']}: {document['detail']}"
    if allowed := problem.headers.get("Allow"):
        text = f"{text} ({allowed})"
    return {
        "statusCode": problem.status,
        "headers": {
            "Content-Type": georeport_formats.MEDIA[form],
            "Cache-Control": "no-store",
            **problem.headers,
        },
        "multiValueHeaders": {},
        "body": georeport_formats.rendered("errors", errors(problem.status, {"": text}), form),
    }
