"""What GeoReport's operations take and answer, for the OpenAPI document."""

from chalicelib.routes.schemas.blocks import Schema, many, maybe, record

_TEXT: Schema = {"type": "string"}
_BOOLEAN: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "number"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_KEY_AND_NAME = {"key": _TEXT, "name": _TEXT}

DISCOVERY = record(
    "Open311Discovery",
    {
        "changeset": _TIME,
        "contact": _TEXT,
        "key_service": _TEXT,
        "endpoints": many(
            record(
                "Open311Endpoint",
                {
                    "specification": _TEXT,
                    "url": _TEXT,
                    "changeset": _TIME,
                    "type": {"type": "string", "enum": ["production", "test"]},
                    "formats": many(_TEXT),
                    "jurisdiction_id": _TEXT,
                },
                optional=("jurisdiction_id",),
            )
        ),
    },
)
SERVICES = many(
    record(
        "Open311Service",
        {
            "service_code": _TEXT,
            "service_name": _TEXT,
            "description": _TEXT,
            "metadata": _BOOLEAN,
            "type": {"type": "string", "enum": ["realtime", "batch", "blackbox"]},
            "keywords": _TEXT,
            "group": _TEXT,
        },
    )
)
DEFINITION = record(
    "Open311Definition",
    {
        "service_code": _TEXT,
        "attributes": many(
            record(
                "Open311Attribute",
                {
                    "variable": _BOOLEAN,
                    "code": _TEXT,
                    "datatype": _TEXT,
                    "required": _BOOLEAN,
                    "datatype_description": maybe(_TEXT),
                    "order": {"type": "integer"},
                    "description": _TEXT,
                    "values": many(record("Open311Value", _KEY_AND_NAME)),
                },
            )
        ),
    },
)
REQUESTS = many(
    record(
        "Open311Request",
        {
            "service_request_id": _TEXT,
            "status": {"type": "string", "enum": ["open", "closed"]},
            "status_notes": _TEXT,
            "service_name": _TEXT,
            "service_code": _TEXT,
            "description": maybe(_TEXT),
            "agency_responsible": _TEXT,
            "service_notice": maybe(_TEXT),
            "requested_datetime": _TIME,
            "updated_datetime": _TIME,
            "expected_datetime": maybe(_TIME),
            "address": _TEXT,
            "address_id": maybe(_TEXT),
            "zipcode": maybe(_TEXT),
            "lat": _NUMBER,
            "long": _NUMBER,
            "media_url": maybe(_TEXT),
            "extended_attributes": record(
                "Open311Extended",
                {
                    "detailed_status": _TEXT,
                    "resolution": maybe(_TEXT),
                    "ward": _TEXT,
                    "district": _TEXT,
                    "unit": _TEXT,
                    "agency": maybe(_TEXT),
                    "photos": many(record("Open311Photo", {"media_url": _TEXT})),
                },
            ),
        },
        optional=("extended_attributes",),
    )
)
CREATED = many(
    record(
        "Open311Created",
        {
            "service_request_id": _TEXT,
            "token": _TEXT,
            "service_notice": maybe(_TEXT),
            "account_id": maybe(_TEXT),
        },
        optional=("service_request_id", "token"),
    )
)
TOKEN = many(record("Open311Token", {"service_request_id": maybe(_TEXT), "token": _TEXT}))
UPDATES = many(
    record(
        "Open311Update",
        {
            "update_id": _TEXT,
            "service_request_id": _TEXT,
            "status": _TEXT,
            "updated_datetime": _TIME,
            "description": _TEXT,
            "media_url": maybe(_TEXT),
            "external_status_code": maybe(_TEXT),
        },
    )
)
UPDATED = many(record("Open311Updated", {"update_id": _TEXT, "account_id": maybe(_TEXT)}))

_PERSON = dict.fromkeys(("email", "first_name", "last_name", "phone"), _TEXT)
NEW_REQUEST: dict[str, Schema] = {
    "api_key": _TEXT,
    "service_code": _TEXT,
    "lat": _TEXT,
    "long": _TEXT,
    "address_string": _TEXT,
    "address_id": _TEXT,
    "description": _TEXT,
    "media_url": _TEXT,
    "locale": _TEXT,
    **_PERSON,
}
NEW_UPDATE: dict[str, Schema] = {
    "api_key": _TEXT,
    "service_request_id": _TEXT,
    "update_id": _TEXT,
    "status": _TEXT,
    "updated_datetime": _TEXT,
    "description": _TEXT,
    **_PERSON,
}
