"""What is read of a city: areas, services, tallies; and the pages about the API itself."""

from chalicelib.domain.city.service import QUESTION_TYPES
from chalicelib.domain.tallies import MEASURES
from chalicelib.routes.schemas.blocks import (
    BOTH,
    CODE,
    LANGUAGE,
    NAMED,
    Schema,
    many,
    maybe,
    record,
)

NUMBERS = many(
    record(
        "HelpNumber",
        {"name": BOTH, "number": {"type": "string"}, "hours": maybe(BOTH)},
    )
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
