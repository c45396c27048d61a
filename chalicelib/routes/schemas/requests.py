"""What the API takes: the bodies of requests."""

from chalicelib.domain.input.contact_methods import METHODS
from chalicelib.routes.schemas.blocks import (
    CLIENT_ACTIONS,
    CODE,
    ID,
    LANGUAGE,
    LONG,
    MOMENT,
    PHOTOS,
    PIN_LAT,
    VERSION,
    record,
    text,
)
from chalicelib.services.platform import photo_reasons

_ADDRESSES = {name: method.schema for name, method in METHODS.items()}
_HOUR = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
SAFE = record(
    "SafeContact",
    {
        "way": {
            "type": "string",
            "enum": [*METHODS, "none"],
            "description": "The only safe way to be reached; none: not at all.",
        },
        "note": text(200, "For the officials who may read the contact."),
        "from": {**_HOUR, "description": "From this local hour on; only with until."},
        "until": _HOUR,
    },
    optional=("way", "note", "from", "until"),
)
CONTACT = record(
    "Contact",
    {
        "name": text(100, "How to address the reporter."),
        **_ADDRESSES,
        "safe": {**SAFE, "description": "When and how it is safe to be reached."},
    },
    optional=("name", *METHODS, "safe"),
)
# One address only: a code goes to one.
OWN_CONTACT = {
    **record("OwnContact", _ADDRESSES, optional=tuple(METHODS)),
    "minProperties": 1,
    "maxProperties": 1,
}
CONTACT_CODE = {
    **record(
        "ContactCode",
        {**_ADDRESSES, "code": {"type": "string", "pattern": "^[0-9]{6}$"}},
        optional=tuple(METHODS),
    ),
    "minProperties": 2,
    "maxProperties": 2,
}
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
            "additionalProperties": True,
            "maxProperties": 40,
            "description": "Answers to the service's questions, by code.",
        },
        "photos": PHOTOS,
        "contact": CONTACT,
        "public": {
            "type": "boolean",
            "description": "Whether everybody may read it; without it the service's default holds. "
            "A protected service is never public.",
        },
        "mask": {
            "type": "boolean",
            "description": "Hide telephone and identity numbers and e-mail addresses in the words "
            "that everybody may read.",
        },
        "channel": {"type": "string", "enum": ["app", "web", "api", "phone", "counter", "import"]},
        "language": LANGUAGE,
        "client_time": {**MOMENT, "description": "The phone's clock, kept as a remark."},
    },
    optional=(
        "accuracy", "description", "landmark", "answers", "photos", "contact", "public",
        "mask", "channel", "language", "client_time",
    ),
)  # fmt: skip
ACTION = record(
    "Action",
    {
        "action": {"type": "string", "enum": CLIENT_ACTIONS},
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
        "lat": {**PIN_LAT, "description": "Where the pin belongs (move_pin, transfer)."},
        "long": LONG,
        "into": ID,
        "result": {"type": "string", "enum": ["pass", "fail"], "description": "Of an audit."},
        "photos": PHOTOS,
    },
    optional=(
        "unit", "person", "reason_code", "reason", "note", "text", "question", "agency",
        "until", "service", "ward", "lat", "long", "into", "result", "photos",
    ),
)  # fmt: skip
COMMENT = record(
    "NewComment",
    {"text": text(2000), "audience": {"type": "string", "enum": ["public", "inside"]}},
)
FILER_REVIEW = record(
    "FilerReview",
    {"reason": text(1000, "Kept with the report, for officials; name no other report in it.")},
)
FIELD = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,80}$", "x-verbatim": True}
HIDE_TEXT = record(
    "HideText",
    {
        "version": {**VERSION, "description": "Of the event whose text it is."},
        "field": {**FIELD, "description": "As the timeline's `words` name it."},
        "passages": {
            "type": "array",
            "maxItems": 50,
            "minItems": 1,
            "items": record(
                "Passage",
                {
                    "start": {"type": "integer", "minimum": 0, "maximum": 10_000},
                    "end": {"type": "integer", "minimum": 1, "maximum": 10_000},
                },
            ),
            "description": "Characters (code points) from `start` up to `end`; none: all of it.",
        },
        "reason": {"type": "string", "enum": sorted(photo_reasons.texts())},
        "note": text(1000, "For officials."),
    },
    optional=("passages", "note"),
)
CORRECTION = record(
    "Correction",
    {
        "description": {"type": "string", "maxLength": 4000},
        "landmark": {"type": "string", "maxLength": 200},
        "mask": {"type": "boolean", "description": "As at filing."},
        "contact": CONTACT,
    },
    optional=("description", "landmark", "mask", "contact"),
)
RATING = record(
    "NewRating",
    {"rating": {"type": "integer", "minimum": 1, "maximum": 5}, "text": text(1000)},
    optional=("text",),
)
FOLLOW = record("Follow", {"contact": CONTACT}, optional=("contact",))
CLAIM = record("Claim", {"secret": {"type": "string", "pattern": "^[0-9a-f]{32}$"}})
