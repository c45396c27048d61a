"""Messages to officials that a month was closed: one for each set of districts.

An official of one district gets its summary. An official of several districts, or of the city, gets
one message with all of them.

Tests: tests/integration/test_bursts.py
"""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple, cast

from chalicelib.domain.actions.city_succession import AREAS
from chalicelib.domain.city.city import City
from chalicelib.domain.message_types import MonthClosed, RecordRoot
from chalicelib.domain.notifications.alerts import LOCAL
from chalicelib.domain.principal import ANY, group
from chalicelib.domain.scorecards.card_types import Card, Figure, placed
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.services.city import cities, staff
from chalicelib.services.notifications import alerts, officials
from chalicelib.services.platform import urls
from chalicelib.services.platform.catalogue import official_text
from chalicelib.services.scorecards import report_rows
from chalicelib.storage import scorecards as store

ROLES = sorted(group("month_closed"))


def publish(message: MonthClosed, now: datetime) -> None:
    """Publish one outbox row of a closed month: one message a scope, each with its dedupe key."""
    jurisdiction, month = message["jurisdiction"], message["month"]
    city = cities.at(jurisdiction, message["rules"])
    page = store.card(jurisdiction, month, message["folder"], "ranking") or {}
    cards: dict[str, Card] = {}
    for row in page.get("district", ()):
        doc = store.card(jurisdiction, month, message["folder"], f"district#{row['code']}")
        if doc is not None:
            cards[row["code"]] = cast(Card, doc)
    # Officials have today's districts; the month has the districts of its start.
    present = report_rows.code_history(cities.current(jurisdiction, now))
    today = {code: present.codes(AREAS, code) or (code,) for code in cards}
    scopes = _scopes(jurisdiction, today, now)
    if not scopes:
        # For listeners that are not in the staff records and have filters of their own.
        scopes = {frozenset([code]): [f"{LOCAL}{role}" for role in ROLES] for code in cards}
        scopes[frozenset(cards)] = ROLES
    for codes, audience in sorted(scopes.items(), key=lambda item: (len(item[0]), sorted(item[0]))):
        if len(codes) == 1:
            _publish_district(message, cards[next(iter(codes))], city, audience)
        elif codes:
            # In the order of the ranking.
            several = [card for code, card in cards.items() if code in codes]
            _publish_several(message, several, city, audience)


def publish_root(message: RecordRoot) -> None:
    """Publish the root of a day's record, for subscriptions with the filter
    ``{"event": ["record_root"]}``: it is for no official, and no place in the city can take it
    back."""
    facts = {name: message[name] for name in ("jurisdiction", "day", "hash", "dedupe")}
    attributes: dict[str, str | list[str]] = {
        "jurisdiction": message["jurisdiction"],
        "event": "record_root",
        "dedupe": message["dedupe"],
        "protected": "false",
        "priority": "normal",
        "audience": ["record"],
    }
    text = f"{message['jurisdiction']} {message['day']}: {message['hash']}"
    alerts.send(text[:100], text, {"event": "record_root", **facts}, attributes)


def _scopes(
    jurisdiction: str, codes_today: dict[str, tuple[str, ...]], now: datetime
) -> dict[frozenset[str], list[str]]:
    """{districts: officials responsible for exactly these}, of officials with an endpoint.

    ``codes_today``: the month's districts, each with its codes of today.
    """
    scopes: dict[frozenset[str], list[str]] = {}
    for record in staff.roster(jurisdiction, now):
        districts = {district for grant in record["grants"] if grant["role"] in ROLES
                 for district in grant["districts"]}  # fmt: skip
        scope = frozenset(
            code
            for code, today in codes_today.items()
            if ANY in districts or districts.intersection(today)
        )
        if scope and officials.reachable(record):
            scopes.setdefault(scope, []).append(f"person:{record['ref']}")
    return scopes


def _publish_district(message: MonthClosed, card: Card, city: City, audience: list[str]) -> None:
    code = card["code"]
    link = urls.in_city(message["jurisdiction"], f"/v1/scorecards/{message['month']}/{code}")
    facts = {"district": code, **_facts(card)}
    letter = _Letter(code, facts, compose(message, card, city, link), link)
    _send(message, city, letter, audience)


def _publish_several(
    message: MonthClosed, cards: list[Card], city: City, audience: list[str]
) -> None:
    link = urls.in_city(message["jurisdiction"], f"/v1/scorecards/{message['month']}")
    facts = {"districts": [{"district": card["code"], **_facts(card)} for card in cards]}
    stage = official_text(city, f"scorecard.stage.{message['stage']}")
    lines = [f"{stage} {_month(message['month'])}, {city.text(city.name)}"]
    lines += [f"{_name(card, city)}: {_score(card)}, {_rank(card, city)}" for card in cards]
    codes = "+".join(sorted(card["code"] for card in cards))
    # The same key at every repetition, and short, however many districts there are.
    name = hashlib.sha256(codes.encode()).hexdigest()[:16]
    _send(message, city, _Letter(name, facts, "\n".join([*lines, link]), link), audience)


