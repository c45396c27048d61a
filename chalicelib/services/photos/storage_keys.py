"""Keys of a photo's files in the bucket, and signed URLs of its renditions.

    quarantine/<city>/<photo>                  the upload; a day at most
    evidence/<city>/<photo>                    the original, where a deployment keeps it; 30 days
    masters/<city>/<photo>/<cut>/<rev>.jpg     2048 pixels, never served
    photos/<city>/<photo>/<cut>/<rev>/1280.webp, 320.webp, and 1280.jpg for Open311

The files of a revision never change; they are deleted when a newer revision is made. ``cut``
identifies the upload: if two files are uploaded with one form, each has its own.

Tests: tests/integration/test_photos.py
"""

import hashlib
from dataclasses import dataclass

from chalicelib.domain.photo_sizes import LARGE, SMALL, fitted
from chalicelib.services.platform.answer_types import Rendition, Renditions
from chalicelib.storage import files

MASTER_NAME = "master.jpg"
# Clients of Open311 show JPEG; FixMyStreet accepts only JPEG.
JPEG_NAME = f"{LARGE}.jpg"
ORIGINALS_FOLDER = "evidence"


def quarantined(jurisdiction: str, photo: str) -> str:
    """The key of a photo's upload."""
    return f"quarantine/{jurisdiction}/{photo}"


def original(jurisdiction: str, photo: str) -> str:
    """The key under which the upload is kept as evidence."""
    return f"{ORIGINALS_FOLDER}/{jurisdiction}/{photo}"


def cut_of(photo: str, sha256: str) -> str:
    """The part of the keys that identifies the upload."""
    return hashlib.sha256(f"{photo}|{sha256}".encode()).hexdigest()[:16]


def forget(jurisdiction: str, photo: str) -> None:
    """Delete all files of a photo, from upload to renditions, with all object versions."""
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
        """The key of the master, from which new revisions are made."""
        return f"masters/{self.jurisdiction}/{self.photo}/{self.cut}/{rev}.jpg"

    def served(self, rev: int) -> dict[str, str]:
        """{name of a public rendition: its key}."""
        folder = f"photos/{self.jurisdiction}/{self.photo}/{self.cut}/{rev}"
        names = (_webp(LARGE), _webp(SMALL), JPEG_NAME)
        return {name: f"{folder}/{name}" for name in names}

    def by_name(self, rev: int) -> dict[str, str]:
        """{name of a rendition (``imaging.sandbox``): its key}."""
        return {MASTER_NAME: self.master(rev), **self.served(rev)}

    def jpeg_address(self, rev: int) -> str:
        """The signed URL of the JPEG."""
        return files.address(self.served(rev)[JPEG_NAME])

    def shown(self, rev: int, width: int, height: int) -> Renditions:
        """{"small", "large"}: the signed URL of each rendition, with its width and height."""
        return {
            "small": self._rendition(rev, width, height, SMALL),
            "large": self._rendition(rev, width, height, LARGE),
        }

    def _rendition(self, rev: int, width: int, height: int, side: int) -> Rendition:
        wide, high = fitted(width, height, side)
        url = files.address(self.served(rev)[_webp(side)])
        return {"url": url, "width": wide, "height": high}


def _webp(side: int) -> str:
    return f"{side}.webp"
