"""What everybody may read: reports, timelines, tallies, the city's rules, the API's description."""

from chalice.app import Blueprint

from chalicelib.domain.workflow.table import published
from chalicelib.http import openapi, swagger_ui
from chalicelib.http.router import Answer, Call, Operation, route
from chalicelib.pages import landing
from chalicelib.routes import schemas
from chalicelib.routes.schemas import city_folder
from chalicelib.services.city import cities, folder_schemas
from chalicelib.services.open_data import publishing
from chalicelib.services.platform import photo_reasons
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import city_reference, queries

routes = Blueprint(__name__)
_BRIEF = "public, max-age=30"
_LASTING = "public, max-age=300"
_UNCHANGED = {"description": "What `If-None-Match` names is still right."}


@route(
    routes,
    "GET",
    "/",
    Operation(
        id="getIndex",
        summary="An overview with links: a page, or JSON for clients that accept it",
        cache=_BRIEF,
        media=landing.HTML,
        also={landing.JSON: schemas.INDEX},
    ),
)
def get_index(call: Call) -> Answer:
    """The page in the reader's language, or the same as an index in JSON."""
    body, headers = landing.answer(call.jurisdiction, call.accept, call.languages, call.now)
    return Answer(body, headers=headers)


@route(
    routes,
    "GET",
    "/v1/health",
    Operation(
        id="getHealth",
        summary="Whether the platform works, and the version of the city's rules",
        answers={200: schemas.HEALTH},
        problems=("unknown_jurisdiction",),
    ),
)
def get_health(call: Call) -> Answer:
    """Answers while the platform is up, with the version of the city's rules."""
    city = cities.current(call.jurisdiction, call.now)
    return Answer({"status": "ok", "jurisdiction": city.jurisdiction, "version": city.version})


@route(
    routes,
    "GET",
    "/v1/city",
    Operation(
        id="getCity",
        summary="The city: areas, units, time zone",
        answers={200: schemas.CITY},
        problems=("unknown_jurisdiction",),
        cache=_BRIEF,
    ),
)
def get_city(call: Call) -> Answer:
    """Areas, units, languages and time zone of the city."""
    return Answer(city_reference.city(cities.current(call.jurisdiction, call.now)))


@route(
    routes,
    "GET",
    "/v1/services",
    Operation(
        id="listServices",
        summary="What can be reported, with questions and promises",
        answers={200: schemas.SERVICES},
        problems=("unknown_jurisdiction",),
        cache=_BRIEF,
    ),
)
def list_services(call: Call) -> Answer:
    """The services that a citizen may choose, with questions, targets and emergency numbers."""
    return Answer(city_reference.services(cities.current(call.jurisdiction, call.now)))


@route(
    routes,
    "GET",
    "/v1/workflow",
    Operation(
        id="getWorkflow",
        summary="The states and actions of a report",
        answers={200: schemas.WORKFLOW},
        cache=_BRIEF,
    ),
)
def get_workflow(call: Call) -> Answer:
    """The workflow as it is enforced, and the reasons for moderating, with their texts."""
    reasons = {
        "moderations": photo_reasons.moderations(),
        "flags": photo_reasons.flags(),
        "texts": photo_reasons.texts(),
    }
    return Answer({**published(), **reasons})


@route(
    routes,
    "GET",
    "/v1/reports/{id}",
    Operation(
        id="getReport",
        summary="A report as everybody sees it",
        answers={200: schemas.REPORT},
        problems=("not_found",),
        cache="no-cache",
        personal=True,
    ),
)
def get_report(call: Call) -> Answer:
    """The report as the public sees it. A private or protected report is shown whole to its
    reporter alone: send the reporter's token."""
    return Answer(queries.public(call.principal, call.path["id"]))


@route(
    routes,
    "GET",
    "/v1/track/{code}",
    Operation(
        id="trackReport",
        summary="A report by its tracking code",
        answers={200: schemas.REPORT},
        problems=("not_found",),
        cache="no-cache",
        personal=True,
    ),
)
def track_report(call: Call) -> Answer:
    """The report behind a tracking code, as ``GET /v1/reports/{id}`` shows it."""
    return Answer(queries.track(call.principal, call.path["code"]))


