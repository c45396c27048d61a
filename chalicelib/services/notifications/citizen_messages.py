"""Messages to citizens, by the contact they left. Only this function reads contacts to write to.

An event has one outbox row; here it becomes one message for each person, page by page. Each person
gets one message an event. A message is claimed before it is sent (``storage.leases``), because a
queue may deliver it to two runs at once. The record that it was sent comes after sending: a kill
between the two sends twice rather than never.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from chalicelib import clock
from chalicelib.domain.city.city import City
from chalicelib.domain.input.contact_methods import METHODS
from chalicelib.domain.message_types import (
    AddresseePage,
    CitizenMessage,
    CodeMessage,
    HeldMessages,
    OutboxMessage,
    PersonMessage,
)  # fmt: skip
from chalicelib.domain.notifications import citizen_news
from chalicelib.domain.notifications.reachability import plan, way
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import parse
from chalicelib.services.city import cities
from chalicelib.services.notifications import bounces, citizens
from chalicelib.services.notifications.citizens import Addressee
from chalicelib.services.people import claiming, contact_codes, preferences
from chalicelib.services.platform import senders, set_aside, urls
from chalicelib.services.platform.catalogue import message_text
from chalicelib.services.platform.senders import Message
from chalicelib.services.reports import one_tap
from chalicelib.services.reports.one_tap_tokens import answer_link, doubt_link
from chalicelib.services.timeline import former_contacts
from chalicelib.storage import control, leases, people, reach, reports
from chalicelib.storage.transactions import Refused, Write, commit

HELD = "held"
SOURCE = "warn_units"
# Rows of one person's digest; rows of one page of held messages that are due.
_DIGEST, _DUE = 40, 100


def send(message: OutboxMessage, now: datetime | None = None) -> bool:
    """Send one queued message to its addressees. Returns whether anything was sent.

    Raises ``ValueError`` for a malformed message, which belongs to the dead letters. An error with
    one person is raised after all others got theirs.
    """
    if message["kind"] == contact_codes.KIND:
        return contact_codes.send(cast(CodeMessage, message))
    now = now or clock.now()
    jurisdiction = message["jurisdiction"]
    if message["kind"] == HELD and isinstance(jurisdiction, str):
        return _send_held(cast(HeldMessages, message), now)
    return _send_news(cast(CitizenMessage, message), now)


def _send_news(message: CitizenMessage, now: datetime) -> bool:
    jurisdiction, report_id = message["jurisdiction"], message["report"]
    tell = message.get("tell") or {"reporter": message["kind"]}
    if not citizen_news.kinds().issuperset(tell.values()) or not tell.keys() <= set(
        citizen_news.RELATIONS
    ):
        raise ValueError("a message of an unknown kind")
    if not all(isinstance(addressee, str) for addressee in (jurisdiction, report_id)):
        raise ValueError("a message about nothing")
    report = reports.get(jurisdiction, report_id)
    if report is None:
        return False
    addressees, next_pages = citizens.page(report, tell, message.get("page") or {})
    if duplicate := message.get("asked"):
        addressees = citizens.filer_of(jurisdiction, duplicate, tell["reporter"]) or addressees
    for number, following in enumerate(next_pages):
        _follow_up(message, following, number)
    sent, failure = False, None
    for addressee in addressees:
        try:
            sent |= _send_to(message, report, addressee, now)
        except Exception as error:  # noqa: BLE001  (one person's address must not stop the others)
            failure = failure or error
    if failure:
        raise failure
    return sent


def queue_held(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> int:
    """Queue the messages that were held back during people's quiet hours. Returns how many."""
    queued = 0
    run = set_aside.Run(SOURCE, now)
    for jurisdiction in cities.jurisdictions():
        with run.item(jurisdiction, "held"):
            cities.current(jurisdiction, now)  # Without rules nothing can be sent.
            after, last = "", ""
            while may_go_on() and (names := reach.due(jurisdiction, now, after, _DUE)):
                for name in names:
                    with run.item(jurisdiction, f"held:{name}"):
                        until, key, _ = name.split("#", 2)
                        if f"{until}#{key}" != last:
                            last = f"{until}#{key}"
                            _queue_held(jurisdiction, until, key)
                            queued += 1
                after = names[-1]
    run.finish()
    return queued


