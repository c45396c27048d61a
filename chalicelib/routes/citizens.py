"""What citizens do: file, follow up, support, rate, claim."""

from chalice.app import Blueprint

from chalicelib.http.router import Answer, Call, Operation, route
from chalicelib.routes import schemas
from chalicelib.routes.keyed import answer, operation
from chalicelib.services.people import claiming, contacts, data_copy
from chalicelib.services.reports import engagement, intake, queues

routes = Blueprint(__name__)
_REPORT = ("not_found",)


@route(
    routes,
    "POST",
    "/v1/reports",
    Operation(
        id="fileReport",
        summary="File a report",
        body=schemas.NEW_REPORT,
        answers={201: schemas.RECEIPT},
        problems=(
            "unknown_service", "role_not_allowed", "outside_area", "unknown_question",
            "answer_missing",
            "answer_invalid", "unknown_photo", "photo_used", "photo_missing", "photo_refused",
            "too_many_photos", "moment_unreadable", "key_reused", "too_many",
            "unknown_jurisdiction",
        ),
        idempotent=True,
    ),
)  # fmt: skip
def file_report(call: Call) -> Answer:
    """Answers with the report's ids, place, unit and deadlines, and with possible duplicates
    nearby. Keep ``claim_secret``: it proves who filed the report."""
    outcome = intake.file_report(
        call.principal,
        operation(call),
        call.body,
        intake.Origin(call.ip, call.languages, call.stripped),
        call.now,
    )
    return answer(outcome, 201)


@route(
    routes,
    "GET",
    "/v1/me/reports",
    Operation(
        id="listMyReports",
        summary="My reports, newest first",
        query={"limit": schemas.LIMIT, "cursor": schemas.CURSOR},
        answers={200: schemas.PAGE},
        problems=("cursor_invalid", "unknown_jurisdiction"),
    ),
)
def list_my_reports(call: Call) -> Answer:
    """A page of the caller's own reports, newest first."""
    limit, cursor = call.query["limit"], call.query.get("cursor")
    return Answer(queues.mine(call.principal, limit, cursor, call.now))


@route(
    routes,
    "GET",
    "/v1/me/data",
    Operation(
        id="getMyData",
        summary="A copy of all that is held on me",
        query={"limit": schemas.LIMIT, "cursor": schemas.CURSOR},
        answers={200: schemas.OWN_DATA},
        problems=("cursor_invalid", "unknown_jurisdiction"),
    ),
)
def get_my_data(call: Call) -> Answer:
    """A page of at most 15 items: the caller's reports first, then what they left on any report."""
    limit, cursor = call.query["limit"], call.query.get("cursor")
    return Answer(data_copy.own_data(call.principal, limit, cursor, call.now))


@route(
    routes,
    "POST",
    "/v1/me/contacts",
    Operation(
        id="sendContactCode",
        summary="Have a code sent to my e-mail address or phone",
        body=schemas.OWN_CONTACT,
        answers={202: schemas.CODE_SENT},
        problems=("too_many", "key_reused", "unknown_jurisdiction"),
        idempotent=True,
    ),
)
def send_contact_code(call: Call) -> Answer:
    """Answers 202 whether or not anything was filed for this contact, so nobody can find out."""
    op = operation(call)
    outcome = contacts.send_code(call.principal, op, call.body, call.ip, call.now, call.languages)
    return answer(outcome, 202)


@route(
    routes,
    "POST",
    "/v1/me/contacts/confirm",
    Operation(
        id="confirmContact",
        summary="Become the reporter of the reports for my contact, with the code",
        body=schemas.CONTACT_CODE,
        answers={200: schemas.CONTACT_CONFIRMED},
        problems=("code_invalid", "key_reused", "unknown_jurisdiction"),
        idempotent=True,
    ),
)
def confirm_contact(call: Call) -> Answer:
    """Confirms a contact with the code that was sent to it. If ``more`` is true, call again
    with the same code and another idempotency key."""
    address = {name: text for name, text in call.body.items() if name != "code"}
    code = call.body["code"]
    return answer(contacts.confirm(call.principal, operation(call), address, code, call.now))


