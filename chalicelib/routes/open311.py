"""GeoReport v2 (http://wiki.open311.org/GeoReport_v2): the same city for every Open311 client."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chalice.app import Blueprint, Response

from chalicelib import ids
from chalicelib.domain.open311.georeport import InvalidArgument
from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.http import router
from chalicelib.http.georeport import Faults, GeoReportCall, route
from chalicelib.http.georeport_openapi import Described, declare_redirect
from chalicelib.pages import key_page
from chalicelib.routes.schemas import georeport
from chalicelib.services.city import cities
from chalicelib.services.identity import api_keys
from chalicelib.services.open311 import (
    attachments,
    attributes,
    post,
    requests,
    service_list,
    updates,
)
from chalicelib.services.photos import photo_views
from chalicelib.services.platform.idempotency import Outcome
from chalicelib.settings import settings

routes = Blueprint(__name__)
_V2 = "/open311/v2"
_SERVED = service_list.jurisdictions
_FILTERS = (
    "service_request_id", "service_code", "start_date", "end_date", "status", "updated_after",
    "updated_before", "page", "page_size", "per_page", "lat", "long", "radius", "bbox",
    "extensions",
)  # fmt: skip
_MEDIA = re.compile(rf"({ids.PATTERN})-({ids.PATTERN})\.(jpg|webp)")


@route(
    routes,
    "GET",
    "/open311/discovery",
    "discovery",
    None,
    Described("getOpen311Discovery", "Where Open311's endpoints are", georeport.DISCOVERY),
)
def discover(call: GeoReportCall) -> Any:
    """Where the API is, for every city of the deployment or for one."""
    return service_list.discovery(call.jurisdiction)


@router.route(
    routes,
    "GET",
    "/open311/keys",
    router.Operation(
        id="getKeyHelp",
        summary="How the developer of an app gets an API key for Open311",
        cache="public, max-age=30",
        media="text/html",
    ),
)
def get_key_help(call: router.Call) -> router.Answer:
    """A page in the reader's language; the discovery document links to it."""
    body, headers = key_page.answer(call.jurisdiction, call.languages, call.now)
    return router.Answer(body, headers=headers)


@route(
    routes,
    "GET",
    f"{_V2}/services",
    "services",
    _SERVED,
    Described("listOpen311Services", "All services", georeport.SERVICES, query=("locale",)),
)
def list_services(call: GeoReportCall) -> Any:
    """All services in one answer: clients delete services that are missing."""
    return service_list.services(cities.current(call.jurisdiction, call.now), call.languages)


@route(
    routes,
    "GET",
    f"{_V2}/services/{{name}}",
    "service_definition",
    _SERVED,
    Described("getOpen311Service", "What a service asks", georeport.DEFINITION, query=("locale",)),
)
def get_service(call: GeoReportCall) -> Any:
    """What a service asks."""
    city = cities.current(call.jurisdiction, call.now)
    return service_list.definition(city, call.path_id, call.languages)


@route(
    routes,
    "GET",
    f"{_V2}/requests",
    "service_requests",
    _SERVED,
    Described(
        "listOpen311Requests",
        "Requests of a period, newest first",
        georeport.REQUESTS,
        query=(*_FILTERS, "locale"),
    ),
)
def list_requests(call: GeoReportCall) -> Any:
    """The requests of a window."""
    city = cities.current(call.jurisdiction, call.now)
    filters = {name: call.get(name) for name in _FILTERS}
    return requests.search(city, filters, call.now, call.languages)


@route(
    routes,
    "POST",
    f"{_V2}/requests",
    "service_requests",
    _SERVED,
    Described(
        "postOpen311Request",
        "File a request, with a key",
        georeport.CREATED,
        form=georeport.NEW_REQUEST,
        required=("api_key", "service_code"),
    ),
)
def post_request(call: GeoReportCall) -> Any:
    """File a request, with a key."""
    city = cities.current(call.jurisdiction, call.now)
    arguments = {name: texts for name, texts in call.arguments.items() if name != "api_key"}
    uploads = [file.data for file in call.files]

    def attempt(actor: Principal) -> Outcome:
        return post.file(actor, city, arguments, uploads, call.ip, call.now)

    with _each_fault():
        return _counted(call, attempt).answer["requests"]


