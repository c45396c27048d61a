"""What officials read on a phone: an alert, how late a report is, the digest of a flood."""

from datetime import datetime
from typing import Any

from chalicelib.domain.alerts import OVERDUE
from chalicelib.domain.city import City
from chalicelib.domain.times import parse
from chalicelib.services import links, photo_texts
from chalicelib.services.texts import say

LANGUAGE = "id"
LINES = 20


def compose(message: dict[str, Any], city: City) -> str:
    """The text of one alert; of a protected report nothing but that it waits."""
    if message.get("sealed"):
        return say("alert.proposed", LANGUAGE, link=link(message))
    if message["protected"]:
        return say("alert.protected", LANGUAGE, link=link(message))
    known = {
        "service": city.services[message["service"]].name[LANGUAGE],
        "ward": city.areas[message["ward"]].name,
        "due": local(message["due_at"], city),
        "link": link(message),
    }
    if message["event"] in OVERDUE:
        text = say(
            "alert.overdue",
            LANGUAGE,
            step=_step(message["overdue"]),
            code=message["overdue"]["code"],
            late=lateness(message),
            held=held(message, city),
            **known,
        )
        return f"{text}{_climbed(message, city)}"
    level = say(f"alert.level.{message['level']}", LANGUAGE)
    text = say("alert.text", LANGUAGE, level=level, held=held(message, city), **known)
    return f"{text}{_climbed(message, city)}{_flagged(message)}"


def held(message: dict[str, Any], city: City) -> str:
    """Who answers for the report, and which unit is called to it."""
    holder = message.get("held_by", {}).get("unit", message["unit"])
    said = [say("alert.held", LANGUAGE, unit=_unit(holder, city))]
    for name in ("agency", "offered_to"):
        if message.get(name):
            said.append(say(f"alert.{name}", LANGUAGE, unit=_unit(message[name], city)))
    return " ".join(said)


def _climbed(message: dict[str, Any], city: City) -> str:
    if not message.get("climbed"):
        return ""
    unit = next((one[5:] for one in message["audience"][:1] if one.startswith("unit:")), None)
    return " " + say("alert.climbed", LANGUAGE, unit=_unit(unit or message["unit"], city))


def _unit(code: str, city: City) -> str:
    return city.units[code].name[LANGUAGE] if code in city.units else code


def digest(messages: list[dict[str, Any]], city: City) -> tuple[str, int, int]:
    """Many alerts in one text, how many of their reports are late, and how many are not: the
    latest by name, of the protected ones but a number."""
    plain = {one["report"]: one for one in messages if not silent(one)}
    hidden = len({one["report"] for one in messages if silent(one)})
    late = sum(parse(one["due_at"]) < parse(one["at"]) for one in plain.values())
    units = {one["unit"] for one in messages}
    whose = _unit(units.pop(), city) if len(units) == 1 else city.name[LANGUAGE]
    known = {"n": len(messages), "late": late, "rest": len(plain) - late}
    lines = [say("digest.text", LANGUAGE, unit=whose, **known)]
    if hidden:
        lines.append(say("morning.protected", LANGUAGE, n=hidden))
    rows = [one for one in messages if not silent(one)]
    rows.sort(key=lambda one: (one["due_at"], one["dedupe"]))
    lines += [_line(one, city) for one in rows[:LINES]]
    if len(rows) > LINES:
        lines.append(say("digest.more", LANGUAGE, n=len(rows) - LINES))
    return "\n".join(lines), late, len(plain) + hidden - late


def silent(message: dict[str, Any]) -> bool:
    """Whether an alert tells nothing of its report: protected, or proposed for protection."""
    return bool(message["protected"] or message.get("sealed"))


def _line(message: dict[str, Any], city: City) -> str:
    ward, service = message["ward"], message["service"]
    # The rows of one digest may be of several versions of the city.
    ward = city.areas[ward].name if ward in city.areas else ward
    service = city.services[service].name[LANGUAGE] if service in city.services else service
    what = say(f"alert.level.{message['level']}", LANGUAGE) + f": {service}"
    if "overdue" in message:
        what = message["overdue"]["code"]
    return f"{what}, {ward}, {lateness(message)} {link(message)}"


def lateness(message: dict[str, Any]) -> str:
    """How far the promise is behind, or still ahead, when the alert was made."""
    return between(parse(message["due_at"]), parse(message["at"]))


def between(due: datetime, now: datetime) -> str:
    """``late by 2 d 3 h``, or ``3 h 20 min left``."""
    minutes = round(abs((now - due).total_seconds()) / 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        span = say("alert.days", LANGUAGE, days=days, hours=hours)
    else:
        span = say("alert.hours", LANGUAGE, hours=hours, minutes=minutes % 60)
    return say("alert.late" if now >= due else "alert.ahead", LANGUAGE, span=span)


def local(moment: str, city: City) -> str:
    """A moment in the city's time."""
    return parse(moment).astimezone(city.zone).strftime("%d-%m-%Y %H:%M")


def link(message: dict[str, Any]) -> str:
    """Where the report is."""
    return links.to(message["jurisdiction"], f"/v1/reports/{message['report']}")


def _flagged(message: dict[str, Any]) -> str:
    """What somebody says should not be there: why, and which text."""
    flag = message.get("flag")
    if not flag:
        return ""
    said = say("alert.flag", LANGUAGE, reason=photo_texts.flags()[flag["reason"]][LANGUAGE])
    if text := flag.get("text"):
        said += say("alert.flag.text", LANGUAGE, version=text[0], field=text[1])
    return f"\n{said}"


def _step(overdue: dict[str, Any]) -> str:
    # A broken promise and the first rung are one message where they are of one moment.
    said = []
    if "target" in overdue:
        said.append(say(f"alert.breach.{overdue['target']}", LANGUAGE))
    if "level" in overdue:
        said.append(say("alert.escalate", LANGUAGE, level=overdue["level"]))
    return "; ".join(said)
