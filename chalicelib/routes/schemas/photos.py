"""Photos: tickets, what became of them, pictures of a report, moderation and flags."""

from chalicelib.routes.schemas.blocks import (
    BOTH,
    COUNT,
    ID,
    LAT,
    LONG,
    MOMENT,
    by_code,
    maybe,
    record,
    text,
)
from chalicelib.services.platform import photo_reasons

NEW_PHOTO = record("NewPhoto", {"content_type": {"type": "string", "maxLength": 40}})
PHOTO = record(
    "PhotoTicket",
    {
        "photo": ID,
        "content_type": {"type": "string"},
        "upload": maybe(
            record(
                "UploadForm",
                {
                    "url": {"type": "string"},
                    "fields": by_code(
                        {"type": "string"},
                        "Send all of them as they are, in a form of parts, with the photo as the "
                        "last part, named `file`.",
                    ),
                },
            )
        ),
    },
)
RENDITION = record(
    "Rendition",
    {
        "url": {"type": "string", "description": "Signed; good for at least ten minutes."},
        "width": COUNT,
        "height": COUNT,
    },
)
PICTURE = record(
    "Picture",
    {
        "id": ID,
        "kind": {
            "type": "string",
            "enum": ["before", "after", "earlier", "follow_up"],
            "description": "Of the problem; of the repair; of a repair that did not hold; with an "
            "objection or an audit.",
        },
        "state": {"type": "string", "enum": ["pending", "ready", "refused", "hidden"]},
        "width": maybe(COUNT),
        "height": maybe(COUNT),
        "small": maybe(RENDITION),
        "large": maybe(RENDITION),
    },
)
MY_PHOTO = record(
    "MyPhoto",
    {
        "photo": ID,
        "state": {"type": "string", "enum": ["issued", "ready", "refused"]},
        "reason": maybe(
            record(
                "Refusal",
                {
                    "code": {"type": "string", "enum": sorted(photo_reasons.refusals())},
                    "text": BOTH,
                },
            )
        ),
        "report": maybe(ID),
        "taken_at": maybe(MOMENT),
        "place": maybe(record("PhotoPlace", {"lat": LAT, "long": LONG})),
        "pictures": maybe(record("Renditions", {"small": RENDITION, "large": RENDITION})),
    },
)
_PART = {"type": "integer", "minimum": 0, "maximum": 1000}
_SPAN = {**_PART, "minimum": 1}
MODERATION = record(
    "Moderation",
    {
        "action": {"type": "string", "enum": ["hide", "unhide", "blur"]},
        "reason": {"type": "string", "enum": sorted(photo_reasons.moderations())},
        "rectangle": {
            **record("Rectangle", {"x": _PART, "y": _PART, "width": _SPAN, "height": _SPAN}),
            "description": "What to blur, in thousandths of the picture's width and height.",
        },
        "note": text(1000, "For officials."),
    },
    optional=("rectangle", "note"),
)
MODERATED = record(
    "Moderated",
    {
        "id": ID,
        "version": COUNT,
        "photo": ID,
        "picture": {"type": "string", "enum": ["pending", "hidden"]},
    },
)
FLAG = record(
    "NewFlag",
    {
        "reason": {"type": "string", "enum": sorted(photo_reasons.flags())},
        "photo": {**ID, "description": "The picture that is meant, if it is one."},
        "text": {
            **record(
                "FlaggedText",
                {
                    "version": {**COUNT, "maximum": 1_000_000},
                    "field": {"type": "string", "maxLength": 80},
                },
            ),
            "description": "The text that is meant: its event's version and the field.",
        },
        "note": text(1000, "For officials."),
    },
    optional=("photo", "text", "note"),
)
FLAGGED = record("Flagged", {"id": ID, "version": COUNT, "flagged": COUNT})
