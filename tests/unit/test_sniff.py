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
