"""Moderation of texts: hiding them, the list of hidden texts, a reporter's correction."""

from chalice.app import Blueprint

from chalicelib.http.router import Answer, Call, Operation, route
from chalicelib.routes import schemas
from chalicelib.routes.keyed import answer, operation
from chalicelib.services.reports import text_correction, text_moderation

routes = Blueprint(__name__)


@route(
    routes,
    "POST",
    "/v1/reports/{id}/texts",
    Operation(
        id="hideText",
        summary="Hide a passage of a text, or all of it",
        body=schemas.HIDE_TEXT,
        answers={200: schemas.TEXT_HIDDEN},
        problems=("not_found", "role_not_allowed", "unknown_text", "text_moved", "key_reused"),
        idempotent=True,
    ),
)
def hide_text(call: Call) -> Answer:
    """For officials of the report's district, with a reason. An event records it."""
    return answer(
        text_moderation.hide(call.principal, operation(call), call.path["id"], call.body, call.now)
    )


@route(
    routes,
    "GET",
    "/v1/reports/{id}/texts",
    Operation(
        id="listHiddenTexts",
        summary="The hidden texts of a report, as long as they are kept",
        answers={200: schemas.ORIGINALS},
        problems=("not_found", "role_not_allowed"),
    ),
)
def list_hidden_texts(call: Call) -> Answer:
    """The original texts, for auditors."""
    return Answer(text_moderation.originals(call.principal, call.path["id"]))


@route(
    routes,
    "POST",
    "/v1/reports/{id}/correction",
    Operation(
        id="correctReport",
        summary="Correct the words and the contact of my report",
        body=schemas.CORRECTION,
        answers={200: schemas.CORRECTED},
        problems=(
            "not_found", "reporter_only", "correction_late", "key_reused", "unknown_jurisdiction",
        ),
        idempotent=True,
    ),
)  # fmt: skip
def correct_report(call: Call) -> Answer:
    """Possible until an official acts on the report. An empty contact removes the contact."""
    return answer(
        text_correction.correct(
            call.principal, operation(call), call.path["id"], call.body, call.now
        )
    )
