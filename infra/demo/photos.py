"""The demo's photos: a street drawn by the seed, before a repair and after it."""

import io
import random
from typing import Any
from urllib.parse import urlsplit

from PIL import Image, ImageDraw

from infra.demo.client import Connection

TYPE = "image/jpeg"
_WIDE, _HIGH = 640, 480
_BOUNDARY = "tanggap-demo-photo"


def draw(rng: random.Random, *, repaired: bool) -> bytes:
    """A JPEG of a road with damage, or with a patch in its place."""
    sky = (rng.randint(120, 200), rng.randint(160, 220), rng.randint(200, 255))
    image = Image.new("RGB", (_WIDE, _HIGH), sky)
    pen = ImageDraw.Draw(image)
    horizon = rng.randint(150, 230)
    for left in range(0, _WIDE, rng.randint(60, 120)):
        wall = tuple(rng.randint(90, 220) for _ in range(3))
        pen.rectangle((left, horizon - rng.randint(30, 130), left + 100, horizon), wall)
    grey = rng.randint(70, 110)
    near, far = rng.randint(0, 120), rng.randint(220, 300)
    road = [(near, _HIGH), (_WIDE - near, _HIGH), (_WIDE - far, horizon), (far, horizon)]
    pen.rectangle((0, horizon, _WIDE, _HIGH), (rng.randint(60, 120), rng.randint(110, 150), 70))
    pen.polygon(road, (grey, grey, grey))
    x, y = rng.randint(200, 440), rng.randint(horizon + 80, _HIGH - 60)
    wide, high = rng.randint(50, 120), rng.randint(20, 50)
    box = (x - wide, y - high, x + wide, y + high)
    if repaired:
        pen.rectangle(box, (grey - 25, grey - 25, grey - 25))
    else:
        pen.ellipse(box, (rng.randint(60, 110), 60, 35))
        pen.ellipse((x - wide // 2, y - high // 2, x + wide // 2, y + high // 2), (30, 25, 20))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def upload(connection: Connection, form: dict[str, Any], picture: bytes) -> int:
    """Post ``picture`` with a presigned form. Returns the status (201 or 204: stored)."""
    lines = []
    for name, value in form["fields"].items():
        lines.append(f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n')
        lines.append(f"{value}\r\n")
    file = 'Content-Disposition: form-data; name="file"; filename="photo.jpg"'
    lines.append(f"--{_BOUNDARY}\r\n{file}\r\nContent-Type: {TYPE}\r\n\r\n")
    payload = "".join(lines).encode() + picture + f"\r\n--{_BOUNDARY}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    path = urlsplit(form["url"]).path or "/"
    return connection.exchange("POST", path, payload, headers)[0]
