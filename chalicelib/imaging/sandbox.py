"""Processes photos in a separate process: a photo that breaks a decoder breaks nothing else.

That process has no credentials that an attacker could take (docs/decisions/photo-process.md).
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.domain.row_types import PhotoFacts
from chalicelib.imaging.refusals import TOO_HEAVY, UNDECODABLE, PhotoRefused

SECONDS = 25
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG")
_NAMES = {
    "master.jpg": "image/jpeg",
    "1280.jpg": "image/jpeg",
    "1280.webp": "image/webp",
    "320.webp": "image/webp",
}


@dataclass(frozen=True)
class ProcessedPhoto:
    """The renditions by name, the master's size, its perceptual hash, and the metadata."""

    files: dict[str, bytes]
    width: int
    height: int
    likeness: str | None
    facts: PhotoFacts


def media_type(name: str) -> str:
    """The media type of a rendition."""
    return _NAMES[name]


def develop(data: bytes, declared: str) -> ProcessedPhoto:
    """The renditions of an upload that was declared as ``image/…``. Raises ``PhotoRefused``.

    Raises ``RuntimeError`` if the codecs are missing, which is not the photo's fault.
    """
    return _run({"task": "develop", "type": declared}, data)


def redraw(master: bytes, rectangles: list[list[int]]) -> ProcessedPhoto:
    """New renditions of a master, with rectangles (in thousandths of its size) blurred.

    Raises ``PhotoRefused``.
    """
    return _run({"task": "redraw", "rectangles": rectangles}, master)


def _run(job: dict[str, Any], data: bytes) -> ProcessedPhoto:
    with tempfile.TemporaryDirectory(prefix="photo-") as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps(job))
        (folder / "input").write_bytes(data)
        _wait_for(folder)
        result = json.loads((folder / "result.json").read_text())
        if "refused" in result:
            raise PhotoRefused(result["refused"])
        files = {name: (folder / name).read_bytes() for name in _NAMES}
    return ProcessedPhoto(files=files, **result)


def _wait_for(folder: Path) -> None:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # In Lambda the code, its libraries and the layer lie in different folders.
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    # ``-S``: all paths are given above, so Python need not look for more of them.
    command = [sys.executable, "-S", "-m", "chalicelib.imaging", str(folder)]
    errors = folder / "errors"
    try:
        with errors.open("wb") as stderr:
            done = subprocess.run(  # noqa: S603 - our own program and our own folder
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                timeout=SECONDS,
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise PhotoRefused(TOO_HEAVY) from None
    if -done.returncode in (signal.SIGXCPU, signal.SIGKILL):
        raise PhotoRefused(TOO_HEAVY)
    if done.returncode < 0:
        raise PhotoRefused(UNDECODABLE)  # The photo crashed the decoder.
    if done.returncode > 0:
        last = errors.read_text("utf-8", "replace").strip().rpartition("\n")[2]
        raise RuntimeError(f"the process for photos does not run here: {last[:200]}")
