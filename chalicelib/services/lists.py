"""Lists of reports: an officer's queue by deadline, a citizen's own, with signed cursors."""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.actor import Principal
from chalicelib.domain.city import City
from chalicelib.domain.times import iso
from chalicelib.domain.workflow import table
from chalicelib.errors import Problem
from chalicelib.services import cities, signing, views
from chalicelib.storage import reports

CURSOR_LIFE = timedelta(days=1)
LOOKED_THROUGH = 500


def queue(
    actor: Principal,
    district: str | None,
    state: str | None,
    due_within: int | None,
    limit: int,
    cursor: str | None,
    now: datetime,
    holder: str | None = None,
) -> dict[str, Any]:
    """A page of a district's open work, the next deadline first.

    ``due_within``: only what is overdue or falls due in so many hours. ``holder`` (``me`` or a
    reference): only what that official holds; then at most ``LOOKED_THROUGH`` rows a state are
    looked through for a page, which may be short while its cursor says that more come.

    With a state it is one Query; without, one for each of the seven open states. An official
    whose scope is one district may leave the district out. Members of the unit for protected
    reports get theirs with ``district=protected``.
    """
    desk = _desk(actor, district)
    states = [state] if state else [name for name in table()["states"] if name != "closed"]
    until = iso(now + timedelta(hours=due_within)) + "~" if due_within is not None else None
    person = actor.uid if holder == "me" else holder
    filters = {
        "j": actor.jurisdiction, "d": desk, "s": states, "u": actor.uid, "w": due_within,
        "h": person,
    }  # fmt: skip
    start = open_cursor(cursor, filters, now)
    reach = LOOKED_THROUGH if person else limit + 1
    found: list[tuple[str, reports.Card]] = []
    last = []
    for one in states:
        rows = reports.queue_page(actor.jurisdiction, desk, one, start, until, reach)
        found += rows
        last += [rows[-1][0]] if len(rows) == reach else []
    found.sort(key=lambda pair: pair[0])
    # Beyond the end of a page that was cut off nothing is known yet.
    known = [pair for pair in found if not last or pair[0] <= min(last)]
    held = [pair for pair in known if person is None or pair[1].holder == person]
    page = held[:limit]
    more = len(held) > limit or bool(last)
    end = page[-1][0] if len(held) > limit else min(last, default="")
    city = cities.current(actor.jurisdiction, now)
    return {
        "reports": [
            views.card(card, city, inside=True)
            for _, card in page
            if actor.roles(_district(city, card), card.service)
        ],
        "cursor": _cursor(end, filters, now) if more else None,
    }


def mine(actor: Principal, limit: int, cursor: str | None, now: datetime) -> dict[str, Any]:
    """A page of the reporter's own reports, newest first."""
    filters = {"j": actor.jurisdiction, "u": actor.uid, "k": "mine"}
    start = open_cursor(cursor, filters, now)
    rows = reports.of_reporter(actor.jurisdiction, actor.uid or "", start, limit + 1)
    city = cities.current(actor.jurisdiction, now)
    page = rows[:limit]
    return {
        "reports": [views.card(card, city, inside=False) for _, card in page],
        "cursor": _cursor(page[-1][0], filters, now) if len(rows) > limit else None,
    }


def _desk(actor: Principal, district: str | None) -> str:
    """The desk to read; what on it is out of the official's scope is left out by the caller."""
    if district == "protected" and actor.unit:
        return reports.protected_desk(actor.unit)
    if district is None:
        districts = {one for grant in actor.grants for one in grant.districts}
        if len(districts) != 1 or "*" in districts:
            raise Problem("district_needed", field="district")
        district = districts.pop()
    if not actor.roles(district):
        raise Problem("not_found")
    return reports.district_desk(district)


def _district(city: City, card: reports.Card) -> str | None:
    # A ward of an older version of the city may be gone.
    return city.place(card.ward)[0] if card.ward in city.areas else None


def _cursor(key: str, filters: dict[str, Any], now: datetime) -> str:
    return signing.sign("cursor", {"k": key, "f": filters}, now + CURSOR_LIFE)


def open_cursor(cursor: str | None, filters: dict[str, Any], now: datetime) -> str | None:
    """The key in a cursor that was made for the same filters; ``cursor_invalid`` otherwise."""
    if cursor is None:
        return None
    try:
        payload = signing.unsign("cursor", cursor, now)
    except Problem:
        raise Problem("cursor_invalid", field="cursor") from None
    if payload["f"] != filters:
        raise Problem("cursor_invalid", field="cursor")
    key: str = payload["k"]
    return key
