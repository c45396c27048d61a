"""Messages to citizens, by the channel they left: the one function that reads contacts to write.

One outbox row an event; here it becomes one message for each person concerned, page by page. Each
goes out once a person and event, as far as that can be known: sending comes before remembering, so
that a kill between the two sends twice rather than never.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from chalicelib import clock
from chalicelib.domain.city.city import City
from chalicelib.domain.notifications import citizen_news
from chalicelib.domain.notifications.reachability import plan, way
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import parse
from chalicelib.services.city import cities
from chalicelib.services.notifications import bounces, citizens
from chalicelib.services.notifications.citizens import Addressee
from chalicelib.services.people import claiming, contact_codes, preferences
from chalicelib.services.platform import urls
from chalicelib.services.platform.catalogue import say
from chalicelib.services.reports import one_tap_tokens
from chalicelib.services.timeline import former_contacts
from chalicelib.storage import control, mail, people, reach, reports, topics
from chalicelib.storage.transactions import Refused, Write, commit

HELD = "held"
# Rows of one person's digest, and of one page of those whose hour has come.
_DIGEST, _DUE = 40, 100


def send(message: dict[str, Any], now: datetime | None = None) -> bool:
    """Send what one queued message stands for; whether anything went out.

    Raises ``ValueError`` for what no outbox row of ours says, which belongs to the dead letters;
    of several people, all others get theirs first.
    """
    if message["kind"] == contact_codes.KIND:
        return contact_codes.send(message)
    now = now or clock.now()
    place = message["jurisdiction"]
    if message["kind"] == HELD and isinstance(place, str):
        return _send_held(message, now)
    about, tell = message["report"], message.get("tell") or {"reporter": message["kind"]}
    if not citizen_news.kinds().issuperset(tell.values()) or not tell.keys() <= set(
        citizen_news.RELATIONS
    ):
        raise ValueError("a message of an unknown kind")
    if not all(isinstance(one, str) for one in (place, about)):
        raise ValueError("a message about nothing")
    report = reports.get(place, about)
    if report is None:
        return False
    found, more = citizens.page(report, tell, message.get("page") or {})
    for number, following in enumerate(more):
        _follow_up(message, following, number)
    sent, failure = False, None
    for one in found:
        try:
            sent |= _tell(message, report, one, now)
        except Exception as error:  # noqa: BLE001  (one person's address must not stop the others)
            failure = failure or error
    if failure:
        raise failure
    return sent


def release(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> int:
    """Let go out what has waited for people's hours; for how many of them."""
    made = 0
    for place in cities.jurisdictions():
        after, last = "", ""
        while may_go_on() and (names := reach.due(place, now, after, _DUE)):
            for name in names:
                until, key, _ = name.split("#", 2)
                if f"{until}#{key}" != last:
                    last = f"{until}#{key}"
                    dedupe = f"{place}:{HELD}:{until}:{key}"
                    row = {"kind": HELD, "jurisdiction": place, "until": until, "key": key}
                    commit([control.put_outbox(f"{until}#{dedupe}", {**row, "dedupe": dedupe})])
                    made += 1
            after = names[-1]
    return made


def _follow_up(message: dict[str, Any], page: dict[str, Any], number: int) -> None:
    """Queue another page of the same message, once."""
    tell = {who: kind for who, kind in message["tell"].items() if who != "reporter"}
    names = [str(one) for one in (page.get("of", ""), page["stage"], page.get("after", ""), number)]
    dedupe = f"{message['dedupe']}:{':'.join(names)}"
    doc = {**message, "tell": tell, "page": page, "pages": message["dedupe"], "dedupe": dedupe}
    try:
        commit([control.put_page(message["jurisdiction"], dedupe),
                control.put_outbox(f"{message['at']}#{dedupe}", doc)])  # fmt: skip
    except Refused:
        return  # Queued at an earlier delivery.


def _tell(message: dict[str, Any], report: Report, who: Addressee, now: datetime) -> bool:
    place = report.jurisdiction
    contact = people.contact(place, who.contact)
    if who.contact == report.former and not former_contacts.of(report, now):
        return False  # It was kept long enough.
    if contact is None or (who.kind == "ask" and report.state != "work_done"):
        return False
    key = preferences.key(contact)
    choice, dead = reach.person(place, key)
    if choice or dead:
        preferences.used(place, key, now)
    city = cities.current(place, now)
    planned = plan(contact, choice, dead, who.kind, city, now)
    event = message.get("pages", message["dedupe"])
    dedupe = f"{event}:{key}"
    if planned is None and dead and who.own:
        # The address failed before, in another report's message.
        bounces.unreachable(place, who.own, who.contact, contact, now)
    if planned is None or control.sent(place, dedupe):
        return False
    kept = ("event", "at", "version", "protected")
    doc = {
        **{name: message[name] for name in kept if name in message},
        "report": report.id,
        "kind": who.kind,
        "contact": who.contact,
        "language": city.choose_language(who.language or ""),
        "own": who.own,
    }
    if planned.until:
        try:
            commit(reach.hold(place, planned.until, key, event, doc))
        except Refused:
            pass  # It waits already, or has waited.
        return False
    name = _post(planned.way, contact, _words(report, doc, city), doc["language"], city, who.kind)
    control.put_sent(place, dedupe, _known(name, place, who.contact, who.own))
    return True


