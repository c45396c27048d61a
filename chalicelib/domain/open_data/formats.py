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
from xml.sax.saxutils import quoteattr

from chalicelib.domain.input.text import BOM, CSV_MEDIA, no_formula
from chalicelib.domain.open_data.xml_text import for_xml

Request = dict[str, Any]
# http://wiki.open311.org/GeoReport/bulk; the table's names where table and examples differ.
COLUMNS = (
    "service_request_id", "requested_datetime", "updated_datetime", "closed_date",
    "status_description", "status_notes", "source", "service_name", "service_subtype",
    "description", "agency_responsible", "address", "lat", "long",
)  # fmt: skip
_NUMBERS = frozenset({"lat", "long"})
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
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield '<rss version="2.0" xmlns:georss="http://www.georss.org/georss"><channel>'
    yield f"<title>{for_xml(title)}</title><link>{for_xml(link)}</link>"
    yield f"<description>{for_xml(title)}</description>\n"
    for request in requests:
        address = f"{link}/open311/v2/requests/{request['service_request_id']}.json"
        yield (
            f"<item><guid isPermaLink={quoteattr('false')}>{request['service_request_id']}</guid>"
            f"<title>{for_xml(request['service_name'])}, {for_xml(request['address'])}</title>"
            f"<link>{for_xml(address)}</link>"
            f"<description>{for_xml(request['description'])}</description>"
            f"<georss:point>{request['lat']} {request['long']}</georss:point></item>\n"
        )
    yield "</channel></rss>\n"


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
    values = {name: request[name] for name in ("status", "requested_datetime", "updated_datetime",
                                          "agency_responsible")}  # fmt: skip
    data = "".join(
        f"<Data name={quoteattr(name)}><value>{for_xml(value)}</value></Data>"
        for name, value in values.items()
    )
    return (
        f"<Placemark id={quoteattr('r' + request['service_request_id'])}>"
        f"<name>{for_xml(request['service_name'])}</name>"
        f"<description>{for_xml(request['description'])}</description>"
        f"<ExtendedData>{data}</ExtendedData>"
        f"<Point><coordinates>{request['long']},{request['lat']}</coordinates></Point></Placemark>\n"
    )


def _csv_head(title: str) -> str:
    return BOM + ",".join(f'"{name}"' for name in COLUMNS) + "\r\n"


def _geojson_head(title: str) -> str:
    return '{"type":"FeatureCollection","features":['


def _kml_head(title: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">'
        f"<Document><name>{for_xml(title)}</name>\n"
    )


def _no_head(title: str) -> str:
    return ""


def _json(request: Request) -> str:
    return json.dumps(feature(request), ensure_ascii=False)


@dataclass(frozen=True)
class Format:
    """One format of a month's file, whole: extension, content type, ``head`` for a title, ``row``
    for a request, what stands between rows, and what ends the file."""

    ending: str
    media: str
    head: Callable[[str], str]
    row: Callable[[Request], str]
    foot: str = ""
    between: str = ""


FORMATS = {
    "csv": Format("csv", CSV_MEDIA, _csv_head, lambda one: _csv(bulk(one))),
    "geojson": Format(
        "geojson", "application/geo+json", _geojson_head, lambda one: f"\n{_json(one)}",
        foot="\n]}\n", between=",",
    ),
    "ndjson": Format("ndjson", "application/x-ndjson", _no_head, lambda one: f"{_json(one)}\n"),
    "kml": Format(
        "kml", "application/vnd.google-earth.kml+xml", _kml_head, _placemark,
        foot="</Document></kml>\n",
    ),
}  # fmt: skip
