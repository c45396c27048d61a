"""Photos: the form for an upload, its state, moderation by officials and flags by citizens."""

from chalice.app import Blueprint

from chalicelib.http.router import Answer, Call, Operation, route
from chalicelib.routes.keyed import answer, operation
from chalicelib.routes.schemas import photos as schemas
from chalicelib.services.photos import moderation, tickets

routes = Blueprint(__name__)


@route(
    routes,
    "POST",
    "/v1/photos",
    Operation(
        id="ticketPhoto",
        summary="Get a form to upload one photo",
        body=schemas.NEW_PHOTO,
        answers={201: schemas.PHOTO},
        problems=(
            "unknown_photo_type",
            "key_reused",
            "too_many",
            "unknown_jurisdiction",
        ),
        idempotent=True,
    ),
)
def ticket_photo(call: Call) -> Answer:
    """A presigned S3 POST form for one photo; it expires after five minutes. Then pass the photo's
    id in ``photos`` when you file or act."""
    kind = call.body["content_type"]
    return answer(tickets.issue(call.principal, operation(call), kind, call.now), 201)


@route(
    routes,
    "GET",
    "/v1/photos/{photo}",
    Operation(
        id="getPhoto",
        summary="The state of my upload, and where the photo was taken",
        answers={200: schemas.MY_PHOTO},
        problems=("not_found", "unknown_jurisdiction"),
    ),
)
def get_photo(call: Call) -> Answer:
    """For its owner: whether it is ready or was refused and why, its pictures, and the place and
    time in its metadata."""
    return Answer(tickets.status(call.principal, call.path["photo"], call.now))


@route(
    routes,
    "POST",
    "/v1/reports/{id}/photos/{photo}",
    Operation(
        id="moderatePhoto",
        summary="Hide, unhide or blur a picture",
        body=schemas.MODERATION,
        answers={200: schemas.MODERATED},
        problems=(
            "not_found",
            "role_not_allowed",
            "picture_state",
            "action_field_missing",
            "action_field_unknown",
            "key_reused",
        ),
        idempotent=True,
    ),
)
def moderate_photo(call: Call) -> Answer:
    """For officials of the report's district, with a reason. An event records it."""
    op, path = operation(call), call.path
    outcome = moderation.moderate(
        call.principal, op, path["id"], path["photo"], call.body, call.now
    )
    return answer(outcome)


@route(
    routes,
    "POST",
    "/v1/reports/{id}/flags",
    Operation(
        id="flagReport",
        summary="Flag a report or a picture as unsuitable",
        body=schemas.FLAG,
        answers={200: schemas.FLAGGED},
        problems=(
            "not_found", "role_not_allowed", "unknown_photo", "unknown_text", "key_reused",
            "too_many", "unknown_jurisdiction",
        ),
        idempotent=True,
    ),
)  # fmt: skip
def flag_report(call: Call) -> Answer:
    """Once per person and picture. Officials see the flag and decide."""
    return answer(
        moderation.flag(call.principal, operation(call), call.path["id"], call.body, call.now)
    )