@route(
    routes,
    "GET",
    "/v1/reports/{id}/timeline",
    Operation(
        id="getTimeline",
        summary="What happened to a report",
        query={"after": schemas.AFTER_EVENT},
        answers={200: schemas.TIMELINE},
        problems=("not_found",),
        cache="no-cache",
        personal=True,
    ),
)
def get_timeline(call: Call) -> Answer:
    """A page of what happened to the report, oldest first. Officials' notes are left out; with
    the reporter's token a private report's events are whole."""
    return Answer(queries.timeline(call.principal, call.path["id"], call.query["after"]))


@route(
    routes,
    "GET",
    "/v1/tallies/{month}",
    Operation(
        id="getTallies",
        summary="A month's live tallies by district and ward",
        answers={200: schemas.TALLIES},
        problems=("unknown_jurisdiction",),
        cache=_BRIEF,
    ),
)
def get_tallies(call: Call) -> Answer:
    """Counts of the month, in the city's time zone: received, open, verified, late and so on."""
    return Answer(monthly_counts.month(call.jurisdiction, call.path["month"], call.now))


@route(
    routes,
    "GET",
    "/v1/open-data",
    Operation(
        id="listOpenData",
        summary="The files of open data",
        answers={200: schemas.OPEN_DATA},
        problems=("unknown_jurisdiction",),
        cache=_BRIEF,
    ),
)
def list_open_data(call: Call) -> Answer:
    """Each file with size, number of rows, digest and a download address that expires soon."""
    return Answer(publishing.listed(cities.current(call.jurisdiction, call.now)))


@route(
    routes,
    "GET",
    folder_schemas.PATH,
    Operation(
        id="listSchemas",
        summary="The JSON Schemas of the files of a city folder",
        answers={200: city_folder.FOLDER_SCHEMAS, 304: _UNCHANGED},
        cache=_LASTING,
        etag=True,
    ),
)
def list_schemas(call: Call) -> Answer:
    """Each schema with its path. They say what the files of a city folder may hold."""
    return Answer(folder_schemas.listed())


@route(
    routes,
    "GET",
    f"{folder_schemas.PATH}/{{name}}",
    Operation(
        id="getSchema",
        summary="The JSON Schema of a file of a city folder",
        answers={200: city_folder.JSON_SCHEMA, 304: _UNCHANGED},
        problems=("not_found",),
        cache=_LASTING,
        etag=True,
        media="application/schema+json",
    ),
)
def get_schema(call: Call) -> Answer:
    """JSON Schema, draft 2020-12: editors complete and check a file whose ``$schema`` names it."""
    return Answer(folder_schemas.schema(call.path["name"]))


@route(
    routes,
    "GET",
    "/v1/openapi.json",
    Operation(
        id="getOpenApi",
        summary="This API, described by OpenAPI 3.1",
        answers={200: schemas.OPENAPI},
        cache=_LASTING,
    ),
)
def get_openapi(call: Call) -> Answer:
    """The OpenAPI document that you are reading."""
    return Answer(openapi.document())


@route(
    routes,
    "GET",
    "/docs",
    Operation(id="getDocs", summary="A page to read and try the API", media="text/html"),
)
def get_docs(call: Call) -> Answer:
    """A page to read this description and to try the operations."""
    return Answer(swagger_ui.page(), headers=swagger_ui.HEADERS)


@route(
    routes,
    "GET",
    "/docs/assets/{name}",
    Operation(
        id="getDocsAsset",
        summary="A file of the viewer",
        problems=("not_found",),
        media="text/*",
    ),
)
def get_docs_asset(call: Call) -> Answer:
    """One file of the page at ``/docs``, by its exact name."""
    text, kind = swagger_ui.asset(call.path["name"])
    return Answer(text, headers={**swagger_ui.ASSET_HEADERS, "Content-Type": kind})
