"""The schema of city.json."""

from chalicelib.domain.city.limits import OF_CODES, OF_PERSONS
from infra.city.schemas.parts import (
    LANGUAGE,
    Schema,
    common,
    file,
    formed,
    many,
    own,
    record,
    whole,
)

MOST_PEOPLE = 100_000_000
LIMITS = ("device", "devices", "address", "cell", "tickets")
# A folder of an earlier version has none: then the product's own hold.
OPTIONAL_LIMITS = (*OF_PERSONS, *OF_CODES)
_LIMITS = {
    "device": "Reports from one device.",
    "devices": "New devices from one address.",
    "address": "Reports from one address.",
    "cell": "Reports in one cell of the map: a geohash of six characters, about 1.2 × 0.6 km.",
    "tickets": "Photos of one person.",
    **{kind: limit.counts for kind, limit in {**OF_PERSONS, **OF_CODES}.items()},
}
RULES = {
    "reopen_days": whole(1, 365, "For how many days a closed report may be reopened."),
    "refuse_days": whole(1, 90, "For how many days the reporter may refuse a repair."),
    "lapse_days": whole(1, 90, "After how many days a repair counts without the reporter's word."),
    "needs_info_days": whole(1, 90, "For how many days a question to the reporter stops the time."),
    "near_m": whole(0, 1000, "How many metres outside the city a pin still counts."),
    "duplicate_m": whole(1, 1000, "Within how many metres two reports may be duplicates."),
}
# A folder of an earlier version has none.
OPTIONAL_RULES = {
    "hidden_text_days": whole(1, 365, "How many days auditors see hidden words (30 without it)."),
    "contact_settled_hours": whole(
        0, 720, "How many hours a contact must have held to be told of its change (1 without it)."
    ),
    "former_contact_days": whole(
        1, 90, "How many days a former contact is kept for that (30 without it)."
    ),
}
# A judged month's audit still looks at what was closed three months before. Longer than a century
# is a slip of the pen. The bucket itself keeps no original for longer than 30 days.
RETENTION = {
    "contact_days": whole(
        30, 36_500, "Contacts, from the closing of the report. Not less than reopen_days."
    ),
    "closed_days": whole(
        120, 36_500, "People's words and photos, from the closing. Not less than reopen_days."
    ),
    "cancelled_days": whole(
        30,
        36_500,
        "The same for reports that were rejected, withdrawn or not the city's. Not less than "
        "reopen_days.",
    ),
    "originals_days": whole(1, 30, "Originals of photos, from the upload."),
    "addresses_days": whole(60, 36_500, "What an address chose, from the last message to it."),
}
_LEVEL = common("text", "One of the city's levels.")
_AREA = record(
    {
        "level": _LEVEL,
        "code": common("code"),
        "name": common("text", "The name of the area."),
        "parent": common("text", "The code of the area in which it lies."),
        "population": whole(0, MOST_PEOPLE, "How many people live there."),
    },
    ["level", "code", "name"],
)
_MAPPED_AREA = record(
    {
        "level": _LEVEL,
        "code": common(
            "text", "The property that holds the code. Without it, codes are made of the names."
        ),
        "name": common("text", "The property that holds the name."),
        "parent": common("text", "The property that holds the code of the area in which it lies."),
        "population": common("text", "The property that holds the number of people."),
    },
    ["level", "name"],
)
_SHAPES = record(
    {
        "file": common("text", "The name of a GeoJSON file."),
        "where": {
            "type": ["object", "null"],
            "description": "Only features whose properties have these values count; a list "
            "allows each of its values.",
        },
        "areas": many(_MAPPED_AREA, "The areas that each feature names."),
    },
    ["file", "areas"],
)
_REQUIRED = [
    "jurisdiction", "name", "time_zone", "emergency", "languages", "levels", "boundaries",
    "limits", "rules",
]  # fmt: skip
CITY: Schema = file(
    "city.json",
    "The city itself: name, time zone, levels, boundaries, limits and rules.",
    {
        "base": common(
            "text",
            "Another city folder, such as ../demo. It gives every file, and every field of "
            "city.json, that this folder does not have.",
        ),
        "jurisdiction": formed(
            "^[a-z0-9][a-z0-9._-]{0,62}$",
            "must be lower-case letters, digits and . _ -",
            "The city's name in keys and addresses.",
        ),
        "name": common("texts", "The city's name."),
        "time_zone": common(
            "text", "A name of the IANA database, such as Asia/Jakarta, for months and hours."
        ),
        "country": formed(
            "^[A-Z]{2}$",
            "must be two capital letters of ISO 3166",
            "Two letters of ISO 3166. The country's telephone and identity numbers are known.",
        ),
        "emergency": common("text", "The emergency number."),
        "numbers": common("numbers", "Whom to call about any protected service."),
        "languages": many(
            formed(LANGUAGE, "must be a tag of two or three small letters, like id, en, nl"),
            "The languages of all names and messages. The first is for officials and open data.",
            minItems=1,
            uniqueItems=True,
            errorMessage="must name at least one language",
        ),
        "levels": many(
            common("text"),
            "From the city down to the wards. The last but one are the districts.",
            minItems=2,
            uniqueItems=True,
            errorMessage="must name at least two levels, the wards' last",
        ),
        "boundaries": record(
            {
                "areas": many(_AREA, "Areas that are written out."),
                "files": many(_SHAPES, "GeoJSON files."),
            },
            ["files"],
            "The areas of the city, and the shapes of its wards.",
        ),
        "limits": record(
            {kind: own("limits", _LIMITS[kind]) for kind in (*LIMITS, *OPTIONAL_LIMITS)},
            LIMITS,
            "How much may be sent. Where an optional limit is left out, the product's own holds.",
        ),
        "rules": record(
            {**RULES, **OPTIONAL_RULES}, RULES, "Times and distances of the workflow."
        ),
        "retention": record(
            RETENTION,
            (),
            "For how many days personal data are kept. What is left out is kept until somebody "
            "asks.",
        ),
    },
) | {
    "if": {"required": ["base"]},
    "else": {"required": _REQUIRED},
    "$defs": {
        "limits": many(
            record(
                {
                    "n": whole(1, 1_000_000, "How many."),
                    "seconds": whole(1, 30 * 86_400, "In how many seconds."),
                },
                ["n", "seconds"],
            ),
            "Limits, which all hold.",
        )
    },
}  # fmt: skip
