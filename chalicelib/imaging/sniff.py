"""Detects a file's type from its own bytes before any decoder reads it, and what it hides.

The real protection is re-encoding: nothing of an upload is ever served. This keeps files that no
phone makes away from the decoders.
"""

import re

from chalicelib.imaging.refusals import (
    ANIMATED,
    EMPTY,
    NOT_A_PHOTO,
    POLYGLOT,
    TYPE_MISMATCH,
    PhotoRefused,
)

JPEG, PNG, WEBP, HEIF, AVIF = "JPEG", "PNG", "WEBP", "HEIF", "AVIF"
DECLARED = {
    "image/jpeg": JPEG,
    "image/png": PNG,
    "image/webp": WEBP,
    "image/heic": HEIF,
    "image/heif": HEIF,
    "image/avif": AVIF,
}
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"hevc", b"hevx", b"msf1"}
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
# As the major brand: an image sequence (ISO/IEC 23008-12, 7.2).
_PLAYED = frozenset({b"msf1", b"hevc", b"hevx", b"avis"})
# A document type of a web page only: the XMP of Photoshop is XML and may begin with another one.
_CODE = re.compile(
    rb"<script[\s>]|<html[\s>]|<!doctype\s+[\"']?(?:html|svg)\b|<\?php\s|%PDF-\d",
    re.IGNORECASE,
)
_SVG = re.compile(rb"<svg[\s>]", re.IGNORECASE)
_HEAD = 4096
_PROGRAM = (b"MZ", b"\x7fELF", b"#!", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")
# In the scan of a JPEG: a marker that is neither a stuffed zero, a restart nor a fill byte.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")


def kind_of(data: bytes, declared: str) -> str:
    """The type of a file: one of ``DECLARED``'s values.

    Raises ``PhotoRefused``: empty, not_a_photo, type_mismatch (not the declared type), animated, or
    polyglot (a photo and something else in one file).
    """
    if not data:
        raise PhotoRefused(EMPTY)
    kind = _magic(data)
    if kind is None:
        raise PhotoRefused(NOT_A_PHOTO)
    if kind != DECLARED.get(declared):
        raise PhotoRefused(TYPE_MISMATCH)
    if kind in (HEIF, AVIF) and data[8:12] in _PLAYED:
        raise PhotoRefused(ANIMATED)
    if _hides(data, kind):
        raise PhotoRefused(POLYGLOT)
    return kind


def media_of(data: bytes) -> str | None:
    """The media type of a photo by its own bytes; ``None`` if it is no photo of a type here."""
    kind = _magic(data)
    return next((media for media, each in DECLARED.items() if each == kind), None)


def _magic(data: bytes) -> str | None:
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[4:8] == b"ftyp":
        size = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, size, 4))}
        # Both use the same container (mif1); the codec's own brand decides.
        if brands & _AVIF_BRANDS:
            return AVIF
        if brands & _HEIF_BRANDS:
            return HEIF
    return None


def _hides(data: bytes, kind: str) -> bool:
    tail = data[_END[kind](data) :]
    if _CODE.search(data) or _SVG.search(data, 0, _HEAD) or _SVG.search(tail):
        return True
    # A phone may append a film or a second picture, but never an archive or a program.
    archive = b"PK\x03\x04" in tail and b"PK\x05\x06" in tail
    return archive or tail.startswith(_PROGRAM)


def _jpeg_end(data: bytes) -> int:
    at = 2
    while match := _MARKER.search(data, at):
        marker = match[1][0]
        if marker == 0xD9:
            return match.end()
        length = int.from_bytes(data[match.end() : match.end() + 2], "big")
        at = match.end() + max(2, length)
    return len(data)


def _png_end(data: bytes) -> int:
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        last = data[at + 4 : at + 8] == b"IEND"
        at += 12 + length
        if last:
            return at
    return len(data)


def _webp_end(data: bytes) -> int:
    return 8 + int.from_bytes(data[4:8], "little")


def _iso_end(data: bytes) -> int:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:
            return len(data)
        if size < 8 or not data[at + 4 : at + 8].isalnum():
            return at
        at += size
    return at


_END = {JPEG: _jpeg_end, PNG: _png_end, WEBP: _webp_end, HEIF: _iso_end, AVIF: _iso_end}
