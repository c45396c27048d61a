"""Decodes a photo within limits and makes its renditions, which hold only pixels.

Runs in the process that ``sandbox`` starts. Large pictures are reduced strip by strip, so that no
second picture of full size is in memory.

Tests: tests/unit/test_renditions.py, tests/unit/test_develop.py
"""

import io
import warnings
from pathlib import Path
from typing import Any

# The WebP plugin by name: otherwise Pillow imports every plugin that it has for the first WebP.
from PIL import Image, ImageOps, WebPImagePlugin  # noqa: F401

from chalicelib.domain.photo_sizes import LARGE, MASTER, SCALE, SMALL, fitted
from chalicelib.imaging import metadata, refusals, sniff
from chalicelib.imaging.perceptual_hash import perceptual_hash
from chalicelib.imaging.refusals import PhotoRefused

MOST_PIXELS = 50_000_000
LONGEST = 20_000
SHORTEST = 16
_STRIP = 1 << 20
_PLAIN = ("L", "RGB", "CMYK")
_BLOCKS = 3
# Pillow's modes of grey with 16 bits.
_DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I")

Image.MAX_IMAGE_PIXELS = None  # Our own limits are checked before anything is decoded.


def make(data: bytes, declared: str, folder: Path) -> dict[str, Any]:
    """Write ``320.webp``, ``1280.webp``, ``1280.jpg`` and ``master.jpg`` to ``folder``.

    Returns ``width`` and ``height`` of the master, its ``likeness`` (perceptual hash), and the
    ``facts`` of its metadata. Raises ``PhotoRefused``, or any error of the decoder.
    """
    kind = sniff.kind_of(data, declared)
    if kind in (sniff.HEIF, sniff.AVIF):
        _register_heif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image: Image.Image = Image.open(io.BytesIO(data), formats=[kind])
    _within_limits(image)
    # Some cameras write one photo as MPO: a JPEG with more pictures behind it.
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format not in ("MPO", "HEIF"):
        raise PhotoRefused(refusals.ANIMATED)
    photo_metadata = metadata.read(image)
    width, height = image.size
    image.draft(None, fitted(width, height, MASTER))
    image.load()
    master = _finished(image, fitted(width, height, MASTER))
    return {
        **_renditions(master, folder),
        "likeness": perceptual_hash(master),
        "facts": photo_metadata,
    }


def remake(data: bytes, rectangles: list[list[int]], folder: Path) -> dict[str, Any]:
    """New renditions of a master, with ``rectangles`` blurred.

    Rectangles are (x, y, width, height) in thousandths of the master's size.
    """
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        master = _bare(image.convert("RGB"))
    for rectangle in rectangles:
        _blur(master, rectangle)
    return {**_renditions(master, folder), "likeness": perceptual_hash(master), "facts": {}}


def _register_heif() -> None:
    # Imported only for these photos, as with ``ImageCms``.
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False)


def _within_limits(image: Image.Image) -> None:
    width, height = image.size
    if min(width, height) < SHORTEST:
        raise PhotoRefused(refusals.TOO_SMALL)
    if width * height > MOST_PIXELS or max(width, height) > LONGEST:
        raise PhotoRefused(refusals.TOO_MANY_PIXELS)


def _finished(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    orientation = image.getexif().get(0x0112, 1)
    profile = image.info.get("icc_profile")
    reduced = _reduced(image)
    if reduced.size != size:
        reduced = reduced.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    upright = _bare(_in_srgb(reduced, profile))
    upright.getexif()[0x0112] = orientation
    return _bare(ImageOps.exif_transpose(upright))


def _reduced(image: Image.Image) -> Image.Image:
    """The picture in a plain mode, reduced by a whole factor if far larger than its master."""
    factor = max(1, max(image.size) // (MASTER * 3 // 2))
    if factor == 1 and image.mode in _PLAIN and "transparency" not in image.info:
        return image
    width, height = image.size
    rows = max(factor, _STRIP // width // factor * factor)
    whole: Image.Image | None = None
    for top in range(0, height, rows):
        strip = _plain(image.crop((0, top, width, min(height, top + rows))), image.info)
        strip = strip.reduce(factor) if factor > 1 else strip
        if whole is None:
            size = (-(-width // factor), -(-height // factor))
            whole = Image.new(strip.mode, size)
        whole.paste(strip, (0, top // factor))
    assert whole is not None
    return whole


def _plain(strip: Image.Image, info: dict[Any, Any]) -> Image.Image:
    if strip.mode in _DEEP:
        return strip.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if strip.mode in _PLAIN and "transparency" not in info:
        return strip
    if "transparency" in info:
        strip.info["transparency"] = info["transparency"]
    clear = strip.convert("RGBA")
    flat = Image.new("RGB", clear.size, "white")
    flat.paste(clear, mask=clear.getchannel("A"))
    return flat


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        # Imported only for photos with a profile: every photo has a process of its own.
        from PIL import ImageCms

        try:
            held = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            turned = ImageCms.profileToProfile(
                image, held, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if turned is not None:
                return turned
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass  # An unusable profile: take the numbers as they are.
    return image.convert("RGB")


def _bare(image: Image.Image) -> Image.Image:
    """The pixels alone on a new image, without anything that a decoder added."""
    new = Image.new("RGB", image.size)
    new.paste(image)
    return new


def _blur(master: Image.Image, rectangle: list[int]) -> None:
    x, y, width, height = rectangle
    right = min(master.width, -(-(x + width) * master.width // SCALE))
    bottom = min(master.height, -(-(y + height) * master.height // SCALE))
    left, top = x * master.width // SCALE, y * master.height // SCALE
    if right <= left or bottom <= top:
        return
    # A few averages only, so that no text can be recovered.
    part = master.crop((left, top, right, bottom))
    few = part.resize((_BLOCKS, _BLOCKS), Image.Resampling.BOX)
    master.paste(few.resize(part.size, Image.Resampling.BICUBIC), (left, top))


def _renditions(master: Image.Image, folder: Path) -> dict[str, Any]:
    master.save(folder / "master.jpg", "JPEG", quality=85, optimize=False, progressive=False)
    picture = master
    for side in (LARGE, SMALL):
        size = fitted(*master.size, side)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        picture.save(folder / f"{side}.webp", "WEBP", quality=78, method=4)
        if side == LARGE:
            picture.save(folder / f"{side}.jpg", "JPEG", quality=85, optimize=False)
    return {"width": master.width, "height": master.height}