class _Letter(NamedTuple):
    """What officials read; ``name`` distinguishes it from the other letters of its month."""

    name: str
    facts: dict[str, Any]
    text: str
    link: str


def _send(message: MonthClosed, city: City, letter: _Letter, audience: list[str]) -> None:
    jurisdiction, month = message["jurisdiction"], message["month"]
    name, facts, text, link = letter
    district = facts.get("district")
    dedupe = f"{jurisdiction}:scorecard:{month}:{message['revision']}:{name}"
    attributes: dict[str, str | list[str]] = {
        "jurisdiction": jurisdiction,
        "event": "scorecard",
        "level": message["stage"],
        "dedupe": dedupe,
        "protected": "false",
        "priority": "normal",
        "audience": sorted(officials.marks({"audience": audience, "district": district})),
        **({"district": district} if district else {}),
    }
    document = {
        "jurisdiction": jurisdiction,
        "event": "scorecard",
        "month": month,
        "stage": message["stage"],
        "revision": message["revision"],
        **facts,
        "audience": audience,
        "dedupe": dedupe,
        "text": text,
        "link": link,
    }
    alerts.send(
        official_text(city, "scorecard.subject", month=_month(month)), text, document, attributes
    )


def compose(message: MonthClosed, card: Card, city: City, link: str) -> str:
    """Rank, score and the main measures of a district, in eight short lines."""
    measures = {measure["measure"]: measure for measure in card["measures"]}
    return official_text(
        city,
        "scorecard.text",
        stage=official_text(city, f"scorecard.stage.{message['stage']}"),
        month=_month(message["month"]),
        district=_name(card, city),
        score=_score(card),
        rank=_rank(card, city),
        on_time=_percent(measures["on_time"]),
        acknowledged=_percent(measures["acknowledged_on_time"]),
        verified=_percent(measures["verified"]),
        rework=_percent(measures["reopened_or_refused"]),
        carried=f"{measures['overdue_carried']['numerator'] or 0:.0f}",
        backlog=f"{measures['backlog']['value'] or 0:.0f}",
        stars=_stars(measures["satisfaction"]),
        link=link,
    )


def _name(card: Card, city: City) -> str:
    return city.areas[card["code"]].name if card["code"] in city.areas else str(card["code"])


def _facts(card: Card) -> dict[str, Any]:
    return {name: value for name, value in placed(card).items() if name not in ("ranked", "n")}


def _score(card: Card) -> str:
    """The score, with its interval where its engine has one."""
    low, high = card.get("score_low"), card.get("score_high")
    if card["score"] is None:
        return "–"
    shown = f"{card['score']:.1f}"
    return shown if low is None or high is None else f"{shown} ({low:.1f}–{high:.1f})"


def _rank(card: Card, city: City) -> str:
    """The rank or the range of ranks or bands that is sure, or why there is none."""
    best, worst, of = card.get("rank_best"), card.get("rank_worst"), card["of"]
    low, high = card.get("band_low"), card.get("band_high")
    if reason := card.get("unscored"):
        # Rounded down: 29.6 of 30 are too few.
        due, least = int(card.get("due_in_three_months") or 0), Settings.from_json(city.scoring)
        return official_text(city, f"scorecard.{reason}", due=due, least=least.score_from)
    if low is not None and high is not None:
        names = {band["code"]: band["name"] for band in city.scoring.get("bands", ())}
        ends = dict.fromkeys(city.text(names[code]) for code in (low, high) if code in names)
        return official_text(city, "scorecard.band", band="–".join(ends) or f"{low}–{high}")
    if not card["ranked"]:
        return official_text(city, "scorecard.unranked")
    if best is None or best == worst:
        return official_text(city, "scorecard.rank", rank=best or card["rank"], of=of)
    return official_text(city, "scorecard.rank_range", best=best, worst=worst, of=of)


def _percent(figure: Figure) -> str:
    if figure["value"] is None:
        return "–"
    return f"{100 * figure['value']:.0f}% (n={figure['n']:.0f})"


def _stars(figure: Figure) -> str:
    return "–" if figure["value"] is None else f"{figure['value']:.1f} (n={figure['n']:.0f})"


def _month(month: str) -> str:
    return f"{month[:4]}-{month[4:]}"
