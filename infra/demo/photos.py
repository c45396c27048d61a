"""A repair's after photo: a small PNG drawn by the seed, sent with the form that S3 gave."""

import random
import struct
import zlib
from typing import Any
from urllib.parse import urlsplit

from infra.demo.client import Connection

TYPE = "image/png"
_SIDE = 24
_BOUNDARY = "tanggap-demo-photo"


def draw(rng: random.Random) -> bytes:
    """A valid 24 x 24 RGB picture of noise, about 1.8 KB."""
    rows = b"".join(b"\0" + rng.randbytes(3 * _SIDE) for _ in range(_SIDE))
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def upload(connection: Connection, form: dict[str, Any], picture: bytes) -> int:
    """Post ``picture`` with a presigned form; the status (201 or 204 is stored)."""
    lines = []
    for name, value in form["fields"].items():
        lines.append(f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n')
        lines.append(f"{value}\r\n")
    file = 'Content-Disposition: form-data; name="file"; filename="after.png"'
    lines.append(f"--{_BOUNDARY}\r\n{file}\r\nContent-Type: {TYPE}\r\n\r\n")
    payload = "".join(lines).encode() + picture + f"\r\n--{_BOUNDARY}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    path = urlsplit(form["url"]).path or "/"
    return connection.exchange("POST", path, payload, headers)[0]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
