"""Lists of reports: an official's queue by deadline, and a citizen's own reports."""

from datetime import datetime, timedelta

from chalicelib.domain.city.city import City
from chalicelib.domain.principal import ANY, FOR_MANY, Principal
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.permissions import ENTRUSTED
from chalicelib.domain.workflow.table import WORKERS, table
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform.answer_types import ListPage
from chalicelib.services.platform.cursors import make_cursor, open_cursor
from chalicelib.services.reports import presenters
from chalicelib.storage import report_lists
from chalicelib.storage.secrecy import PROPOSED

# Rows read for one page, of each desk and state, when only one official's reports are wanted.
ROWS_READ_AT_MOST = 500
# More districts than this are read by their unit's desk instead, since each costs a query.
DISTRICTS_AT_MOST = 8
PROTECTED = "protected"


def queue(  # noqa: PLR0913 (one for each parameter of the query)
    actor: Principal,
    district: str | None,
    state: str | None,
    due_within: int | None,
    limit: int,
    cursor: str | None,
    now: datetime,
    holder: str | None = None,
) -> ListPage:
    """A page of open reports, by deadline.

    ``due_within``: only reports that are overdue or due in so many hours. ``holder`` (``me`` or a
    reference): only reports of that official. Then at most ``ROWS_READ_AT_MOST`` rows of each desk
    and state are read for a page, so a page can be short although its cursor continues.

    Without ``district``, it is the official's own work: their districts, if their unit is one of a
    district and their grants name at most ``DISTRICTS_AT_MOST``; else the reports of their unit. In
    both cases with reports that their unit is called to, as agency or because it is offered.
    ``district=protected``: the protected reports of their unit, and reports proposed to it.

    Costs one Query for each desk and state; without ``state`` there are seven open states.
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
    rows_read = ROWS_READ_AT_MOST if person else limit + 1
    # A report can be on several desks: in an official's district, and offered to their unit.
    cards: dict[str, report_lists.Card] = {}
    cut_off = []
    proposed = set[str]()
    for desk in desks:
        for name in states:
            rows = report_lists.queue_page(actor.jurisdiction, desk, name, start, until, rows_read)
            cards.update(rows)
            proposed |= {key for key, _ in rows} if name == PROPOSED else set()
            cut_off += [rows[-1][0]] if len(rows) == rows_read else []
    # Rows after the end of a query that was cut off are not complete yet.
    complete = [pair for pair in sorted(cards.items()) if not cut_off or pair[0] <= min(cut_off)]
    wanted = [pair for pair in complete if person is None or pair[1].holder == person]
    page = wanted[:limit]
    more = len(wanted) > limit or bool(cut_off)
    end = page[-1][0] if len(wanted) > limit else min(cut_off, default="")
    return {
        "reports": [
            presenters.list_row(card, city, inside=True, proposed=key in proposed)
            for key, card in page
            if _shown(actor, city, card)
        ],
        "cursor": make_cursor(end, filters, now) if more else None,
    }


def mine(actor: Principal, limit: int, cursor: str | None, now: datetime) -> ListPage:
    """A page of the reporter's own reports, newest first. Raises ``Problem``: not_found, for a
    channel."""
    if FOR_MANY in actor.permissions:
        raise Problem("not_found")
    filters = {"j": actor.jurisdiction, "u": actor.uid, "k": "mine"}
    start = open_cursor(cursor, filters, now)
    rows = report_lists.of_reporter(actor.jurisdiction, actor.uid or "", start, limit + 1)
    city = cities.current(actor.jurisdiction, now)
    page = rows[:limit]
    return {
        "reports": [presenters.list_row(card, city, inside=False) for _, card in page],
        "cursor": make_cursor(page[-1][0], filters, now) if len(rows) > limit else None,
    }


def _desks(actor: Principal, district: str | None, city: City) -> list[str]:
    """The desks to read. The caller leaves out rows that are outside the official's scope."""
    if district == PROTECTED and actor.unit:
        return [report_lists.protected_desk(actor.unit)]
    if district is not None:
        if not actor.roles(district):
            raise Problem("not_found")
        return [report_lists.district_desk(district)]
    if actor.unit is None or not actor.roles() & WORKERS:
        # Roles that only read have no work of their own.
        raise Problem("district_needed", field="district")
    called = [report_lists.called_desk(actor.unit)]
    named = {district for grant in actor.grants for district in grant.districts}
    unit = city.units.get(actor.unit)
    local = unit is not None and unit.kind == "district"
    if named and ANY not in named and len(named) <= (DISTRICTS_AT_MOST if local else 1):
        # A district's unit is never called to a report outside its districts.
        within = local and unit is not None and unit.districts <= named
        desks = [report_lists.district_desk(code) for code in sorted(named)]
        return desks + ([] if within else called)
    return [report_lists.unit_desk(actor.unit), *called]


def _shown(actor: Principal, city: City, card: report_lists.Card) -> bool:
    """Whether the row is in the official's scope, or their unit is called to it or took it."""
    taken = card.unit == actor.unit and card.entrusted and bool(actor.roles() & ENTRUSTED)
    called = card.called_unit is not None and card.called_unit == actor.unit
    return taken or called or bool(actor.roles(_district(city, card), card.service))


def _district(city: City, card: report_lists.Card) -> str | None:
    # A ward of an older city version may not exist any more.
    return city.district_and_path(card.ward)[0] if card.ward in city.areas else None
