"""Photos as phones, cameras and programs write them: upright, in their colours, with their first
picture."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from chalicelib.imaging import renditions
from chalicelib.imaging.refusals import PhotoRefused
from tests.support.photo_files import encoded, scene
from tests.unit.test_develop import heic, is_upright

# How a camera stores an upright picture with each orientation.
STORED = {
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
}  # fmt: skip


def master(data: bytes, media: str, folder: Path) -> Image.Image:
    """The master that is made of a photo."""
    renditions.make(data, media, folder)
    return Image.open(io.BytesIO((folder / "master.jpg").read_bytes()))


def exif(orientation: int) -> bytes:
    """Metadata with an orientation."""
    held = Image.Exif()
    held[ExifTags.Base.Orientation] = orientation
    return held.tobytes()


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIC", "MPO"])
def test_a_photo_of_any_type_is_turned_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    stored = scene(160, 120).transpose(STORED[orientation])
    if kind == "HEIC":
        data = heic(stored, exif=exif(orientation))
    elif kind == "MPO":
        more: dict[str, Any] = {"save_all": True, "append_images": [scene(160, 120, seed=9)]}
        data = encoded(stored, kind, exif=exif(orientation), **more)
    else:
        data = encoded(stored, kind, exif=exif(orientation))
    media = f"image/{'jpeg' if kind == 'MPO' else kind.lower()}"
    made = master(data, media, tmp_path)
    assert (made.size, is_upright(made)) == ((160, 120), True)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_changes_nothing(tmp_path: Path, value: int) -> None:
    made = master(encoded(scene(), "JPEG", exif=exif(value)), "image/jpeg", tmp_path)
    assert is_upright(made)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100}])
@pytest.mark.parametrize("marked", [True, False])
def test_a_jpeg_for_print_keeps_its_colours(
    tmp_path: Path, options: dict[str, Any], marked: bool
) -> None:
    """CMYK, with and without the mark that Adobe's programs write."""
    data = encoded(scene().convert("CMYK"), "JPEG", **options)
    if not marked:
        at = data.index(b"Adobe") - 4
        data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    made = master(data, "image/jpeg", tmp_path)
    assert (made.mode, is_upright(made)) == ("RGB", True)


def chunk(kind: bytes, body: bytes) -> bytes:
    """One part of a PNG file."""
    crc = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + crc


def png(colour: int, pixel: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """A PNG of 64 × 48 equal pixels of 16 bits a channel, with more parts around the pixels."""
    head = struct.pack(">IIBBBBB", 64, 48, 16, colour, 0, 0, 0)
    rows = (b"\x00" + pixel * 64) * 48
    parts = chunk(b"IHDR", head) + before + chunk(b"IDAT", zlib.compress(rows)) + after
    return b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("colour", "channels", "wanted"),
    [
        (0, (0x8080,), (128, 128, 128)),
        (2, (0xC8C8, 0x1414, 0x3C3C), (200, 20, 60)),
        (4, (0x8080, 0xFFFF), (128, 128, 128)),
        (6, (0xC8C8, 0x1414, 0x3C3C, 0xFFFF), (200, 20, 60)),
        (6, (0, 0, 0, 0), (255, 255, 255)),
    ],
    ids=["grey", "RGB", "grey with alpha", "RGB with alpha", "clear"],
)
def test_a_png_of_sixteen_bits_keeps_its_colours(
    tmp_path: Path, colour: int, channels: tuple[int, ...], wanted: tuple[int, ...]
) -> None:
    data = png(colour, struct.pack(f">{len(channels)}H", *channels))
    found = master(data, "image/png", tmp_path).getpixel((32, 24))
    assert isinstance(found, tuple)
    assert max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= 4


XMP = b"XML:com.adobe.xmp\x00\x00\x00\x00\x00"
DOCTYPE = b"<!DOCTYPE x:xmpmeta [<!ENTITY ns 'http://ns.adobe.com/xap/1.0/'>]>\n<x:xmpmeta/>"


@pytest.mark.parametrize(
    "parts",
    [
        {"before": chunk(b"iTXt", XMP + DOCTYPE)},
        {"before": chunk(b"iTXt", b"Comment\x00\x00\x00\x00\x00\xff\xfe no UTF-8")},
        {"before": chunk(b"iTXt", b"Comment\x00\x01\x00\x00\x00" + zlib.compress(b"A" * 9999))},
        {"after": chunk(b"tEXt", b"Software\x00a program")},
        {"after": chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(b"A" * 50_000_000))},
    ],
    ids=["XMP with a DOCTYPE", "no UTF-8", "compressed", "at the end", "a bomb nobody reads"],
)
def test_notes_in_a_png_do_not_matter(tmp_path: Path, parts: dict[str, bytes]) -> None:
    data = png(0, b"\x80\x80", **parts)
    assert master(data, "image/png", tmp_path).size == (64, 48)


def test_the_orientation_behind_the_pixels_of_a_png_is_applied(tmp_path: Path) -> None:
    data = png(0, b"\x80\x80", after=chunk(b"eXIf", exif(6)[6:]))
    assert master(data, "image/png", tmp_path).size == (48, 64)


def test_a_webp_that_could_move_but_has_one_picture_is_a_photo(tmp_path: Path) -> None:
    options: dict[str, Any] = {"save_all": True, "append_images": [], "duration": 100}
    assert is_upright(master(encoded(scene(), "WEBP", **options), "image/webp", tmp_path))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_progressive_jpeg_without_its_tail_is_no_photo(tmp_path: Path, share: float) -> None:
    """Its missing part would be shown in grey, as if the street were so."""
    data = encoded(scene(), "JPEG", progressive=True)
    with pytest.raises((OSError, PhotoRefused)):
        master(data[: int(len(data) * share)], "image/jpeg", tmp_path)


def test_a_phones_second_picture_that_was_cut_off_does_not_matter(tmp_path: Path) -> None:
    more: dict[str, Any] = {"save_all": True, "append_images": [scene(seed=9)]}
    data = encoded(scene(), "MPO", **more)
    first = data.index(b"\xff\xd9") + 2
    assert 2 * first > len(data) - 2000
    cut = data[: first + (len(data) - first) // 2]
    assert is_upright(master(cut, "image/jpeg", tmp_path))
