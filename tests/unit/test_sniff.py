"""The type of a file by its bytes, and what is refused before decoding."""

import io
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from chalicelib.imaging import sniff
from chalicelib.imaging.refusals import REASONS, PhotoRefused
from tests.support.photo_files import encoded, jpeg, scene

KINDS = {
    "image/jpeg": jpeg(),
    "image/png": encoded(scene(), "PNG"),
    "image/webp": encoded(scene(), "WEBP"),
    "image/avif": encoded(scene(), "AVIF"),
    "image/heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic\x00\x00\x00\x10mdat12345678",
    "image/heif": b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic\x00\x00\x00\x10mdat12345678",
}


def refusal(data: bytes, declared: str = "image/jpeg") -> str:
    """Why a file is refused."""
    with pytest.raises(PhotoRefused) as refused:
        sniff.kind_of(data, declared)
    return refused.value.reason


def archive() -> bytes:
    """A small ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.txt", "a")
    return out.getvalue()


@pytest.mark.parametrize("declared", KINDS)
def test_each_type_is_recognised_as_itself_only(declared: str) -> None:
    data = KINDS[declared]
    assert sniff.kind_of(data, declared) == sniff.DECLARED[declared]
    for other, kind in sniff.DECLARED.items():
        if kind != sniff.DECLARED[declared]:
            assert refusal(data, other) == "type_mismatch"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "not_a_photo"),
        (b"<!doctype html><html></html>", "not_a_photo"),
        (b"GIF89a\x01\x00\x01\x00/*", "not_a_photo"),
        (b"%PDF-1.7", "not_a_photo"),
        (b"II*\x00", "not_a_photo"),
        (archive(), "not_a_photo"),
        (b"\x00" * 4096, "not_a_photo"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isom", "not_a_photo"),
    ],
    ids=["empty", "SVG", "HTML", "GIF", "PDF", "TIFF", "ZIP", "zeros", "MP4"],
)
def test_a_file_that_is_not_a_photo_is_refused(data: bytes, reason: str) -> None:
    assert refusal(data) == reason
    assert reason in REASONS


@pytest.mark.parametrize("declared", KINDS)
@pytest.mark.parametrize(
    "tail",
    [archive(), b"<script>alert(1)</script>", b"<HTML ><body>", b"<svg onload=x>", b"#!/bin/sh\n",
     b"MZ\x90\x00", b"\x7fELF\x02", b"%PDF-1.4", b"<?php system(1);"],
    ids=["zip", "script", "html", "svg", "shell", "exe", "elf", "pdf", "php"],
)  # fmt: skip
def test_a_photo_with_another_file_appended_is_refused(declared: str, tail: bytes) -> None:
    assert refusal(KINDS[declared] + tail, declared) == "polyglot"


def test_a_script_in_the_comment_of_a_jpeg_is_refused() -> None:
    out = io.BytesIO()
    scene().save(out, "JPEG", comment=b"<script>alert(1)</script>")
    assert refusal(out.getvalue()) == "polyglot"


PACKETS = {
    "DOCTYPE": b"<!DOCTYPE x:xmpmeta [<!ENTITY ns 'http://ns.adobe.com/xap/1.0/'>]>\n<x:xmpmeta/>",
    "doctype with an id": b'<!DOCTYPE rdf:RDF PUBLIC "-//DUBLIN CORE//DCMES DTD 2002/07/31//EN"'
    b' "http://dublincore.org/documents/2002/07/31/dcmes-xml/dcmes-xml-dtd.dtd">\n<rdf:RDF/>',
    "xpacket": b'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 5.3"/>',
}


def with_xmp(packet: bytes) -> bytes:
    """A JPEG as Photoshop writes it: the XMP packet in APP1, its resources in APP13."""

    def segment(marker: bytes, content: bytes) -> bytes:
        return b"\xff" + marker + (len(content) + 2).to_bytes(2, "big") + content

    xmp = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n' + packet
    xmp += b"\n" + b" " * 2000 + b'\n<?xpacket end="w"?>'
    plain = jpeg()
    resources = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x00"
    return b"".join(
        (
            plain[:2],
            segment(b"\xe1", b"http://ns.adobe.com/xap/1.0/\x00" + xmp),
            segment(b"\xed", resources),
            plain[2:],
        )
    )


@pytest.mark.parametrize("packet", PACKETS.values(), ids=PACKETS)
def test_a_photo_from_photoshop_is_taken_with_its_xmp(packet: bytes) -> None:
    assert sniff.kind_of(with_xmp(packet), "image/jpeg") == sniff.JPEG


@pytest.mark.parametrize(
    "page",
    [b"<!DOCTYPE html><p>", b"<!doctype  HTML PUBLIC '-//W3C//DTD HTML 4.01//EN'>",
     b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'>", b"<script>1</script>",
     b"<?php system(1);"],
)  # fmt: skip
def test_a_web_page_in_the_xmp_of_a_photo_is_refused(page: bytes) -> None:
    assert refusal(with_xmp(page)) == "polyglot"
    assert refusal(jpeg() + page) == "polyglot"


@pytest.mark.parametrize(
    "tail",
    [b"\x00\x00\x00\x18ftypmp42" + bytes(5000), jpeg(), bytes(64), b"SEFH\x6a\x00\x00\x00"],
    ids=["film", "second picture", "padding", "a maker's trailer"],
)
def test_data_that_phones_append_is_accepted(tail: bytes) -> None:
    assert sniff.kind_of(jpeg() + tail, "image/jpeg") == sniff.JPEG


@pytest.mark.parametrize("save", [
    lambda image, out: image.save(out, "JPEG", progressive=True),
    lambda image, out: image.save(out, "JPEG", restart_marker_blocks=3),
    lambda image, out: image.convert("L").save(out, "JPEG", quality=100),
    lambda image, out: image.convert("CMYK").save(out, "JPEG"),
], ids=["progressive", "restarts", "grey", "CMYK"])  # fmt: skip
def test_the_end_of_every_jpeg_is_found(save: Callable[[Image.Image, io.BytesIO], None]) -> None:
    out = io.BytesIO()
    save(scene(), out)
    assert sniff._jpeg_end(out.getvalue() + archive()) == len(out.getvalue())


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_give_a_type_or_a_refusal(declared: str, noise: bytes, at: int) -> None:
    data = KINDS[declared]
    mutant = data[:at] + noise + data[at + len(noise) :]
    try:
        found = sniff.kind_of(mutant, declared)
    except PhotoRefused as refused:
        found = refused.reason
    assert found in (sniff.DECLARED[declared], *REASONS)
