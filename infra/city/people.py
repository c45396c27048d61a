"""The staff of a city: who may act, over which districts and services, and how to reach them."""

import re
from typing import Any

from chalicelib.domain.input.email_address import is_address
from chalicelib.domain.principal import AUDITOR, roles
from infra.city.fields import Fields, unique
from infra.city.validate import scope

ROLES = tuple(roles())
PERMISSIONS = ("contact", "abuse")
MOST = 1000
_REF = re.compile(r"^s_[A-Za-z0-9._-]{1,60}$")
_ENDPOINTS = {
    "email": re.compile(r"^[^@\s]+@[^@\s]+$"),
    "email-json": re.compile(r"^[^@\s]+@[^@\s]+$"),
    "sms": re.compile(r"^\+[1-9]\d{6,14}$"),
    "https": re.compile(r"^https://[^\s]+$"),
    "sqs": re.compile(r"^arn:aws[a-z-]*:sqs:[^\s]+$"),
}


def staff(
    one: Fields, units: set[str], districts: set[str], services: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """The staff records; ``services`` by code, ``issuer`` of the file for records without one.

    Members of the unit of a protected service are marked ``protected_unit`` and get alerts only of
    its reports.
    """
    guarded = {service["unit"] for service in services.values() if service["protected"]}
    issuer = one.text("issuer", required=False)
    rows = one.each("staff")
    records = [_record(row, issuer, units, districts, set(services), guarded) for row in rows]
    unique(rows, [record["ref"] for record in records], "ref")
    unique(rows, [_identity(record) for record in records], "subject")
    if len(rows) > MOST:
        one.fault("staff", f"must have at most {MOST} records")
    one.close()
    return records


def _identity(record: dict[str, Any]) -> str:
    return f"{record['issuer']} {record['subject']}"


def _record(
    row: Fields,
    issuer: str,
    units: set[str],
    districts: set[str],
    services: set[str],
    guarded: set[str],
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "ref": row.text("ref", pattern=_REF, form="s_ and letters, digits or . _ -"),
        "issuer": row.text("issuer", required=not issuer) or issuer,
        "subject": row.text("subject"),
        "name": row.text("name"),
        "unit": row.choice("unit", sorted(units), "unit"),
        "home_district": None,
        "grants": [_grant(grant, districts, services) for grant in row.each("grants")],
        "endpoints": [_endpoint(end) for end in row.each("endpoints", required=False)],
        "active": row.flag("active", True),
    }
    if row.raw("home_district", required=False) is not None:
        record["home_district"] = row.choice("home_district", sorted(districts), "district")
    if row.has("permissions"):
        everywhere = row.choices("permissions", PERMISSIONS, "permission")
        if everywhere:
            row.warn("permissions", "belong into a grant; they are read as with every grant")
        for grant in record["grants"]:
            if grant["role"] != AUDITOR:
                grant["permissions"] = sorted({*grant["permissions"], *everywhere})
    if row.has("grants") and not record["grants"]:
        row.fault("grants", "must name at least one role")
    if record["unit"] in guarded:
        record["protected_unit"] = True
    row.close()
    return record


def _grant(row: Fields, districts: set[str], services: set[str]) -> dict[str, Any]:
    grant = {
        "role": row.choice("role", ROLES),
        "districts": scope(row, "districts", districts, "district"),
        "services": scope(row, "services", services, "service"),
        "permissions": row.choices("permissions", PERMISSIONS, "permission")
        if row.has("permissions")
        else [],
    }
    if grant["role"] == AUDITOR and grant["permissions"]:
        row.fault("permissions", "are none of an auditor's, who reads no personal data")
    row.close()
    return grant


def _endpoint(row: Fields) -> dict[str, Any]:
    protocol = row.choice("protocol", _ENDPOINTS)
    endpoint: dict[str, Any] = {
        "protocol": protocol,
        "endpoint": row.text(
            "endpoint", pattern=_ENDPOINTS.get(protocol), form=f"an address for {protocol}"
        ),
    }
    if (
        protocol.startswith("email")
        and endpoint["endpoint"]
        and not is_address(endpoint["endpoint"])
    ):
        row.fault("endpoint", f"must be an address for {protocol}, not {endpoint['endpoint']!r}")
    if row.has("events"):
        endpoint["events"] = row.texts("events")
    row.close()
    return endpoint
