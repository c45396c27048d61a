"""What a change of a report answers: filing, actions, additions, corrections."""

from chalicelib.routes.schemas.blocks import (
    CODE,
    COUNT,
    ID,
    MOMENT,
    NAMED,
    PLACE,
    RESOLUTIONS,
    STATE,
    TRACKING,
    VERSION,
    many,
    maybe,
    record,
)
from chalicelib.routes.schemas.city import NUMBERS

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
        "due_at": maybe(MOMENT),
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
OPENED = record("Opened", {"id": ID, "version": VERSION, "private": {"type": "boolean"}})
FOLLOWING = record("Following", {"id": ID, "following": {"type": "boolean"}})
