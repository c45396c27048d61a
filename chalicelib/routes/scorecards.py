"""Scorecards and the audits behind them: the months, a ranking, a card, the rows of a figure."""

from chalice.app import Blueprint

from chalicelib.domain.scorecards.measures import behind
from chalicelib.http.router import Answer, Call, Operation, route
from chalicelib.routes import schemas
from chalicelib.services.scorecards import audits, card_queries

routes = Blueprint(__name__)
_HIDDEN = ("not_found", "unknown_jurisdiction")
_MONTH = {"type": "string", "pattern": "^[0-9]{4}(0[1-9]|1[0-2])$"}


@route(
    routes,
    "GET",
    "/v1/scorecards",
    Operation(
        id="listScorecards",
        summary="The months that were scored, how scores are made, the audits' seeds",
        query={
            "before": {**_MONTH, "description": "Only months before this one."},
            "limit": {**schemas.LIMIT, "maximum": 60, "default": 24},
        },
        answers={200: schemas.SCORECARD_MONTHS},
        problems=("unknown_jurisdiction",),
        personal=True,
    ),
)
def list_scorecards(call: Call) -> Answer:
    """The months that have scorecards, newest first. The public sees drafts and later stages;
    officials also see live and provisional months."""
    query = call.query
    return Answer(
        card_queries.months(call.principal, query.get("before"), query["limit"], call.now)
    )


@route(
    routes,
    "GET",
    "/v1/scorecards/{month}",
    Operation(
        id="getScorecards",
        summary="A month's ranking of districts, and its agencies",
        answers={200: schemas.SCORECARD_MONTH},
        problems=_HIDDEN,
        personal=True,
    ),
)
def get_scorecards(call: Call) -> Answer:
    """Ranks with scores and intervals. After a revision: which figures changed, and which
    reports caused it."""
    return Answer(card_queries.month(call.principal, call.path["month"], call.now))


@route(
    routes,
    "GET",
    "/v1/scorecards/{month}/{area}",
    Operation(
        id="getScorecard",
        summary="The card of the city, a district, a ward, a unit or an official",
        answers={200: schemas.SCORECARD},
        problems=(*_HIDDEN, "codes_of_then"),
        personal=True,
    ),
)
def get_scorecard(call: Call) -> Answer:
    """Every figure with formula, numerator, denominator, n and interval.

    For a month before the city changed, a present code gives the card of its code in that month,
    which ``card.code`` names. If it had several codes then, the refusal lists them in ``codes``.

    An official's card is shown to that official, the head of the unit and auditors only.
    """
    path = call.path
    return Answer(card_queries.card(call.principal, path["month"], path["area"], call.now))


@route(
    routes,
    "GET",
    "/v1/scorecards/{month}/{area}/rows",
    Operation(
        id="listScorecardRows",
        summary="The rows behind a figure of a card",
        query={
            "measure": {"type": "string", "enum": sorted(behind())},
            "limit": schemas.LIMIT,
            "cursor": schemas.CURSOR,
        },
        required_query=("measure",),
        answers={200: schemas.SCORECARD_ROWS},
        problems=(*_HIDDEN, "codes_of_then", "cursor_invalid"),
        personal=True,
    ),
)
def list_scorecard_rows(call: Call) -> Answer:
    """A page of the rows that a figure is made of. A page may be short or empty: go on as long
    as there is a cursor."""
    path, query = call.path, call.query
    return Answer(
        card_queries.rows(
            call.principal,
            path["month"],
            path["area"],
            query["measure"],
            query["limit"],
            query.get("cursor"),
            call.now,
        )
    )


@route(
    routes,
    "GET",
    "/v1/audits",
    Operation(
        id="listAudits",
        summary="The sample of closings that verifiers audit",
        query={
            "month": {**_MONTH, "description": "The last month if absent."},
            "district": schemas.CODE,
            "after": {**schemas.CODE, "description": "The report after which to go on."},
            "limit": schemas.LIMIT,
        },
        required_query=("district",),
        answers={200: schemas.AUDITS},
        problems=_HIDDEN,
    ),
)
def list_audits(call: Call) -> Answer:
    """For verifiers from outside the district, auditors and the city's administrator."""
    query = call.query
    return Answer(
        audits.queue(
            call.principal,
            query.get("month"),
            query["district"],
            query.get("after"),
            query["limit"],
            call.now,
        )
    )
