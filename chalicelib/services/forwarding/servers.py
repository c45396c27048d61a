"""The Open311 servers of units: their keys and secrets, and when one is given up for a while.

A server that has failed ``FAILURES`` times in a row, over an hour or more, is disabled: officials
are told, reports wait with the unit, and an administrator enables it again (infra.ops.forwarding).
"""

from datetime import datetime, timedelta
from typing import Any

from chalicelib import observability
from chalicelib.domain.city.city import City, Open311Server
from chalicelib.domain.open311 import forwarding
from chalicelib.domain.timestamps import iso, parse
from chalicelib.outside.georeport import Server
from chalicelib.services.platform.catalogue import official_text
from chalicelib.storage import control, forwards, queues
from chalicelib.storage.transactions import Refused, Write

FAILURES = 5
PATIENCE = timedelta(hours=1)
PAGE = 200
_DISABLED = "outside_disabled"


def server(jurisdiction: str, unit: str, chosen: Open311Server) -> Server:
    """A unit's server as it is spoken to."""
    key = forwards.key(jurisdiction, unit)
    return Server(chosen.endpoint, chosen.format, chosen.jurisdiction_id, key)


def webhook(jurisdiction: str, unit: str) -> str:
    """The name under which requests to a unit's server are signed."""
    return f"{jurisdiction}/{unit}"


def disabled(jurisdiction: str, unit: str) -> bool:
    """Whether nothing is sent there at present."""
    return bool(forwards.server(jurisdiction, unit).get("disabled"))


def worked(jurisdiction: str, unit: str) -> None:
    """Forget the failures before."""
    known = forwards.server(jurisdiction, unit)
    if known.get("failures"):
        forwards.put_server(jurisdiction, unit, _lasting(known), [])


def _lasting(known: dict[str, Any]) -> dict[str, Any]:
    """Where we are in what it has to tell, without how it has been doing."""
    return {name: known[name] for name in ("cursor", "heard") if name in known}


def heard(jurisdiction: str, unit: str, **where: str) -> dict[str, Any]:
    """Remember where we are in what it has to tell (``cursor``, ``heard``); all that is known."""
    known = {**forwards.server(jurisdiction, unit), **where}
    forwards.put_server(jurisdiction, unit, known, [])
    return known


def failed(city: City, unit: str, reason: str, now: datetime) -> None:
    """Count a failure, and disable the server if that was one too many."""
    known = forwards.server(city.jurisdiction, unit)
    if known.get("disabled"):
        return
    since = parse(known["since"]) if known.get("since") else now
    doc: dict[str, Any] = {
        **known, "failures": known.get("failures", 0) + 1, "since": iso(since), "reason": reason,
    }  # fmt: skip
    also: list[Write] = []
    if doc["failures"] >= FAILURES and now - since >= PATIENCE:
        doc["disabled"] = iso(now)
        observability.count("OutsideServersDisabled")
        also = list(_notice(city, unit, since, now))
    try:
        forwards.put_server(city.jurisdiction, unit, doc, also)
    except Refused:
        return  # Told by another run.


def _notice(city: City, unit: str, since: datetime, now: datetime) -> list[Any]:
    name = f"outside:{unit}:{iso(since)}"
    known = city.units[unit]
    words = {
        "unit": city.text(known.name),
        "since": since.astimezone(city.zone).strftime("%d-%m %H:%M"),
    }
    message = {
        "kind": "notice",
        "jurisdiction": city.jurisdiction,
        "rules": city.version,
        "event": _DISABLED,
        "level": _DISABLED,
        "unit": unit,
        "district": sorted(known.districts),
        "service": sorted(city.services),
        "audience": [f"unit:{unit}", "city_admin", "dispatcher"],
        "dedupe": f"{city.jurisdiction}:{name}",
        "subject": official_text(city, "outside.disabled.subject"),
        "text": official_text(city, "outside.disabled", **words),
    }
    return control.put_notice(city.jurisdiction, name, iso(now), message)


def enable(city: City, unit: str) -> int:
    """Send there again, beginning with all that has failed; how many reports."""
    place, sent, after = city.jurisdiction, 0, ""
    forwards.put_server(place, unit, _lasting(forwards.server(place, unit)), [])
    while rows := forwards.forwards(place, unit, after, PAGE):
        for row in rows:
            if row["state"] == forwarding.FAILED:
                report, _, turn = row["name"].rpartition("#")
                queues.send_forward(forwarding.message(place, report, unit, int(turn)))
                sent += 1
        after = rows[-1]["name"]
    return sent