def _queue_held(jurisdiction: str, until: str, key: str) -> None:
    dedupe = f"{jurisdiction}:{HELD}:{until}:{key}"
    row: HeldMessages = {"kind": HELD, "jurisdiction": jurisdiction,
                         "until": until, "key": key, "dedupe": dedupe}  # fmt: skip
    commit([control.put_outbox(f"{until}#{dedupe}", row)])


def _follow_up(message: CitizenMessage, page: AddresseePage, number: int) -> None:
    """Queue another page of the same message, once."""
    tell = {who: kind for who, kind in message["tell"].items() if who != "reporter"}
    parts = [
        str(part) for part in (page.get("of", ""), page["stage"], page.get("after", ""), number)
    ]
    dedupe = f"{message['dedupe']}:{':'.join(parts)}"
    doc: CitizenMessage = {
        **message,
        "tell": tell,
        "page": page,
        "pages": message["dedupe"],
        "dedupe": dedupe,
    }
    try:
        commit([control.put_page(message["jurisdiction"], dedupe),
                control.put_outbox(f"{message['at']}#{dedupe}", doc)])  # fmt: skip
    except Refused:
        return  # Queued at an earlier delivery.


def _send_to(message: CitizenMessage, report: Report, addressee: Addressee, now: datetime) -> bool:
    jurisdiction = report.jurisdiction
    contact = people.contact(jurisdiction, addressee.contact)
    if addressee.contact == report.former and not former_contacts.reference(report, now):
        return False  # The former contact has expired.
    if contact is None or _is_over(addressee.kind, report, now):
        return False
    key = preferences.key(contact)
    choice, dead = reach.person(jurisdiction, key)
    if choice or dead:
        preferences.extend_retention(jurisdiction, key, now)
    city = cities.current(jurisdiction, now)
    delivery = plan(contact, choice, dead, addressee.kind, city, now)
    event = message.get("pages", message["dedupe"])
    dedupe = f"{event}:{key}"
    if delivery is None and dead and addressee.own:
        # The address bounced before, in a message of another report.
        bounces.mark_unreachable(jurisdiction, addressee.own, addressee.contact, contact, now)
    if delivery is None or (delivery.until and control.sent(jurisdiction, dedupe)):
        return False
    # Older messages lack some of these.
    names = ("event", "at", "version", "protected")
    known = {name: value for name, value in message.items() if name in names}
    doc: PersonMessage = {
        **cast(PersonMessage, known),
        "report": report.id,
        "kind": addressee.kind,
        "contact": addressee.contact,
        "language": city.choose_language(addressee.language or ""),
        "own": addressee.own,
    }
    if delivery.until:
        try:
            commit(reach.hold(jurisdiction, delivery.until, key, event, doc))
        except Refused:
            pass  # It is held already, or was.
        return False
    holder = leases.new_holder()
    if not leases.begin(jurisdiction, dedupe, holder):
        return False
    with leases.sending(jurisdiction, dedupe, holder):
        words = _compose(report, doc, city)
        name = _deliver(delivery.way, contact, words, doc["language"], city, addressee.kind)
    control.put_sent(
        jurisdiction, dedupe, _mail_record(name, jurisdiction, addressee.contact, addressee.own)
    )
    return True


def _is_over(kind: str, report: Report, now: datetime) -> bool:
    """Whether a question to the reporter needs no answer any more."""
    if kind == "doubted":
        return not one_tap.judgements(report, now)
    return kind == "ask" and report.state != "work_done"


def _send_held(message: HeldMessages, now: datetime) -> bool:
    """Send all messages held for one person as one: a digest if there are several."""
    jurisdiction, holder = message["jurisdiction"], leases.new_holder()
    # Not the record of what was sent: its name is that of the first message, and one may come
    # before it.
    claim = f"{HELD}:{message['until']}:{message['key']}"
    if not leases.begin(jurisdiction, claim, holder):
        return False
    with leases.sending(jurisdiction, claim, holder):
        sent = _send_held_rows(message, now)
    leases.end(jurisdiction, claim, holder)
    return sent