@route(
    routes,
    "POST",
    "/v1/reports/{id}/comments",
    Operation(
        id="commentReport",
        summary="Comment on a report",
        body=schemas.COMMENT,
        answers={201: schemas.ADDED},
        problems=(
            *_REPORT,
            "role_not_allowed",
            "report_merged",
            "key_reused",
            "too_many",
            "unknown_jurisdiction",
        ),
        idempotent=True,
    ),
)
def comment_report(call: Call) -> Answer:
    """The reporter and officials write public comments; only officials write inside comments."""
    text, audience = call.body["text"], call.body["audience"]
    outcome = engagement.comment(
        call.principal, operation(call), call.path["id"], text, audience, call.now
    )
    return answer(outcome, 201)


@route(
    routes,
    "POST",
    "/v1/reports/{id}/support",
    Operation(
        id="supportReport",
        summary="Say: me too",
        answers={200: schemas.ADDED},
        problems=(
            *_REPORT,
            "report_closed",
            "report_merged",
            "key_reused",
            "too_many",
            "unknown_jurisdiction",
        ),
        idempotent=True,
    ),
)
def support_report(call: Call) -> Answer:
    """Supports a report, once per person, and follows it."""
    op = operation(call)
    return answer(engagement.support(call.principal, op, call.path["id"], call.now))


@route(
    routes,
    "POST",
    "/v1/reports/{id}/rating",
    Operation(
        id="rateReport",
        summary="Rate the work",
        body=schemas.RATING,
        answers={200: schemas.ADDED},
        problems=(
            *_REPORT,
            "reporter_only",
            "not_yet_rated",
            "key_reused",
            "too_many",
            "unknown_jurisdiction",
        ),
        idempotent=True,
    ),
)
def rate_report(call: Call) -> Answer:
    """One to five stars and a text, by the reporter, as soon as the work is reported as done."""
    stars, text = call.body["rating"], call.body.get("text")
    return answer(
        engagement.rate(call.principal, operation(call), call.path["id"], stars, text, call.now)
    )


@route(
    routes,
    "POST",
    "/v1/reports/{id}/claim",
    Operation(
        id="claimReport",
        summary="Become the reporter, by the claim secret",
        body=schemas.CLAIM,
        answers={200: schemas.CLAIMED},
        problems=(*_REPORT, "key_reused", "too_many", "unknown_jurisdiction"),
        idempotent=True,
    ),
)
def claim_report(call: Call) -> Answer:
    """Moves the reporter's rights to the caller's device and ends those of the device before."""
    op, secret = operation(call), call.body["secret"]
    return answer(claiming.claim(call.principal, op, call.path["id"], secret, call.now))


@route(
    routes,
    "POST",
    "/v1/reports/{id}/open",
    Operation(
        id="openReport",
        summary="Let everybody read my private report",
        answers={200: schemas.OPENED},
        problems=(*_REPORT, "reporter_only", "not_private", "key_reused"),
        idempotent=True,
    ),
)
def open_report(call: Call) -> Answer:
    """The report's words, pictures and exact place become public. This cannot be undone."""
    return answer(
        engagement.make_public(call.principal, operation(call), call.path["id"], call.now)
    )


@route(
    routes,
    "POST",
    "/v1/reports/{id}/follow",
    Operation(
        id="followReport",
        summary="Follow a report",
        body=schemas.FOLLOW,
        body_optional=True,
        answers={200: schemas.FOLLOWING},
        problems=(*_REPORT, "role_not_allowed", "too_many", "unknown_jurisdiction"),
    ),
)
def follow_report(call: Call) -> Answer:
    """The caller gets messages about the report. Following twice is the same as once."""
    who, report = call.principal, call.path["id"]
    contact = call.body.get("contact")
    return Answer(engagement.follow(who, report, True, call.now, contact, call.languages))


@route(
    routes,
    "DELETE",
    "/v1/reports/{id}/follow",
    Operation(
        id="unfollowReport",
        summary="Stop following a report",
        answers={200: schemas.FOLLOWING},
        problems=(*_REPORT, "role_not_allowed", "too_many", "unknown_jurisdiction"),
    ),
)
def unfollow_report(call: Call) -> Answer:
    """The caller gets no more messages about the report."""
    return Answer(engagement.follow(call.principal, call.path["id"], False, call.now))
