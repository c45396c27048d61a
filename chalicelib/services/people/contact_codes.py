"""The code that proves a contact: derived by key from a chance value, kept nowhere, sent once.

A message about a code names the contact by its pseudonym; the address itself lies among people's
data until the code lapses.
"""

from datetime import timedelta
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.services.city import cities
from chalicelib.services.platform import signing
from chalicelib.services.platform.catalogue import say
from chalicelib.storage import control, mail, people, topics

KIND = "code"
LIFE = timedelta(minutes=15)
_DIGITS = 6
_NAMES = ("jurisdiction", "contact", "uid", "nonce", "language", "dedupe")


def code_of(jurisdiction: str, contact: str, uid: str, nonce: str) -> str:
    """The six digits for a contact's pseudonym, a device and a chance value."""
    mac = signing.mac("code", f"{jurisdiction}|{contact}|{uid}|{nonce}", signing.lasting())
    return f"{int(mac, 16) % 10**_DIGITS:0{_DIGITS}}"


def message(
    city: City, contact: str, uid: str, nonce: str, languages: tuple[str, ...], op: str
) -> dict[str, Any]:
    """The outbox row of a code to send, in a language of the city."""
    place = city.jurisdiction
    values = (place, contact, uid, nonce, city.choose_language(*languages), f"{place}:{KIND}:{op}")
    return {"kind": KIND, "rules": city.version, **dict(zip(_NAMES, values, strict=True))}


def send(asked: dict[str, Any]) -> bool:
    """Send a code, once; whether it went out. Raises ``ValueError`` for what is no such message."""
    if not all(isinstance(asked.get(name), str) for name in _NAMES):
        raise ValueError("a message about no code")
    place, contact, language = asked["jurisdiction"], asked["contact"], asked["language"]
    if control.sent(place, asked["dedupe"]):
        return False
    address = people.code_address(place, contact, asked["nonce"])
    if address is None:
        return False
    code = code_of(place, contact, asked["uid"], asked["nonce"])
    minutes = int(LIFE.total_seconds() // 60)
    # A row of before does not say which rules held.
    city = cities.at(place, asked["rules"]) if asked.get("rules") else None
    text = say(f"{KIND}.text", language, city, code=code, minutes=minutes)
    if address.get("email"):
        mail.send(address["email"], say(f"{KIND}.subject", language, city), text)
    else:
        topics.send_sms(address["phone"], text)
    control.put_sent(place, asked["dedupe"])
    return True
