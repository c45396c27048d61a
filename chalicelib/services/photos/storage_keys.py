"""Where a photo's files lie in the bucket, and the addresses of what may be seen of it.

    quarantine/<city>/<photo>                  the upload; a day at most
    evidence/<city>/<photo>                    the original, where a deployment keeps it; 30 days
    masters/<city>/<photo>/<cut>/<rev>.jpg     2048 pixels, never served
    photos/<city>/<photo>/<cut>/<rev>/1280.webp, 320.webp

A revision is never written twice with other contents, and is deleted when a newer one is made. The
cut stands for the upload that was made: of two that were sent with one form, each has its own.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.photos import LARGE, SMALL, fitted
from chalicelib.storage import files

MASTER_NAME = "master.jpg"
ORIGINALS_FOLDER = "evidence"


def quarantined(jurisdiction: str, photo: str) -> str:
    """Where a photo's upload lies."""
    return f"quarantine/{jurisdiction}/{photo}"


def original(jurisdiction: str, photo: str) -> str:
    """Where the upload is kept as evidence."""
    return f"{ORIGINALS_FOLDER}/{jurisdiction}/{photo}"


def cut_of(photo: str, sha256: str) -> str:
    """The name of what is made of one upload."""
    return hashlib.sha256(f"{photo}|{sha256}".encode()).hexdigest()[:16]


def forget(jurisdiction: str, photo: str) -> None:
    """Delete all files of a photo for good, from upload to renditions, in every version."""
    files.delete_all(quarantined(jurisdiction, photo))
    files.delete_all(original(jurisdiction, photo))
    for folder in ("masters", "photos"):
        files.delete_all(f"{folder}/{jurisdiction}/{photo}/")


@dataclass(frozen=True)
class Files:
    """The files made of one upload of a photo."""

    jurisdiction: str
    photo: str
    cut: str

    def master(self, rev: int) -> str:
        """Where the picture lies from which the others are made anew."""
        return f"masters/{self.jurisdiction}/{self.photo}/{self.cut}/{rev}.jpg"

    def served(self, rev: int) -> dict[int, str]:
        """{side: where the picture lies that may be seen}."""
        folder = f"photos/{self.jurisdiction}/{self.photo}/{self.cut}/{rev}"
        return {side: f"{folder}/{side}.webp" for side in (LARGE, SMALL)}

    def by_name(self, rev: int) -> dict[str, str]:
        """{name of a rendition (``imaging.sandbox``): its key}."""
        shown = {f"{side}.webp": key for side, key in self.served(rev).items()}
        return {MASTER_NAME: self.master(rev), **shown}

    def shown(self, rev: int, width: int, height: int) -> dict[str, dict[str, Any]]:
        """{"small", "large"}: a signed address each, with its width and height."""
        found = {}
        for name, side in (("small", SMALL), ("large", LARGE)):
            wide, high = fitted(width, height, side)
            url = files.address(self.served(rev)[side])
            found[name] = {"url": url, "width": wide, "height": high}
        return found
