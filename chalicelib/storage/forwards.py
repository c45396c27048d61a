"""Forwarded reports, followed requests, and the state of units' servers. No row expires.

``FWD#<unit>`` / ``<report>#<round>``         one forwarding: trying, sent or failed
``FOLLOW#<unit>`` / ``<id>`` or ``~<token>``  a request that is followed there, and its report
``SERVERS`` / ``<unit>``                      failures and progress of polling
"""

import json
from typing import Any

from chalicelib.domain.row_types import (
    Followed,
    Forwarding,
    NamedFollowed,
    NamedForwarding,
    ServerState,
)
from chalicelib.settings import settings
from chalicelib.storage import parameters, tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Delete, Put, Refused, Write, commit, read

TOKEN = "~"  # noqa: S105  (the prefix of a name that is a token)
_FOLLOWED = "followed"


def get_forward(jurisdiction: str, unit: str, report: str, turn: int) -> Forwarding | None:
    """The state of one forwarding."""
    doc: Forwarding | None = get(tables.Control, f"{jurisdiction}#FWD#{unit}", _name(report, turn))
    return doc


def put_forward(jurisdiction: str, unit: str, report: str, turn: int, doc: Forwarding) -> Put:
    """Store the state of one forwarding."""
    row = tables.Control(f"{jurisdiction}#FWD#{unit}", _name(report, turn), doc=dump(doc))
    return Put("forward", row)


def claim(
    jurisdiction: str,
    unit: str,
    report: str,
    turn: int,
    doc: Forwarding,
    seen: Forwarding | None,
) -> bool:
    """Begin an attempt, if nobody else has begun one since ``seen``. Returns whether we did."""
    stored_doc = tables.Control.doc
    row = tables.Control(f"{jurisdiction}#FWD#{unit}", _name(report, turn), doc=dump(doc))
    condition = tables.Control.pk.does_not_exist() if seen is None else stored_doc == dump(seen)
    try:
        commit([Put("forward", row, condition)])
    except Refused:
        return False
    return True


def forwards(jurisdiction: str, unit: str, after: str, limit: int) -> list[NamedForwarding]:
    """A page of forwardings after a name, with their names."""
    return _page(f"{jurisdiction}#FWD#{unit}", after, limit)


def get_followed(jurisdiction: str, unit: str, name: str) -> Followed | None:
    """The record of a followed request."""
    doc: Followed | None = get(tables.Control, f"{jurisdiction}#FOLLOW#{unit}", name)
    return doc


def put_followed(jurisdiction: str, unit: str, name: str, doc: Followed) -> Put:
    """Follow a request. No two reports follow the same one."""
    row = tables.Control(f"{jurisdiction}#FOLLOW#{unit}", name, doc=dump(doc))
    return Put(_FOLLOWED, row, tables.Control.pk.does_not_exist())


def update_followed(jurisdiction: str, unit: str, name: str, doc: Followed) -> None:
    """Store what a followed request said last."""
    row = tables.Control(f"{jurisdiction}#FOLLOW#{unit}", name, doc=dump(doc))
    commit([Put(_FOLLOWED, row)])


def drop_followed(jurisdiction: str, unit: str, name: str) -> Delete:
    """Stop following a request: to commit with other writes."""
    return Delete("unfollowed", tables.Control(f"{jurisdiction}#FOLLOW#{unit}", name))


def forget_followed(jurisdiction: str, unit: str, name: str) -> None:
    """Stop following a request at once."""
    commit([drop_followed(jurisdiction, unit, name)])


def followed(jurisdiction: str, unit: str, after: str, limit: int) -> list[NamedFollowed]:
    """A page of followed requests after a name, with their names."""
    return _page(f"{jurisdiction}#FOLLOW#{unit}", after, limit)


def server(jurisdiction: str, unit: str) -> ServerState:
    """The record of a server: any of {"failures", "since", "disabled", "cursor", "heard"}."""
    state: ServerState | None = get(tables.Control, f"{jurisdiction}#SERVERS", unit)
    return state or {}


def put_server(jurisdiction: str, unit: str, doc: ServerState, also: list[Write]) -> None:
    """Store the record of a server, together with other writes."""
    row = tables.Control(f"{jurisdiction}#SERVERS", unit, doc=dump(doc))
    commit([Put("server", row), *also])


def key(jurisdiction: str, unit: str) -> str | None:
    """The API key for a unit's server, from SSM; ``None`` if it needs none."""
    return parameters.read(_parameter(jurisdiction, unit))


def put_key(jurisdiction: str, unit: str, value: str) -> None:
    """Store the API key for a unit's server in SSM."""
    parameters.put(_parameter(jurisdiction, unit), value)


def _parameter(jurisdiction: str, unit: str) -> str:
    return f"{settings().outside_parameters}/{jurisdiction}/{unit}"


def _name(report: str, turn: int) -> str:
    return f"{report}#{turn:08d}"


def _page(pk: str, after: str, limit: int) -> list[Any]:
    beyond = tables.Control.sk > after if after else None
    rows = read(lambda: list(tables.Control.query(pk, beyond, limit=limit, consistent_read=True)))
    return [{"name": row.sk, **json.loads(row.doc)} for row in rows]
