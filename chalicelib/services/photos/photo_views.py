"""The pictures of a report as its audience sees them: by signed addresses, good for minutes."""

from typing import Any

from chalicelib.domain import photos
from chalicelib.domain.photos import PENDING, READY
from chalicelib.domain.report import Report
from chalicelib.services.photos.storage_keys import Files
from chalicelib.services.platform import urls
from chalicelib.storage import reports


def for_public(report: Report) -> list[dict[str, Any]]:
    """What may be seen, and what will be shortly; what is hidden or refused is not there."""
    return [one for one in for_officials(report) if one["state"] in (PENDING, READY)]


def for_officials(report: Report) -> list[dict[str, Any]]:
    """Every picture with its state; ``small`` and ``large`` where it may be seen."""
    return [
        _picture(report, photo, kind, picture) for photo, kind, picture in photos.listed(report)
    ]


def permanent_address(jurisdiction: str, report: str, photo: str | None) -> str | None:
    """An address that lasts and leads to the picture for as long as it may be seen."""
    return urls.in_city(jurisdiction, f"/open311/v2/media/{report}-{photo}.webp") if photo else None


def current_address(jurisdiction: str, report: str, photo: str) -> str | None:
    """Where a public picture lies at the moment; ``None`` if nobody may see it."""
    head = reports.get(jurisdiction, report)
    if head is None or head.hidden:
        return None
    shown = {one["id"]: one["large"] for one in for_public(head)}
    return shown[photo]["url"] if shown.get(photo) else None


def _picture(report: Report, photo: str, kind: str, picture: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"small": None, "large": None}
    if picture["state"] == READY:
        held = Files(report.jurisdiction, photo, picture["cut"])
        shown = held.shown(picture["rev"], picture["width"], picture["height"])
    return {
        "id": photo,
        "kind": kind,
        "state": picture["state"],
        "width": picture.get("width"),
        "height": picture.get("height"),
        **shown,
    }