def _send_held_rows(message: HeldMessages, now: datetime) -> bool:
    jurisdiction, until, key = message["jurisdiction"], message["until"], message["key"]
    rows = reach.held_messages(jurisdiction, until, key, _DIGEST)
    if not rows:
        return False
    city = cities.current(jurisdiction, now)
    lines: list[tuple[str, str, str]] = []
    contact: dict[str, Any] | None = None
    given_for: tuple[str, str | None] = ("", None)
    for _, doc in rows:
        report = reports.get(jurisdiction, doc["report"])
        row_contact = people.contact(jurisdiction, doc["contact"])
        if report and row_contact and not _is_over(doc["kind"], report, now):
            contact, given_for = row_contact, (doc["contact"], doc["own"])
            lines.append((*_compose(report, doc, city), doc["language"]))
    names = [name for name, _ in rows]
    sent = f"{HELD}:{until}:{key}:{names[0].split('#', 2)[2]}"
    deletions: list[Write] = [*reach.delete_held(jurisdiction, names)]
    if contact is None or control.sent(jurisdiction, sent):
        commit(deletions)
        return False
    choice, dead = reach.person(jurisdiction, key)
    method = way(contact, choice.get("way"), dead)
    if method is None or choice.get("notify") == "nothing":
        commit(deletions)
        return False
    subject, text, language = lines[0]
    if len(lines) > 1:
        subject = message_text("digest_news.subject", language, city, n=len(lines))
        text = subject
        if not METHODS[method].short:
            text = "\n\n".join(dict.fromkeys(text for _, text, _ in lines))
    try:
        name = _deliver(method, contact, (subject, text), language, city)
    except ValueError as error:
        # The address is refused for good. The rows would be queued and refused at every run.
        set_aside.Run(SOURCE, now).set_aside(
            jurisdiction, f"held:{names[0]}", error, set_aside.KEEP
        )
        commit(deletions)
        return False
    control.put_sent(jurisdiction, sent, _mail_record(name, jurisdiction, *given_for))
    commit(deletions)
    return True


def _compose(report: Report, doc: PersonMessage, city: City) -> tuple[str, str]:
    """(subject, text) of one message. For a protected report they say nothing about it."""
    kind, language, jurisdiction = doc["kind"], doc["language"], report.jurisdiction
    if report.secret or doc.get("protected"):
        link = urls.in_city(jurisdiction, "/v1/me")
        subject = message_text("notice.subject", language, city)
        return subject, message_text("notice.text", language, city, link=link)
    link = urls.in_city(jurisdiction, f"/v1/track/{report.code}")
    if kind == "ask":
        finished = report.finished_at or parse(doc["at"])
        link = answer_link(jurisdiction, report.id, finished, doc.get("own"))
    elif kind == "doubted":
        link = doubt_link(report, doc.get("own"))
    elif kind in citizen_news.ALWAYS:
        link = claiming.undo_link(jurisdiction, report.id, report.claims, parse(doc["at"]), kind)
    text = message_text(f"{kind}.text", language, city, code=report.code, link=link)
    return message_text(f"{kind}.subject", language, city), text


def _deliver(
    method: str,
    contact: dict[str, Any],
    words: tuple[str, str],
    language: str,
    city: City,
    kind: str = HELD,
) -> str | None:
    """Send by a contact method. Returns the id of an e-mail, else ``None``."""
    subject, text = words
    preferences_link = preferences.link(city.jurisdiction, preferences.key(contact))
    if not METHODS[method].short:
        footer = message_text("notices.footer", language, city, link=preferences_link)
        text = f"{text}\n\n{footer}"
    elif kind not in citizen_news.ALWAYS:
        # A warning cannot be switched off, and an SMS is short: no link to preferences in it.
        text = f"{text} {message_text('notices.sms', language, city, link=preferences_link)}"
    return senders.send(method, contact[method], Message(subject, text, preferences_link))


def _mail_record(
    name: str | None, jurisdiction: str, contact: str, own: str | None
) -> dict[str, Any] | None:
    """The row by which a bounce of this e-mail finds its contact."""
    if name is None:
        return None
    return {"id": name, "jurisdiction": jurisdiction, "contact": contact, "own": own}
