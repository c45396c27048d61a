"""Who filed a report: a person with rights, or a pseudonym by which figures count people.

A person who files with their own device or account is the report's reporter. A report from a
channel (another system's key, or an official for a caller) has no reporter until somebody claims it
or confirms its contact. Until then figures count the contact's pseudonym, or the report alone.

Tests: tests/integration/test_filers.py
"""

from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.domain.input import contact_methods
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
    """The normal form of a contact's first address, which stands for its person.

    ``None`` if the contact has no address.
    """
    if (first := contact_methods.first_address(contact)) is None:
        return None
    method, address = first
    return f"{method}:{contact_methods.METHODS[method].plain(address)}"