@route(
    routes,
    "GET",
    f"{_V2}/requests/{{name}}",
    "service_requests",
    _SERVED,
    Described(
        "getOpen311Request",
        "One request of any age",
        georeport.REQUESTS,
        query=("extensions", "locale"),
    ),
)
def get_request(call: GeoReportCall) -> Any:
    """One request."""
    extensions = call.get("extensions")
    return requests.request(call.jurisdiction, call.path_id, extensions, call.languages)


@route(
    routes,
    "GET",
    f"{_V2}/tokens/{{name}}",
    "service_requests",
    _SERVED,
    Described("getOpen311Token", "The id for a token", georeport.TOKEN),
)
def get_token(call: GeoReportCall) -> Any:
    """The id behind a token."""
    return requests.token(call.jurisdiction, call.path_id)


@route(
    routes,
    "GET",
    f"{_V2}/servicerequestupdates",
    "service_request_updates",
    _SERVED,
    Described(
        "listOpen311Updates",
        "Updates of a period",
        georeport.UPDATES,
        query=("start_date", "end_date"),
    ),
)
def list_updates(call: GeoReportCall) -> Any:
    """What happened to requests."""
    city = cities.current(call.jurisdiction, call.now)
    return updates.listed(city, call.get("start_date"), call.get("end_date"), call.now)


@route(
    routes,
    "POST",
    f"{_V2}/servicerequestupdates",
    "service_request_updates",
    _SERVED,
    Described(
        "postOpen311Update",
        "What somebody says of a request, with the key that filed it",
        georeport.UPDATED,
        form=georeport.NEW_UPDATE,
        required=(
            "api_key",
            "service_request_id",
            "update_id",
            "status",
            "updated_datetime",
            "description",
        ),
    ),
)
def post_update(call: GeoReportCall) -> Any:
    """An update from another system about a request that it sent, with a key."""
    pictures = attachments.read([file.data for file in call.files], call.arguments)
    wordless = "description" in call.arguments and not call.get("description")
    further = attributes.others(attributes.read(call.arguments, []))

    def attempt(actor: Principal) -> Outcome:
        return updates.receive(
            actor, call.get, call.now, pictures, wordless=wordless, further=further
        )

    with _each_fault():
        return _counted(call, attempt).answer["updates"]


def _counted(call: GeoReportCall, attempt: Callable[[Principal], Outcome]) -> Outcome:
    key = call.get("api_key")
    return api_keys.run_with_key(call.jurisdiction, key, call.now, attempt)


@contextmanager
def _each_fault() -> Iterator[None]:
    """Turn the faults of a form into one refusal that lists them all."""
    try:
        yield
    except ExceptionGroup as group:
        faults = {
            exception.field: str(exception)
            for exception in group.exceptions
            if isinstance(exception, InvalidArgument)
        }
        raise Faults(faults) from None


@routes.route(f"{_V2}/media/{{name}}", methods=["GET"], name="getMedia")
def get_media(name: str) -> Response:
    """Redirects to the picture of a ``media_url``, as long as it is visible."""
    headers: dict[str, str | list[str]] = {"X-Request-Id": "-", "Cache-Control": "no-cache"}
    name_and_photo = _MEDIA.fullmatch(name)
    query = routes.current_request.query_params
    jurisdiction = (query.get("jurisdiction_id") if query else None) or settings().jurisdiction
    try:
        address = None
        if name_and_photo and jurisdiction in _SERVED():
            address = photo_views.current_address(
                jurisdiction,
                name_and_photo[1],
                name_and_photo[2],
                jpeg=name_and_photo[3] == "jpg",
            )
    except Problem as problem:
        return Response("", {**headers, **problem.headers}, problem.status)
    if address is None:
        return Response("", headers, 404)
    return Response("", {**headers, "Location": address}, 302)


declare_redirect(f"{_V2}/media/{{name}}", "getOpen311Media", "To a public picture", get_media)
