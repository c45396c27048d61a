"""Sending a message to a person: one function for each contact method."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.storage import mail, topics


@dataclass(frozen=True)
class Message:
    """What is sent. ``unsubscribe``: the URL of the one-click unsubscribe (RFC 8058)."""

    subject: str
    text: str
    unsubscribe: str | None = None


def _email(address: str, message: Message) -> str | None:
    return mail.send(address, message.subject, message.text, message.unsubscribe)


def _text_message(number: str, message: Message) -> None:
    topics.send_sms(number, message.text)


# Each returns the id by which a bounce names the message, or ``None`` if nothing reports bounces.
SENDERS: dict[str, Callable[[str, Message], str | None]] = {
    "email": _email,
    "phone": _text_message,
}


def send(method: str, address: str, message: Message) -> str | None:
    """Send a message by a method of ``contact_methods.METHODS``. Returns its id, if it has one."""
    return SENDERS[method](address, message)
