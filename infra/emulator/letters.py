"""Keeps the e-mail, SMS and webhooks that the code "sent"; nothing leaves this machine."""

import urllib.parse
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

_INSIDE = ("sqs", "lambda")


class Letters:
    """Collects messages from ministack's SES and SNS modules (see bridge.py)."""

    def __init__(self, sns: Any, ses: Any) -> None:
        self._sns = sns
        self._ses = ses
        self._mails_seen = 0
        self._fresh: list[dict[str, Any]] = []

    def take(self) -> list[dict[str, Any]]:
        """The letters since the last call: at, channel, to, and if present text, html, subject,
        sender, topic."""
        taken, self._fresh = self._fresh, []
        return taken

    def collect_mails(self) -> None:
        """Add the mails that SES has accepted since the last call."""
        sent = [mail for box in self._ses._sent_emails._data.values() for mail in box]
        for mail in sent[self._mails_seen :]:
            for to in (*mail["To"], *mail["CC"], *mail["BCC"]):
                texts = {"text": mail["BodyText"], "html": mail["BodyHtml"]}
                self._keep("email", to, subject=mail["Subject"], sender=mail["Source"], **texts)
        self._mails_seen = len(sent)

    def keeping_texts(self, original: Any) -> Any:
        """Wrap SNS's publish: keep a text message to a phone number as a letter."""

        def publish(params: Any) -> Any:
            answer = original(params)
            phone, topic = (self._sns._p(params, name) for name in ("PhoneNumber", "TopicArn"))
            if phone and not topic and answer[0] == 200:
                self._keep("sms", phone, text=str(self._sns._p(params, "Message")))
            return answer

        return publish

    def keeping_alerts(self, original: Any) -> Any:
        """Wrap SNS's fan-out: keep the messages of a topic to people as letters."""

        def fanout(
            topic_arn: str,
            message_id: str,
            message: str,
            subject: str,
            structure: str = "",
            attributes: dict[str, Any] | None = None,
            **more: Any,
        ) -> None:
            original(topic_arn, message_id, message, subject, structure, attributes, **more)
            topic = self._sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
            for held in topic["subscriptions"]:
                channel, to = held["protocol"], held["endpoint"]
                if channel in _INSIDE or is_loopback(to):
                    continue
                text = self._sns._resolve_message_for_protocol(message, structure, channel)
                if self._sns._matches_filter_policy(held, attributes or {}, text):
                    self._keep(channel, to, subject=subject, text=text, topic=topic_arn)

        return fanout

    def only_loopback(self, original: Any) -> Any:
        """Wrap SNS's webhook call: only webhooks on this machine are called."""

        def post(endpoint: str, payload: str, kind: str) -> int:
            return int(original(endpoint, payload, kind)) if is_loopback(endpoint) else 200

        return post

    def _keep(self, channel: str, to: str, **parts: Any) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        kept = {name: value for name, value in parts.items() if value}
        self._fresh.append({"at": at, "channel": channel, "to": to, **kept})


@lru_cache(4096)
def is_loopback(endpoint: str) -> bool:
    """Whether a URL points at this machine."""
    return urllib.parse.urlsplit(endpoint).hostname in ("127.0.0.1", "localhost", "::1")
