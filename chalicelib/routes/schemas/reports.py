"""What is read of reports: the public view, the officials' view, pages and timelines."""

from chalicelib.routes.schemas.blocks import (
    ACTIONS,
    ANSWERS,
    CODE,
    COUNT,
    CURSOR,
    ID,
    LAT,
    LONG,
    MOMENT,
    NAMED,
    PLACE,
    RESOLUTIONS,
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
    "acknowledge_due": maybe(MOMENT),
    "due_at": maybe(MOMENT),
    "old_due_at": maybe(MOMENT),
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
        "due_at": maybe(MOMENT),
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
        "address": maybe({"type": "string"}),
        "outside_m": COUNT,
        "accuracy_m": maybe(COUNT),
        "contactable": {"type": "boolean"},
        "pauses": many(many(MOMENT, 2)),
        "city_due_at": maybe(MOMENT),
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
        "due_at": maybe(MOMENT),
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
PROOF = record(
    "RecordProof",
    {
        "jurisdiction": CODE,
        "id": ID,
        "events": many(
            record(
                "ProofEvent",
                {
                    "version": VERSION,
                    "hash": {"type": "string"},
                    "prev": {"type": "string"},
                    "event": maybe({"type": "string"}),
                },
            ),
            200,
        ),
        "next": maybe(VERSION),
    },
)
_DAY: Schema = {"type": "string", "pattern": "^[0-9]{8}$"}
_HASH: Schema = {"type": "string"}
INCLUSION = record(
    "InclusionProof",
    {
        "jurisdiction": CODE,
        "id": ID,
        "inclusion": maybe(
            record(
                "Inclusion",
                {
                    "day": _DAY,
                    "month": {"type": "string"},
                    "version": VERSION,
                    "hash": _HASH,
                    "path": many(
                        record(
                            "PathStep",
                            {"side": {"type": "string", "enum": ["left", "right"]}, "hash": _HASH},
                        ),
                        64,
                    ),
                },
            )
        ),
    },
)
RECORD_DAYS = record(
    "RecordDays",
    {
        "days": many(
            record("RecordDay", {"day": _DAY, "document": {"type": "string"}, "hash": _HASH}), 100
        ),
        "next": maybe(_DAY),
    },
)
TIMELINE = record("Timeline", {"id": ID, "events": many(EVENT, 200), "next": maybe(VERSION)})
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
