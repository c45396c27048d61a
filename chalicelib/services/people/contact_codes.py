"""The code that proves a contact: derived with a key from a random value, not stored, sent once.

A queued message names the contact by its pseudonym. The address itself is among the personal data
until the code expires.

Tests: tests/integration/test_contacts.py
"""

from datetime import timedelta

from chalicelib.domain.city.city import City
from chalicelib.domain.input import contact_methods
from chalicelib.domain.message_types import CodeMessage
from chalicelib.services.city import cities
from chalicelib.services.platform import senders, signing
from chalicelib.services.platform.catalogue import message_text
from chalicelib.storage import code_rows, control, leases

KIND = "code"
LIFE = timedelta(minutes=15)
_DIGITS = 6
_NAMES = ("jurisdiction", "contact", "uid", "nonce", "language", "dedupe")


def code_of(jurisdiction: str, contact: str, uid: str, nonce: str) -> str:
    """The six digits for a contact's pseudonym, a device and a random value."""
    mac = signing.mac("code", f"{jurisdiction}|{contact}|{uid}|{nonce}", signing.pseudonym_key())
    return f"{int(mac, 16) % 10**_DIGITS:0{_DIGITS}}"


def message(
    city: City, contact: str, uid: str, nonce: str, languages: tuple[str, ...], op: str
) -> CodeMessage:
    """The outbox row that sends a code, in a language of the city."""
    jurisdiction = city.jurisdiction
    return {
        "kind": KIND,
        "rules": city.version,
        "jurisdiction": jurisdiction,
        "contact": contact,
        "uid": uid,
        "nonce": nonce,
        "language": city.choose_language(*languages),
        "dedupe": f"{jurisdiction}:{KIND}:{op}",
    }


def send(queued: CodeMessage) -> bool:
    """Send a code, once. Returns whether it was sent. Raises ``ValueError`` for a malformed row."""
    if not all(isinstance(queued.get(name), str) for name in _NAMES):
        raise ValueError("a message about no code")
    jurisdiction, contact, language = queued["jurisdiction"], queued["contact"], queued["language"]
    address = code_rows.code_address(jurisdiction, contact, queued["nonce"])
    target = contact_methods.first_address(address) if address else None
    if target is None:
        return False
    code = code_of(jurisdiction, contact, queued["uid"], queued["nonce"])
    minutes = int(LIFE.total_seconds() // 60)
    # Older rows do not name the city version.
    city = cities.at(jurisdiction, queued["rules"]) if queued.get("rules") else None
    text = message_text(f"{KIND}.text", language, city, code=code, minutes=minutes)
    subject = message_text(f"{KIND}.subject", language, city)
    holder = leases.new_holder()
    if not leases.begin(jurisdiction, queued["dedupe"], holder):
        return False
    with leases.sending(jurisdiction, queued["dedupe"], holder):
        senders.send(*target, senders.Message(subject, text))
    control.put_sent(jurisdiction, queued["dedupe"])
    return True
