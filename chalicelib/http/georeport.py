"""The HTTP edge of GeoReport v2: reading forms, writing XML or JSON, and its kind of errors.

    event -> path and suffix 404 -> jurisdiction 400/404 -> form 400 -> view -> XML or JSON

Everything else (problems, the clock, logs) works as in ``chalicelib.http.router``. Unknown
arguments are ignored, empty ones count as absent, and every refusal is a list of errors in the
requested format.
"""

import base64
import binascii
import io
import re
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib import clock, observability
from chalicelib.domain.input import languages
from chalicelib.domain.open311.georeport import InvalidArgument, last
from chalicelib.errors import Problem
from chalicelib.http import georeport_formats
from chalicelib.http.georeport_refusals import errors
from chalicelib.http.problems import reader_language
from chalicelib.settings import settings
from chalicelib.storage.transactions import is_misconfigured

MOST_BYTES = 6_000_000
_MOST_FIELDS = 1000
_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "base64": binascii.a2b_base64,
    "quoted-printable": binascii.a2b_qp,
}
# Lambda's own limit for an answer is 6 MB.
LARGEST = 5_500_000
_JURISDICTION = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_STATUS = {401: 403, 403: 403, 404: 404, 410: 404, 415: 415, 429: 429, 503: 503}
_FORMS = ("", "application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class File:
    """A file in a form."""

    media: str
    data: bytes


@dataclass(frozen=True)
class Asked:
    """What a client asks: ``one`` is the id in the path, ``given`` every argument, as a list;
    ``languages`` those of the reader, the best first."""

    jurisdiction: str
    one: str
    given: Mapping[str, list[str]]
    files: list[File]
    now: datetime
    ip: str
    languages: tuple[str, ...] = ()

    def get(self, name: str) -> str | None:
        """The last value of an argument; an empty one is absent."""
        return last(self.given, name)


@dataclass
class Faults(Exception):
    """All faults of a request: {argument: description}."""

    found: dict[str, str] = field(default_factory=dict)


View = Callable[[Asked], Any]
Jurisdictions = Callable[[], list[str]]


def route(
    bp: Blueprint, method: str, path: str, root: str, several: Jurisdictions | None
) -> Callable[[View], View]:
    """Declare a view at ``path``: with ``.xml`` and ``.json`` behind it, or, where it ends with a
    parameter, behind that. ``root`` is the XML root; ``several`` names the cities served here, or
    is ``None`` if the view needs no city.
    """

    def declare(view: View) -> View:
        def handler(**parameters: str) -> Response:
            return _serve(bp.current_request, view, root, several, parameters)

        ends = [""] if path.endswith("}") else [".xml", ".json"]
        for end in ends:
            name = f"{method} {path}{end}"
            bp.route(f"{path}{end}", methods=[method], content_types=[], name=name)(handler)
        return view

    return declare


def _serve(
    request: Request,
    view: View,
    root: str,
    several: Jurisdictions | None,
    parameters: dict[str, str],
) -> Response:
    end = next(iter(parameters.values()), "") or str(request.context.get("resourcePath", ""))
    one, _, form = end.rpartition(".")
    if form not in georeport_formats.MEDIA:
        return _answer("errors", errors(404, {"": "Ask for .xml or .json"}), "xml", 404)
    given: dict[str, list[str]] = {}
    accepted = request.headers.get("accept-language")
    try:
        given, files = _given(request.to_original_event(), request.headers)
        identity = request.context.get("identity") or {}
        asked = Asked(
            _jurisdiction(given, several),
            one if parameters else "",
            given,
            files,
            clock.now(),
            identity.get("sourceIp") or "",
            languages.requested(accepted, last(given, "locale")),
        )
        return _sized(root, view(asked), form)
    except Faults as wrong:
        return _answer("errors", errors(400, wrong.found), form, 400)
    except InvalidArgument as invalid:
        return _answer("errors", errors(400, {invalid.field: str(invalid)}), form, 400)
    except Problem as problem:
        if is_misconfigured(problem):
            observability.unhandled(problem, root)
        status = _STATUS.get(problem.status, 400)
        jurisdiction = last(given, "jurisdiction_id")
        language = reader_language(accepted, jurisdiction, problem, last(given, "locale"))
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


def _jurisdiction(given: Mapping[str, list[str]], several: Jurisdictions | None) -> str:
    asked = [value for value in given.get("jurisdiction_id", ()) if value.strip()]
    if several is None:
        return asked[-1] if asked else ""
    known = several()
    if len(known) < 2:
        return known[0] if known else settings().jurisdiction
    if not asked:
        raise Faults({"jurisdiction_id": f"is needed here: one of {', '.join(known)}"})
    if asked[-1] not in known or not _JURISDICTION.fullmatch(asked[-1]):
        raise Problem("unknown_jurisdiction", field="jurisdiction_id")
    return asked[-1]


def _given(
    event: Mapping[str, Any], headers: Mapping[str, str]
) -> tuple[dict[str, list[str]], list[File]]:
    given: dict[str, list[str]] = {}
    for name, values in (event.get("multiValueQueryStringParameters") or {}).items():
        given.setdefault(name, []).extend(values)
    if not all(_is_text(text) for name, values in given.items() for text in (name, *values)):
        raise Faults({"": "The query is not UTF-8"})
    raw = _raw(event)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    files: list[File] = []
    if raw and kind not in _FORMS:
        # For developers, so in English, as all that is wrong with a form.
        raise Faults({"": f"Send a form: {' or '.join(_FORMS[1:])}"})
    if raw and kind == "multipart/form-data":
        files = _multipart(raw, headers["content-type"], given)
    elif raw:
        try:
            pairs = urllib.parse.parse_qsl(
                raw.decode("utf-8"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST_FIELDS,
            )
        except ValueError:
            raise Faults({"": "The form cannot be read"}) from None
        for name, value in pairs:
            given.setdefault(name, []).append(value)
    return given, files


def _is_text(text: str) -> bool:
    """Whether a text can be stored: no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _multipart(raw: bytes, content_type: str, given: dict[str, list[str]]) -> list[File]:
    # Multipart forms are rare, so other requests do not import this.
    import multipart

    boundary = multipart.parse_options_header(content_type)[1].get("boundary", "")
    parser = multipart.MultipartParser(
        io.BytesIO(raw),
        boundary,
        len(raw),
        charset="latin-1",
        part_limit=_MOST_FIELDS,
        spool_limit=MOST_BYTES,
        memory_limit=MOST_BYTES,
    )
    files = []
    try:
        for part in parser:
            body = _decoded(part.raw, part.headers.get("Content-Transfer-Encoding", ""))
            # The parser does not know file names that are encoded by RFC 5987.
            extended = "filename*=" in part.headers["Content-Disposition"].lower()
            if part.filename is not None or extended:
                files.append(File(part.content_type, body))
            elif part.name:
                given.setdefault(part.name, []).append(
                    body.decode("utf-8", "replace").rstrip("\r\n")
                )
    except multipart.MultipartError:
        raise Faults({"": "The form cannot be read"}) from None
    return files


def _decoded(body: bytes, encoding: str) -> bytes:
    """Decode a part's transfer encoding, which RFC 7578 deprecates but old clients use."""
    decode = _DECODERS.get(encoding.strip().lower())
    try:
        return decode(body) if decode else body
    except ValueError:
        return body


def _raw(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or b""
    if len(body) > MOST_BYTES * 4 // 3:
        raise Problem("too_large", limit=MOST_BYTES)
    try:
        raw = body.encode("utf-8") if isinstance(body, str) else bytes(body)
        return base64.b64decode(raw, validate=True) if event.get("isBase64Encoded") else raw
    except ValueError:
        raise Faults({"": "The form cannot be read"}) from None
