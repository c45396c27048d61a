"""Where a photo's files lie in the bucket, and the addresses of what may be seen of it.

    quarantine/<city>/<photo>            the upload; a day at most
    evidence/<city>/<photo>              the original, where a deployment keeps it; 30 days
    masters/<city>/<photo>/<rev>.jpg     2048 pixels, never served
    photos/<city>/<photo>/<rev>/1280.webp, 320.webp

A revision is never written twice with other contents, and is deleted when a newer one is made.
"""

from typing import Any

from chalicelib.domain.pictures import LARGE, SMALL, fitted
from chalicelib.storage import files


def quarantined(jurisdiction: str, photo: str) -> str:
    """Where a photo's upload lies."""
    return f"quarantine/{jurisdiction}/{photo}"


def original(jurisdiction: str, photo: str) -> str:
    """Where the upload is kept as evidence."""
    return f"evidence/{jurisdiction}/{photo}"


def master(jurisdiction: str, photo: str, rev: int) -> str:
    """Where the picture lies from which the others are made anew."""
    return f"masters/{jurisdiction}/{photo}/{rev}.jpg"


def served(jurisdiction: str, photo: str, rev: int, side: int) -> str:
    """Where a picture to be seen lies."""
    return f"photos/{jurisdiction}/{photo}/{rev}/{side}.webp"


def by_name(jurisdiction: str, photo: str, rev: int) -> dict[str, str]:
    """{name of a rendition (``imaging.workshop``): its key}."""
    return {
        "master.jpg": master(jurisdiction, photo, rev),
        **{f"{side}.webp": served(jurisdiction, photo, rev, side) for side in (LARGE, SMALL)},
    }


def rendition(
    jurisdiction: str, photo: str, rev: int, width: int, height: int
) -> dict[str, dict[str, Any]]:
    """{"small", "large"}: a signed address each, with its width and height."""
    found = {}
    for name, side in (("small", SMALL), ("large", LARGE)):
        wide, high = fitted(width, height, side)
        url = files.address(served(jurisdiction, photo, rev, side))
        found[name] = {"url": url, "width": wide, "height": high}
    return found
