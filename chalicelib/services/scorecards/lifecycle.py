"""The stages of a month's scorecards: live, provisional, draft, and revisions of the draft.

Each run computes what is due and not there yet, so it does no harm if a run is missed, repeated or
overlaps another. A published revision never changes. If a later event changes figures, there is a
new revision, which says what changed and because of which reports.

Tests: tests/integration/test_scorecards.py
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.message_types import MonthClosed
from chalicelib.domain.scorecards import engines, weighing
from chalicelib.domain.scorecards.card_types import ScoreMonth
from chalicelib.domain.scorecards.statistics import DRAFT_DAY, RECHECKED, Settings
from chalicelib.domain.timestamps import iso, parse, shifted
from chalicelib.services.city import cities
from chalicelib.services.platform import set_aside
from chalicelib.services.scorecards import audits, compute, report_rows
from chalicelib.services.scorecards.compute import Computed
from chalicelib.services.scorecards.report_weights import Weights
from chalicelib.storage import city as city_store
from chalicelib.storage import control, secrecy, tallies
from chalicelib.storage import scorecards as store
from chalicelib.storage.transactions import Refused, Write, commit

LIVE, PROVISIONAL, DRAFT = "live", "provisional", "draft"
CHANGES_KEPT = 500
REPORTS_KEPT = 100
HISTORY_KEPT = 100


def update_all(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> list[str]:
    """Compute what is due in every city at ``now``. Returns ``city month stage`` of each."""
    done: list[str] = []
    run = set_aside.Run(compute.SOURCE, now)
    for jurisdiction in cities.jurisdictions():
        with run.item(jurisdiction):
            city = cities.current(jurisdiction, now)
            flagged = store.flagged(jurisdiction, RECHECKED)
            for month in _months(city, flagged, now):
                with run.item(jurisdiction, f"month:{month}"):
                    for stage in _stages(city, month, flagged.get(month), now):
                        if not may_go_on():
                            return done
                        if close(city, month, stage, now):
                            done.append(f"{jurisdiction} {month} {stage}")
    run.finish()
    return done


def close(city: City, month: str, stage: str, now: datetime) -> ScoreMonth | None:
    """Compute a month and publish the result as its present revision.

    Returns the month's document, or ``None`` if nothing changed or another run was faster.
    """
    jurisdiction = city.jurisdiction
    was = store.month(jurisdiction, month)
    # By the city version of the month's first moment; a revision by that of the one before.
    published = was["rules"] if was and was["stage"] != LIVE else None
    city = (
        cities.at(jurisdiction, published) if published else report_rows.city_judging(city, month)
    )
    settings = _settings(city, was)
    weighed = Weights(jurisdiction, settings)
    computed = compute.compute(city, month, settings, now, whole=stage != LIVE, weighed=weighed)
    if stage != LIVE:
        weighed.fix(month)
    if stage == DRAFT and was and (was["stage"], was["digest"]) == (stage, computed.digest):
        _publish(
            jurisdiction, {**was, "edition": was["edition"] + 1, "checked": _day(city, now)}, was
        )
        return None
    if stage == PROVISIONAL:
        audits.draw(city, month, settings.audit_sample, now)
    revision = 0 if stage == LIVE else (was["revision"] + 1 if was else 1)
    doc: ScoreMonth = {
        "month": month,
        "stage": stage,
        "revision": revision,
        "folder": compute.publish(city, computed, stage, revision),
        "edition": was["edition"] + 1 if was else 1,
        "rules": computed.rules,
        "until": computed.until,
        "settings": computed.settings,
        "digest": computed.digest,
        "closed_at": iso(now),
        "checked": _day(city, now),
        "history": _history(was),
    }
    if was and was.get("tombstones"):
        doc["tombstones"] = was["tombstones"]
    if was and was["stage"] == DRAFT:
        doc["changes"] = _changes(jurisdiction, month, was["folder"], computed)
        doc["because"] = _because(city, month, was["folder"], doc["folder"])
    writes = [] if stage == LIVE else [_announcement(jurisdiction, doc)]
    return doc if _publish(jurisdiction, doc, was, writes) else None


def _settings(city: City, was: ScoreMonth | None) -> Settings:
    """The settings as they were when the month was first computed. Until then nothing was public,
    so a live month takes the present rule of weights and the present engine."""
    if was is None:
        return Settings.from_json(city.scoring)
    settings = Settings.of_month(was["settings"])
    if was["stage"] != LIVE:
        return settings
    return replace(settings, weighing=weighing.present(), engine=engines.present())


def _publish(
    jurisdiction: str, doc: ScoreMonth, was: ScoreMonth | None, also: Sequence[Write] = ()
) -> bool:
    seen = was["edition"] if was else None
    try:
        commit([store.put_month(jurisdiction, doc["month"], doc, seen), *also])
    except Refused:
        return False  # Another run was faster, with the same figures.
    return True


def _announcement(jurisdiction: str, doc: ScoreMonth) -> Write:
    message: MonthClosed = {
        "kind": "scorecard",
        "jurisdiction": jurisdiction,
        "month": doc["month"],
        "stage": doc["stage"],
        "revision": doc["revision"],
        "folder": doc["folder"],
        "rules": doc["rules"],
    }
    name = f"{doc['closed_at']}#scorecard:{jurisdiction}:{doc['month']}:{doc['revision']}"
    return control.put_outbox(name, message)


def _months(city: City, flagged: Iterable[str], now: datetime) -> list[str]:
    """The months at which to look, the oldest first; the current one is last."""
    current = city.month(now)
    recent = (shifted(current, -back) for back in range(RECHECKED + 1))
    return sorted({*recent, *(month for month in flagged if month < current)})


def _stages(city: City, month: str, flag: str | None, now: datetime) -> Iterator[str]:
    """The stages of a month that are due now. ``flag``: why it was flagged, if it was."""
    jurisdiction = city.jurisdiction
    was = store.month(jurisdiction, month)
    if month == city.month(now):
        top = now.astimezone(city.zone).replace(minute=0, second=0, microsecond=0)
        if was is None or was["until"] < iso(top):
            yield LIVE
        return
    if was is not None or (tallies.month(jurisdiction, month) and _began(city, month)):
        yield from _steps(city, month, was, flag is not None, now)
    if flag is not None:
        with suppress(Refused):
            commit([store.unflag(jurisdiction, month, flag)])


def _began(city: City, month: str) -> bool:
    """Whether the city worked here before the month's end. Before, all reports are imported."""
    began = city_store.first_since(city.jurisdiction)
    return began is None or parse(began) < city.bounds(month)[1]


