"""E-mail to citizens, by SES."""

from typing import Any

from chalicelib.domain.input.email_address import wire
from chalicelib.settings import settings
from chalicelib.storage import aws


def send(address: str, subject: str, text: str, unsubscribe: str | None = None) -> str | None:
    """Send one plain-text e-mail. Returns its id in SES, by which a bounce names it.

    ``unsubscribe``: the URL of the one-click unsubscribe (RFC 8058).
    """
    simple: dict[str, Any] = {
        "Subject": {"Data": subject, "Charset": "UTF-8"},
        "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
    }
    if unsubscribe:
        simple["Headers"] = [
            {"Name": "List-Unsubscribe", "Value": f"<{unsubscribe}>"},
            {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
        ]
    with aws.answering():
        answer = aws.client("sesv2").send_email(
            FromEmailAddress=settings().mail_from,
            Destination={"ToAddresses": [wire(address)]},
            Content={"Simple": simple},
        )
    message_id: str | None = answer.get("MessageId")
    return message_id
