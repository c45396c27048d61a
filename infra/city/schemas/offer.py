"""The schemas of services.json and units.json."""

from chalicelib.domain.city.service import QUESTION_TYPES
from infra.city.schemas.parts import (
    MESSAGE,
    Schema,
    by_code,
    choice,
    common,
    file,
    flag,
    many,
    own,
    record,
    when,
    whole,
)

CLOCKS = ("calendar", "working")
LONGEST_HOURS = 24 * 366
TEMPLATES = "Templates: one row a district, with its code and name for {district} and {name}."
_LIST_RULE = "a list needs options, and only a list may have them"
_LISTS = [kind for kind in QUESTION_TYPES if kind.endswith("list")]
_PLAIN = [kind for kind in QUESTION_TYPES if not kind.endswith("list")]

_TARGET = record(
    {
        "hours": {
            "type": "number",
            "description": "How many hours.",
            "exclusiveMinimum": 0,
            "maximum": LONGEST_HOURS,
        },
        "clock": choice(
            CLOCKS, "calendar: every hour counts. working: only the hours of calendar.json."
        ),
    },
    ["hours", "clock"],
    "A promise to citizens.",
)
_OPTION = record(
    {"key": common("code"), "name": common("texts", "The answer as it is shown.")}, ["key", "name"]
)
_QUESTION = record(
    {
        "code": common("code"),
        "type": choice(QUESTION_TYPES, "The type of the answer, as in Open311."),
        "required": flag(False, "Whether it must be answered."),
        "label": common("texts", "The question."),
        "options": many(_OPTION, "The answers of a list."),
    },
    ["code", "type", "label"],
    "A question to the reporter.",
    allOf=[
        when(
            "type",
            _LISTS,
            {"options": {"minItems": 1, MESSAGE: _LIST_RULE}},
            required=["options"],
        ),
        when("type", _PLAIN, {"options": {"maxItems": 0, MESSAGE: _LIST_RULE}}),
    ],
)
_SERVICE = record(
    {
        "code": common("code"),
        "group": common("text", "The code of a group."),
        "name": common("texts", "The service's name."),
        "description": common("texts", "What belongs to the service."),
        "acknowledge": own("target", "Until when a first answer is promised."),
        "resolve": own("target", "Until when the repair is promised."),
        "unit": common(
            "text",
            '"district" for the unit of the report\'s district, or the code of a unit that '
            "covers every district.",
        ),
        "protected": flag(
            False, "Its reports are never public. It needs a unit outside the districts."
        ),
        "public": flag(True, "Whether a report is public where its reporter does not say."),
        "public_decimals": whole(
            2, 5, "To how many decimals of a degree everybody knows the place (5 ≈ 1 m, 2 ≈ 1 km)."
        ),
        "reception": choice(
            ("realtime", "batch", "blackbox", "none"),
            "What an Open311 client gets back at once: an id, a token or nothing. With none the "
            "service is not offered by Open311. A protected service gives no id.",
        ),
        "numbers": common("numbers", "Whom to call about this service."),
        "staff_only": flag(False, "Whether it is not offered to citizens."),
        "active": flag(True, "false retires it; its old reports stay."),
        "keywords": common("words", "Words by which it is found."),
        "questions": many(own("question"), "What the reporter is asked."),
    },
    ["code", "group", "name", "acknowledge", "resolve", "unit"],
    "A service: what can be reported.",
    **when(
        "protected",
        [True],
        {
            "public": {
                "not": {"const": True},
                MESSAGE: "must not be true: a protected service is never public",
            }
        },
    ),
)
SERVICES: Schema = file(
    "services.json",
    "What can be reported: groups and services with their promise, unit and questions.",
    {
        "groups": many(
            record(
                {"code": common("code"), "name": common("texts", "The group's name.")},
                ["code", "name"],
            ),
            "Groups of services.",
        ),
        "services": many(own("service"), "The services."),
    },
    ["groups", "services"],
) | {"$defs": {"service": _SERVICE, "question": _QUESTION, "target": _TARGET}}

_OUTSIDE_SERVICE = record(
    {
        "code": common("text", "The server's code."),
        "attributes": by_code(common("text"), "Attributes that the server requires."),
    },
    ["code"],
)
_OPEN311 = record(
    {
        "endpoint": common("text", "The server's address: https, port 443, a public name."),
        "jurisdiction_id": common("text", "The jurisdiction_id that the server wants."),
        "format": {**choice(("json", "xml"), "The format of its answers."), "default": "json"},
        "updates": flag(False, "Whether it has mySociety's servicerequestupdates."),
        "private": flag(True, "false keeps private reports here."),
        "services": by_code(
            _OUTSIDE_SERVICE, "The server's codes, by our service's code; * for all others."
        ),
    },
    ["endpoint"],
    "The Open311 server of a unit that works with a system of its own.",
)
_UNIT = record(
    {
        "code": common("text", "A code of letters, digits and . _ -"),
        "name": common("texts", "The unit's name."),
        "kind": choice(
            ("district", "agency", "province", "bureau"),
            "Every district has exactly one unit of kind district.",
        ),
        "districts": common("scope", 'Codes of districts, or only "*" for all.'),
        "open311": _OPEN311,
    },
    ["code", "name", "kind", "districts"],
    "A unit.",
)
UNITS: Schema = file(
    "units.json",
    "The units of the city: who works, and where.",
    {
        "units": many(
            {"allOf": [own("unit"), {"properties": {"code": common("code")}}]}, "The units."
        ),
        "for_each_district": many(own("unit"), TEMPLATES),
    },
) | {
    "if": {"required": ["for_each_district"]},
    "else": {"required": ["units"]},
    "$defs": {"unit": _UNIT},
}
