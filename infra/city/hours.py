"""Reads and checks the working hours and holidays of a city."""

import re
from datetime import time
from typing import Any

from chalicelib.domain.city.business_hours import DAYS
from infra.city.fields import Fields, unique
from infra.city.findings import Findings

# Calendar.add_working looks ten years ahead; one year is left for holidays.
_WEEKS_SEARCHED = 9 * 52
_HOUR = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")


def calendar(fields: Fields) -> dict[str, Any]:
    """The weekly hours and the holidays."""
    week = fields.inner("working")
    working = {day: spans for day in DAYS if (spans := _spans(week, day))}
    if fields.has("working") and not working:
        fields.fault("working", "must have working time on some day")
    rows = fields.each("holidays")
    holidays = [
        {
            "date": row.text("date"),
            "name": row.both("name"),
            "basis": row.text("basis"),
        }
        for row in rows
    ]
    unique(rows, [str(holiday["date"]) for holiday in holidays], "date")
    return {
        "working": working,
        "holidays": sorted(holidays, key=lambda holiday: str(holiday["date"])),
    }


def check_reach(bundle: dict[str, Any], findings: Findings) -> None:
    """Report targets that the calendar cannot count: deadlines are searched for ten years.

    A schedule may take twice a target, and a ladder as much as its highest rung.
    """
    spans = [span for day in bundle["calendar"]["working"].values() for span in day]
    week = sum(_minutes(end) - _minutes(start) for start, end in spans) / 60
    ladders = bundle.get("escalation", {}).get("ladders", {})
    most = max([2.0, *(rung["share"] for rungs in ladders.values() for rung in rungs)])
    for file, rows, name in (
        ("services.json", bundle["services"], "code"),
        ("overrides.csv", bundle["overrides"], "service"),
    ):
        for row in rows:
            targets = [row[part] for part in ("acknowledge", "resolve") if part in row]
            longest = max(
                [target["hours"] for target in targets if target["clock"] == "working"], default=0
            )
            if week and longest * most > week * _WEEKS_SEARCHED:
                findings.add(
                    file,
                    str(row[name]),
                    f"{longest:g} working hours, {most:g} times, do not fit into nine years of "
                    f"{week:g} hours a week",
                )


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _spans(week: Fields, day: str) -> list[list[str]]:
    value = week.raw(day)
    spans = []
    last = ""
    for number, span in enumerate(value if isinstance(value, list) else ()):
        name = f"{day}[{number}]"
        good = isinstance(span, list) and len(span) == 2
        if not good or not all(isinstance(end, str) and _HOUR.match(end) for end in span):
            continue  # The schema names it.
        if time.fromisoformat(span[0]) >= time.fromisoformat(span[1]):
            week.fault(name, "must end after it begins")
        elif span[0] < last:
            week.fault(name, "must begin after the span before it ends")
        else:
            spans.append(span)
            last = span[1]
    return spans
