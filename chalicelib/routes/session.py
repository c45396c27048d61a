"""Who the caller is: a device's token, the principal behind a token, the one-tap answer."""

from chalice.app import Blueprint

from chalicelib.errors import Problem
from chalicelib.http.router import Answer, Call, Operation, route
from chalicelib.pages import claim_page, one_tap_page, preferences_page
from chalicelib.routes import schemas
from chalicelib.services.city import cities
from chalicelib.services.identity import devices
from chalicelib.services.people import preferences
from chalicelib.services.reports import one_tap
from chalicelib.settings import settings

routes = Blueprint(__name__)
_TAP = ("invalid_token",)


@route(
    routes,
    "POST",
    "/v1/devices",
    Operation(
        id="registerDevice",
        summary="Get a token for this device, to report without an account",
        answers={201: schemas.DEVICE},
        problems=("too_many", "unknown_jurisdiction"),
    ),
)
def register_device(call: Call) -> Answer:
    """A signed token for a citizen without an account: send it as
    ``Authorization: Device <token>``."""
    return Answer(devices.register(call.jurisdiction, call.ip, call.now), 201)


@route(
    routes,
    "GET",
    "/v1/me",
    Operation(
        id="getMe",
        summary="Who I am to the city: roles, districts, services",
        answers={200: schemas.ME},
        personal=True,
    ),
)
def get_me(call: Call) -> Answer:
    """The person that the token of the request stands for; without a token, the public."""
    actor = call.principal
    return Answer(
        {
            "kind": actor.kind,
            "uid": actor.uid,
            "unit": actor.unit,
            "home_district": actor.home_district,
            "grants": [
                {
                    "role": grant.role,
                    "districts": sorted(grant.districts),
                    "services": sorted(grant.services),
                    "permissions": sorted(grant.permissions),
                }
                for grant in actor.grants
            ],
            "permissions": sorted(
                actor.permissions.union(*(grant.permissions for grant in actor.grants))
            ),
        }
    )


@route(
    routes,
    "GET",
    "/v1/answers/{token}",
    Operation(
        id="askRepaired",
        summary="The page behind the one-tap link: is it repaired?",
        problems=_TAP,
        media="text/html",
    ),
)
def ask_repaired(call: Call) -> Answer:
    """A web page with two buttons. Opening it changes nothing, so link scanners do no harm."""
    return Answer(one_tap_page.ask(call.path["token"], call.now), headers=one_tap_page.HEADERS)


@route(
    routes,
    "POST",
    "/v1/answers/{token}/repaired",
    Operation(
        id="answerRepaired",
        summary="Answer: yes, repaired",
        problems=_TAP,
        media="text/html",
    ),
)
def answer_repaired(call: Call) -> Answer:
    """Verifies the repair in the reporter's name, and answers with a web page."""
    return _answer(call, repaired=True)


@route(
    routes,
    "POST",
    "/v1/answers/{token}/not-repaired",
    Operation(
        id="answerNotRepaired",
        summary="Answer: no, not repaired",
        problems=_TAP,
        media="text/html",
    ),
)
def answer_not_repaired(call: Call) -> Answer:
    """Refuses the repair in the reporter's name, and answers with a web page."""
    return _answer(call, repaired=False)


@route(
    routes,
    "GET",
    "/v1/claims/{token}",
    Operation(
        id="askClaimed",
        summary="The page behind the message that a report was claimed",
        problems=_TAP,
        media="text/html",
    ),
)
def ask_claimed(call: Call) -> Answer:
    """A web page with one button. Opening it changes nothing."""
    return Answer(claim_page.ask(call.path["token"], call.now), headers=claim_page.HEADERS)


@route(
    routes,
    "POST",
    "/v1/claims/{token}/undo",
    Operation(
        id="undoClaim",
        summary="End a claim that was not the reporter's, and get a new secret",
        problems=_TAP,
        media="text/html",
    ),
)
def undo_claim(call: Call) -> Answer:
    """Takes the reporter's rights from the device that claimed the report. The web page shows a
    new claim secret."""
    return Answer(claim_page.undo(call.path["token"], call.now), headers=claim_page.HEADERS)


@route(
    routes,
    "GET",
    "/v1/notifications/{token}",
    Operation(
        id="askNotifications",
        summary="The page behind the link in every message: which messages to get, and how",
        problems=(*_TAP, "unknown_jurisdiction"),
        media="text/html",
    ),
)
def ask_notifications(call: Call) -> Answer:
    """A web page of buttons. Opening it changes nothing."""
    city = cities.current(call.jurisdiction, call.now)
    page = preferences_page.ask(city, call.path["token"], call.languages, _city(call))
    return Answer(page, headers=preferences_page.HEADERS)


@route(
    routes,
    "POST",
    "/v1/notifications/{token}",
    Operation(
        id="unsubscribe",
        summary="Unsubscribe by the button of a mail program (RFC 8058)",
        problems=(*_TAP, "unknown_jurisdiction"),
        media="text/html",
        one_click=True,
    ),
)
def unsubscribe(call: Call) -> Answer:
    """The address in the header ``List-Unsubscribe`` of every e-mail; the page shows the choice."""
    city = cities.current(call.jurisdiction, call.now)
    token = call.path["token"]
    preferences.unsubscribe(city.jurisdiction, token)
    page = preferences_page.ask(city, token, call.languages, _city(call))
    return Answer(page, headers=preferences_page.HEADERS)


@route(
    routes,
    "POST",
    "/v1/notifications/{token}/{wish}",
    Operation(
        id="chooseNotifications",
        summary="Choose which messages to get (all, asked, digest, nothing) or how (email, phone)",
        problems=(*_TAP, "unknown_jurisdiction"),
        media="text/html",
    ),
)
def choose_notifications(call: Call) -> Answer:
    """Keeps the choice for all messages that the city sends to this address, and answers with a
    web page."""
    city, path = cities.current(call.jurisdiction, call.now), call.path
    page = preferences_page.chosen(city, path["token"], path["wish"], call.languages, _city(call))
    return Answer(page, headers=preferences_page.HEADERS)


def _city(call: Call) -> str:
    """The query that names the city in an address; empty for the deployment's own city."""
    own = call.jurisdiction == settings().jurisdiction
    return "" if own else f"?jurisdiction_id={call.jurisdiction}"


def _answer(call: Call, *, repaired: bool) -> Answer:
    token = call.path["token"]
    try:
        done = one_tap.answer(token, repaired, call.now) is not None
    except Problem as problem:
        if problem.status not in (403, 409):
            raise
        done = False
    page = one_tap_page.thanks(token, repaired if done else None, call.now)
    return Answer(page, headers=one_tap_page.HEADERS)
