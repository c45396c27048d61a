"""What the API takes and answers, as JSON Schema: the declarations that validate and document."""

from chalicelib.routes.schemas.blocks import CODE, CURSOR, LAT, LIMIT, LONG, OPEN_STATES
from chalicelib.routes.schemas.changes import (
    ADDED,
    CHANGED,
    CLAIMED,
    CORRECTED,
    FOLLOWING,
    OPENED,
    RECEIPT,
    TEXT_HIDDEN,
)
from chalicelib.routes.schemas.city import CITY, HEALTH, INDEX, OPENAPI, SERVICES, TALLIES
from chalicelib.routes.schemas.identity import (
    CODE_SENT,
    CONTACT_CONFIRMED,
    CONTACT_READ,
    DEVICE,
    FILER_REPORTS,
    ME,
)
from chalicelib.routes.schemas.open_data import OPEN_DATA
from chalicelib.routes.schemas.own_data import OWN_DATA
from chalicelib.routes.schemas.reports import CASE, ORIGINALS, PAGE, REPORT, TIMELINE
from chalicelib.routes.schemas.requests import (
    ACTION,
    CLAIM,
    COMMENT,
    CONTACT_CODE,
    CORRECTION,
    FILER_REVIEW,
    FOLLOW,
    HIDE_TEXT,
    NEW_REPORT,
    OWN_CONTACT,
    RATING,
)
from chalicelib.routes.schemas.scorecards import (
    AUDITS,
    SCORECARD,
    SCORECARD_MONTH,
    SCORECARD_MONTHS,
    SCORECARD_ROWS,
)
from chalicelib.routes.schemas.workflow import WORKFLOW

__all__ = [
    "ACTION",
    "ADDED",
    "AUDITS",
    "CASE",
    "CHANGED",
    "CITY",
    "CLAIM",
    "CLAIMED",
    "CODE",
    "CODE_SENT",
    "COMMENT",
    "CONTACT_CODE",
    "CONTACT_CONFIRMED",
    "CONTACT_READ",
    "CORRECTED",
    "CORRECTION",
    "CURSOR",
    "DEVICE",
    "FILER_REPORTS",
    "FILER_REVIEW",
    "FOLLOW",
    "FOLLOWING",
    "HEALTH",
    "HIDE_TEXT",
    "INDEX",
    "LAT",
    "LIMIT",
    "LONG",
    "ME",
    "NEW_REPORT",
    "OPENAPI",
    "OPENED",
    "OPEN_DATA",
    "OPEN_STATES",
    "ORIGINALS",
    "OWN_CONTACT",
    "OWN_DATA",
    "PAGE",
    "RATING",
    "RECEIPT",
    "REPORT",
    "SCORECARD",
    "SCORECARD_MONTH",
    "SCORECARD_MONTHS",
    "SCORECARD_ROWS",
    "SERVICES",
    "TALLIES",
    "TEXT_HIDDEN",
    "TIMELINE",
    "WORKFLOW",
]