def _send_held(message: dict[str, Any], now: datetime) -> bool:
    """All that waited for one person's hour, as one message: a digest, if it is more than one."""
    place, until, key = message["jurisdiction"], message["until"], message["key"]
    rows = reach.held(place, until, key, _DIGEST)
    if not rows:
        return False
    city = cities.current(place, now)
    lines: list[tuple[str, str, str]] = []
    contact: dict[str, Any] | None = None
    left_by: tuple[str, str | None] = ("", None)
    for _, doc in rows:
        report = reports.get(place, doc["report"])
        left = people.contact(place, doc["contact"])
        if report and left and not (doc["kind"] == "ask" and report.state != "work_done"):
            contact, left_by = left, (doc["contact"], doc["own"])
            lines.append((*_words(report, doc, city), doc["language"]))
    names = [name for name, _ in rows]
    sent = f"{HELD}:{until}:{key}:{names[0].split('#', 2)[2]}"
    gone: list[Write] = [*reach.release(place, names)]
    if contact is None or control.sent(place, sent):
        commit(gone)
        return False
    choice, dead = reach.person(place, key)
    chosen = way(contact, choice.get("way"), dead)
    if chosen is None or choice.get("notify") == "nothing":
        commit(gone)
        return False
    subject, text, language = lines[0]
    if len(lines) > 1:
        subject = say("digest_news.subject", language, city, n=len(lines))
        text = subject
        if chosen == "email":
            text = "\n\n".join(dict.fromkeys(text for _, text, _ in lines))
    name = _post(chosen, contact, (subject, text), language, city)
    control.put_sent(place, sent, _known(name, place, *left_by))
    commit(gone)
    return True


def _words(report: Report, doc: dict[str, Any], city: City) -> tuple[str, str]:
    """(subject, text) of one message; about a secret report they say nothing at all."""
    kind, language, place = doc["kind"], doc["language"], report.jurisdiction
    if report.secret or doc.get("protected"):
        link = urls.to(place, "/v1/me")
        subject = say("notice.subject", language, city)
        return subject, say("notice.text", language, city, link=link)
    link = urls.to(place, f"/v1/track/{report.code}")
    if kind == "ask":
        finished = report.finished_at or parse(doc["at"])
        link = answer_link(place, report.id, finished, doc.get("own"))
    elif kind in citizen_news.ALWAYS:
        link = claiming.undo_link(place, report.id, report.claims, parse(doc["at"]), kind)
    text = say(f"{kind}.text", language, city, code=report.code, link=link)
    return say(f"{kind}.subject", language, city), text


def _post(
    chosen: str,
    contact: dict[str, Any],
    words: tuple[str, str],
    language: str,
    city: City,
    kind: str = HELD,
) -> str | None:
    """Send it; the id of an e-mail."""
    subject, text = words
    choices = preferences.link(city.jurisdiction, preferences.key(contact))
    if chosen == "email":
        footer = say("notices.footer", language, city, link=choices)
        return mail.send(contact["email"], subject, f"{text}\n\n{footer}", choices)
    if kind not in citizen_news.ALWAYS:
        # A warning goes out whatever is chosen, and a text message is short.
        text = f"{text} {say('notices.sms', language, city, link=choices)}"
    topics.send_sms(contact["phone"], text)
    return None


def _known(name: str | None, place: str, contact: str, own: str | None) -> dict[str, Any] | None:
    """What a bounce of this e-mail will be about."""
    if name is None:
        return None
    return {"id": name, "jurisdiction": place, "contact": contact, "own": own}


def answer_link(
    jurisdiction: str, report: str, finished_at: datetime, own: str | None = None
) -> str:
    """A link that answers "is it repaired?" for this one finish, until the answer lapses.

    ``own``: in the name of whoever filed this report, which is merged into ``report``.
    """
    token = one_tap_tokens.make(jurisdiction, report, finished_at, own)
    # The token itself names the city.
    return urls.base(f"/v1/answers/{token}")
