"""Reading scorecards: who sees which stage and which card, and the rows behind a figure.

Live and provisional cards are for officials. The card of an official is for that official, the head
of the unit and auditors. For others a card is ``not_found``.

Tests: tests/integration/test_scorecards.py
"""

from datetime import datetime
from typing import Any, cast

from chalicelib.domain.actions.city_succession import AREAS, UNITS
from chalicelib.domain.city.city import City
from chalicelib.domain.principal import AUDITOR, Principal
from chalicelib.domain.scorecards.card_types import Card, ScoreMonth, placed
from chalicelib.domain.scorecards.contributions import Contribution
from chalicelib.domain.scorecards.measures import behind, measures
from chalicelib.domain.scorecards.statistics import Settings, rounded
from chalicelib.domain.scorecards.totals import ANONYMOUS, MonthTotals, Scope
from chalicelib.domain.sla.custody import WHOLE
from chalicelib.domain.workflow import permissions
from chalicelib.errors import Problem
from chalicelib.services.city import cities, staff
from chalicelib.services.platform.catalogue import translations
from chalicelib.services.platform.cursors import make_cursor, open_cursor
from chalicelib.services.scorecards import audits, compute, report_rows
from chalicelib.services.scorecards.lifecycle import LIVE, PROVISIONAL
from chalicelib.services.timeline import secrecy
from chalicelib.storage import scorecards as store

FILES_AT_MOST = 4
# City versions, before and after that of the month, in which a request looks for a code.
VERSIONS_AT_MOST = 60


def months(actor: Principal, before: str | None, limit: int, now: datetime) -> dict[str, Any]:
    """The months with scorecards that the caller may see, the settings of scores, and the seeds of
    audits."""
    city = cities.current(actor.jurisdiction, now)
    stored = store.months(actor.jurisdiction, before, limit)
    settings = Settings.from_json(city.scoring)
    return {
        "months": [_stage(month) for month in stored if _shown(actor, month)],
        "next": stored[-1]["month"] if len(stored) == limit else None,
        "settings": settings.published(),
        "measures": [_measure(code, city) for code in measures()],
        "audits": audits.published(city, now),
    }


def month(actor: Principal, name: str, now: datetime) -> dict[str, Any]:
    """A month's ranking, and the changes of its last revision."""
    held, city = _month(actor, name, now)
    page = store.card(actor.jurisdiction, name, held["folder"], "ranking") or {}
    return {
        **_stage(held),
        "settings": held["settings"],
        "history": held["history"],
        "changes": held.get("changes", []),
        "because": _named_still(actor, held.get("because", [])),
        "tombstones": held.get("tombstones", []),
        "pass_rates": [
            {"district": district or None, **rate}
            for district, rate in sorted(page.get("pass_rates", {}).items())
        ],
        **{
            plural: [{**row, "name": _named(kind, row["code"], city)} for row in page.get(kind, ())]
            for kind, plural in (("city", "city"), ("district", "districts"), ("unit", "units"))
        },
    }


def card(actor: Principal, name: str, area: str, now: datetime) -> dict[str, Any]:
    """One card: of the city, a district, a ward, a unit, or an official.

    For a present code, it is the card of the area or unit that had its place in that month. Raises
    ``Problem``: not_found; codes_of_then, if there were several.
    """
    held, city = _month(actor, name, now)
    area = _of_then(area, city, now)
    scope = _scope(actor, area, city)
    scorecard = _card(actor, held, scope)
    if scorecard is None:
        raise Problem("not_found")
    beside = _card(actor, held, Scope("others", area)) if scope.kind == "district" else None
    return {
        **_stage(held),
        "card": _explained(scorecard, city),
        "others": _explained(beside, city) if beside else None,
    }


def rows(  # noqa: PLR0913 (one for each parameter of the query)
    actor: Principal,
    name: str,
    area: str,
    measure: str,
    limit: int,
    cursor: str | None,
    now: datetime,
) -> dict[str, Any]:
    """A page of the contributions behind a figure. It may be short; a cursor says that more follow.

    At most ``FILES_AT_MOST`` districts are read for a page.
    """
    held, city = _month(actor, name, now)
    area = _of_then(area, city, now)
    scope = _scope(actor, area, city)
    filters = {"j": actor.jurisdiction, "f": held["folder"], "m": name, "a": area, "q": measure}
    file, skip = _start(open_cursor(cursor, filters, now))
    names, totals = _files(scope, city), MonthTotals(city)
    last = min(len(names), file + FILES_AT_MOST)
    listed: list[tuple[str, Contribution, int]] = []
    following = None
    while file < last and following is None:
        lines = compute.read_rows(actor.jurisdiction, name, held["folder"], names[file])
        for number, (report, contribution, weight) in enumerate(lines):
            if number < skip or contribution.measure not in behind()[measure]:
                continue
            if scope not in totals.scopes(contribution)[1]:
                continue
            if len(listed) == limit:
                following = (file, number)
                break
            listed.append((report, contribution, weight))
        file, skip = file + 1, 0
    if following is None and file < len(names):
        following = (file, 0)
    key = f"{following[0]}:{following[1]}" if following else None
    return {
        "month": name,
        "revision": held["revision"],
        "measure": measure,
        "rows": _told(actor, listed, scope, totals),
        "cursor": make_cursor(key, filters, now) if key else None,
    }


