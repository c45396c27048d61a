"""Messages to citizens, by the channel they left: the one function that reads contacts to write."""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain import alerts
from chalicelib.domain.times import parse
from chalicelib.services import contact_codes, links, signing
from chalicelib.services.texts import say
from chalicelib.settings import settings
from chalicelib.storage import control, mail, people, reports, topics

ANSWER_DAYS = 14


def send(message: dict[str, Any]) -> bool:
    """Send one message, once a dedupe key as far as that can be known; whether it went out.

    Sending comes before remembering: a kill between the two sends twice rather than never.
    Raises ``ValueError`` for what no outbox row of ours says, which belongs to the dead letters.
    """
    if message["kind"] == contact_codes.KIND:
        return contact_codes.send(message)
    place, dedupe = message["jurisdiction"], message["dedupe"]
    kind, about = message["kind"], message["report"]
    if kind not in alerts.kinds() or not all(isinstance(one, str) for one in (place, about)):
        raise ValueError("a message of an unknown kind")
    if control.sent(place, dedupe):
        return False
    report = reports.get(place, about)
    contact = people.contact(place, report.contact) if report and report.contact else None
    if report is None or contact is None:
        return False
    if kind == "ask" and report.state != "work_done":
        return False
    link = links.to(place, f"/v1/track/{report.code}")
    if kind == "ask":
        link = answer_link(place, report.id, report.finished_at or parse(message["at"]))
    text = say(f"{kind}.text", report.language, code=report.code, link=link)
    if contact.get("email"):
        mail.send(contact["email"], say(f"{kind}.subject", report.language), text)
    elif contact.get("phone"):
        topics.send_sms(contact["phone"], text)
    control.put_sent(place, dedupe)
    return True


def answer_link(jurisdiction: str, report: str, finished_at: datetime) -> str:
    """A link that answers "is it repaired?" for this one finish, until the answer lapses."""
    payload = {"j": jurisdiction, "r": report, "f": finished_at.isoformat()}
    token = signing.sign("answer", payload, finished_at + timedelta(days=ANSWER_DAYS))
    # The token itself names the city.
    return f"{settings().public_url}/v1/answers/{token}"
