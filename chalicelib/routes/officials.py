"""What officials do: their queue, a case, its actions, a reporter's contact and other reports."""

from chalice.app import Blueprint

from chalicelib.http.router import Answer, Call, Operation, route
from chalicelib.routes import schemas
from chalicelib.routes.keyed import answer, operation
from chalicelib.services.people import abuse_review
from chalicelib.services.reports import actions, queries, queues

routes = Blueprint(__name__)


@route(
    routes,
    "POST",
    "/v1/reports/{id}/actions",
    Operation(
        id="actOnReport",
        summary="Take an action of the workflow",
        body=schemas.ACTION,
        answers={200: schemas.CHANGED},
        problems=(
            "not_found", "role_not_allowed", "wrong_state", "report_merged", "stale_version",
            "key_reused",
            "action_field_missing", "action_field_unknown", "reason_unknown", "unknown_unit",
            "unknown_person", "person_after_acceptance", "unknown_service", "unknown_ward",
            "only_into_protected", "stays_protected", "moment_past", "moment_unreadable",
            "schedule_too_far", "schedule_once", "reporter_unreachable", "pause_spent",
            "pin_not_in_ward", "pin_unmoved", "pins_spent", "outside_area",
            "too_early", "refused_once", "window_over", "nothing_refused", "ruling_final",
            "nothing_offered", "acceptance_pending", "dispatcher_needed", "original_unknown",
            "original_closed", "original_private", "original_unfit", "original_far",
            "unknown_photo", "photo_used",
            "photo_missing", "photo_refused", "photo_processing", "too_many_photos", "audited_once",
            "not_in_sample",
        ),
        idempotent=True,
    ),
)  # fmt: skip
def act_on_report(call: Call) -> Answer:
    """Assign, start, finish, verify, refuse, merge and so on. ``GET /v1/workflow`` says who may
    do what in which state, and which fields each action needs."""
    op, body = operation(call), call.body
    return answer(actions.act(call.principal, op, call.path["id"], body, call.now))


@route(
    routes,
    "GET",
    "/v1/queue",
    Operation(
        id="listQueue",
        summary="A district's open work, next deadline first",
        query={
            "district": schemas.CODE,
            "state": {"type": "string", "enum": schemas.OPEN_STATES},
            "due_within": {
                "type": "integer",
                "minimum": 0,
                "maximum": 2160,
                "description": "Only what is overdue or falls due within so many hours.",
            },
            "holder": {
                **schemas.CODE,
                "description": "Only what this official holds; `me` is the caller. Pages may be "
                "short while the cursor says that more come.",
            },
            "sort": {"type": "string", "enum": ["due"], "default": "due"},
            "limit": schemas.LIMIT,
            "cursor": schemas.CURSOR,
        },
        answers={200: schemas.PAGE},
        problems=(
            "district_needed",
            "cursor_invalid",
            "not_found",
            "unknown_jurisdiction",
        ),
    ),
)
def list_queue(call: Call) -> Answer:
    """A page of open reports within the official's districts and services."""
    query = call.query
    return Answer(
        queues.queue(
            call.principal,
            query.get("district"),
            query.get("state"),
            query.get("due_within"),
            query["limit"],
            query.get("cursor"),
            call.now,
            query.get("holder"),
        )
    )


@route(
    routes,
    "GET",
    "/v1/reports/{id}/case",
    Operation(
        id="getCase",
        summary="The officials' view of a report",
        answers={200: schemas.CASE},
        problems=("not_found",),
    ),
)
def get_case(call: Call) -> Answer:
    """The report with internal notes, who holds it, and the actions open to the caller."""
    return Answer(queries.case(call.principal, call.path["id"]))


@route(
    routes,
    "POST",
    "/v1/reports/{id}/contact",
    Operation(
        id="readContact",
        summary="Read a reporter's contact data; the reading is recorded",
        answers={200: schemas.CONTACT_READ},
        problems=("not_found", "contact_not_allowed", "key_reused"),
        idempotent=True,
    ),
)
def read_contact(call: Call) -> Answer:
    """For officials with the permission ``contact``. An event records who read it."""
    op = operation(call)
    return answer(queries.contact(call.principal, op, call.path["id"], call.now))


@route(
    routes,
    "POST",
    "/v1/reports/{id}/filer-reports",
    Operation(
        id="readFilerReports",
        summary="Other reports of the same filer, for a reviewer of abuse; on record",
        body=schemas.FILER_REVIEW,
        answers={200: schemas.FILER_REPORTS},
        problems=("not_found", "abuse_not_allowed", "key_reused"),
        idempotent=True,
    ),
)
def read_filer_reports(call: Call) -> Answer:
    """At most 200, newest first, for officials with the permission ``abuse``. An event records
    who read it and why."""
    op, reason = operation(call), call.body["reason"]
    return answer(abuse_review.read(call.principal, op, call.path["id"], reason, call.now))
