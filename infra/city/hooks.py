"""Reads and checks the webhooks of a city.

Secrets are not in the folder (``infra.ops webhooks``). A folder does not take the webhooks of its
base: they would get another city's reports.
"""

import difflib
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.domain import webhooks
from chalicelib.domain.city.hook import OTHERS
from chalicelib.domain.timestamps import iso
from chalicelib.outside import addresses
from chalicelib.outside import webhooks as outside
from infra.city.fields import Fields, unique

FILE = "webhooks.json"
_CLOSED = "closed"
# Earlier days are slips, and the first of the calendar have no moment in UTC.
_FIRST_YEAR = 1970


def read(
    fields: Fields, services: dict[str, dict[str, Any]], districts: set[str], time_zone: str
) -> list[dict[str, Any]]:
    """The webhooks; ``services`` by code."""
    rows = fields.each("webhooks")
    hooks = [_hook(row, services, districts, time_zone) for row in rows]
    unique(rows, [hook["code"] for hook in hooks], "code")
    return hooks


def _hook(
    row: Fields, services: dict[str, dict[str, Any]], districts: set[str], time_zone: str
) -> dict[str, Any]:
    hook: dict[str, Any] = {"code": row.text("code"), "url": row.text("url")}
    try:
        addresses.check(hook["url"] or "https://example.org")
    except addresses.UnsafeAddress as unsafe:
        row.fault("url", str(unsafe))
    if row.has("events"):
        hook["events"] = sorted(_events(row))
    for name, known in (("services", set(services)), ("districts", districts)):
        chosen = row.choices(name, {"*", *known}, name.removesuffix("s"))
        if chosen and "*" not in chosen:
            hook[name] = sorted(chosen)
    for code in hook.get("services", ()):
        if services[code]["protected"]:
            row.fault("services", f"names {code!r}, whose reports are protected and never sent")
    if row.has("states"):
        hook["states"] = _states(row)
    if row.has("categories"):
        hook["categories"] = _categories(row, set(services))
    if header := row.text("token_header"):
        hook["token_header"] = header
        if outside.is_own_header(header):
            row.fault("token_header", f"must not be {header}, which has another meaning")
    if path := row.text("outside_id"):
        hook["outside_id"] = path.split(".")
    if (day := _day(row.text("since"))) is not None:
        if day.year <= _FIRST_YEAR:
            row.fault("since", f"must be a day after {_FIRST_YEAR}")
        else:
            hook["since"] = iso(day.replace(tzinfo=ZoneInfo(time_zone)))
    return hook


def _events(row: Fields) -> set[str]:
    known = webhooks.event_names()
    named = set(row.texts("events"))
    for name in sorted(named - known):
        row.fault("events", f"{name!r} is no public event{_like(name, known)}")
    return named & known


def _states(row: Fields) -> dict[str, str]:
    states, resolutions = webhooks.words_for()
    inner = row.inner("states")
    words = {name: inner.text(name) for name in inner.names()}
    known = {OTHERS, *states, *resolutions}
    for name in sorted(words.keys() - known):
        inner.fault(name, f"is no state and no resolution{_like(name, known)}")
    missing = [name for name in states if name not in words and name != _CLOSED]
    if _CLOSED not in words:
        # One word for all closed reports, or one for each resolution.
        left = [name for name in resolutions if name not in words]
        missing += left if len(left) < len(resolutions) else [_CLOSED]
    if missing and OTHERS not in words:
        row.fault("states", f"has no word for {', '.join(missing)}, and no * for all others")
    return {name: word for name, word in words.items() if name in known}


def _categories(row: Fields, services: set[str]) -> dict[str, str]:
    inner = row.inner("categories")
    words = {name: inner.text(name) for name in inner.names()}
    known = {OTHERS, *services}
    for name in sorted(words.keys() - known):
        inner.fault(name, f"is no service of services.json{_like(name, known)}")
    return words


def _like(name: str, known: set[str] | frozenset[str]) -> str:
    """A hint at the name that was meant."""
    close = difflib.get_close_matches(name, sorted(known), 1)
    return f": did you mean {close[0]!r}?" if close else f": one of {', '.join(sorted(known))}"


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d") if text else None  # noqa: DTZ007
    except ValueError:
        return None  # The schema has said so.
