"""The public record: what anybody needs to check that no history was rewritten."""

from chalice.app import Blueprint

from chalicelib.http.router import Answer, Call, Operation, route
from chalicelib.routes import schemas
from chalicelib.services.reports import record_proof

routes = Blueprint(__name__)


@route(
    routes,
    "GET",
    "/v1/reports/{id}/proof",
    Operation(
        id="getProof",
        summary="The hash chain of a report, to recompute",
        query={
            "after": {
                "type": "integer",
                "minimum": 0,
                "maximum": 1_000_000,
                "default": 0,
            }
        },
        answers={200: schemas.PROOF},
        problems=("not_found",),
        cache="no-cache",
        personal=True,
    ),
)
def get_proof(call: Call) -> Answer:
    """A page of the report's events as they are hashed, oldest first. The SHA-256 of ``event`` in
    UTF-8 is ``hash``; its ``prev`` is the ``hash`` of the event before, and 64 zeros in the first.
    ``event`` is null where it holds what is not public now."""
    return Answer(record_proof.proof(call.principal, call.path["id"], call.query["after"]))
