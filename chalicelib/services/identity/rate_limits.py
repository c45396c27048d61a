"""How much one device, address or place may send: windows counted in one transaction, as data."""

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
    """What a request counts against: limits by kind, and who counts for each kind."""

    limits: Limits = field(default_factory=dict)
    scopes: dict[str, str] = field(default_factory=dict)
    fail_open: bool = True


UNLIMITED = Usage()


def person_usage(actor: Principal, now: datetime, *kinds: str, **reports: str) -> Usage:
    """What a citizen's addition counts against: kinds by the person, and those of one report.

    An official, and a system that passes on what many people say, are not one person.
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
    """The outcome of ``attempt``, counted first; what wrote nothing gives back what it took."""
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
    """Give back what ``take`` took; if that fails, one request less is allowed in the window."""
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
    """Count one request against every limit of its scopes, and say where; ``too_many`` names the
    wait.

    ``scopes`` says who counts for each kind of limit: {"device": "d_…", "cell": "qqguz"}. With
    ``fail_open`` a limiter that cannot be reached lets a citizen's report through.
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
    except (Unavailable, Unknown):
        if fail_open:
            return []
        raise Problem("unavailable", headers={"Retry-After": "5"}) from None
    if full:
        wait = max(1, full.start + full.seconds - int(now.timestamp()))
        raise Problem("too_many", headers={"Retry-After": str(wait)}, seconds=wait)
    return buckets


def address_pseudonym(ip: str, month: str) -> str:
    """The pseudonym, new every month, under which a network address is counted.

    Whoever has one IPv6 address has the 2^64 beside it, so those count together.
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
