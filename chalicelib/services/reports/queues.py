"""Lists of reports: an officer's queue by deadline, a citizen's own, with signed cursors."""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.principal import ANY, FOR_MANY, Principal
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.permissions import ENTRUSTED
from chalicelib.domain.workflow.table import WORKERS, table
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform.cursors import make_cursor, open_cursor
from chalicelib.services.reports import presenters
from chalicelib.storage import reports
from chalicelib.storage.secrecy import PROPOSED

LOOKED_THROUGH = 500
# Of several districts each has a desk to read.
DISTRICTS_AT_MOST = 8
PROTECTED = "protected"


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

    With a state it is a Query a desk; without, one for each of the seven open states. Without a
    district it is the official's own: their districts, if their grants name at most
    ``DISTRICTS_AT_MOST`` and their unit is of a district, else what their unit answers for;
    and what their unit is called to, as an agency or because it is offered. Members of the unit
    for protected reports get theirs with ``district=protected``, and what is proposed to them, by
    the moment until which they may take it.
    """
    city = cities.current(actor.jurisdiction, now)
    desks = _desks(actor, district, city)
    states = [state] if state else [name for name in table()["states"] if name != "closed"]
    if state is None and district == PROTECTED:
        states.append(PROPOSED)
    until = iso(now + timedelta(hours=due_within)) + "~" if due_within is not None else None
    person = actor.uid if holder == "me" else holder
    filters = {
        "j": actor.jurisdiction, "d": desks[0] if len(desks) == 1 else desks, "s": states,
        "u": actor.uid, "w": due_within, "h": person,
    }  # fmt: skip
    start = open_cursor(cursor, filters, now)
    reach = LOOKED_THROUGH if person else limit + 1
    # A report may lie on several desks: in an official's district, and offered to their unit.
    found: dict[str, reports.Card] = {}
    last = []
    proposed = set[str]()
    for desk in desks:
        for one in states:
            rows = reports.queue_page(actor.jurisdiction, desk, one, start, until, reach)
            found.update(rows)
            proposed |= {key for key, _ in rows} if one == PROPOSED else set()
            last += [rows[-1][0]] if len(rows) == reach else []
    # Beyond the end of a page that was cut off nothing is known yet.
    known = [pair for pair in sorted(found.items()) if not last or pair[0] <= min(last)]
    held = [pair for pair in known if person is None or pair[1].holder == person]
    page = held[:limit]
    more = len(held) > limit or bool(last)
    end = page[-1][0] if len(held) > limit else min(last, default="")
    return {
        "reports": [
            presenters.list_row(card, city, inside=True, proposed=key in proposed)
            for key, card in page
            if _shown(actor, city, card)
        ],
        "cursor": make_cursor(end, filters, now) if more else None,
    }


def mine(actor: Principal, limit: int, cursor: str | None, now: datetime) -> dict[str, Any]:
    """A page of the reporter's own reports, newest first; ``not_found`` for another system."""
    if FOR_MANY in actor.permissions:
        raise Problem("not_found")
    filters = {"j": actor.jurisdiction, "u": actor.uid, "k": "mine"}
    start = open_cursor(cursor, filters, now)
    rows = reports.of_reporter(actor.jurisdiction, actor.uid or "", start, limit + 1)
    city = cities.current(actor.jurisdiction, now)
    page = rows[:limit]
    return {
        "reports": [presenters.list_row(card, city, inside=False) for _, card in page],
        "cursor": make_cursor(page[-1][0], filters, now) if len(rows) > limit else None,
    }


def _desks(actor: Principal, district: str | None, city: City) -> list[str]:
    """The desks to read; what on them is out of the official's scope is left out by the caller."""
    if district == PROTECTED and actor.unit:
        return [reports.protected_desk(actor.unit)]
    if district is not None:
        if not actor.roles(district):
            raise Problem("not_found")
        return [reports.district_desk(district)]
    if actor.unit is None or not actor.roles() & WORKERS:
        # Whoever looks on has no work of their own.
        raise Problem("district_needed", field="district")
    called = [reports.called_desk(actor.unit)]
    named = {one for grant in actor.grants for one in grant.districts}
    unit = city.units.get(actor.unit)
    local = unit is not None and unit.kind == "district"
    if named and ANY not in named and len(named) <= (DISTRICTS_AT_MOST if local else 1):
        # A district's unit is called to nothing outside its districts.
        within = local and unit is not None and unit.districts <= named
        return [reports.district_desk(one) for one in sorted(named)] + ([] if within else called)
    return [reports.unit_desk(actor.unit), *called]


def _shown(actor: Principal, city: City, card: reports.Card) -> bool:
    """Whether the row is in the official's scope, or their unit is called to it or took it."""
    ours = card.unit == actor.unit and card.entrusted and bool(actor.roles() & ENTRUSTED)
    called = card.called is not None and card.called == actor.unit
    return ours or called or bool(actor.roles(_district(city, card), card.service))


def _district(city: City, card: reports.Card) -> str | None:
    # A ward of an older version of the city may be gone.
    return city.district_and_path(card.ward)[0] if card.ward in city.areas else None