def _month(actor: Principal, name: str, now: datetime) -> tuple[ScoreMonth, City]:
    """A month's document, and the city version by which it is judged."""
    present = cities.current(actor.jurisdiction, now)
    held = store.month(actor.jurisdiction, name)
    if held is None or not _shown(actor, held):
        raise Problem("not_found")
    if held["rules"] == present.version:
        return held, present
    return held, cities.at(actor.jurisdiction, held["rules"])


def _shown(actor: Principal, held: ScoreMonth) -> bool:
    return actor.kind == "staff" or held["stage"] not in (LIVE, PROVISIONAL)


def _stage(held: ScoreMonth) -> dict[str, Any]:
    names = ("month", "stage", "revision", "rules", "until", "closed_at", "digest")
    return {name: value for name, value in held.items() if name in names}


def _of_then(area: str, city: City, now: datetime) -> str:
    """The code in ``city``, an earlier version, of a present area or unit."""
    if area in city.areas or area in city.units:
        return area
    present = cities.current(city.jurisdiction, now)
    # Only for codes that exist, so that a request with an invented code costs nothing.
    kinds = [AREAS] if area in present.areas else []
    kinds += [UNITS] if area in present.units else []
    if not kinds:
        return area
    codes = report_rows.code_history(city, VERSIONS_AT_MOST)
    old_codes = sorted({code for kind in kinds for code in codes.codes(kind, area)})
    if len(old_codes) > 1:
        raise Problem("codes_of_then", field="area", codes=old_codes)
    return old_codes[0] if old_codes else area


def _scope(actor: Principal, area: str, city: City) -> Scope:
    kinds = {-1: "ward", -2: "district"}
    if area == city.root:
        return Scope("city", area)
    for level, kind in kinds.items():
        if any(area == other.code for other in city.areas_of_level(level)):
            return Scope(kind, area)
    if area in city.units:
        return Scope("unit", area)
    if not _may_see_officer(actor, area):
        raise Problem("not_found")
    return Scope("officer", area)


def _may_see_officer(actor: Principal, ref: str) -> bool:
    if actor.kind != "staff":
        return False
    if actor.uid == ref:
        return True
    if not actor.roles() & {AUDITOR, "district_head"}:
        return False
    person = staff.by_ref(actor.jurisdiction, ref)
    if permissions.reaches_all_of(actor, AUDITOR, person):
        return True
    ours = person is not None and person.unit is not None and person.unit == actor.unit
    return ours and permissions.reaches_all_of(actor, "district_head", person)


def _card(actor: Principal, held: ScoreMonth, scope: Scope) -> Card | None:
    name = compute.card_name(*scope)
    scorecard = store.card(actor.jurisdiction, held["month"], held["folder"], name)
    # Ignore stale live cards: the scope had no data in the last run.
    return cast(Card, scorecard) if scorecard and scorecard["until"] >= held["until"] else None


def _measure(code: str, city: City) -> dict[str, Any]:
    """A measure with name and formula, also in the city's own languages."""
    names = {name: translations(f"measure.{code}.{name}", city) for name in ("name", "formula")}
    return {**measures()[code], **names}


def _explained(card: Card, city: City) -> dict[str, Any]:
    known = {code: _measure(code, city) for code in measures()}
    return {
        "kind": card["kind"],
        "code": card["code"],
        **placed(card),
        "name": _named(card["kind"], card["code"], city),
        "measures": [
            {
                **measured,
                **{name: known[measured["measure"]][name] for name in ("kind", "name", "formula")},
            }
            for measured in card["measures"]
        ],
    }


def _named(kind: str, code: str, city: City) -> dict[str, str]:
    if kind == "unit" and code in city.units:
        return city.units[code].name
    name = city.areas[code].name if code in city.areas else code
    return dict.fromkeys(city.languages, name)


def _files(scope: Scope, city: City) -> list[str]:
    if scope.kind == "district":
        return [scope.code]
    if scope.kind == "ward":
        return [city.district_and_path(scope.code)[0]]
    return compute.districts(city)


def _start(key: str | None) -> tuple[int, int]:
    if key is None:
        return 0, 0
    file, number = key.split(":")
    return int(file), int(number)


def _named_still(actor: Principal, because: list[str]) -> list[str]:
    gone = secrecy.hidden_from(actor, because)
    return [report for report in because if report not in gone]


def _told(
    actor: Principal, listed: list[tuple[str, Contribution, int]], scope: Scope, totals: MonthTotals
) -> list[dict[str, Any]]:
    """The rows for the answer. Rows of reports that have become secret are made anonymous: they
    count for city and district, but no longer for a ward, unit or official."""
    gone = secrecy.hidden_from(actor, {report for report, _, _ in listed if report})
    rows = []
    for report, contribution, weight in listed:
        if report in gone:
            report, contribution = "", totals.anonymous(contribution)
            if scope not in totals.scopes(contribution)[1]:
                continue
        rows.append(_row(report, contribution, weight, scope))
    return rows


def _row(report: str, contribution: Contribution, weight: int, scope: Scope) -> dict[str, Any]:
    known = contribution.at != ANONYMOUS
    row = {
        "report": report or None,
        "service": contribution.service,
        "measure": contribution.measure,
        "outcome": contribution.outcome,
        "ward": contribution.ward if known else None,
        "unit": contribution.unit if known else None,
        "share": contribution.share / WHOLE,
        "weight": weight / WHOLE,
        "value": rounded(contribution.value),
        "at": contribution.at if known else None,
        **({} if known else {"district": contribution.ward or None}),
    }
    # Only an official's own card shows whose share it is.
    return {**row, "officer": contribution.officer} if scope.kind == "officer" else row
