"""The copy of all that is held on a person."""

from chalicelib.domain.input.contact_methods import METHODS
from chalicelib.routes.schemas.blocks import (
    ANSWERS,
    CODE,
    COUNT,
    CURSOR,
    ID,
    LANGUAGE,
    LAT,
    LONG,
    MOMENT,
    STATE,
    TRACKING,
    VERSION,
    many,
    maybe,
    record,
)
from chalicelib.routes.schemas.photos import RENDITION
from chalicelib.routes.schemas.requests import CONTACT

_ABOUT = record(
    "OwnReport",
    {
        "code": TRACKING,
        "service": CODE,
        "state": STATE,
        "filed_at": MOMENT,
        "channel": {"type": "string"},
        "language": LANGUAGE,
        "lat": LAT,
        "long": LONG,
        "accuracy_m": maybe(COUNT),
        "client_time": maybe({"type": "string"}),
        "private": {"type": "boolean"},
        "answers": ANSWERS,
        "rating": maybe({"type": "integer", "minimum": 1, "maximum": 5}),
        "rated_at": maybe(MOMENT),
    },
)
_TEXT = record(
    "OwnText",
    {
        "version": VERSION,
        "field": {"type": "string"},
        "text": {"type": "string"},
        "audience": {"type": "string", "enum": ["public", "inside"]},
        "hidden": {"type": "boolean", "description": "Hidden by officials; kept for auditors."},
    },
)
_PHOTO = record(
    "OwnPhoto",
    {
        "id": ID,
        "state": {"type": "string"},
        "small": maybe(RENDITION),
        "large": maybe(RENDITION),
        "facts": {
            **maybe({"type": "object", "additionalProperties": True}),
            "description": "What its metadata told; kept until it is used, for two days at most.",
        },
    },
)
_WISHES = record(
    "OwnNotifications",
    {
        "notify": {"type": "string", "enum": ["all", "asked", "digest", "nothing"]},
        "way": maybe({"type": "string"}),
        "bounced": {
            **many({"type": "string"}, len(METHODS)),
            "description": "Ways by which messages came back.",
        },
    },
)
_ITEM = record(
    "OwnItem",
    {
        "kind": {
            "type": "string",
            "enum": [
                "report", "contact", "text", "photo", "support", "follow", "flag", "duplicate",
            ],
        },
        "report": maybe(ID),
        "detail": {
            **maybe({"type": "string"}),
            "description": "What a flag is about; the duplicate by which a report is followed up.",
        },
        "about": maybe(_ABOUT),
        "kept": {
            "type": "boolean",
            "description": "A contact is kept; or, where nothing else is said, a thing is kept on "
            "a report that is another device's now: the city gives a copy of it on request.",
        },
        "contact": maybe(CONTACT),
        "notifications": maybe(_WISHES),
        "texts": many(_TEXT),
        "photos": many(_PHOTO),
    },
)  # fmt: skip
OWN_DATA = record("OwnData", {"items": many(_ITEM, 200), "cursor": maybe(CURSOR)})
