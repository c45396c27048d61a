"""Who filed a report: a person with rights, or a pseudonym by which figures count people.

Whoever files with their own device or account is the report's reporter. A report from a channel
(another system's key, or an official for a caller) has no reporter until somebody claims it or
confirms its contact. Until then figures count the contact's pseudonym, or the report alone.

Tests: tests/integration/test_filers.py
"""

import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.domain.input import email_address, phone_number
from chalicelib.domain.principal import FOR_MANY, Principal

# How the uids of channels begin: keys of other systems, and officials.
CHANNELS = ("k_", "s_")
BY_CONTACT, BY_REPORT = "c_", "r_"


class Filer(NamedTuple):
    """Who filed a report.

    ``reporter``: who has a reporter's rights. ``filer``: whom figures count. ``via``: the channel
    that filed for somebody.
    """

    reporter: str | None
    filer: str | None
    via: str | None


def is_channel(actor: Principal) -> bool:
    """Whether the actor files for other people: an official, or another system by its key."""
    return actor.kind == "staff" or FOR_MANY in actor.permissions


def of(actor: Principal, report: str, contact: str | None) -> Filer:
    """Who files ``report``; ``contact`` is the pseudonym of the given contact, if any."""
    if is_channel(actor):
        return Filer(None, contact or by_report(report), actor.uid)
    return Filer(actor.uid, actor.uid, None)


def by_report(report: str) -> str:
    """The filer of a report whose person is unknown."""
    return f"{BY_REPORT}{report}"


def contact_name(contact: Mapping[str, str]) -> str | None:
    """The normal form of a contact, which stands for its person: the e-mail, else the phone.

    ``None`` if the contact has neither.
    """
    if email := contact.get("email"):
        return f"email:{plain_email(email)}"
    if phone := contact.get("phone"):
        return f"phone:{phone_number.plain(phone) or phone.strip()}"
    return None


def plain_email(email: str) -> str:
    """An address trimmed, in lower case, with its domain in ASCII (punycode).

    Addresses that mail servers keep apart stay apart, so ``ß`` is not ``ss``: a code sent to one
    must not open what was filed with the other.
    """
    local, at, domain = unicodedata.normalize("NFC", email.strip()).lower().rpartition("@")
    # A text that is not an Internet domain is compared as written.
    return f"{local}{at}{email_address.punycode(domain) or domain}"
