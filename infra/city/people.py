"""The staff of a city: who may act, over which districts and services, and how to reach them."""

from typing import Any

from chalicelib.domain.input.email_address import is_address
from chalicelib.domain.principal import AUDITOR
from infra.city.fields import Fields, unique
from infra.city.validate import scope


def staff(
    fields: Fields, units: set[str], districts: set[str], services: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """The staff records; ``services`` by code, ``issuer`` of the file for records without one.

    Who belongs to the unit of a protected service is marked ``protected_unit``, and is alerted of
    its reports alone.
    """
    guarded = {service["unit"] for service in services.values() if service["protected"]}
    issuer = fields.text("issuer")
    rows = fields.each("staff")
    records = [_record(row, issuer, units, districts, set(services), guarded) for row in rows]
    unique(rows, [record["ref"] for record in records], "ref")
    unique(rows, [_identity(record) for record in records], "subject")
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
        "ref": row.text("ref"),
        "issuer": row.text("issuer") or issuer,
        "subject": row.text("subject"),
        "name": row.text("name"),
        "unit": row.choice("unit", sorted(units), "unit"),
        "home_district": None,
        "grants": [_grant(grant, districts, services) for grant in row.each("grants")],
        "endpoints": [_endpoint(end) for end in row.each("endpoints")],
        "active": row.flag("active", True),
    }
    if not (issuer or row.has("issuer")):
        row.fault("issuer", "is missing")
    if row.raw("home_district") is not None:
        record["home_district"] = row.choice("home_district", sorted(districts), "district")
    if row.has("permissions"):
        everywhere = row.texts("permissions")
        if everywhere:
            row.warn("permissions", "belong into a grant; they are read as with every grant")
        for grant in record["grants"]:
            if grant["role"] != AUDITOR:
                grant["permissions"] = sorted({*grant["permissions"], *everywhere})
    if record["unit"] in guarded:
        record["protected_unit"] = True
    return record


def _grant(row: Fields, districts: set[str], services: set[str]) -> dict[str, Any]:
    return {
        "role": row.text("role"),
        "districts": scope(row, "districts", districts, "district"),
        "services": scope(row, "services", services, "service"),
        "permissions": row.texts("permissions"),
    }


def _endpoint(row: Fields) -> dict[str, Any]:
    protocol = row.text("protocol")
    endpoint: dict[str, Any] = {"protocol": protocol, "endpoint": row.text("endpoint")}
    if (
        protocol.startswith("email")
        and endpoint["endpoint"]
        and not is_address(endpoint["endpoint"])
    ):
        row.fault("endpoint", f"must be an address for {protocol}, not {endpoint['endpoint']!r}")
    if row.has("events"):
        # Older folders may have it; it never had an effect.
        row.warn("events", "is left out: an endpoint gets every alert that is for its official")
    return endpoint
