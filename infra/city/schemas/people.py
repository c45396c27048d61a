"""The schemas of staff.json and escalation.json."""

from chalicelib.domain.input.email_address import PATTERN
from chalicelib.domain.input.phone_number import PHONE
from chalicelib.domain.principal import AUDITOR, roles
from infra.city.schemas.offer import TEMPLATES
from infra.city.schemas.parts import (
    MESSAGE,
    Schema,
    by_code,
    choice,
    common,
    file,
    flag,
    formed,
    many,
    own,
    record,
    when,
    whole,
)

ROLES = tuple(roles())
HOLDER, EVERY_GROUP = "holder", "*"
MOST = 1000
_PERMISSIONS = many(
    choice(
        ("contact", "abuse"),
        "contact: read a reporter's contact. abuse: learn which reports one person filed.",
    ),
    "Rights beyond the role, where the grant holds.",
    uniqueItems=True,
)
_ADDRESSES = {
    "email": PATTERN,
    "email-json": PATTERN,
    "sms": f"^{PHONE}$",
    "https": r"^https://[^\s]+$",
    "sqs": r"^arn:aws[a-z-]*:sqs:[^\s]+$",
}
_ENDPOINT = record(
    {
        "protocol": choice(_ADDRESSES, "How alerts are sent."),
        "endpoint": common("text", "The address, the telephone number or the queue's ARN."),
        "events": {
            **common("words", "Left out: an endpoint gets every alert that is for its official."),
            "deprecated": True,
        },
    },
    ["protocol", "endpoint"],
    "One way to reach the person.",
    allOf=[
        when(
            "protocol",
            [protocol],
            {"endpoint": {"pattern": pattern, MESSAGE: f"must be an address for {protocol}"}},
        )
        for protocol, pattern in _ADDRESSES.items()
    ],
)
_GRANT = record(
    {
        "role": choice(ROLES, "What the person may do."),
        "districts": common("scope", 'Codes of districts, or only "*" for all.'),
        "services": common("scope", 'Codes of services, or only "*" for all.'),
        "permissions": _PERMISSIONS,
    },
    ["role", "districts", "services"],
    "A role over some districts and services.",
    **when(
        "role",
        [AUDITOR],
        {
            "permissions": {
                "maxItems": 0,
                MESSAGE: "are none of an auditor's, who reads no personal data",
            }
        },
    ),
)
_RECORD = record(
    {
        "ref": common("text", "What the timeline calls the person: s_ and a code."),
        "issuer": common("text", "The issuer of the sign-in, if not the file's."),
        "subject": common("text", "The subject of the sign-in."),
        "name": common("text", "The person's name."),
        "unit": common("text", "The code of the person's unit."),
        "home_district": {
            "type": ["string", "null"],
            "pattern": r"\S",
            "description": "The code of the person's own district.",
        },
        "grants": many(
            own("grant"),
            "What the person may do, and where.",
            minItems=1,
            errorMessage="must name at least one role",
        ),
        "endpoints": many(own("endpoint"), "How alerts reach the person."),
        "permissions": {
            **_PERMISSIONS,
            "description": "Read as with every grant but an auditor's; belongs into the grants.",
            "deprecated": True,
        },
        "active": flag(True, "false ends every right at once."),
    },
    ["ref", "subject", "name", "unit", "grants"],
    "An official.",
)
_REF = formed("^s_[A-Za-z0-9._-]{1,60}$", "must be s_ and letters, digits or . _ -")
STAFF: Schema = file(
    "staff.json",
    "The officials: who may act, over what, and how to reach them.",
    {
        "issuer": common("text", "The issuer of the sign-in, for records without their own."),
        "staff": many(
            {"allOf": [own("record"), {"properties": {"ref": _REF}}]},
            "The records.",
            maxItems=MOST,
            errorMessage=f"must have at most {MOST} records",
        ),
        "for_each_district": many(own("record"), TEMPLATES),
    },
) | {
    "if": {"required": ["for_each_district"]},
    "else": {"required": ["staff"]},
    "$defs": {"record": _RECORD, "grant": _GRANT, "endpoint": _ENDPOINT},
}

_RUNG = record(
    {
        "share": {
            "type": "number",
            "description": "When: a share of the resolve target. Each rung is higher than the "
            "one before.",
            "exclusiveMinimum": 0,
            "maximum": 20,
        },
        "tell": many(
            choice((HOLDER, *ROLES)),
            "Who is told: the holder, or everybody with a role over the report's district.",
            minItems=1,
            uniqueItems=True,
            errorMessage=f"must name somebody: {', '.join((HOLDER, *ROLES))}",
        ),
        "priority": choice(("normal", "high", "urgent"), "urgent ones come apart."),
    },
    ["share", "tell", "priority"],
)
PER_HOUR = whole(1, 10_000, "The most messages that an official gets in an hour.", default=20)
MORNING_HOUR = whole(
    0, 23, "From which hour of the city's day the day's warnings are sent.", default=7
)
_LADDER = many(
    _RUNG, "The rungs of a ladder.", minItems=1, maxItems=8, errorMessage="must have 1 to 8 rungs"
)
ESCALATION: Schema = file(
    "escalation.json",
    "Who is told of a report that is late, and when.",
    {
        "per_hour": PER_HOUR,
        "morning_hour": MORNING_HOUR,
        "ladders": by_code(
            own("ladder"),
            "A ladder for a group of services, by its code; * for every other group.",
            required=[EVERY_GROUP],
        ),
    },
    ["ladders"],
) | {"$defs": {"ladder": _LADDER}}
