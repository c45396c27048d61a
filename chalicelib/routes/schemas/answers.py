"""What the API answers."""

from chalicelib.domain.city.city import QUESTION_TYPES
from chalicelib.domain.tallies import MEASURES
from chalicelib.routes.schemas.blocks import (
    ACTIONS,
    ANSWERS,
    BOTH,
    CODE,
    COUNT,
    CURSOR,
    ID,
    LANGUAGE,
    LAT,
    LONG,
    MOMENT,
    NAMED,
    PLACE,
    RESOLUTIONS,
    SCOPE,
    STATE,
    TRACKING,
    VERSION,
    Schema,
    by_code,
    many,
    maybe,
    record,
)
from chalicelib.routes.schemas.photos import PICTURE
from chalicelib.routes.schemas.requests import CONTACT

NUMBERS = many(
    record(
        "HelpNumber",
        {"name": BOTH, "number": {"type": "string"}, "hours": maybe(BOTH)},
    )
)
NEARBY = record(
    "PossibleDuplicate",
    {
        "id": ID,
        "service": CODE,
        "state": STATE,
        "filed_at": MOMENT,
        "distance_m": COUNT,
    },
)
PERSONAL_DATA = {
    **many(
        record(
            "PersonalData",
            {
                "field": {"type": "string", "enum": ["description", "landmark"]},
                "kind": {"type": "string", "enum": ["email", "phone", "identity"]},
                "start": COUNT,
                "end": COUNT,
            },
        ),
        5000,
    ),
    "description": "What looks personal in the words as they are kept, from a character up to "
    "another: for the reporter to decide.",
}
RECEIPT = record(
    "Receipt",
    {
        "id": ID,
        "code": TRACKING,
        "claim_secret": {
            "type": "string",
            "description": "Shown to the reporter alone: never to an official or another system.",
        },
        "version": VERSION,
        "state": STATE,
        "service": NAMED,
        "protected": {"type": "boolean"},
        "private": {"type": "boolean"},
        "ward": PLACE,
        "district": PLACE,
        "unit": NAMED,
        "filed_at": MOMENT,
        "acknowledge_due": MOMENT,
        "due_at": MOMENT,
        "flags": many({"type": "string"}),
        "outside_m": COUNT,
        "possible_duplicates": many(NEARBY, 5),
        "personal_data": PERSONAL_DATA,
        "track": {"type": "string"},
        "emergency": maybe({"type": "string"}),
        "numbers": {**NUMBERS, "description": "Whom to call, the most fitting first."},
    },
    optional=("claim_secret", "numbers"),
)
CODE_SENT = record("CodeSent", {"expires_at": MOMENT})
CONTACT_CONFIRMED = record(
    "ContactConfirmed",
    {
        "claimed": {**COUNT, "description": "Reports that this call made the caller's."},
        "more": {"type": "boolean", "description": "Call again with the same code."},
    },
)
OUTSIDE = record(
    "Outside",
    {
        "unit": CODE,
        "request": {
            "type": "string",
            "description": "Its number in the unit's own system; empty until it is known.",
        },
    },
)
_PUBLIC: dict[str, Schema] = {
    "id": ID,
    "code": TRACKING,
    "version": VERSION,
    "state": STATE,
    "status": {"type": "string", "enum": ["open", "closed"]},
    "resolution": maybe({"type": "string", "enum": RESOLUTIONS}),
    "service": NAMED,
    "group": CODE,
    "description": maybe({"type": "string"}),
    "landmark": maybe({"type": "string"}),
    "lat": LAT,
    "long": LONG,
    "ward": PLACE,
    "district": PLACE,
    "unit": NAMED,
    "agency": maybe(NAMED),
    "agency_due": maybe(MOMENT),
    "outside": maybe(OUTSIDE),
    "filed_at": MOMENT,
    "updated_at": MOMENT,
    "acknowledged_at": maybe(MOMENT),
    "acknowledge_due": MOMENT,
    "due_at": MOMENT,
    "clock": {"type": "string", "enum": ["running", "paused", "stopped"]},
    "scheduled_until": maybe(MOMENT),
    "finished_at": maybe(MOMENT),
    "closed_at": maybe(MOMENT),
    "merged_into": maybe(ID),
    "supports": COUNT,
    "rating": maybe({"type": "integer", "minimum": 1, "maximum": 5}),
    "reopened": COUNT,
    "refused": COUNT,
    "photos": COUNT,
    "after_photos": COUNT,
    "pictures": many(PICTURE),
    "channel": {"type": "string"},
    "private": {
        "type": "boolean",
        "description": "Words, pictures and exact place are for its reporter and those who work "
        "on it; everybody else sees none, and a place to 2 decimals.",
    },
    "hidden_texts": {
        **many(
            record(
                "HiddenText",
                {"version": VERSION, "field": {"type": "string"}, "by": VERSION, "reason": CODE},
            )
        ),
        "description": "Texts (the event's version, and the field) of which officials have hidden "
        "a passage or all, by which event, and why.",
    },
    "near": {
        "type": "boolean",
        "description": "Filed from up to 100 m outside the border.",
    },
}
REPORT = record("Report", _PUBLIC)
EVENT = record(
    "Event",
    {
        "version": VERSION,
        "at": MOMENT,
        "action": {"type": "string"},
        "hash": {"type": "string"},
        "prev": {"type": "string"},
        "by": record(
            "By",
            {
                "kind": {"type": "string"},
                "role": maybe({"type": "string"}),
                "unit": maybe(CODE),
                "uid": maybe(CODE),
            },
            optional=("uid",),
        ),
        "state": STATE,
        "resolution": maybe({"type": "string", "enum": RESOLUTIONS}),
        "unit": CODE,
        "due_at": MOMENT,
        "data": {"type": "object", "additionalProperties": True},
        "words": by_code({"type": "string"}),
    },
    optional=("by", "state", "resolution", "unit", "due_at", "data", "words"),
)
CASE = record(
    "Case",
    {
        **_PUBLIC,
        "protected": {"type": "boolean"},
        "protection": record(
            "Proposal",
            {"service": CODE, "unit": CODE, "by_unit": CODE, "since": MOMENT, "until": MOMENT},
        ),
        "holder": maybe(CODE),
        "offered_to": maybe(CODE),
        "held_by": many(CODE),
        "answers": ANSWERS,
        "flags": many({"type": "string"}),
        "flagged": COUNT,
        "outside_m": COUNT,
        "accuracy_m": maybe(COUNT),
        "contactable": {"type": "boolean"},
        "pauses": many(many(MOMENT, 2)),
        "city_due_at": MOMENT,
        "disputed": {"type": "boolean"},
        "open_actions": many({"type": "string", "enum": ACTIONS}),
        "timeline": many(EVENT),
    },
    optional=("protection",),
)
CARD = record(
    "Card",
    {
        "id": ID,
        "version": VERSION,
        "state": STATE,
        "service": CODE,
        "ward": CODE,
        "ward_name": {"type": "string"},
        "unit": CODE,
        "due_at": MOMENT,
        "filed_at": MOMENT,
        "lat": LAT,
        "long": LONG,
        "supports": COUNT,
        "photo": {"type": "boolean"},
        "holder": maybe(CODE),
        "proposed": {
            "type": "boolean",
            "description": "Waits for the protected unit to take or return it.",
        },
    },
    optional=("holder", "proposed"),
)
PAGE = record("Page", {"reports": many(CARD, 200), "cursor": maybe(CURSOR)})
TIMELINE = record("Timeline", {"id": ID, "events": many(EVENT, 200), "next": maybe(VERSION)})
CHANGED = record(
    "Changed",
    {
        "id": ID,
        "version": VERSION,
        "state": STATE,
        "resolution": maybe({"type": "string", "enum": RESOLUTIONS}),
        "unit": CODE,
        "holder": maybe(CODE),
        "offered_to": maybe(CODE),
        "due_at": MOMENT,
        "scheduled_until": maybe(MOMENT),
        "merged_into": maybe(ID),
        "pin_elsewhere": {
            "type": "boolean",
            "description": "The pin lies in another ward than the report was transferred to.",
        },
        "possible_duplicates": many(NEARBY, 5),
    },
    optional=("pin_elsewhere", "possible_duplicates"),
)
ADDED = record(
    "Added",
    {
        "id": ID,
        "version": VERSION,
        "comments": COUNT,
        "supports": COUNT,
        "rating": COUNT,
        "claimed": {"type": "boolean"},
    },
    optional=("comments", "supports", "rating", "claimed"),
)
CLAIMED = record(
    "Claimed",
    {
        "id": ID,
        "version": VERSION,
        "claimed": {"type": "boolean"},
        "claim_secret": {
            "type": "string",
            "description": "The next secret: the one that was used works no more.",
        },
    },
)
TEXT_HIDDEN = record("TextHidden", {"id": ID, "version": VERSION})
CORRECTED = record("Corrected", {"id": ID, "version": VERSION, "personal_data": PERSONAL_DATA})
ORIGINALS = record(
    "Originals",
    {
        "texts": many(
            record(
                "Original",
                {
                    "version": VERSION,
                    "field": {"type": "string"},
                    "text": {"type": "string"},
                    "until": MOMENT,
                },
            )
        )
    },
)
OPENED = record("Opened", {"id": ID, "version": VERSION, "private": {"type": "boolean"}})
FOLLOWING = record("Following", {"id": ID, "following": {"type": "boolean"}})
DEVICE = record("Device", {"token": {"type": "string"}, "kind": {"type": "string"}})
ME = record(
    "Me",
    {
        "kind": {"type": "string"},
        "uid": maybe(CODE),
        "unit": maybe(CODE),
        "home_district": maybe(CODE),
        "grants": many(
            record(
                "Grant",
                {
                    "role": CODE,
                    "districts": many(SCOPE),
                    "services": many(SCOPE),
                    "permissions": {
                        **many(CODE),
                        "description": "Held where this grant holds, and nowhere else.",
                    },
                },
            )
        ),
        "permissions": {**many(CODE), "description": "Held somewhere: see the grants."},
    },
)
CONTACT_READ = record("ContactRead", {"id": ID, "version": VERSION, "contact": CONTACT})
_DAY: Schema = {"type": "string", "format": "date"}
FILER_REPORTS = record(
    "FilerReports",
    {
        "id": ID,
        "version": VERSION,
        "reports": many(
            record(
                "FilerReport",
                {"id": ID, "service": CODE, "day": {"type": "string", "format": "date"}},
            ),
            200,
        ),
        "more": {"type": "boolean", "description": "There may be more than are named."},
    },
)
_TALLY: dict[str, Schema] = {measure: {"type": "integer"} for measure in MEASURES}
TALLIES = record(
    "Tallies",
    {
        "month": {"type": "string"},
        "city": record("Tally", _TALLY),
        "districts": many(
            record("AreaTally", {"code": CODE, "name": {"type": "string"}, **_TALLY})
        ),
        "wards": many(
            record(
                "WardTally",
                {"code": CODE, "name": {"type": "string"}, **_TALLY, "district": CODE},
            ),
            5000,
        ),
    },
)
QUESTION = record(
    "Question",
    {
        "code": CODE,
        "type": {"type": "string", "enum": list(QUESTION_TYPES)},
        "required": {"type": "boolean"},
        "label": BOTH,
        "options": many(record("QuestionOption", {"key": {"type": "string"}, "name": BOTH})),
    },
)
SERVICE = record(
    "Service",
    {
        "code": CODE,
        "name": BOTH,
        "description": maybe(BOTH),
        "group": CODE,
        "group_name": BOTH,
        "protected": {"type": "boolean"},
        "public": {
            "type": "boolean",
            "description": "Whether a report is public where its reporter does not say.",
        },
        "emergency": maybe({"type": "string"}),
        "numbers": NUMBERS,
        "acknowledge_hours": {"type": "number"},
        "resolve_hours": {"type": "number"},
        "hours": {"type": "string", "enum": ["calendar", "working"]},
        "keywords": many({"type": "string"}),
        "questions": many(QUESTION),
    },
)
CITY = record(
    "City",
    {
        "jurisdiction": CODE,
        "version": CODE,
        "name": BOTH,
        "time_zone": {"type": "string"},
        "emergency": {"type": "string"},
        "languages": many(LANGUAGE),
        "areas": many(
            record(
                "Area",
                {
                    "code": CODE,
                    "name": {"type": "string"},
                    "level": {"type": "string"},
                    "parent": maybe(CODE),
                },
            ),
            20_000,
        ),
        "units": many(NAMED, 2000),
    },
)
SERVICES = record("Services", {"services": many(SERVICE)})
INDEX = record(
    "Index",
    {
        "name": {"type": "string"},
        "about": {"type": "string", "description": "In the reader's language."},
        "city": maybe(
            record(
                "IndexCity",
                {"jurisdiction": CODE, "name": {"type": "string"}, "languages": many(CODE)},
            )
        ),
        "links": {"type": "object", "additionalProperties": {"type": "string", "format": "uri"}},
    },
)
HEALTH = record("Health", {"status": {"type": "string"}, "jurisdiction": CODE, "version": CODE})
OPENAPI = {"title": "OpenAPI", "type": "object", "additionalProperties": True}
