"""What is answered about the caller and about contacts: devices, roles, codes, filers."""

from chalicelib.routes.schemas.blocks import (
    CODE,
    COUNT,
    ID,
    MOMENT,
    SCOPE,
    VERSION,
    many,
    maybe,
    record,
)
from chalicelib.routes.schemas.requests import CONTACT

CODE_SENT = record("CodeSent", {"expires_at": MOMENT})
CONTACT_CONFIRMED = record(
    "ContactConfirmed",
    {
        "claimed": {**COUNT, "description": "Reports that this call made the caller's."},
        "more": {"type": "boolean", "description": "Call again with the same code."},
    },
)
DEVICE = record("Device", {"token": {"type": "string"}, "kind": {"type": "string"}})
ME = record(
    "Me",
    {
        "kind": {"type": "string"},
        "uid": maybe(CODE),
        "unit": maybe(CODE),
        "home_district": maybe(CODE),
        "grants": many(
            record(
                "Grant",
                {
                    "role": CODE,
                    "districts": many(SCOPE),
                    "services": many(SCOPE),
                    "permissions": {
                        **many(CODE),
                        "description": "Held where this grant holds, and nowhere else.",
                    },
                },
            )
        ),
        "permissions": {**many(CODE), "description": "Held somewhere: see the grants."},
    },
)
CONTACT_READ = record("ContactRead", {"id": ID, "version": VERSION, "contact": CONTACT})
FILER_REPORTS = record(
    "FilerReports",
    {
        "id": ID,
        "version": VERSION,
        "reports": many(
            record(
                "FilerReport",
                {"id": ID, "service": CODE, "day": {"type": "string", "format": "date"}},
            ),
            200,
        ),
        "more": {"type": "boolean", "description": "There may be more than are named."},
    },
)
