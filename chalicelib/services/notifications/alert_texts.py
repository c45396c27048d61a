"""Texts of alerts and digests, as officials read them on a phone.

Tests: tests/integration/test_outbox.py
"""

from datetime import datetime

from chalicelib.domain.city.city import City
from chalicelib.domain.message_types import Alert, Overdue
from chalicelib.domain.notifications.alerts import OVERDUE
from chalicelib.domain.timestamps import parse
from chalicelib.services.platform import urls
from chalicelib.services.platform.catalogue import official_text
from chalicelib.storage.report_lists import NO_DEADLINE

LINES = 20


def compose(message: Alert, city: City) -> str:
    """The text of one alert. For a protected report it only says that a report is waiting."""
    if message.get("sealed"):
        return official_text(city, "alert.proposed", link=link(message))
    if message["protected"]:
        return official_text(city, "alert.protected", link=link(message))
    values = {
        "service": city.text(city.services[message["service"]].name),
        "ward": city.areas[message["ward"]].name,
        "due": local_time(message["due_at"], city) if message["due_at"] else "",
        "link": link(message),
    }
    if message["event"] in OVERDUE:
        text = official_text(
            city,
            "alert.overdue",
            step=_overdue_text(message["overdue"], city),
            code=message["overdue"]["code"],
            late=lateness_text(message, city),
            held=holder_text(message, city),
            **values,
        )
        return f"{text}{_fallback_text(message, city)}"
    level = official_text(city, f"alert.level.{message['level']}")
    name = "alert.text.history" if message.get("history") else "alert.text"
    text = official_text(city, name, level=level, held=holder_text(message, city), **values)
    return f"{text}{_fallback_text(message, city)}{_flag_text(message, city)}"


def holder_text(message: Alert, city: City) -> str:
    """Which unit holds the report, and which unit is called in or offered it."""
    holder = message.get("held_by", {}).get("unit", message["unit"])
    sentences = [official_text(city, "alert.held", unit=_unit_name(holder, city))]
    for name in ("agency", "offered_to"):
        if message.get(name):
            sentences.append(
                official_text(city, f"alert.{name}", unit=_unit_name(message[name], city))
            )
    return " ".join(sentences)


def _fallback_text(message: Alert, city: City) -> str:
    if not message.get("climbed"):
        return ""
    unit = next(
        (recipient[5:] for recipient in message["audience"][:1] if recipient.startswith("unit:")),
        None,
    )
    return " " + official_text(
        city, "alert.climbed", unit=_unit_name(unit or message["unit"], city)
    )


def _unit_name(code: str, city: City) -> str:
    return city.text(city.units[code].name) if code in city.units else code


def digest(messages: list[Alert], city: City) -> tuple[str, int, int]:
    """(text of many alerts, number of late reports, number of others).

    Lists the reports by deadline, at most ``LINES``; of protected reports only their number.
    """
    public = {message["report"]: message for message in messages if not is_confidential(message)}
    hidden = len({message["report"] for message in messages if is_confidential(message)})
    late = sum(_is_late(message) for message in public.values())
    units = {message["unit"] for message in messages}
    sender = _unit_name(units.pop(), city) if len(units) == 1 else city.text(city.name)
    values = {"n": len(messages), "late": late, "rest": len(public) - late}
    lines = [official_text(city, "digest.text", unit=sender, **values)]
    if hidden:
        lines.append(official_text(city, "morning.protected", n=hidden))
    rows = [message for message in messages if not is_confidential(message)]
    rows.sort(key=lambda message: (message["due_at"] or NO_DEADLINE, message["dedupe"]))
    lines += [_line(message, city) for message in rows[:LINES]]
    if len(rows) > LINES:
        lines.append(official_text(city, "digest.more", n=len(rows) - LINES))
    return "\n".join(lines), late, len(public) + hidden - late


def is_confidential(message: Alert) -> bool:
    """Whether an alert must not describe its report: protected, or proposed for protection."""
    return bool(message["protected"] or message.get("sealed"))


def _line(message: Alert, city: City) -> str:
    ward, service = message["ward"], message["service"]
    # The rows of one digest may be of several versions of the city.
    ward = city.areas[ward].name if ward in city.areas else ward
    service = city.text(city.services[service].name) if service in city.services else service
    label = official_text(city, f"alert.level.{message['level']}") + f": {service}"
    if "overdue" in message:
        label = message["overdue"]["code"]
    return f"{label}, {ward}, {lateness_text(message, city)} {link(message)}"


def _is_late(message: Alert) -> bool:
    if message.get("history") or message["due_at"] is None:
        return False
    return parse(message["due_at"]) < parse(message["at"])


def lateness_text(message: Alert, city: City) -> str:
    """How late the report was, or how much time was left, when the alert was made.

    An old system's report has no deadline here.
    """
    if message.get("history") or message["due_at"] is None:
        return official_text(city, "alert.history")
    return time_difference(parse(message["due_at"]), parse(message["at"]), city)


def time_difference(due: datetime, now: datetime, city: City) -> str:
    """``late by 2 d 3 h``, or ``3 h 20 min left``."""
    minutes = round(abs((now - due).total_seconds()) / 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        span = official_text(city, "alert.days", days=days, hours=hours)
    else:
        span = official_text(city, "alert.hours", hours=hours, minutes=minutes % 60)
    return official_text(city, "alert.late" if now >= due else "alert.ahead", span=span)


def local_time(moment: str, city: City) -> str:
    """A moment in the city's time."""
    return parse(moment).astimezone(city.zone).strftime("%d-%m-%Y %H:%M")


def link(message: Alert) -> str:
    """The URL of the report."""
    return urls.in_city(message["jurisdiction"], f"/v1/reports/{message['report']}")


def _flag_text(message: Alert, city: City) -> str:
    """What was flagged: the reason, and which text."""
    flag = message.get("flag")
    if not flag:
        return ""
    line = official_text(city, "alert.flag", reason=official_text(city, f"flag.{flag['reason']}"))
    if text := flag.get("text"):
        line += official_text(city, "alert.flag.text", version=text[0], field=text[1])
    return f"\n{line}"


def _overdue_text(overdue: Overdue, city: City) -> str:
    # A breach and the first escalation are one message if they happen at the same moment.
    parts = []
    if "target" in overdue:
        parts.append(official_text(city, f"alert.breach.{overdue['target']}"))
    if "level" in overdue:
        parts.append(official_text(city, "alert.escalate", level=overdue["level"]))
    return "; ".join(parts)
