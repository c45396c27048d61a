"""How much one device, address or place may send: windows counted in one transaction, as data."""

from datetime import datetime
from ipaddress import IPv6Network
from typing import Any

from chalicelib.errors import Problem
from chalicelib.services import signing
from chalicelib.storage import control
from chalicelib.storage.control import Bucket
from chalicelib.storage.transactions import Unavailable, Unknown


def take(
    jurisdiction: str,
    limits: dict[str, list[dict[str, int]]],
    scopes: dict[str, str],
    now: datetime,
    *,
    fail_open: bool,
) -> None:
    """Count one request against every limit of its scopes; ``too_many`` names the wait.

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
        return
    try:
        full = control.take(jurisdiction, buckets)
    except (Unavailable, Unknown):
        if fail_open:
            return
        raise Problem("unavailable", headers={"Retry-After": "5"}) from None
    if full:
        wait = max(1, full.start + full.seconds - int(now.timestamp()))
        raise Problem("too_many", headers={"Retry-After": str(wait)}, seconds=wait)


def address(ip: str, month: str) -> str:
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
