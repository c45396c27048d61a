"""Webhooks: how far each report's events have been sent, the state of each hook, and its secrets.

``HOOK#<hook>`` / ``<report>``  the last version that was handled (``cursor``), the newest that was
                                announced (``rung``), and what the other system has; never expires
``HOOKS`` / ``<hook>``          off, or failing, and since when

A run sends a report's events only while it has the lease of the report's row, and writes the row
only as its holder. So events leave in order, also if a run is repeated, late or killed.
"""

import json
import time
from collections.abc import Sequence
from typing import NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain.row_types import HookState, Sent
from chalicelib.settings import settings
from chalicelib.storage import leases, parameters, tables
from chalicelib.storage.control import LEASE_SECONDS
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Put, Refused, Update, commit, read

_FRESH_SECONDS = 300.0
_parameters: dict[str, tuple[float, str]] = {}
_Row = tables.Control


class Progress(NamedTuple):
    """A report's row of a hook."""

    report: str
    cursor: int
    rung: int
    sent: Sent

    @property
    def behind(self) -> bool:
        """Whether an event waits for a further attempt, or for the hook to be enabled."""
        return "failing" in self.sent or self.rung > self.cursor


def take(jurisdiction: str, hook: str, report: str, holder: str) -> Progress | None:
    """Take the lease of a report's row. ``None`` if another run has it."""
    actions = [_Row.holder.set(holder), _Row.until.set(leases.now() + LEASE_SECONDS)]
    if not _update(jurisdiction, hook, report, actions, leases.free(holder)):
        return None
    return progress(jurisdiction, hook, report)


def announce(jurisdiction: str, hook: str, report: str, version: int, *, held: bool) -> bool:
    """Note that there is an event ``version``. With ``held``, only if another run has the lease:
    that run sends it, because it cannot give the lease back before. Returns whether it is noted."""
    news = _Row.rung.does_not_exist() | (_Row.rung < version)
    if held:
        news &= _Row.holder.exists() & (_Row.until >= leases.now())
    return _update(jurisdiction, hook, report, [_Row.rung.set(version)], news)


def progress(jurisdiction: str, hook: str, report: str) -> Progress:
    """How far a report's events have been sent to a hook."""
    key = _pk(jurisdiction, hook)
    rows = read(lambda: list(_Row.query(key, _Row.sk == report, limit=1, consistent_read=True)))
    return _progress(rows[0]) if rows else Progress(report, 0, 0, {})


def save(jurisdiction: str, hook: str, holder: str, row: Progress) -> bool:
    """Store how far a report's events have been sent. ``False`` if the lease was lost."""
    actions = [_Row.cursor.set(row.cursor), _Row.doc.set(dump(row.sent))]
    return _update(jurisdiction, hook, row.report, actions, _Row.holder == holder)


def finish(jurisdiction: str, hook: str, holder: str, row: Progress) -> bool:
    """Store the row and give its lease back, unless a later event was announced meanwhile.

    Returns whether this run is done with the row.
    """
    done = _Row.rung.does_not_exist() | (_Row.rung <= row.cursor)
    return _let_go(jurisdiction, hook, holder, row, done)


def put_back(jurisdiction: str, hook: str, holder: str, row: Progress) -> bool:
    """Store the row and give its lease back, although events wait. ``False`` if it was lost."""
    return _let_go(jurisdiction, hook, holder, row, None)


def let_go(jurisdiction: str, hook: str, holder: str, report: str) -> bool:
    """Give the lease back and change nothing else: what was stored last stays."""
    actions = [_Row.holder.remove(), _Row.until.remove()]
    return _update(jurisdiction, hook, report, actions, _Row.holder == holder)


def leave(jurisdiction: str, hook: str, holder: str, row: Progress) -> bool:
    """The same, for a run whose message comes back or is a dead letter: it answers for what was
    announced, too."""
    return _let_go(jurisdiction, hook, holder, row, None, _Row.rung.remove())


def _let_go(
    jurisdiction: str,
    hook: str,
    holder: str,
    row: Progress,
    more: Condition | None,
    *also: Action,
) -> bool:
    actions = [
        _Row.cursor.set(row.cursor),
        _Row.doc.set(dump(row.sent)),
        _Row.holder.remove(),
        _Row.until.remove(),
        *also,
    ]
    mine: Condition = _Row.holder == holder
    return _update(jurisdiction, hook, row.report, actions, mine if more is None else mine & more)


def page(jurisdiction: str, hook: str, after: str, limit: int) -> list[Progress]:
    """A page of a hook's rows after a report: only for ``infra.ops webhooks``."""
    later = _Row.sk > after if after else None
    key = _pk(jurisdiction, hook)
    rows = read(lambda: list(_Row.query(key, later, limit=limit, consistent_read=True)))
    return [_progress(row) for row in rows]


def state(jurisdiction: str, hook: str) -> HookState:
    """The state of a hook; empty while nothing is wrong and nothing was sent."""
    stored: HookState | None = get(tables.Control, f"{jurisdiction}#HOOKS", hook)
    return stored or {}


def put_state(jurisdiction: str, hook: str, doc: HookState) -> None:
    """Store the state of a hook."""
    commit([Put("hook", _Row(f"{jurisdiction}#HOOKS", hook, doc=dump(doc)))])


def secrets(jurisdiction: str, hook: str) -> list[str]:
    """The secrets of a hook: the newest first, and those before it while receivers change."""
    return (_parameter(_name(jurisdiction, hook)) or "").split()


def put_secrets(jurisdiction: str, hook: str, values: list[str]) -> None:
    """Store the secrets of a hook."""
    _put_parameter(_name(jurisdiction, hook), " ".join(values))


def token(jurisdiction: str, hook: str) -> str | None:
    """The access token that a hook's system wants, if it is stored."""
    return _parameter(f"{_name(jurisdiction, hook)}/token")


def put_token(jurisdiction: str, hook: str, value: str) -> None:
    """Store the access token for a hook's system."""
    _put_parameter(f"{_name(jurisdiction, hook)}/token", value)


def forget() -> None:
    """Drop the cached secrets and tokens."""
    _parameters.clear()


def _parameter(name: str) -> str | None:
    """A parameter of SSM, cached for five minutes."""
    read_at, value = _parameters.get(name, (0.0, ""))
    if not value or time.monotonic() - read_at > _FRESH_SECONDS:
        stored = parameters.read(name)
        if stored is None:
            return None
        value = stored
        _parameters[name] = (time.monotonic(), value)
    return value


def _put_parameter(name: str, value: str) -> None:
    parameters.put(name, value)
    forget()


def _name(jurisdiction: str, hook: str) -> str:
    return f"{settings().outside_parameters}/{jurisdiction}/webhooks/{hook}"


def _pk(jurisdiction: str, hook: str) -> str:
    return f"{jurisdiction}#HOOK#{hook}"


def _progress(row: tables.Control) -> Progress:
    return Progress(row.sk, int(row.cursor or 0), int(row.rung or 0), json.loads(row.doc or "{}"))


def _update(
    jurisdiction: str, hook: str, report: str, actions: Sequence[Action], condition: Condition
) -> bool:
    row = _Row(_pk(jurisdiction, hook), report)
    try:
        commit([Update("hook", row, actions, condition)])
    except Refused:
        return False
    return True
