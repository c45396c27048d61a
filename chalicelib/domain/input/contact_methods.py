"""The ways to reach a person: each is a field of a contact, declared once here.

From a declaration follow the field in the API, the ways that can be named as safe or preferred, the
pseudonym by which figures count a person, codes that prove an address, and the rights of the
function that sends. Its sender is in ``services.platform.senders``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.input import email_address, phone_number


@dataclass(frozen=True)
class ContactMethod:
    """One way to reach a person.

    ``schema``: an address in the API. ``plain``: an address in its normal form; two addresses with
    the same normal form are the same person's. ``short``: whether its texts must be short (no
    subject, no footer). ``service``: what sends it: "ses", "sns" (a text message), or "outside"
    (another server, whose secret is a parameter). ``example``: a valid address, for tests.
    """

    schema: dict[str, Any]
    plain: Callable[[str], str]
    short: bool
    service: str
    example: str


def _plain_phone(number: str) -> str:
    return phone_number.plain(number) or number.strip()


# A person is known by the first of these that their contact has, so a new one comes last.
METHODS: dict[str, ContactMethod] = {
    "email": ContactMethod(
        schema={
            "type": "string",
            "format": "email",
            "maxLength": email_address.LONGEST,
            "description": "Also in other scripts, before and after the @.",
        },
        plain=email_address.plain,
        short=False,
        service="ses",
        example="ani@example.org",
    ),
    "phone": ContactMethod(
        schema={"type": "string", "pattern": f"^{phone_number.PHONE}$"},
        plain=_plain_phone,
        short=True,
        service="sns",
        example="+628123456789",
    ),
}


def first_address(contact: Mapping[str, Any]) -> tuple[str, str] | None:
    """(method, address) by which a contact's person is known; ``None`` without any address."""
    return next(((name, contact[name]) for name in METHODS if contact.get(name)), None)
