"""E-mail to citizens, by SES."""

from chalicelib.domain.mailbox import wire
from chalicelib.settings import settings
from chalicelib.storage import aws


def send(address: str, subject: str, text: str) -> str | None:
    """Send one plain-text mail; SES's id of it, by which a bounce names it."""
    with aws.answering():
        answer = aws.client("ses").send_email(
            Source=settings().mail_from,
            Destination={"ToAddresses": [wire(address)]},
            Message={
                "Subject": {"Data": subject, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
            },
        )
    found: str | None = answer.get("MessageId")
    return found