def _steps(
    city: City, month: str, was: ScoreMonth | None, flagged: bool, now: datetime
) -> Iterator[str]:
    local = now.astimezone(city.zone)
    stage = was["stage"] if was else LIVE
    if stage == LIVE:
        yield PROVISIONAL
    if stage == DRAFT and was:
        due = flagged or was["checked"] < _day(city, now)
    else:
        due = month < shifted(city.month(now), -1) or local.day >= DRAFT_DAY
    if due:
        yield DRAFT


def _day(city: City, now: datetime) -> str:
    # The day changes at three in the morning, when little else runs.
    return (now.astimezone(city.zone) - timedelta(hours=3)).date().isoformat()


def _history(was: ScoreMonth | None) -> list[dict[str, Any]]:
    if was is None or was["stage"] == LIVE:
        return []
    kept = ("stage", "revision", "digest", "closed_at")
    return [*was["history"], {name: value for name, value in was.items() if name in kept}][
        -HISTORY_KEPT:
    ]


def _changes(
    jurisdiction: str, month: str, folder: str, computed: Computed
) -> list[dict[str, Any]]:
    """The figures of public cards that differ from an earlier revision."""
    old = dict(store.cards(jurisdiction, month, folder))
    changed = []
    for card in computed.cards:
        if card["kind"] not in compute.PUBLIC_KINDS:
            continue
        before = old.get(compute.card_name(card["kind"], card["code"]), {})
        old_values = {row["measure"]: row["value"] for row in before.get("measures", ())}
        pairs = [
            (name, before.get(name), card.get(name))
            for name in ("score", "score_low", "score_high")
        ]
        pairs += [
            (row["measure"], old_values.get(row["measure"]), row["value"])
            for row in card["measures"]
        ]
        changed += [
            {"kind": card["kind"], "code": card["code"], "measure": name, "was": was, "is": value}
            for name, was, value in pairs
            if was != value
        ]
    return changed[:CHANGES_KEPT]


def _because(city: City, month: str, before: str, after: str) -> list[str]:
    """The reports whose rows differ from an earlier revision, without secret ones."""
    jurisdiction, differing = city.jurisdiction, set[str]()
    for district in compute.districts(city):
        old = set(compute.read_rows(jurisdiction, month, before, district))
        new = set(compute.read_rows(jurisdiction, month, after, district))
        differing |= {row[0] for row in old ^ new if row[0]}
    return sorted(differing - secrecy.secret(jurisdiction, differing))[:REPORTS_KEPT]
