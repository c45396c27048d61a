"""What officials read on a phone: an alert, how late a report is, the digest of a flood."""

from datetime import datetime
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.notifications.alerts import OVERDUE
from chalicelib.domain.timestamps import parse
from chalicelib.services.platform import urls
from chalicelib.services.platform.catalogue import tell

LINES = 20


def compose(message: dict[str, Any], city: City) -> str:
    """The text of one alert; of a protected report nothing but that it waits."""
    if message.get("sealed"):
        return tell(city, "alert.proposed", link=link(message))
    if message["protected"]:
        return tell(city, "alert.protected", link=link(message))
    known = {
        "service": city.text(city.services[message["service"]].name),
        "ward": city.areas[message["ward"]].name,
        "due": local(message["due_at"], city),
        "link": link(message),
    }
    if message["event"] in OVERDUE:
        text = tell(
            city,
            "alert.overdue",
            step=_step(message["overdue"], city),
            code=message["overdue"]["code"],
            late=lateness(message, city),
            held=held(message, city),
            **known,
        )
        return f"{text}{_climbed(message, city)}"
    level = tell(city, f"alert.level.{message['level']}")
    text = tell(city, "alert.text", level=level, held=held(message, city), **known)
    return f"{text}{_climbed(message, city)}{_flagged(message, city)}"


def held(message: dict[str, Any], city: City) -> str:
    """Who answers for the report, and which unit is called to it."""
    holder = message.get("held_by", {}).get("unit", message["unit"])
    said = [tell(city, "alert.held", unit=_unit(holder, city))]
    for name in ("agency", "offered_to"):
        if message.get(name):
            said.append(tell(city, f"alert.{name}", unit=_unit(message[name], city)))
    return " ".join(said)


def _climbed(message: dict[str, Any], city: City) -> str:
    if not message.get("climbed"):
        return ""
    unit = next((one[5:] for one in message["audience"][:1] if one.startswith("unit:")), None)
    return " " + tell(city, "alert.climbed", unit=_unit(unit or message["unit"], city))


def _unit(code: str, city: City) -> str:
    return city.text(city.units[code].name) if code in city.units else code


def digest(messages: list[dict[str, Any]], city: City) -> tuple[str, int, int]:
    """Many alerts in one text, how many of their reports are late, and how many are not: the
    latest by name, of the protected ones but a number."""
    plain = {one["report"]: one for one in messages if not silent(one)}
    hidden = len({one["report"] for one in messages if silent(one)})
    late = sum(parse(one["due_at"]) < parse(one["at"]) for one in plain.values())
    units = {one["unit"] for one in messages}
    whose = _unit(units.pop(), city) if len(units) == 1 else city.text(city.name)
    known = {"n": len(messages), "late": late, "rest": len(plain) - late}
    lines = [tell(city, "digest.text", unit=whose, **known)]
    if hidden:
        lines.append(tell(city, "morning.protected", n=hidden))
    rows = [one for one in messages if not silent(one)]
    rows.sort(key=lambda one: (one["due_at"], one["dedupe"]))
    lines += [_line(one, city) for one in rows[:LINES]]
    if len(rows) > LINES:
        lines.append(tell(city, "digest.more", n=len(rows) - LINES))
    return "\n".join(lines), late, len(plain) + hidden - late


def silent(message: dict[str, Any]) -> bool:
    """Whether an alert tells nothing of its report: protected, or proposed for protection."""
    return bool(message["protected"] or message.get("sealed"))


def _line(message: dict[str, Any], city: City) -> str:
    ward, service = message["ward"], message["service"]
    # The rows of one digest may be of several versions of the city.
    ward = city.areas[ward].name if ward in city.areas else ward
    service = city.text(city.services[service].name) if service in city.services else service
    what = tell(city, f"alert.level.{message['level']}") + f": {service}"
    if "overdue" in message:
        what = message["overdue"]["code"]
    return f"{what}, {ward}, {lateness(message, city)} {link(message)}"


def lateness(message: dict[str, Any], city: City) -> str:
    """How far the promise is behind, or still ahead, when the alert was made."""
    return between(parse(message["due_at"]), parse(message["at"]), city)


def between(due: datetime, now: datetime, city: City) -> str:
    """``late by 2 d 3 h``, or ``3 h 20 min left``."""
    minutes = round(abs((now - due).total_seconds()) / 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        span = tell(city, "alert.days", days=days, hours=hours)
    else:
        span = tell(city, "alert.hours", hours=hours, minutes=minutes % 60)
    return tell(city, "alert.late" if now >= due else "alert.ahead", span=span)


def local(moment: str, city: City) -> str:
    """A moment in the city's time."""
    return parse(moment).astimezone(city.zone).strftime("%d-%m-%Y %H:%M")


def link(message: dict[str, Any]) -> str:
    """Where the report is."""
    return urls.to(message["jurisdiction"], f"/v1/reports/{message['report']}")


def _flagged(message: dict[str, Any], city: City) -> str:
    """What somebody says should not be there: why, and which text."""
    flag = message.get("flag")
    if not flag:
        return ""
    said = tell(city, "alert.flag", reason=tell(city, f"flag.{flag['reason']}"))
    if text := flag.get("text"):
        said += tell(city, "alert.flag.text", version=text[0], field=text[1])
    return f"\n{said}"


def _step(overdue: dict[str, Any], city: City) -> str:
    # A broken promise and the first rung are one message where they are of one moment.
    said = []
    if "target" in overdue:
        said.append(tell(city, f"alert.breach.{overdue['target']}"))
    if "level" in overdue:
        said.append(tell(city, "alert.escalate", level=overdue["level"]))
    return "; ".join(said)
