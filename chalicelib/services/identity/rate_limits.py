"""Rate limits by device, IP address, place and person: counters of fixed windows, in the table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv6Network
from typing import Any

from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform import signing
from chalicelib.services.platform.idempotency import Outcome
from chalicelib.storage import control
from chalicelib.storage.control import Bucket
from chalicelib.storage.transactions import Refused, Unavailable, Unknown

Limits = dict[str, list[dict[str, int]]]


@dataclass(frozen=True)
class Usage:
    """What a request counts against: limits by kind, and the counter's scope for each kind.

    ``fail_open``: if counters cannot be reached, let the request through.
    """

    limits: Limits = field(default_factory=dict)
    scopes: dict[str, str] = field(default_factory=dict)
    fail_open: bool = True


UNLIMITED = Usage()
_AT_ONCE = 1


def person_usage(actor: Principal, now: datetime, *kinds: str, **reports: str) -> Usage:
    """What a citizen's request counts against: ``kinds`` per person, and ``reports`` (kind=report
    id) per person and report.

    Officials and channels, which send for many people, are not limited here.
    """
    if actor.kind != "citizen" or FOR_MANY in actor.permissions:
        return UNLIMITED
    limits = cities.current(actor.jurisdiction, now).person_limits(*kinds, *reports)
    uid = actor.uid or "-"
    by_report = {kind: f"{uid}.{report}" for kind, report in reports.items()}
    return Usage(limits, {**dict.fromkeys(kinds, uid), **by_report})


def run_limited(
    jurisdiction: str, usage: Usage, now: datetime, attempt: Callable[[], Outcome]
) -> Outcome:
    """Count the request, then run ``attempt``. If it writes nothing, the count is given back."""
    taken = take(jurisdiction, usage.limits, usage.scopes, now, fail_open=usage.fail_open)
    try:
        outcome = attempt()
    except Unknown:
        raise  # It may have been written.
    except (Problem, ExceptionGroup):
        give_back(jurisdiction, taken)
        raise
    if not outcome.wrote:
        give_back(jurisdiction, taken)
    return outcome


def give_back(jurisdiction: str, taken: list[Bucket]) -> None:
    """Undo ``take``. If that fails, one request less is allowed in the window."""
    if taken:
        try:
            control.give_back(jurisdiction, taken)
        except (Refused, Unavailable, Unknown):
            pass


def take(
    jurisdiction: str,
    limits: Limits,
    scopes: dict[str, str],
    now: datetime,
    *,
    fail_open: bool,
) -> list[Bucket]:
    """Count one request against every limit of its scopes. Returns the counters, for ``give_back``.

    ``scopes``: who is counted for each kind of limit, such as {"device": "d_…", "cell": "qqguz"}.
    ``fail_open``: if counters cannot be reached, let the request through. Raises ``Problem``:
    too_many with the seconds to wait, unavailable.
    """
    buckets = [
        _bucket(f"{kind}#{scopes[kind]}", limit, now)
        for kind, several in limits.items()
        if kind in scopes
        for limit in several
    ]
    if not buckets:
        return []
    try:
        full = control.take(jurisdiction, buckets)
    except Unavailable:
        if fail_open:
            return []
        # The client's own requests compete for its counter: it sends too many at once.
        raise _too_many(_AT_ONCE) from None
    except Unknown:
        if fail_open:
            return []
        raise Problem("unavailable", headers={"Retry-After": "5"}) from None
    if full:
        wait = max(1, full.start + full.seconds - int(now.timestamp()))
        raise _too_many(wait)
    return buckets


def _too_many(seconds: int) -> Problem:
    return Problem("too_many", headers={"Retry-After": str(seconds)}, seconds=seconds)


def address_pseudonym(ip: str, month: str) -> str:
    """The pseudonym under which an IP address is counted; another one each month.

    An IPv6 client usually has a whole /64 network, so all its addresses are counted together.
    """
    if ":" in ip:
        try:
            ip = str(IPv6Network((ip, 64), strict=False))
        except ValueError:
            pass
    return signing.mac("address", f"{ip}|{month}")[:24]


def _bucket(scope: str, limit: dict[str, Any], now: datetime) -> Bucket:
    seconds = limit["seconds"]
    start = int(now.timestamp()) // seconds * seconds
    return Bucket(scope, limit["n"], seconds, start)
