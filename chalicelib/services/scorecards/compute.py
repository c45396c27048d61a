"""Computing a month's scorecards from the reports' rows, and writing cards and files.

The result depends only on the rows, the month and the city's rules, not on the order of the rows:
the same input gives the same bytes.

Tests: tests/integration/test_recompute.py
"""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.input.text import BOM, CSV_MEDIA, no_formula
from chalicelib.domain.scorecards import engines
from chalicelib.domain.scorecards.bootstrap import Row
from chalicelib.domain.scorecards.card_types import RANGES, Card, PassRate, placed
from chalicelib.domain.scorecards.cards import Scorecards
from chalicelib.domain.scorecards.contributions import Contribution, Window, contributions, held_at
from chalicelib.domain.scorecards.measures import measures
from chalicelib.domain.scorecards.recurrence import Recurrences
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.domain.scorecards.totals import MonthTotals
from chalicelib.domain.sla.custody import WHOLE
from chalicelib.domain.timestamps import shifted
from chalicelib.services.platform import set_aside
from chalicelib.services.scorecards import report_rows
from chalicelib.services.scorecards.report_weights import Weights
from chalicelib.storage import files, report_filers
from chalicelib.storage import scorecards as store

NOWHERE = "-"
# The name of this schedule's notes; those of a report's row begin with ``ROW``.
SOURCE, ROW = "keep_scorecards", "row:"
PUBLIC_KINDS = ("city", "district", "ward", "unit", "others")
_COLUMNS = (
    "kind", "code", "name", "score", "rank", "of", "measure", "value", "numerator", "denominator",
    "n", "low", "high", "median", "p90", "oldest_days", "old",
)  # fmt: skip

_HEAD = ("kind", "code", "score", "rank", "of")


@dataclass
class Computed:
    """A computed month: its cards, and the file of rows of each district."""

    month: str
    rules: str
    until: str
    cards: list[Card]
    pass_rates: dict[str, PassRate]
    settings: dict[str, Any]
    rows: dict[str, bytes] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A hash of every figure: equal for equal results."""
        text = json.dumps([self.cards, self.pass_rates, self.settings], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def compute(
    city: City,
    month: str,
    settings: Settings,
    now: datetime,
    *,
    whole: bool = True,
    weighed: Weights | None = None,
) -> Computed:
    """The scorecards of a month at ``now``. ``whole``: also count registered reporters, which takes
    longer. ``weighed``: the weights, if the caller fixes them."""
    drawn = engines.draws(settings.engine)
    window = Window.of(month, city, now, drawn.months if drawn else 1)
    totals = MonthTotals(city)
    again = Recurrences(
        Window.of(shifted(month, -2), city, now),
        window.until,
        settings.recurrence_m,
        settings.recurrence_days,
    )
    weighed = weighed or Weights(city.jurisdiction, settings)
    lines: dict[str, list[str]] = {}
    hidden: dict[str, list[tuple[str, Contribution, int]]] = {}
    anonymous = set[str]()

    def take(report: str, contribution: Contribution, weight: int) -> None:
        totals.add(contribution, weight)
        place = totals.scopes(contribution)[0] or NOWHERE
        if report in anonymous:
            line = packed_line("", totals.anonymous(contribution), weight)
            hidden.setdefault(place, []).append((line, contribution, weight))
        else:
            line = packed_line(report, contribution, weight)
        lines.setdefault(place, []).append(line)

    run = set_aside.Run(SOURCE, now)
    for stored, translate in report_rows.each(city, shifted(month, -2)):
        with run.item(city.jurisdiction, f"{ROW}{stored['report']}"):
            row = translate(stored)
            # Everything that can fail comes first, so that a bad row adds nothing.
            rows = [
                (contribution, weighed.of(row, contribution))
                for contribution in contributions(row, window, settings.old_factor)
            ]
            ward = held_at(row, window.settled)[0] if window.holds(row["filed_at"]) else None
            again.add(row)
            if row.get("anonymous"):
                anonymous.add(row["report"])
            if ward is not None:
                totals.reported.add(ward)
            for contribution, weight in rows:
                take(row["report"], contribution, weight)
    run.finish()
    for report, contribution in again.contributions():
        take(report, contribution, WHOLE)
    extra = {"active_users": len(set(weighed.filers(month).values()))}
    if whole:
        extra["registered_users"] = report_filers.reporters(city.jurisdiction, month)
    made = Scorecards(totals, city, settings, extra)
    return Computed(
        month, city.version, window.until, made.cards(month, partial(drawn_rows, lines, hidden)),
        made.pass_rates,
        settings.published(),
        {district: packed(held) for district, held in lines.items()},
    )  # fmt: skip


def drawn_rows(
    lines: dict[str, list[str]], hidden: dict[str, list[tuple[str, Contribution, int]]]
) -> Iterator[Row]:
    """(name, contribution, weight) of all lines, those of a report one after another.

    An anonymous line is drawn alone. Its name is ``-<district>|<n>``, where n is its place among
    the anonymous lines of its file, from 0; its contribution is whole, as in the totals.
    """
    for district, packed_lines in sorted(lines.items()):
        for n, (_, contribution, weight) in enumerate(sorted(hidden.get(district, ()), key=_text)):
            yield f"-{district}|{n}", contribution, weight
        for line in sorted(packed_lines):
            report, weight, *contribution = json.loads(line)
            if report:
                yield report, Contribution(*contribution), weight


def _text(row: tuple[str, Contribution, int]) -> tuple[str, str]:
    # As texts: a contribution may have no official, which does not compare with one that has.
    line, contribution, weight = row
    return line, packed_line("", contribution, weight)


def publish(city: City, computed: Computed, stage: str, revision: int) -> str:
    """Write a revision's cards to the table and its files to the bucket. Returns their folder.

    The folder's name has the digest of its figures, so two runs never mix. The folder ``live`` is
    overwritten.
    """
    jurisdiction, month = city.jurisdiction, computed.month
    folder = f"r{revision}-{computed.digest[:12]}" if revision else "live"
    for district in districts(city):
        body = computed.rows.get(district) or (b"" if not revision else None)
        if body is not None:
            key = rows_key(jurisdiction, month, folder, district)
            files.put(key, body, "application/gzip", locked=bool(revision))
    public = [card for card in computed.cards if card["kind"] in PUBLIC_KINDS]
    document = {
        "jurisdiction": jurisdiction,
        "month": month,
        "stage": stage,
        "revision": revision,
        "rules": computed.rules,
        "until": computed.until,
        "settings": computed.settings,
        "pass_rates": computed.pass_rates,
        "formulas": {code: measure["formula"] for code, measure in measures().items()},
        "cards": public,
    }
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    prefix = f"scorecards/{jurisdiction}/{month}/{folder}"
    # Published files never change; a correction is a new revision.
    lock = bool(revision)
    files.put(f"{prefix}/scorecard.json", text.encode(), "application/json", locked=lock)
    files.put(f"{prefix}/scorecard.csv", cards_csv(public, city).encode(), CSV_MEDIA, locked=lock)
    docs: dict[str, Mapping[str, Any]] = {
        card_name(card["kind"], card["code"]): card for card in computed.cards
    }
    docs["ranking"] = ranking(computed)
    dated = {key: {**doc, "until": computed.until} for key, doc in docs.items()}
    store.put_cards(jurisdiction, month, folder, dated)
    return folder


def districts(city: City) -> list[str]:
    """The names of the files of rows: the districts, and one for wards that no longer exist."""
    return [*sorted(area.code for area in city.areas_of_level(-2)), NOWHERE]


def ranking(computed: Computed) -> dict[str, Any]:
    """The month's ranking: city, districts and units with rank, score and the measure on_time."""
    lists: dict[str, list[dict[str, Any]]] = {"city": [], "district": [], "unit": []}
    for card in computed.cards:
        if card["kind"] in lists:
            on_time = next(row for row in card["measures"] if row["measure"] == "on_time")
            row = {
                "code": card["code"],
                **placed(card),
                "on_time": {
                    "value": on_time["value"],
                    "low": on_time.get("low"),
                    "high": on_time.get("high"),
                    "n": on_time["n"],
                },
            }
            lists[card["kind"]].append(row)
    for rows in lists.values():
        rows.sort(key=_by_rank)
    return {**lists, "pass_rates": computed.pass_rates}


