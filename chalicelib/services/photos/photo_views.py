"""The pictures of a report for each audience, with signed URLs that are valid for minutes.

Tests: tests/integration/test_photos.py
"""

from chalicelib.domain import photos
from chalicelib.domain.photos import PENDING, READY
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import Picture
from chalicelib.services.photos.storage_keys import Files
from chalicelib.services.platform import urls
from chalicelib.services.platform.answer_types import PictureView, Renditions
from chalicelib.storage import reports


def for_public(report: Report) -> list[PictureView]:
    """Pictures that can be seen or will be soon; without hidden and refused ones."""
    return [view for view in for_officials(report) if view["state"] in (PENDING, READY)]


def for_officials(report: Report) -> list[PictureView]:
    """Every picture with its state; with ``small`` and ``large`` if it can be seen."""
    return [
        _picture(report, photo, kind, picture) for photo, kind, picture in photos.listed(report)
    ]


def permanent_address(jurisdiction: str, report: str, photo: str | None) -> str | None:
    """A URL that does not expire and redirects to the picture as long as it can be seen."""
    return urls.in_city(jurisdiction, f"/open311/v2/media/{report}-{photo}.jpg") if photo else None


def current_address(jurisdiction: str, report: str, photo: str, *, jpeg: bool) -> str | None:
    """The signed URL of a public picture; ``None`` if it cannot be seen.

    It is a JPEG if that is asked for and the picture has one; pictures of older versions are WebP.
    """
    head = reports.get(jurisdiction, report)
    if head is None or head.hidden or photo not in photos.ready(head):
        return None
    picture = head.pictures[photo]
    held, rev = Files(jurisdiction, photo, picture["cut"]), picture["rev"]
    if jpeg and picture.get("jpeg"):
        return held.jpeg_address(rev)
    return held.shown(rev, picture["width"], picture["height"])["large"]["url"]


def _picture(report: Report, photo: str, kind: str, picture: Picture) -> PictureView:
    shown: Renditions | None = None
    if picture["state"] == READY:
        renditions = Files(report.jurisdiction, photo, picture["cut"])
        shown = renditions.shown(picture["rev"], picture["width"], picture["height"])
    return {
        "id": photo,
        "kind": kind,
        "state": picture["state"],
        "width": picture.get("width"),
        "height": picture.get("height"),
        "small": shown["small"] if shown else None,
        "large": shown["large"] if shown else None,
    }
