"""Writers for a month's files: text formats line by line, and a zipped shapefile.

Tests: tests/integration/test_open_data.py
"""

import tempfile
import zipfile
from typing import Any, Protocol

from chalicelib.domain.open_data.formats import FORMATS, Format, Request

# WGS 84, as Esri writes it.
_PROJECTION = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
# dBASE names have ten characters: (name, GeoReport's, width).
_FIELDS = (
    ("request_id", "service_request_id", 26),
    ("requested", "requested_datetime", 20),
    ("updated", "updated_datetime", 20),
    ("status", "status", 6),
    ("notes", "status_notes", 20),
    ("service", "service_name", 80),
    ("agency", "agency_responsible", 120),
    ("address", "address", 200),
    ("descriptio", "description", 254),
)


class File(Protocol):
    """A file to which requests are added; ``finish`` returns it open, positioned at its end."""

    name: str
    media: str

    def add(self, request: Request) -> None:
        """Write one more request."""

    def finish(self) -> Any:
        """Write what comes last."""


class Text:
    """A text file in one of the formats of ``domain.open_data.formats``."""

    def __init__(self, form: Format, stem: str, title: str) -> None:
        self.name = f"{stem}.{form.ending}"
        self.media = form.media
        self._form, self._first = form, True
        self._file = _file()
        self._file.write(form.head(title).encode())

    def add(self, request: Request) -> None:
        """Write one more request."""
        between = "" if self._first else self._form.between
        self._file.write(f"{between}{self._form.row(request)}".encode())
        self._first = False

    def finish(self) -> Any:
        """Write what comes last."""
        self._file.write(self._form.foot.encode())
        return self._file


class Shape:
    """A zipped shapefile of points (Esri, 1998); dBASE cuts texts at 254 bytes."""

    media = "application/zip"

    def __init__(self, stem: str) -> None:
        import shapefile

        self.name = f"{stem}.shp.zip"
        self._stem = stem
        self._parts = {end: _file() for end in ("shp", "shx", "dbf")}
        self._writer = shapefile.Writer(
            **self._parts, shapeType=shapefile.POINT, encoding="utf-8", encodingErrors="ignore"
        )
        for name, _, width in _FIELDS:
            self._writer.field(name, "C", size=width)

    def add(self, request: Request) -> None:
        """Write one more request."""
        self._writer.point(request["long"], request["lat"])
        self._writer.record(*(_cut(request[name], width) for _, name, width in _FIELDS))

    def finish(self) -> Any:
        """Pack the parts."""
        self._writer.close()
        packed = _file()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for end, part in self._parts.items():
                part.seek(0)
                with archive.open(f"{self._stem}.{end}", "w", force_zip64=True) as inner:
                    while piece := part.read(1 << 20):
                        inner.write(piece)
                part.close()
            archive.writestr(f"{self._stem}.prj", _PROJECTION)
            archive.writestr(f"{self._stem}.cpg", "UTF-8")
        packed.seek(0, 2)
        return packed


def every(stem: str, title: str) -> list[File]:
    """One file for each format."""
    return [*(Text(form, stem, title) for form in FORMATS.values()), Shape(stem)]


def _file() -> Any:
    return tempfile.TemporaryFile()


def _cut(value: Any, width: int) -> str:
    text = "" if value is None else str(value).replace("\x00", "")
    # dBASE pads with spaces, so those at the end are lost anyway; the writer would warn of it.
    return text.encode()[:width].decode("utf-8", "ignore").rstrip(" ")