def _by_rank(row: dict[str, Any]) -> tuple[Any, ...]:
    # Those of one range of ranks by code: which of them is better is not known.
    first = row["rank"] if row.get("rank_best") is None else row["rank_best"]
    return (first is None, first or 0, row.get("rank_worst") or 0, row["code"])


def cards_csv(cards: list[Card], city: City) -> str:
    """The cards as CSV, one line per measure. Names that look like formulas get an apostrophe."""
    text = io.StringIO()
    ranges = [name for name in RANGES if any(name in card for card in cards)]
    writer = csv.DictWriter(text, [*_COLUMNS, *ranges], lineterminator="\r\n")
    writer.writeheader()
    for card in cards:
        known = {"kind": card["kind"], "code": card["code"], **placed(card)}
        head = {key: value for key, value in known.items() if key in (*_HEAD, *ranges)}
        title = card_title(card["kind"], card["code"], city)
        head["name"] = no_formula(title)
        for figure in card["measures"]:
            writer.writerow({**head, **figure})
    return BOM + text.getvalue()


def card_title(kind: str, code: str, city: City) -> str:
    """The name of a card's area or unit; for an official only the reference, since it is public."""
    if kind == "unit" and code in city.units:
        return city.text(city.units[code].name)
    return city.areas[code].name if code in city.areas else code


def card_name(kind: str, code: str) -> str:
    """The name of a card in its revision."""
    return f"{kind}#{code}"


def rows_key(jurisdiction: str, month: str, folder: str, district: str) -> str:
    """The key of the file with the rows behind a district's figures."""
    return f"scorecards/{jurisdiction}/{month}/{folder}/rows/{district}.jsonl.gz"


def read_rows(
    jurisdiction: str, month: str, folder: str, district: str
) -> Iterator[tuple[str, Contribution, int]]:
    """(report, contribution, weight) of each line of a district's file; nothing without a file.

    The report of an anonymous contribution is "".
    """
    body = files.get(rows_key(jurisdiction, month, folder, district))
    yield from unpacked(body) if body else ()


def unpacked(body: bytes) -> Iterator[tuple[str, Contribution, int]]:
    """The lines of a file of rows."""
    for line in gzip.decompress(body).splitlines():
        report, weight, *contribution = json.loads(line)
        yield report, Contribution(*contribution), weight


def packed_line(report: str, contribution: Contribution, weight: int) -> str:
    """One line of a file of rows."""
    return json.dumps([report, weight, *contribution], separators=(",", ":"))


def packed(lines: list[str]) -> bytes:
    """A file of rows, the same bytes for the same lines."""
    # Sorted and without gzip's timestamp, so that the same lines give the same bytes.
    return gzip.compress("\n".join(sorted(lines)).encode(), mtime=0)
