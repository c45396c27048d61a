"""What the demo prints: a line while it runs, a summary at the end."""

import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infra.city.scorecard import rank_text
from infra.demo.counts import Counts
from infra.demo.rows import WIB

_BUSIEST = 12
_EVERY_SECONDS = 1.0
_EVERY_SECONDS_IN_A_FILE = 15.0


class Progress:
    """A line on the terminal, renewed each second; in a file, a line every 15 seconds."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._terminal = sys.stderr.isatty()
        self._next = 0.0
        self._before = ""

    def __call__(self, moment: datetime, counts: Counts, alerts: int) -> None:
        """Show the progress at ``moment`` of the city's time."""
        refused = sum(counts.actions_refused.values())
        self.line(
            f"{moment.astimezone(WIB):%Y-%m-%d %H:%M}  filed {counts.filed}/{self._total}"
            f"  actions {sum(counts.actions.values())} ({refused} refused)  alerts {alerts}"
        )

    def line(self, text: str, at_once: bool = False) -> None:
        """Show a line, unless the last one was shown just before."""
        now = time.monotonic()
        if now < self._next and not at_once:
            return
        self._next = now + (_EVERY_SECONDS if self._terminal else _EVERY_SECONDS_IN_A_FILE)
        if self._terminal:
            print(f"\r{text:<{len(self._before)}}", end="", file=sys.stderr, flush=True)
            self._before = text
        else:
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clear the line."""
        if self._terminal:
            print(f"\r{' ' * len(self._before)}\r", end="", file=sys.stderr, flush=True)


def summary(
    document: dict[str, Any], names: Mapping[str, str], seconds: Mapping[str, float]
) -> str:
    """All counts of the run, in about forty lines."""
    recorded = document["ward_as_recorded"]
    lines = [
        f"{document['city']['jurisdiction']} {document['city']['version']}, {document['source']}, "
        f"seed {document['seed']}",
        "",
        f"filed      {document['filed']}: {document['accepted']} accepted, "
        f"{_listed(document['refused'])}",
    ]
    if recorded["rows"]:
        lines.append(
            f"wards      {recorded['agree']} of {recorded['rows']} answers name the ward (or "
            "none) that the archive names"
        )
    lines += [
        f"services   {_listed(document['services'])}",
        f"actions    {_listed(document['actions'])}",
        f"refused    {_refusals(document['actions_refused'])}",
        f"alerts     {document['alerts']} different ones received, one for each event of which "
        f"officials are told: {_yes(document['alerts_agree'])}",
        f"messages   {document['messages_to_officials']} to officials, "
        f"{document['messages_to_nobody']} of them to nobody; at most "
        f"{document['fullest_hour']['messages']} an hour to one, urgent ones apart",
        f"photos     {document['photos']} uploaded",
        f"closed     {_listed(document['closed'])}",
        f"open       {_listed(document['open'])}",
        "",
        "busiest wards",
        *_wards(document["wards"], names),
        "",
        "tallies    month    received  verified  finished  refused  reopened  mean rating",
        *[_month(month, tally) for month, tally in document["tallies"].items()],
        f"           as counted from the answers: {_yes(document['tallies_agree'])}",
        f"map        {document['map']['shown']} open reports in {document['map']['views']} views, "
        f"{document['map']['received']} received in {document['map']['cells']} cells of zoom 16: "
        f"{_yes(document['map']['agree'])}",
        *_clocks(document),
        f"rebuild    {document['rebuild']['tallies']} tallies recomputed from the timeline, "
        f"{document['rebuild']['changed']} differed",
    ]
    if "replay" in document:
        lines += _replay(document)
    lines.append("time       " + ", ".join(f"{part} {n:.1f} s" for part, n in seconds.items()))
    return "\n".join(lines)


_CLOSED_BECAUSE = {
    "verified": "repaired and confirmed",
    "unverified": "repaired, without an answer from the reporter",
    "duplicate": "joined to an earlier report of the same problem",
    "rejected": "rejected with a reason",
    "not_ours": "not the city's responsibility",
    "withdrawn": "withdrawn by the reporter",
}


def ending(document: dict[str, Any], checks: Mapping[str, bool]) -> str:
    """The result in plain sentences, for somebody who works in a city; ``checks`` by statement."""
    closed, open_ = document["closed"], sum(document["open"].values())
    reasons = [
        f"    {closed[name]:>5}  {because}"
        for name, because in _CLOSED_BECAUSE.items()
        if closed.get(name)
    ]
    refused = sum(document["refused"].values())
    outside = set(document["refused"]) == {"outside_area"}
    why = "they lie outside the city" if outside else _listed(document["refused"])
    late = document["breached"]
    failed = [statement for statement, holds in checks.items() if not holds]
    return "\n".join(
        [
            "In short",
            f"  People filed {document['filed']} reports. The city accepted {document['accepted']}"
            + (f" and refused {refused}: {why}." if refused else "."),
            f"  {sum(closed.values())} reports are closed:",
            *reasons,
            f"  {open_} reports are still open.",
            f"  The first answer came late for {late.get('acknowledge', 0)} reports, the repair "
            f"for {late.get('resolve', 0)}. Superiors were informed "
            f"{sum(document['escalated'].values())} times.",
            f"  Officials received {document['messages_to_officials']} messages. Nobody received "
            f"more than {document['fullest_hour']['messages']} in one hour, urgent ones not "
            "counted.",
            f"  {len(checks) - len(failed)} of {len(checks)} checks passed."
            + (" These failed:" if failed else " The system did what it must do."),
            *(f"    - {statement}" for statement in failed),
        ]
    )


def _clocks(document: dict[str, Any]) -> list[str]:
    card = document["scorecard"]
    lines = [
        f"clock      breached {_listed(document['breached'])}; escalated by level "
        f"{_listed(document['escalated'])}; {document['lapsed']} lapsed",
    ]
    if card is None:
        return lines
    ranked = [row for row in card["districts"] if row["ranked"]][:_BUSIEST]
    lines += ["", f"ranking    {card['month']}, {card['stage']}, of {len(ranked)} shown"]
    for row in ranked:
        rate = row["on_time"]
        lines.append(
            f"  {rank_text(row):>5}  {row['name']['id']:<20} {row['score']:>5.1f}  on time "
            f"{100 * rate['value']:3.0f}% ({100 * rate['low']:.0f}–{100 * rate['high']:.0f}%), "
            f"n {row['n']:.0f}"
        )
    return [*lines, ""]


def _replay(document: dict[str, Any]) -> list[str]:
    replay = document["replay"]
    return [
        f"sent again {replay['requests']} requests: {document['replayed']} answered as before, "
        f"{replay['refused_again']} refused again, "
        f"{document['created_on_replay']} created anything",
        f"run again  {_listed(replay['background'])}",
        "           heads, tallies, alerts and letters unchanged: " + _yes(replay["unchanged"]),
    ]


def _wards(wards: dict[str, int], names: Mapping[str, str]) -> list[str]:
    top = sorted(wards.items(), key=lambda pair: (-pair[1], pair[0]))[:_BUSIEST]
    most = max((n for _, n in top), default=1)
    wide = max((len(names[code]) for code, _ in top), default=0)
    return [
        f"  {code:<14} {names[code]:<{wide}} {n:>4}  {'#' * round(30 * n / most)}"
        for code, n in top
    ]


def _month(month: str, tally: dict[str, int]) -> str:
    mean = f"{tally['rating_sum'] / tally['ratings']:.2f}" if tally["ratings"] else "-"
    return (
        f"           {month[:4]}-{month[4:]}  {tally['received']:>8}  {tally['verified']:>8}  "
        f"{tally['finished']:>8}  {tally['refused']:>7}  {tally['reopened']:>8}  {mean:>11}"
    )


def _listed(counts: Mapping[str, int]) -> str:
    several = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{n} {name}" for name, n in several) or "none"


def _refusals(actions: Mapping[str, Mapping[str, int]]) -> str:
    flat = {f"{name} {why}": n for name, each in actions.items() for why, n in each.items()}
    return _listed(flat)


def _yes(good: bool) -> str:
    return "yes" if good else "NO"
