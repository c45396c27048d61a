"""Telling officials that a month was closed, to read on a phone: one message a scope.

Whoever serves one district gets its summary; whoever serves several, or the city, one message with
all of theirs.
"""

import hashlib
from datetime import datetime
from typing import Any

from chalicelib.domain.actions.city_succession import AREAS
from chalicelib.domain.city.city import City
from chalicelib.domain.notifications.alerts import LOCAL
from chalicelib.domain.principal import ANY
from chalicelib.services.city import cities, staff
from chalicelib.services.notifications import alerts, officials
from chalicelib.services.platform import urls
from chalicelib.services.platform.catalogue import tell
from chalicelib.services.scorecards import report_rows
from chalicelib.storage import scorecards as store

ROLES = ("auditor", "city_admin", "district_head")


def publish(message: dict[str, Any], now: datetime) -> None:
    """Publish one outbox row of a closed month: a message a scope, each with its dedupe key."""
    place, month = message["jurisdiction"], message["month"]
    city = cities.at(place, message["rules"])
    page = store.card(place, month, message["folder"], "ranking") or {}
    found: dict[str, dict[str, Any]] = {}
    for row in page.get("district", ()):
        card = store.card(place, month, message["folder"], f"district#{row['code']}")
        if card is not None:
            found[row["code"]] = card
    # Officials have the districts of today, the month those of its first moment.
    present = report_rows.code_history(cities.current(place, now))
    today = {code: present.codes(AREAS, code) or (code,) for code in found}
    scopes = _scopes(place, today, now)
    if not scopes:
        # Whoever listens by a filter of their own.
        scopes = {frozenset([code]): [f"{LOCAL}{role}" for role in ROLES] for code in found}
        scopes[frozenset(found)] = list(ROLES)
    for codes, audience in sorted(scopes.items(), key=lambda one: (len(one[0]), sorted(one[0]))):
        if len(codes) == 1:
            _of_district(message, found[next(iter(codes))], city, audience)
        elif codes:
            _of_several(message, [found[code] for code in sorted(codes)], city, audience)


def _scopes(
    place: str, known: dict[str, tuple[str, ...]], now: datetime
) -> dict[frozenset[str], list[str]]:
    """{districts: officials who answer for just these, or look on} of those with an endpoint.

    ``known``: a month's districts, each with its codes of today.
    """
    found: dict[frozenset[str], list[str]] = {}
    for record in staff.roster(place, now):
        named = {one for grant in record["grants"] if grant["role"] in ROLES
                 for one in grant["districts"]}  # fmt: skip
        scope = frozenset(
            code for code, today in known.items() if ANY in named or named.intersection(today)
        )
        if scope and officials.reachable(record):
            found.setdefault(scope, []).append(f"person:{record['ref']}")
    return found


def _of_district(
    message: dict[str, Any], card: dict[str, Any], city: City, audience: list[str]
) -> None:
    code = card["code"]
    link = urls.to(message["jurisdiction"], f"/v1/scorecards/{message['month']}/{code}")
    facts = {"district": code, "score": card["score"], "rank": card["rank"], "of": card["of"]}
    _send(message, city, code, facts, compose(message, card, city, link), link, audience)


def _of_several(
    message: dict[str, Any], cards: list[dict[str, Any]], city: City, audience: list[str]
) -> None:
    link = urls.to(message["jurisdiction"], f"/v1/scorecards/{message['month']}")
    cards.sort(key=lambda card: (card["rank"] or len(cards) + 1, card["code"]))
    rows = [{name: card[name] for name in ("score", "rank", "of")} for card in cards]
    facts = {"districts": [{"district": card["code"], **row}
                           for card, row in zip(cards, rows, strict=True)]}  # fmt: skip
    stage = tell(city, f"scorecard.stage.{message['stage']}")
    lines = [f"{stage} {_month(message['month'])}, {city.text(city.name)}"]
    lines += [f"{_name(card, city)}: {_score(card)}, {_rank(card, city)}" for card in cards]
    codes = "+".join(sorted(card["code"] for card in cards))
    # A key that is the same at every repetition, however many districts there are.
    name = hashlib.sha256(codes.encode()).hexdigest()[:16]
    _send(message, city, name, facts, "\n".join([*lines, link]), link, audience)


def _send(
    message: dict[str, Any],
    city: City,
    name: str,
    facts: dict[str, Any],
    text: str,
    link: str,
    audience: list[str],
) -> None:
    place, month = message["jurisdiction"], message["month"]
    district = facts.get("district")
    dedupe = f"{place}:scorecard:{month}:{message['revision']}:{name}"
    attributes: dict[str, str | list[str]] = {
        "jurisdiction": place,
        "event": "scorecard",
        "level": message["stage"],
        "dedupe": dedupe,
        "protected": "false",
        "priority": "normal",
        "audience": sorted(officials.marks({"audience": audience, "district": district})),
        **({"district": district} if district else {}),
    }
    document = {
        "jurisdiction": place,
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
    alerts.send(tell(city, "scorecard.subject", month=_month(month)), text, document, attributes)


def compose(message: dict[str, Any], card: dict[str, Any], city: City, link: str) -> str:
    """Rank, score and the figures that decide them, in eight short lines."""
    known = {one["measure"]: one for one in card["measures"]}
    return tell(
        city,
        "scorecard.text",
        stage=tell(city, f"scorecard.stage.{message['stage']}"),
        month=_month(message["month"]),
        district=_name(card, city),
        score=_score(card),
        rank=_rank(card, city),
        on_time=_percent(known["on_time"]),
        acknowledged=_percent(known["acknowledged_on_time"]),
        verified=_percent(known["verified"]),
        rework=_percent(known["reopened_or_refused"]),
        carried=f"{known['overdue_carried']['numerator'] or 0:.0f}",
        backlog=f"{known['backlog']['value'] or 0:.0f}",
        stars=_stars(known["satisfaction"]),
        link=link,
    )


def _name(card: dict[str, Any], city: City) -> str:
    return city.areas[card["code"]].name if card["code"] in city.areas else str(card["code"])


def _score(card: dict[str, Any]) -> str:
    return "–" if card["score"] is None else f"{card['score']:.1f}"


def _rank(card: dict[str, Any], city: City) -> str:
    if not card["ranked"]:
        return tell(city, "scorecard.unranked")
    return tell(city, "scorecard.rank", rank=card["rank"], of=card["of"])


def _percent(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    return f"{100 * figure['value']:.0f}% (n={figure['n']:.0f})"


def _stars(figure: dict[str, Any]) -> str:
    return "–" if figure["value"] is None else f"{figure['value']:.1f} (n={figure['n']:.0f})"


def _month(month: str) -> str:
    return f"{month[:4]}-{month[4:]}"
