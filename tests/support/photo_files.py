"""Photos for tests: real ones that Pillow makes, and a fake decoder that takes no time."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from PIL import Image, ImageDraw

from chalicelib.imaging import sandbox
from chalicelib.imaging.sandbox import ProcessedPhoto

UPLOAD = b"\xff\xd8\xff" + b"0" * 200


@contextmanager
def quick(**more: Any) -> Iterator[list[str]]:
    """In this context every upload becomes the same small pictures; the list has the calls."""
    asked: list[str] = []

    def develop(data: bytes, declared: str) -> ProcessedPhoto:
        asked.append("develop")
        return _made(data, **more)

    def redraw(master: bytes, rectangles: list[list[int]]) -> ProcessedPhoto:
        asked.append("redraw")
        return _made(master + repr(rectangles).encode())

    with patch.object(sandbox, "develop", develop), patch.object(sandbox, "redraw", redraw):
        yield asked


def _made(data: bytes, **more: Any) -> ProcessedPhoto:
    files = {"master.jpg": data, "1280.jpg": b"jpeg", "1280.webp": b"large", "320.webp": b"small"}
    known = {"width": 640, "height": 480, "likeness": None, "facts": {}}
    return ProcessedPhoto(files=files, **{**known, **more})


def scene(width: int = 640, height: int = 480, seed: int = 1) -> Image.Image:
    """A picture with something in it, another for each seed: red at its top, blue at its bottom."""
    grey = Image.frombytes("L", (6, 6), bytes((at * at * (seed * 7 + 3)) % 251 for at in range(36)))
    image = grey.resize((width, height), Image.Resampling.BICUBIC).convert("RGB")
    band, draw = max(1, height // 8), ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, band), (220, 20, 20))
    draw.rectangle((0, height - band, width, height), (20, 20, 220))
    return image


def jpeg(image: Image.Image | None = None, **more: Any) -> bytes:
    """A picture as a JPEG file."""
    return encoded(image or scene(), "JPEG", **more)


def encoded(image: Image.Image, kind: str, **more: Any) -> bytes:
    """A picture as a file of a kind that Pillow writes."""
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()
