"""Reading the forms of GeoReport's clients, which keep to several standards and to none.

    event -> too large 413 -> base64 -> URL-encoded form, or multipart: (fields, files)

Texts are UTF-8. A form, or one of its parts, may name ISO 8859-1 or Windows-1252 instead. A form in
another encoding is refused with words that name UTF-8: a text that was guessed would be wrong.
"""

import base64
import binascii
import io
import re
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import Problem

MOST_BYTES = 6_000_000
_MOST_FIELDS = 1000
_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "base64": binascii.a2b_base64,
    "quoted-printable": binascii.a2b_qp,
}
_FORMS = ("", "application/x-www-form-urlencoded", "multipart/form-data")
# What browsers take the name Latin-1 for (WHATWG, Encoding).
_LATIN = "cp1252"
_CHARSETS = {
    "": "utf-8", "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8",
    "iso-8859-1": _LATIN, "iso8859-1": _LATIN, "iso_8859-1": _LATIN, "latin1": _LATIN,
    "latin-1": _LATIN, "windows-1252": _LATIN, "cp1252": _LATIN,
}  # fmt: skip
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";\s]+)', re.IGNORECASE)
# Many clients do not quote a boundary with ``=``, ``:`` or ``(``, as RFC 2045 demands.
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]*)"|([^;]*))', re.IGNORECASE)
_IN_BOUNDARY = re.compile(r"[\x20-\x7e]{1,200}")

Fields = dict[str, list[str]]


class UnreadableForm(ValueError):
    """A form that cannot be read; its text says why, for the client."""


@dataclass(frozen=True)
class File:
    """A file in a form."""

    media: str
    data: bytes


def read(event: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[Fields, list[File]]:
    """(arguments of the query and of the form, files of the form).

    Raises ``UnreadableForm`` in English, because its text is for developers, or ``Problem``:
    too_large.
    """
    fields: Fields = {}
    for name, values in (event.get("multiValueQueryStringParameters") or {}).items():
        fields.setdefault(name, []).extend(values)
    if not all(_is_text(text) for name, values in fields.items() for text in (name, *values)):
        raise UnreadableForm("The query is not UTF-8")
    raw, content_type = _raw(event), headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if not raw:
        return fields, []
    if kind not in _FORMS:
        raise UnreadableForm(f"Send a form: {' or '.join(_FORMS[1:])}")
    if kind == "multipart/form-data":
        return fields, multipart_files(raw, content_type, fields)
    for name, value in _pairs(raw, content_type):
        fields.setdefault(name, []).append(value)
    return fields, []


def multipart_files(raw: bytes, content_type: str, fields: Fields) -> list[File]:
    """The files of a multipart form; its other parts are added to ``fields``.

    Raises ``UnreadableForm``.
    """
    # Multipart forms are rare, so other requests do not import this.
    import multipart

    parser = multipart.MultipartParser(
        io.BytesIO(raw),
        _boundary(content_type),
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
                of_part = part.headers.get("Content-Type", "")
                charset = _charset(of_part) if _CHARSET.search(of_part) else _charset(content_type)
                text = _text(body, charset, part.name)
                fields.setdefault(_name(part.name), []).append(text.rstrip("\r\n"))
    except multipart.MultipartError:
        raise UnreadableForm("The form cannot be read") from None
    return files


def _boundary(content_type: str) -> str:
    match = _BOUNDARY.search(content_type)
    boundary = (match[1] if match[1] is not None else match[2]).strip() if match else ""
    if not _IN_BOUNDARY.fullmatch(boundary):
        raise UnreadableForm("The form cannot be read: its boundary is missing or no boundary")
    return boundary


def _pairs(raw: bytes, content_type: str) -> list[tuple[str, str]]:
    charset = _charset(content_type)
    try:
        return urllib.parse.parse_qsl(
            raw.decode(charset, "strict"),
            keep_blank_values=True,
            encoding=charset,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except UnicodeDecodeError:
        raise UnreadableForm(_not_utf8("The form")) from None
    except ValueError:
        raise UnreadableForm("The form cannot be read") from None


def _charset(content_type: str) -> str:
    match = _CHARSET.search(content_type)
    charset = _CHARSETS.get(match[1].lower() if match else "")
    if charset is None:
        raise UnreadableForm("The form has a charset that is not read here; send UTF-8")
    return charset


def _text(body: bytes, charset: str, name: str) -> str:
    try:
        return body.decode(charset)
    except UnicodeDecodeError:
        raise UnreadableForm(_not_utf8("A part of the form")) from None


def _name(name: str) -> str:
    """The name of a part, which the parser reads as Latin-1."""
    try:
        return name.encode("latin-1").decode("utf-8")
    except ValueError:
        return name


def _not_utf8(what: str) -> str:
    return f"{what} is not UTF-8: send UTF-8, or name the charset ISO-8859-1 in Content-Type"


def _is_text(text: str) -> bool:
    """Whether a text can be stored: no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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
        raise UnreadableForm("The form cannot be read") from None
