"""The life of a month's scorecards: live, provisional, draft, and revisions after that.

Every run looks at what is there and does what is missing, so that a run that is missed, repeated
or overlapped changes nothing. A revision once named is never written again; a later event makes
another one, which says what changed and by which reports.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.statistics import DRAFT_DAY, RECHECKED, Settings, shifted
from chalicelib.domain.timestamps import iso
from chalicelib.services.city import cities
from chalicelib.services.scorecards import audits, compute, report_rows
from chalicelib.services.scorecards.compute import Computed
from chalicelib.storage import control, secrecy, tallies
from chalicelib.storage import scorecards as store
from chalicelib.storage.transactions import Refused, Write, commit

LIVE, PROVISIONAL, DRAFT = "live", "provisional", "draft"
CHANGES_KEPT = 500
REPORTS_KEPT = 100
HISTORY_KEPT = 100


def update_all(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> list[str]:
    """Bring every city's scorecards up to ``now``; what was done, as ``city month stage``."""
    done: list[str] = []
    for jurisdiction in cities.jurisdictions():
        city = cities.current(jurisdiction, now)
        for month, stage in _wanted(city, now):
            if not may_go_on():
                return done
            if close(city, month, stage, now):
                done.append(f"{jurisdiction} {month} {stage}")
    return done


def close(city: City, month: str, stage: str, now: datetime) -> dict[str, Any] | None:
    """Compute a month anew and name the result as its revision; ``None`` if that is no news."""
    place = city.jurisdiction
    was = store.month(place, month)
    # Judged by the city of the month's first moment, and once told, by what it was told by.
    told_by = was["rules"] if was and was["stage"] != LIVE else None
    city = cities.at(place, told_by) if told_by else report_rows.city_judging(city, month)
    # Weights are frozen from the month's first moment on.
    settings = Settings.from_json(was["settings"] if was else city.scoring)
    found = compute.compute(city, month, settings, now, whole=stage != LIVE)
    if stage == DRAFT and was and (was["stage"], was["digest"]) == (stage, found.digest):
        _name(place, {**was, "edition": was["edition"] + 1, "checked": _day(city, now)}, was)
        return None
    if stage == PROVISIONAL:
        audits.draw(city, month, settings.audit_sample, now)
    revision = 0 if stage == LIVE else (was["revision"] + 1 if was else 1)
    doc: dict[str, Any] = {
        "month": month,
        "stage": stage,
        "revision": revision,
        "folder": compute.publish(city, found, stage, revision),
        "edition": was["edition"] + 1 if was else 1,
        "rules": found.rules,
        "until": found.until,
        "settings": found.settings,
        "digest": found.digest,
        "closed_at": iso(now),
        "checked": _day(city, now),
        "history": _history(was),
    }
    if was and was.get("tombstones"):
        doc["tombstones"] = was["tombstones"]
    if was and was["stage"] == DRAFT:
        doc["changes"] = _changes(place, month, was["folder"], found)
        doc["because"] = _because(city, month, was["folder"], doc["folder"])
    told = [] if stage == LIVE else [_announcement(place, doc)]
    return doc if _name(place, doc, was, told) else None


def _name(
    place: str, doc: dict[str, Any], was: dict[str, Any] | None, also: Sequence[Write] = ()
) -> bool:
    seen = was["edition"] if was else None
    try:
        commit([store.put_month(place, doc["month"], doc, seen), *also])
    except Refused:
        return False  # Another run was quicker, with the same figures.
    return True


def _announcement(place: str, doc: dict[str, Any]) -> Write:
    kept = ("month", "stage", "revision", "folder", "rules")
    message = {"kind": "scorecard", "jurisdiction": place, **{name: doc[name] for name in kept}}
    name = f"{doc['closed_at']}#scorecard:{place}:{doc['month']}:{doc['revision']}"
    return control.put_outbox(name, message)


def _wanted(city: City, now: datetime) -> Iterator[tuple[str, str]]:
    """(month, stage) of what is due, the oldest month first."""
    place, current = city.jurisdiction, city.month(now)
    flagged = store.flagged(place, RECHECKED)
    months = {*flagged, *(shifted(current, -back) for back in range(1, RECHECKED + 1))}
    for month in sorted(one for one in months if one < current):
        was = store.month(place, month)
        if was is not None or tallies.month(place, month):
            yield from _steps(city, month, was, month in flagged, now)
        if month in flagged:
            with suppress(Refused):
                commit([store.unflag(place, month, flagged[month])])
    was = store.month(place, current)
    top = now.astimezone(city.zone).replace(minute=0, second=0, microsecond=0)
    if was is None or was["until"] < iso(top):
        yield current, LIVE


def _steps(
    city: City, month: str, was: dict[str, Any] | None, flagged: bool, now: datetime
) -> Iterator[tuple[str, str]]:
    local = now.astimezone(city.zone)
    stage = was["stage"] if was else LIVE
    if stage == LIVE:
        yield month, PROVISIONAL
    if stage == DRAFT and was:
        due = flagged or was["checked"] < _day(city, now)
    else:
        due = month < shifted(city.month(now), -1) or local.day >= DRAFT_DAY
    if due:
        yield month, DRAFT


def _day(city: City, now: datetime) -> str:
    # From three in the morning on, when little else runs.
    return (now.astimezone(city.zone) - timedelta(hours=3)).date().isoformat()


def _history(was: dict[str, Any] | None) -> list[dict[str, Any]]:
    if was is None or was["stage"] == LIVE:
        return []
    kept = ("stage", "revision", "digest", "closed_at")
    return [*was["history"], {name: was[name] for name in kept}][-HISTORY_KEPT:]


def _changes(place: str, month: str, folder: str, found: Computed) -> list[dict[str, Any]]:
    """Which figures of which cards are others than in an earlier revision."""
    old = dict(store.cards(place, month, folder))
    changed = []
    for card in found.cards:
        if card["kind"] not in compute.PUBLIC_KINDS:
            continue
        before = old.get(compute.card_name(card["kind"], card["code"]), {})
        known = {one["measure"]: one["value"] for one in before.get("measures", ())}
        pairs = [("score", before.get("score"), card["score"])]
        pairs += [
            (one["measure"], known.get(one["measure"]), one["value"]) for one in card["measures"]
        ]
        changed += [
            {"kind": card["kind"], "code": card["code"], "measure": name, "was": was, "is": value}
            for name, was, value in pairs
            if was != value
        ]
    return changed[:CHANGES_KEPT]


def _because(city: City, month: str, before: str, after: str) -> list[str]:
    """The reports whose rows are others than in an earlier revision."""
    place, found = city.jurisdiction, set[str]()
    for district in compute.districts(city):
        old = set(compute.read_rows(place, month, before, district))
        new = set(compute.read_rows(place, month, after, district))
        found |= {row[0] for row in old ^ new if row[0]}
    return sorted(found - secrecy.secret(place, found))[:REPORTS_KEPT]
