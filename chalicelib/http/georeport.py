"""The HTTP edge of GeoReport v2: which view answers, in XML or JSON, and its kind of errors.

    event -> path and suffix 404 -> jurisdiction 400/404 -> form 400 -> view -> XML or JSON

Everything else (problems, the clock, logs) works as in ``chalicelib.http.router``. Unknown
arguments are ignored, empty ones count as absent, and every refusal is a list of errors in the
requested format.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib import clock, observability
from chalicelib.domain.input import languages
from chalicelib.domain.open311.georeport import InvalidArgument, last
from chalicelib.errors import Problem
from chalicelib.http import georeport_formats, georeport_forms
from chalicelib.http.georeport_forms import File, UnreadableForm
from chalicelib.http.georeport_openapi import Described, declare
from chalicelib.http.georeport_refusals import errors
from chalicelib.http.problems import reader_language
from chalicelib.settings import settings
from chalicelib.storage.transactions import is_misconfigured

# Lambda's own limit for an answer is 6 MB.
LARGEST = 5_500_000
_JURISDICTION = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_STATUS = {401: 403, 403: 403, 404: 404, 410: 404, 415: 415, 429: 429, 503: 503}


@dataclass(frozen=True)
class GeoReportCall:
    """A request of a client: ``path_id`` is the id in the path; ``arguments`` are all arguments,
    each as a list; ``languages`` are the reader's, the best first."""

    jurisdiction: str
    path_id: str
    arguments: Mapping[str, list[str]]
    files: list[File]
    now: datetime
    ip: str
    languages: tuple[str, ...] = ()

    def get(self, name: str) -> str | None:
        """The last value of an argument; an empty one is absent."""
        return last(self.arguments, name)


@dataclass
class Faults(Exception):
    """All faults of a request: {argument: description}."""

    faults: dict[str, str] = field(default_factory=dict)


View = Callable[[GeoReportCall], Any]
Jurisdictions = Callable[[], list[str]]


def route(
    bp: Blueprint,
    method: str,
    path: str,
    root: str,
    several: Jurisdictions | None,
    described: Described,
) -> Callable[[View], View]:
    """Declare a view at ``path``: with ``.xml`` and ``.json`` behind it, or, where it ends with a
    parameter, behind that. ``root`` is the XML root; ``several`` names the cities served here, or
    is ``None`` if the view needs no city; ``described`` is for the OpenAPI document.
    """

    def declared(view: View) -> View:
        def handler(**parameters: str) -> Response:
            return _serve(bp.current_request, view, root, several, parameters)

        ends = [""] if path.endswith("}") else [".xml", ".json"]
        for end in ends:
            name = f"{method} {path}{end}"
            bp.route(f"{path}{end}", methods=[method], content_types=[], name=name)(handler)
            declare(f"{path}{end}", method, described, view)
        return view

    return declared


def _serve(
    request: Request,
    view: View,
    root: str,
    several: Jurisdictions | None,
    parameters: dict[str, str],
) -> Response:
    end = next(iter(parameters.values()), "") or str(request.context.get("resourcePath", ""))
    path_id, _, form = end.rpartition(".")
    if form not in georeport_formats.MEDIA:
        return _answer("errors", errors(404, {"": "Ask for .xml or .json"}), "xml", 404)
    arguments: dict[str, list[str]] = {}
    accepted = request.headers.get("accept-language")
    try:
        arguments, files = georeport_forms.read(request.to_original_event(), request.headers)
        identity = request.context.get("identity") or {}
        call = GeoReportCall(
            _jurisdiction(arguments, several),
            path_id if parameters else "",
            arguments,
            files,
            clock.now(),
            identity.get("sourceIp") or "",
            languages.requested(accepted, last(arguments, "locale")),
        )
        return _sized(root, view(call), form)
    except UnreadableForm as unreadable:
        return _answer("errors", errors(400, {"": str(unreadable)}), form, 400)
    except Faults as wrong:
        return _answer("errors", errors(400, wrong.faults), form, 400)
    except InvalidArgument as invalid:
        return _answer("errors", errors(400, {invalid.field: str(invalid)}), form, 400)
    except Problem as problem:
        if is_misconfigured(problem):
            observability.unhandled(problem, root)
        status = _STATUS.get(problem.status, 400)
        jurisdiction = last(arguments, "jurisdiction_id")
        language = reader_language(accepted, jurisdiction, problem, last(arguments, "locale"))
        document = problem.document(language)
        faults = {problem.field or "": f"{document['title']}: {document['detail']}"}
        return _answer("errors", errors(status, faults), form, status, problem.headers)
    except Exception as error:  # noqa: BLE001 (the last resort: it is logged and answered)
        observability.unhandled(error, root)
        return _answer("errors", errors(500, {"": "Internal error"}), form, 500)


def _sized(root: str, data: Any, form: str) -> Response:
    answer = _answer(root, data, form)
    size = len(answer.body.encode())
    if size > LARGEST:
        fit = max(1, len(data) * LARGEST // size)
        why = f"the answer would be larger than Lambda lets through; ask for {fit} at most"
        return _answer("errors", errors(400, {"page_size": why}), form, 400)
    return answer


def _answer(
    root: str, data: Any, form: str, status: int = 200, more: Mapping[str, str] | None = None
) -> Response:
    headers: dict[str, str | list[str]] = {
        "Content-Type": georeport_formats.MEDIA[form],
        "Cache-Control": "no-cache",
        "Vary": "Accept-Language",
        # Every answer has this header. ``TanggapApp`` recognises our own errors by it.
        "X-Request-Id": "-",
        **(more or {}),
    }
    return Response(georeport_formats.rendered(root, data, form), headers, status)


def _jurisdiction(arguments: Mapping[str, list[str]], several: Jurisdictions | None) -> str:
    values = [value for value in arguments.get("jurisdiction_id", ()) if value.strip()]
    if several is None:
        return values[-1] if values else ""
    served = several()
    if len(served) < 2:
        return served[0] if served else settings().jurisdiction
    if not values:
        raise Faults({"jurisdiction_id": f"is needed here: one of {', '.join(served)}"})
    if values[-1] not in served or not _JURISDICTION.fullmatch(values[-1]):
        raise Problem("unknown_jurisdiction", field="jurisdiction_id")
    return values[-1]
