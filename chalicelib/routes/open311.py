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
from chalicelib.http.georeport import Asked, Faults, route
from chalicelib.http.georeport_openapi import Described, declare_redirect
from chalicelib.pages import key_page
from chalicelib.routes.schemas import georeport
from chalicelib.services.city import cities
from chalicelib.services.identity import api_keys
from chalicelib.services.open311 import attachments, post, requests, service_list, updates
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
_MEDIA = re.compile(rf"({ids.PATTERN})-({ids.PATTERN})\.webp")


@route(
    routes,
    "GET",
    "/open311/discovery",
    "discovery",
    None,
    Described("getOpen311Discovery", "Where Open311's endpoints are", georeport.DISCOVERY),
)
def discover(asked: Asked) -> Any:
    """Where the API is, for every city of the deployment or for one."""
    return service_list.discovery(asked.jurisdiction)


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
def list_services(asked: Asked) -> Any:
    """Every service, never by pages: clients delete what is missing."""
    return service_list.services(cities.current(asked.jurisdiction, asked.now), asked.languages)


@route(
    routes,
    "GET",
    f"{_V2}/services/{{name}}",
    "service_definition",
    _SERVED,
    Described("getOpen311Service", "What a service asks", georeport.DEFINITION, query=("locale",)),
)
def get_service(asked: Asked) -> Any:
    """What a service asks."""
    city = cities.current(asked.jurisdiction, asked.now)
    return service_list.definition(city, asked.one, asked.languages)


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
def list_requests(asked: Asked) -> Any:
    """The requests of a window."""
    city = cities.current(asked.jurisdiction, asked.now)
    filters = {name: asked.get(name) for name in _FILTERS}
    return requests.search(city, filters, asked.now, asked.languages)


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
def post_request(asked: Asked) -> Any:
    """File a request, with a key."""
    city = cities.current(asked.jurisdiction, asked.now)
    given = {name: texts for name, texts in asked.given.items() if name != "api_key"}
    uploads = [one.data for one in asked.files]

    def attempt(actor: Principal) -> Outcome:
        return post.file(actor, city, given, uploads, asked.ip, asked.now)

    with _each_fault():
        return _counted(asked, attempt).answer["requests"]


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
def get_request(asked: Asked) -> Any:
    """One request."""
    extensions = asked.get("extensions")
    return requests.request(asked.jurisdiction, asked.one, extensions, asked.languages)


@route(
    routes,
    "GET",
    f"{_V2}/tokens/{{name}}",
    "service_requests",
    _SERVED,
    Described("getOpen311Token", "The id for a token", georeport.TOKEN),
)
def get_token(asked: Asked) -> Any:
    """The id behind a token."""
    return requests.token(asked.jurisdiction, asked.one)


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
def list_updates(asked: Asked) -> Any:
    """What happened to requests."""
    city = cities.current(asked.jurisdiction, asked.now)
    return updates.listed(city, asked.get("start_date"), asked.get("end_date"), asked.now)


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
def post_update(asked: Asked) -> Any:
    """What the people of another system say of a request of theirs, with a key."""
    pictures = attachments.read([one.data for one in asked.files], asked.given)

    def attempt(actor: Principal) -> Outcome:
        return updates.receive(actor, asked.get, asked.now, pictures)

    with _each_fault():
        return _counted(asked, attempt).answer["updates"]


def _counted(asked: Asked, attempt: Callable[[Principal], Outcome]) -> Outcome:
    key = asked.get("api_key")
    return api_keys.run_with_key(asked.jurisdiction, key, asked.now, attempt)


@contextmanager
def _each_fault() -> Iterator[None]:
    """Every fault of a form is an error of the answer."""
    try:
        yield
    except ExceptionGroup as group:
        found = {
            one.field: str(one) for one in group.exceptions if isinstance(one, InvalidArgument)
        }
        raise Faults(found) from None


@routes.route(f"{_V2}/media/{{name}}", methods=["GET"], name="getMedia")
def get_media(name: str) -> Response:
    """To the picture that a ``media_url`` stands for, as long as it may be seen."""
    headers: dict[str, str | list[str]] = {"X-Request-Id": "-", "Cache-Control": "no-cache"}
    found = _MEDIA.fullmatch(name)
    query = routes.current_request.query_params
    jurisdiction = (query.get("jurisdiction_id") if query else None) or settings().jurisdiction
    try:
        address = None
        if found and jurisdiction in _SERVED():
            address = photo_views.current_address(jurisdiction, found[1], found[2])
    except Problem as problem:
        return Response("", {**headers, **problem.headers}, problem.status)
    if address is None:
        return Response("", headers, 404)
    return Response("", {**headers, "Location": address}, 302)


declare_redirect(f"{_V2}/media/{{name}}", "getOpen311Media", "To a public picture", get_media)
