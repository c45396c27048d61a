"""E-mail to citizens, by SES."""

from chalicelib.domain.mailbox import wire
from chalicelib.settings import settings
from chalicelib.storage import aws


def send(address: str, subject: str, text: str) -> None:
    """Send one plain-text mail."""
    with aws.answering():
        aws.client("ses").send_email(
            Source=settings().mail_from,
            Destination={"ToAddresses": [wire(address)]},
            Message={
                "Subject": {"Data": subject, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
            },
        )
