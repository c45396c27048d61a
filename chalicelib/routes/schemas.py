"""What the API takes and gives, as JSON Schema: the declarations that validate and document."""

from typing import Any

from chalicelib.domain.tallies import MEASURES
from chalicelib.domain.workflow import table

Schema = dict[str, Any]

STATES = list(table()["states"])
OPEN_STATES = [state for state in STATES if state != "closed"]
RESOLUTIONS = table()["resolutions"]
ACTIONS = list(table()["actions"])


def text(longest: int, about: str = "") -> Schema:
    """A text from a person."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": longest,
        "description": about,
    }


def maybe(schema: Schema) -> Schema:
    """The schema, or null."""
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema and "title" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def record(title: str, fields: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """An object with exactly these fields."""
    return {
        "title": title,
        "type": "object",
        "properties": fields,
        "required": [name for name in fields if name not in optional],
        "additionalProperties": False,
    }


def many(schema: Schema, most: int = 1000) -> Schema:
    """A list."""
    return {"type": "array", "items": schema, "maxItems": most}


ID = {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{26}$", "x-verbatim": True}
CODE = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "x-verbatim": True}
SCOPE = {"type": "string", "pattern": "^([*]|[A-Za-z0-9._-]{1,64})$", "description": "`*` is all."}
TRACKING = {
    "type": "string",
    "pattern": "^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$",
}
MOMENT = {"type": "string", "format": "date-time", "x-verbatim": True}
VERSION = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
COUNT = {"type": "integer", "minimum": 0}
LAT = {
    "type": "number",
    "minimum": -90,
    "maximum": 90,
    "description": "Latitude, WGS84 degrees.",
}
LONG = {
    "type": "number",
    "minimum": -180,
    "maximum": 180,
    "description": "Longitude, degrees.",
}
PIN_LAT = {
    **LAT,
    "minimum": -180,
    "maximum": 180,
    "description": "Latitude, WGS84 degrees; beyond ±90 it is refused, and named if swapped.",
}
BOTH = record("Name", {"en": {"type": "string"}, "id": {"type": "string"}})
NAMED = record("CodeAndName", {"code": CODE, "name": BOTH})
PLACE = record("Place", {"code": CODE, "name": {"type": "string"}})
PHOTOS = {"type": "array", "items": ID, "maxItems": 6}
STATE = {"type": "string", "enum": STATES}
LANGUAGE = {"type": "string", "enum": ["id", "en"]}
LIMIT = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
CURSOR = {"type": "string", "maxLength": 4096, "x-verbatim": True}

CONTACT = record(
    "Contact",
    {
        "name": text(100, "How to address the reporter."),
        "email": {"type": "string", "format": "email", "maxLength": 254},
        "phone": {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$"},
    },
    optional=("name", "email", "phone"),
)
NEW_REPORT = record(
    "NewReport",
    {
        "service": CODE,
        "lat": PIN_LAT,
        "long": LONG,
        "accuracy": {"type": "number", "minimum": 0, "maximum": 100_000, "description": "Metres."},
        "description": {"type": "string", "maxLength": 4000},
        "landmark": {"type": "string", "maxLength": 200},
        "answers": {
            "type": "object",
            "maxProperties": 40,
            "description": "Answers to the service's questions, by code.",
        },
        "photos": PHOTOS,
        "contact": CONTACT,
        "public": {"type": "boolean", "description": "A wish; a protected service stays private."},
        "channel": {"type": "string", "enum": ["app", "web", "api", "phone", "counter", "import"]},
        "language": LANGUAGE,
        "client_time": {**MOMENT, "description": "The phone's clock, kept as a remark."},
    },
    optional=(
        "accuracy", "description", "landmark", "answers", "photos", "contact", "public",
        "channel", "language", "client_time",
    ),
)  # fmt: skip
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
RECEIPT = record(
    "Receipt",
    {
        "id": ID,
        "code": TRACKING,
        "claim_secret": {
            "type": "string",
            "description": "Shown to the reporter alone.",
        },
        "version": VERSION,
        "state": STATE,
        "service": NAMED,
        "protected": {"type": "boolean"},
        "ward": PLACE,
        "district": PLACE,
        "unit": NAMED,
        "filed_at": MOMENT,
        "acknowledge_due": MOMENT,
        "due_at": MOMENT,
        "flags": many({"type": "string"}),
        "outside_m": COUNT,
        "possible_duplicates": many(NEARBY, 5),
        "track": {"type": "string"},
        "emergency": maybe({"type": "string"}),
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
    "channel": {"type": "string"},
    "near": {
        "type": "boolean",
        "description": "Filed from up to 100 m outside the border.",
    },
}
REPORT = record("Report", _PUBLIC)
CASE = record(
    "Case",
    {
        **_PUBLIC,
        "protected": {"type": "boolean"},
        "holder": maybe(CODE),
        "offered_to": maybe(CODE),
        "held_by": many(CODE),
        "answers": {"type": "object"},
        "flags": many({"type": "string"}),
        "outside_m": COUNT,
        "accuracy_m": maybe(COUNT),
        "contactable": {"type": "boolean"},
        "pauses": many(many(MOMENT, 2)),
        "city_due_at": MOMENT,
        "disputed": {"type": "boolean"},
        "open_actions": many({"type": "string", "enum": ACTIONS}),
        "timeline": many({"type": "object"}),
    },
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
    },
    optional=("holder",),
)
PAGE = record("Page", {"reports": many(CARD, 200), "cursor": maybe(CURSOR)})
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
        "data": {"type": "object"},
        "words": {"type": "object"},
    },
    optional=("by", "state", "resolution", "unit", "due_at", "data", "words"),
)
TIMELINE = record("Timeline", {"id": ID, "events": many(EVENT, 200), "next": maybe(VERSION)})
ACTION = record(
    "Action",
    {
        "action": {"type": "string", "enum": ACTIONS},
        "version": {**VERSION, "description": "The version of the report that you saw."},
        "unit": CODE,
        "person": CODE,
        "reason_code": CODE,
        "reason": text(1000),
        "note": text(2000),
        "text": text(2000),
        "question": text(1000),
        "agency": CODE,
        "until": MOMENT,
        "service": CODE,
        "ward": CODE,
        "into": ID,
        "photos": PHOTOS,
    },
    optional=(
        "unit", "person", "reason_code", "reason", "note", "text", "question", "agency",
        "until", "service", "ward", "into", "photos",
    ),
)  # fmt: skip
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
    },
)
COMMENT = record(
    "NewComment",
    {"text": text(2000), "audience": {"type": "string", "enum": ["public", "inside"]}},
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
RATING = record(
    "NewRating",
    {"rating": {"type": "integer", "minimum": 1, "maximum": 5}, "text": text(1000)},
    optional=("text",),
)
CLAIM = record("Claim", {"secret": {"type": "string", "pattern": "^[0-9a-f]{32}$"}})
FOLLOWING = record("Following", {"id": ID, "following": {"type": "boolean"}})
NEW_PHOTO = record("NewPhoto", {"content_type": {"type": "string", "maxLength": 40}})
PHOTO = record(
    "PhotoTicket",
    {
        "photo": ID,
        "content_type": {"type": "string"},
        "upload": maybe(
            record("UploadForm", {"url": {"type": "string"}, "fields": {"type": "object"}})
        ),
    },
)
DEVICE = record("Device", {"token": {"type": "string"}, "kind": {"type": "string"}})
ME = record(
    "Me",
    {
        "kind": {"type": "string"},
        "uid": maybe(CODE),
        "unit": maybe(CODE),
        "home_district": maybe(CODE),
        "grants": many(
            record("Grant", {"role": CODE, "districts": many(SCOPE), "services": many(SCOPE)})
        ),
        "permissions": many(CODE),
    },
)
CONTACT_READ = record("ContactRead", {"id": ID, "version": VERSION, "contact": CONTACT})
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
SERVICE = record(
    "Service",
    {
        "code": CODE,
        "name": BOTH,
        "group": CODE,
        "protected": {"type": "boolean"},
        "emergency": maybe({"type": "string"}),
        "acknowledge_hours": {"type": "number"},
        "resolve_hours": {"type": "number"},
        "hours": {"type": "string", "enum": ["calendar", "working"]},
        "keywords": many({"type": "string"}),
        "questions": many({"type": "object"}),
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
HEALTH = record("Health", {"status": {"type": "string"}, "jurisdiction": CODE, "version": CODE})
WORKFLOW = {"title": "Workflow", "type": "object"}
OPENAPI = {"title": "OpenAPI", "type": "object"}
