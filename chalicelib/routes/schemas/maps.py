"""What the map asks and answers."""

from chalicelib.routes.schemas.blocks import (
    CODE,
    COUNT,
    ID,
    LAT,
    LONG,
    MONTH,
    NUMBER,
    STATE,
    STATES,
    TRUE,
    Schema,
    many,
    maybe,
    record,
)
from chalicelib.services.map.parameters import limits

_MOST = limits()

BBOX: Schema = {
    "type": "string",
    "maxLength": 100,
    "x-verbatim": True,
    "description": "`west,south,east,north` in degrees, as in RFC 7946.",
}
VIEW: Schema = {**BBOX, "description": f"{BBOX['description']} Each side at most "
                f"{_MOST['box_degrees']}° (the view of zoom 14)."}  # fmt: skip
STATUS: Schema = {
    "type": "string",
    "enum": ["open", *STATES],
    "description": "`open`, or one state; `closed` needs `closed_from`.",
}
OPEN_OR_CLOSED: Schema = {
    "type": "string",
    "enum": ["open", "closed"],
    "description": "As it is now; all, if left out.",
}
SINCE: Schema = {
    "type": "string",
    "format": "date-time",
    "x-verbatim": True,
    "description": "Filed then or later.",
}
CLOSED_FROM: Schema = {
    **MONTH,
    "description": "Closed reports too, of those closed in this month (YYYYMM) …",
}
CLOSED_TO: Schema = {
    **MONTH,
    "description": f"… to this one; at most {_MOST['closed_months']} months. One month without.",
}
FEATURES: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": _MOST["features"],
    "default": _MOST["features"],
    "description": "More than this many are answered as counts.",
}
RADIUS: Schema = {
    "type": "number",
    "minimum": 1,
    "maximum": _MOST["radius_m"],
    "default": 250,
    "description": "Metres.",
}
NEAREST: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": _MOST["nearest"],
    "default": 50,
}
ZOOM: Schema = {
    "type": "integer",
    "minimum": 0,
    "maximum": 16,
    "default": 16,
    "description": "The zoom of the web-mercator cells.",
}
DAY: Schema = {"type": "string", "format": "date", "x-verbatim": True}
FROM: Schema = {**DAY, "description": "Filed on this day of the city or later; ever, without."}
TO: Schema = {
    **DAY,
    "description": f"Filed on this day or earlier; today, without. At most {_MOST['window_days']} "
    "days.",
}
CHANGES_SINCE: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 4000,
    "x-verbatim": True,
    "description": "A cursor of this operation or of `GET /v1/map/reports`.",
}

_CELLS = {
    "type": "array",
    "items": {"type": "array", "items": COUNT, "minItems": 3, "maxItems": 3},
    "description": "[x, y, reports]",
}
_COUNTED = record("CountedCells", {"z": COUNT, "cells": _CELLS})
_POINT = record(
    "Point",
    {
        "type": {"const": "Point"},
        "coordinates": {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2},
    },
)
_FEATURE = record(
    "ReportFeature",
    {
        "type": {"const": "Feature"},
        "id": ID,
        "geometry": _POINT,
        "properties": record(
            "ReportProperties",
            {"state": STATE, "service": CODE, "late": TRUE},
            optional=("late",),
        ),
    },
)
_CURSOR = {"type": "string"}
MAP = record(
    "MapReports",
    {
        "type": {"const": "FeatureCollection"},
        "features": many(_FEATURE, _MOST["features"]),
        "truncated": TRUE,
        "cells": _COUNTED,
        "changes": _CURSOR,
    },
    optional=("truncated", "cells"),
)
_NEAR = record(
    "NearbyReport",
    {
        "id": ID,
        "service": CODE,
        "state": STATE,
        "distance_m": COUNT,
        "lat": LAT,
        "long": LONG,
        "late": TRUE,
    },
    optional=("late",),
)
NEARBY_REPORTS = record(
    "NearbyReports",
    {"reports": many(_NEAR, _MOST["nearest"]), "truncated": TRUE},
    optional=("truncated",),
)
CELLS = record(
    "MapCells",
    {
        "z": COUNT,
        "from": maybe(DAY),
        "to": maybe(DAY),
        "total": COUNT,
        "cells": _CELLS,
        "districts": {
            "type": "array",
            "items": {
                "type": "array",
                "items": {"type": ["string", "integer"]},
                "minItems": 2,
                "maxItems": 2,
            },
            "description": "[code, reports]",
        },
    },
)
CHANGES = record(
    "Changes",
    {
        "cursor": _CURSOR,
        "upsert": many(_FEATURE, 5000),
        "remove": many(ID, 5000),
        "more": TRUE,
    },
    optional=("more",),
)
