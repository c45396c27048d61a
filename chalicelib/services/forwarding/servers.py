"""The Open311 servers of units: access data, progress of polling, and disabling after failures.

A server that failed ``FAILURES`` times in a row over an hour or more is disabled: officials are
told, reports wait at the unit, and an administrator enables it again (infra.ops.forwarding).

Tests: tests/integration/test_forwarding.py
"""

from datetime import datetime, timedelta
from typing import Any, cast

from chalicelib import observability
from chalicelib.domain.city.city import City
from chalicelib.domain.city.unit import Open311Server
from chalicelib.domain.message_types import Notice
from chalicelib.domain.open311 import forwarding
from chalicelib.domain.row_types import ServerState
from chalicelib.domain.timestamps import iso, parse
from chalicelib.outside.georeport import Server
from chalicelib.services.platform.catalogue import official_text
from chalicelib.storage import control, forwards, queues
from chalicelib.storage.transactions import Refused, Write

FAILURES = 5
PATIENCE = timedelta(hours=1)
PAGE = 200
_DISABLED = "outside_disabled"


def server(jurisdiction: str, unit: str, configuration: Open311Server) -> Server:
    """A unit's server with its address, format and key."""
    key = forwards.key(jurisdiction, unit)
    return Server(configuration.endpoint, configuration.format, configuration.jurisdiction_id, key)


def webhook(jurisdiction: str, unit: str) -> str:
    """The name under which requests to a unit's server are signed."""
    return f"{jurisdiction}/{unit}"


def is_disabled(jurisdiction: str, unit: str) -> bool:
    """Whether a unit's server is disabled."""
    return bool(forwards.server(jurisdiction, unit).get("disabled"))


def record_success(jurisdiction: str, unit: str) -> None:
    """Reset the count of failures."""
    state = forwards.server(jurisdiction, unit)
    if state.get("failures"):
        forwards.put_server(jurisdiction, unit, _progress(state), [])


def _progress(state: ServerState) -> ServerState:
    """The progress of polling, without the failures."""
    kept = {name: value for name, value in state.items() if name in ("cursor", "heard")}
    return cast(ServerState, kept)


def keep_progress(jurisdiction: str, unit: str, **progress: str) -> ServerState:
    """Store the progress of polling (``cursor``, ``heard``). Returns the server's whole record."""
    state = cast(ServerState, {**forwards.server(jurisdiction, unit), **progress})
    forwards.put_server(jurisdiction, unit, state, [])
    return state


def record_failure(city: City, unit: str, reason: str, now: datetime) -> None:
    """Count a failure, and disable the server if there are too many."""
    state = forwards.server(city.jurisdiction, unit)
    if state.get("disabled"):
        return
    since = parse(state["since"]) if state.get("since") else now
    doc: ServerState = {
        **state, "failures": state.get("failures", 0) + 1, "since": iso(since), "reason": reason,
    }  # fmt: skip
    also: list[Write] = []
    if doc["failures"] >= FAILURES and now - since >= PATIENCE:
        doc["disabled"] = iso(now)
        observability.count("OutsideServersDisabled")
        also = list(_notice(city, unit, since, now))
    try:
        forwards.put_server(city.jurisdiction, unit, doc, also)
    except Refused:
        return  # Another run sent the notice.


def _notice(city: City, unit: str, since: datetime, now: datetime) -> list[Any]:
    name = f"outside:{unit}:{iso(since)}"
    unit_record = city.units[unit]
    words = {
        "unit": city.text(unit_record.name),
        "since": since.astimezone(city.zone).strftime("%d-%m %H:%M"),
    }
    message: Notice = {
        "kind": "notice",
        "jurisdiction": city.jurisdiction,
        "rules": city.version,
        "event": _DISABLED,
        "level": _DISABLED,
        "unit": unit,
        "district": sorted(unit_record.districts),
        "service": sorted(city.services),
        "audience": [f"unit:{unit}", "city_admin", "dispatcher"],
        "dedupe": f"{city.jurisdiction}:{name}",
        "subject": official_text(city, "outside.disabled.subject"),
        "text": official_text(city, "outside.disabled", **words),
    }
    return control.put_notice(city.jurisdiction, name, iso(now), message)


def enable(city: City, unit: str) -> int:
    """Enable a server and resend all failed reports. Returns how many."""
    jurisdiction, sent, after = city.jurisdiction, 0, ""
    forwards.put_server(jurisdiction, unit, _progress(forwards.server(jurisdiction, unit)), [])
    while rows := forwards.forwards(jurisdiction, unit, after, PAGE):
        for row in rows:
            if row["state"] == forwarding.FAILED:
                report, _, turn = row["name"].rpartition("#")
                queues.send_forward(forwarding.message(jurisdiction, report, unit, int(turn)))
                sent += 1
        after = rows[-1]["name"]
    return sent
