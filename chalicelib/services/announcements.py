"""Telling officials that a month was closed: each district its own summary, to read on a phone."""

from typing import Any

from chalicelib.domain.city import City
from chalicelib.services import alerts, cities, links
from chalicelib.services.alert_texts import LANGUAGE
from chalicelib.services.texts import say
from chalicelib.storage import cards as store

AUDIENCE = ["auditor", "city_admin", "district_head"]


def publish(message: dict[str, Any]) -> None:
    """Publish one outbox row of a closed month: a message a district, each with its dedupe key."""
    place, month = message["jurisdiction"], message["month"]
    city = cities.at(place, message["rules"])
    page = store.card(place, month, message["folder"], "ranking") or {}
    for row in page.get("district", ()):
        name = f"district#{row['code']}"
        card = store.card(place, month, message["folder"], name)
        if card is not None:
            _publish(message, card, city)


def _publish(message: dict[str, Any], card: dict[str, Any], city: City) -> None:
    place, month, code = message["jurisdiction"], message["month"], card["code"]
    link = links.to(place, f"/v1/scorecards/{month}/{code}")
    text = compose(message, card, city, link)
    dedupe = f"{place}:scorecard:{month}:{message['revision']}:{code}"
    attributes: dict[str, str | list[str]] = {
        "jurisdiction": place,
        "event": "scorecard",
        "level": message["stage"],
        "district": code,
        "dedupe": dedupe,
        "protected": "false",
        "priority": "normal",
        "audience": AUDIENCE,
    }
    document = {
        "jurisdiction": place,
        "event": "scorecard",
        "month": month,
        "stage": message["stage"],
        "revision": message["revision"],
        "district": code,
        "dedupe": dedupe,
        "score": card["score"],
        "rank": card["rank"],
        "of": card["of"],
        "text": text,
        "link": link,
    }
    alerts.send(say("scorecard.subject", LANGUAGE, month=_month(month)), text, document, attributes)


def compose(message: dict[str, Any], card: dict[str, Any], city: City, link: str) -> str:
    """Rank, score and the figures that decide them, in eight short lines."""
    known = {one["measure"]: one for one in card["measures"]}
    rank = say("scorecard.unranked", LANGUAGE)
    if card["ranked"]:
        rank = say("scorecard.rank", LANGUAGE, rank=card["rank"], of=card["of"])
    return say(
        "scorecard.text",
        LANGUAGE,
        stage=say(f"scorecard.stage.{message['stage']}", LANGUAGE),
        month=_month(message["month"]),
        district=city.areas[card["code"]].name if card["code"] in city.areas else card["code"],
        score="–" if card["score"] is None else f"{card['score']:.1f}",
        rank=rank,
        on_time=_percent(known["on_time"]),
        acknowledged=_percent(known["acknowledged_on_time"]),
        verified=_percent(known["verified"]),
        rework=_percent(known["reopened_or_refused"]),
        carried=f"{known['overdue_carried']['numerator'] or 0:.0f}",
        backlog=f"{known['backlog']['value'] or 0:.0f}",
        stars=_stars(known["satisfaction"]),
        link=link,
    )


def _percent(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    return f"{100 * figure['value']:.0f}% (n={figure['n']:.0f})"


def _stars(figure: dict[str, Any]) -> str:
    return "–" if figure["value"] is None else f"{figure['value']:.1f} (n={figure['n']:.0f})"


def _month(month: str) -> str:
    return f"{month[:4]}-{month[4:]}"
