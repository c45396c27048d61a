"""Open data line by line: GeoReport Bulk's CSV, GeoJSON, GeoJSON lines, KML, GeoRSS.

Pure: takes a request in GeoReport's form (``services.open311.requests``) and returns text. Each
format has a head, a line for each request, and a foot, so that a file of a million requests needs
little memory.

Tests: tests/integration/test_open_data.py
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.input.text import BOM, CSV_MEDIA, no_formula
from chalicelib.domain.open_data.xml_text import Element, legal, written

Request = dict[str, Any]
# http://wiki.open311.org/GeoReport/bulk; the table's names where table and examples differ.
COLUMNS = (
    "service_request_id", "requested_datetime", "updated_datetime", "closed_date",
    "status_description", "status_notes", "source", "service_name", "service_subtype",
    "description", "agency_responsible", "address", "lat", "long",
)  # fmt: skip
_NUMBERS = frozenset({"lat", "long"})
_KML_FOOT = "</Document></kml>"
NEWEST = 100
GEORSS_MEDIA = "application/rss+xml; charset=utf-8"


def bulk(request: Request) -> dict[str, Any]:
    """A request with the columns of GeoReport Bulk."""
    closed = request["updated_datetime"] if request["status"] == "closed" else None
    return {
        **{name: request.get(name) for name in COLUMNS},
        "closed_date": closed,
        "status_description": request["status"],
        "source": None,
        "service_subtype": None,
    }


def georss(requests: Iterable[Request], title: str, link: str) -> Iterator[str]:
    """The newest requests as an RSS 2.0 feed with GeoRSS-Simple points."""
    names = [Element("title", title), Element("link", link), Element("description", title)]
    schema = {"version": "2.0", "xmlns:georss": "http://www.georss.org/georss"}
    feed = Element("rss", [Element("channel", names)], schema)
    foot = "</channel></rss>"
    yield f"{written(feed, declaration=True).removesuffix(foot)}\n"
    for request in requests:
        address = f"{link}/open311/v2/requests/{request['service_request_id']}.json"
        item = [
            Element("guid", request["service_request_id"], {"isPermaLink": "false"}),
            Element("title", f"{legal(request['service_name'])}, {legal(request['address'])}"),
            Element("link", address),
            Element("description", request["description"]),
            Element("georss:point", f"{request['lat']} {request['long']}"),
        ]
        yield f"{written(Element('item', item))}\n"
    yield f"{foot}\n"


def feature(request: Request) -> dict[str, Any]:
    """A request as a GeoJSON feature (RFC 7946)."""
    properties = {name: value for name, value in request.items() if name not in _NUMBERS}
    return {
        "type": "Feature",
        "id": request["service_request_id"],
        "geometry": {"type": "Point", "coordinates": [request["long"], request["lat"]]},
        "properties": properties,
    }


def cell(value: Any) -> str:
    """A text as a CSV cell that no spreadsheet reads as a formula (OWASP, CSV injection)."""
    text = no_formula("" if value is None else str(value))
    quoted = text.replace("\x00", "").replace('"', '""')
    return f'"{quoted}"'


def _csv(row: dict[str, Any]) -> str:
    cells = (str(row[name]) if name in _NUMBERS else cell(row[name]) for name in COLUMNS)
    return ",".join(cells) + "\r\n"


def _placemark(request: Request) -> str:
    names = ("status", "requested_datetime", "updated_datetime", "agency_responsible")
    data = [Element("Data", [Element("value", request[name])], {"name": name}) for name in names]
    parts = [
        Element("name", request["service_name"]),
        Element("description", request["description"]),
        Element("ExtendedData", data),
        Element("Point", [Element("coordinates", f"{request['long']},{request['lat']}")]),
    ]
    return f"{written(Element('Placemark', parts, {'id': 'r' + request['service_request_id']}))}\n"


def _csv_head(title: str) -> str:
    return BOM + ",".join(f'"{name}"' for name in COLUMNS) + "\r\n"


def _geojson_head(title: str) -> str:
    return '{"type":"FeatureCollection","features":['


def _kml_head(title: str) -> str:
    document = Element("Document", [Element("name", title)])
    kml = Element("kml", [document], {"xmlns": "http://www.opengis.net/kml/2.2"})
    return f"{written(kml, declaration=True).removesuffix(_KML_FOOT)}\n"


def _no_head(title: str) -> str:
    return ""


def _json(request: Request) -> str:
    return json.dumps(feature(request), ensure_ascii=False)


@dataclass(frozen=True)
class Format:
    """One format of a month's file: extension, content type, ``head`` for a title, ``row`` for a
    request, what stands between rows, and what ends the file. ``spreadsheet``: whether spreadsheets
    open it; then its texts must pass ``no_formula``."""

    ending: str
    media: str
    spreadsheet: bool
    head: Callable[[str], str]
    row: Callable[[Request], str]
    foot: str = ""
    between: str = ""


FORMATS = {
    "csv": Format(
        "csv", CSV_MEDIA, True, _csv_head, lambda request: _csv(bulk(request))
    ),
    "geojson": Format(
        "geojson", "application/geo+json", False, _geojson_head,
        lambda request: f"\n{_json(request)}", foot="\n]}\n", between=",",
    ),
    "ndjson": Format(
        "ndjson", "application/x-ndjson", False, _no_head, lambda request: f"{_json(request)}\n"
    ),
    "kml": Format(
        "kml", "application/vnd.google-earth.kml+xml", False, _kml_head, _placemark,
        foot=f"{_KML_FOOT}\n",
    ),
}  # fmt: skip
