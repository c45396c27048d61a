"""The public map: reports in a box, near a point, counted in cells, and what changed."""

from chalice.app import Blueprint

from chalicelib.http.router import Answer, Call, Encoded, Operation, route
from chalicelib.routes.schemas import CODE, LAT, LONG
from chalicelib.routes.schemas import maps as schemas
from chalicelib.services.map import changes, heatmap, nearby, viewport

routes = Blueprint(__name__)
_BAD = "unreadable_parameter"
_UNCHANGED = {"description": "What `If-None-Match` names is still right."}


@route(
    routes,
    "GET",
    "/v1/map/reports",
    Operation(
        id="getMapReports",
        summary="Open reports in a box, and closed ones of some months, as lean GeoJSON",
        query={
            "bbox": schemas.VIEW,
            "status": schemas.STATUS,
            "service": CODE,
            "district": CODE,
            "since": schemas.SINCE,
            "closed_from": schemas.CLOSED_FROM,
            "closed_to": schemas.CLOSED_TO,
            "limit": schemas.FEATURES,
        },
        required_query=("bbox",),
        answers={200: schemas.MAP, 304: _UNCHANGED},
        problems=(
            "unknown_jurisdiction",
            "invalid_box",
            "box_too_large",
            "unknown_filter",
            "window_invalid",
        ),
        bad_query=_BAD,
        cache="public, max-age=10",
        etag=True,
        media="application/geo+json",
    ),
)
def map_reports(call: Call) -> Answer:
    """Exact places as GeoJSON, newest first. Above the limit: counts by cell instead."""
    return Answer(
        Encoded(viewport.view(call.jurisdiction, viewport.ViewQuery(**call.query), call.now))
    )


@route(
    routes,
    "GET",
    "/v1/map/nearby",
    Operation(
        id="getMapNearby",
        summary="Open reports around a point, the nearest first",
        query={
            "lat": LAT,
            "long": LONG,
            "radius": schemas.RADIUS,
            "service": CODE,
            "group": CODE,
            "limit": schemas.NEAREST,
        },
        required_query=("lat", "long"),
        answers={200: schemas.NEARBY_REPORTS, 304: _UNCHANGED},
        problems=("unknown_jurisdiction", "circle_too_wide", "unknown_filter"),
        bad_query=_BAD,
        cache="public, max-age=10",
        etag=True,
    ),
)
def map_nearby(call: Call) -> Answer:
    """At most ``limit`` open reports within ``radius`` metres of the point."""
    return Answer(nearby.around(call.jurisdiction, nearby.NearbyQuery(**call.query), call.now))


@route(
    routes,
    "GET",
    "/v1/map/cells",
    Operation(
        id="getMapCells",
        summary="How many reports each cell of the map has, and each district",
        query={
            "z": schemas.ZOOM,
            "bbox": schemas.BBOX,
            "from": schemas.FROM,
            "to": schemas.TO,
            "service": CODE,
            "status": schemas.OPEN_OR_CLOSED,
        },
        answers={200: schemas.CELLS, 304: _UNCHANGED},
        problems=(
            "unknown_jurisdiction",
            "missing_parameter",
            "invalid_box",
            "unknown_filter",
            "window_invalid",
            "too_many_cells",
        ),
        bad_query=_BAD,
        cache="public, max-age=30",
        etag=True,
    ),
)
def map_cells(call: Call) -> Answer:
    """Counts for a heat map and for districts, from counters: quick for any window of time."""
    query = call.query
    heat_query = heatmap.HeatQuery(
        zoom=query["z"],
        bbox=query.get("bbox"),
        first=query.get("from"),
        last=query.get("to"),
        service=query.get("service"),
        status=query.get("status"),
    )
    return Answer(heatmap.cells(call.jurisdiction, heat_query, call.now))


@route(
    routes,
    "GET",
    "/v1/changes",
    Operation(
        id="getChanges",
        summary="What changed on the map since a cursor",
        query={"since": schemas.CHANGES_SINCE},
        answers={200: schemas.CHANGES, 304: _UNCHANGED},
        problems=("unknown_jurisdiction", "cursor_invalid", "cursor_expired"),
        bad_query=_BAD,
        cache="no-cache",
        etag=True,
    ),
)
def get_changes(call: Call) -> Answer:
    """Reports to draw again and reports to remove, in any order, and the next cursor. Without
    ``since``: only a cursor to start from."""
    return Answer(Encoded(changes.since(call.jurisdiction, call.query.get("since"), call.now)))
