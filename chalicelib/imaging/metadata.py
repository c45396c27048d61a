"""Reads when and where a photo was taken from its metadata, before that is dropped.

Everything comes from the uploader's file; values that do not parse are left out.
"""

import math
import re
from typing import TYPE_CHECKING, Any, cast

from PIL import ExifTags, Image

if TYPE_CHECKING:
    from chalicelib.domain.row_types import PhotoFacts

_WHEN = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"[+-]\d\d:\d\d")
_UNREADABLE = (ArithmeticError, LookupError, OSError, SyntaxError, TypeError, ValueError)


def read(image: Image.Image) -> "PhotoFacts":
    """Time and place of a photo; values that are missing are left out.

    ``{"taken": "2024-05-01T10:20:30", "offset": "+07:00", "lat": …, "long": …}``. ``taken`` is
    local time; without ``offset`` its zone is unknown. The place is in WGS84 degrees; 0, 0 is left
    out, because phones without a position write it. Exif 2.32, 4.6.5 and 4.6.6.
    """
    try:
        exif = image.getexif()
        known = {**_time(exif.get_ifd(ExifTags.IFD.Exif)), **_place(exif)}
        return cast("PhotoFacts", known)
    except _UNREADABLE:
        return {}


def _time(exif: dict[int, Any]) -> dict[str, str]:
    match = _WHEN.match(str(exif.get(ExifTags.Base.DateTimeOriginal, "")))
    if not match:
        return {}
    year, month, day, hour, minute, second = match.groups()
    taken = {"taken": f"{year}-{month}-{day}T{hour}:{minute}:{second}"}
    offset = str(exif.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\x00 ")
    return {**taken, "offset": offset} if _OFFSET.fullmatch(offset) else taken


def _place(exif: Image.Exif) -> dict[str, float]:
    try:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        lat = _degrees(gps[ExifTags.GPS.GPSLatitude], gps.get(ExifTags.GPS.GPSLatitudeRef), "S")
        long = _degrees(gps[ExifTags.GPS.GPSLongitude], gps.get(ExifTags.GPS.GPSLongitudeRef), "W")
    except _UNREADABLE:
        return {}
    fits = abs(lat) <= 90 and abs(long) <= 180 and (abs(lat) > 1e-4 or abs(long) > 1e-4)
    return {"lat": round(lat, 7), "long": round(long, 7)} if fits else {}


def _degrees(value: Any, side: Any, negative: str) -> float:
    degrees, minutes, seconds = (float(part) for part in value)
    if math.isnan(total := degrees + minutes / 60 + seconds / 3600):
        raise ValueError("no number")
    side = side.decode("ascii", "replace") if isinstance(side, bytes) else str(side)
    return -total if side.strip("\x00 ").upper() == negative else total
