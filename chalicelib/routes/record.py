"""The public record: what anybody needs to check that no history was rewritten."""

from chalice.app import Blueprint

from chalicelib.http.router import Answer, Call, Operation, route
from chalicelib.routes import schemas
from chalicelib.services.record import inclusion
from chalicelib.services.reports import record_proof

routes = Blueprint(__name__)


@route(
    routes,
    "GET",
    "/v1/reports/{id}/proof",
    Operation(
        id="getProof",
        summary="The hash chain of a report, to recompute",
        query={"after": schemas.AFTER_EVENT},
        answers={200: schemas.PROOF},
        problems=("not_found",),
        cache="no-cache",
        personal=True,
    ),
)
def get_proof(call: Call) -> Answer:
    """A page of the report's events as they are hashed, oldest first. The SHA-256 of ``event`` in
    UTF-8 is ``hash``; its ``prev`` is the ``hash`` of the event before, and 64 zeros in the first.
    ``event`` is null if it has content that is not public now."""
    return Answer(record_proof.proof(call.principal, call.path["id"], call.query["after"]))


@route(
    routes,
    "GET",
    "/v1/reports/{id}/inclusion",
    Operation(
        id="getInclusion",
        summary="The proof that a report is in the newest daily root",
        answers={200: schemas.INCLUSION},
        problems=("not_found",),
        cache="no-cache",
        personal=True,
    ),
)
def get_inclusion(call: Call) -> Answer:
    """The path from the report to the root of its month. The leaf is the SHA-256 of a zero byte and
    of the JSON list [jurisdiction, id, version, hash] without spaces; a node is the SHA-256 of a
    byte 1 and of the two hashes below (RFC 6962)."""
    return Answer(inclusion.inclusion(call.principal, call.path["id"]))


@route(
    routes,
    "GET",
    "/v1/record",
    Operation(
        id="listRecordDays",
        summary="The daily roots of the record",
        query={
            "before": {
                "type": "string",
                "pattern": "^[0-9]{8}$",
                "description": "Only days before this one.",
            },
            "limit": {**schemas.LIMIT, "maximum": 100, "default": 30},
        },
        answers={200: schemas.RECORD_DAYS},
        problems=("unknown_jurisdiction",),
        cache="public, max-age=300",
    ),
)
def list_record_days(call: Call) -> Answer:
    """The days with a root, newest first. ``document`` is canonical JSON; its SHA-256 is ``hash``,
    and its ``prev`` is the ``hash`` of the day before."""
    query = call.query
    return Answer(inclusion.days(call.jurisdiction, query.get("before"), query["limit"], call.now))
