"""The schema of webhooks.json."""

from infra.city.schemas.parts import Schema, by_code, common, file, formed, many, own, record

# Each is one more row in the transaction of an event's projection.
MOST_HOOKS = 8
_PATH = "^[A-Za-z0-9_-]{1,64}(\\.[A-Za-z0-9_-]{1,64}){0,7}$"

_HOOK = record(
    {
        "code": common("code"),
        "name": common("text", "Whose system it is, for administrators."),
        "url": common("text", "Where events are posted: https, port 443, a public name."),
        "events": many(
            common("text"),
            "Only these events. Without it: all public ones but the quiet ones (docs/webhooks.md).",
            minItems=1,
            uniqueItems=True,
            errorMessage="must name at least one event; leave it out for all",
        ),
        "services": common("scope", "Only reports of these services. Without it: of all."),
        "districts": common("scope", "Only reports of these districts. Without it: of all."),
        "states": by_code(
            common("text"),
            "Their word for each of our states or, for closed reports, resolutions; * for all "
            "others.",
        ),
        "categories": by_code(
            common("text"), "Their code for each of our services; * for all others."
        ),
        "outside_id": formed(
            _PATH,
            "must be names of fields with dots between them, such as data.id",
            "Where their answer (JSON) has their own id of the report.",
        ),
        "token_header": formed(
            "^[A-Za-z][A-Za-z0-9-]{0,63}$",
            "must be the name of a header, such as Authorization",
            "The header in which their own access token is sent, if they want one.",
        ),
        "since": {
            "type": "string",
            "format": "date",
            "description": "Events before this day are not sent.",
            "errorMessage": "must be a date such as 2026-12-01",
        },
    },
    ["code", "url"],
    "Another system, which is sent public events.",
)
WEBHOOKS: Schema = file(
    "webhooks.json",
    "Other systems that are sent the public events of reports, signed and in order.",
    {"webhooks": many(own("hook"), "The webhooks.", maxItems=MOST_HOOKS)},
    ["webhooks"],
) | {"$defs": {"hook": _HOOK}}
