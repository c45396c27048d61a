"""Records what the product sends to AWS, just before it leaves.

A recorder listens to every client of the product. After a refused request ``writes`` may hold only
counts of rate limits (``RATE#``): this is the meaning of "no write" in the threat model.
"""

import json
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.support import aws

_READS = ("Get", "List", "Describe", "Query", "Scan", "BatchGet", "TransactGet", "Head")


@dataclass(frozen=True)
class Sent:
    """One call: service, operation, and what it touches (table/partition key, or a name)."""

    service: str
    operation: str
    touches: tuple[str, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether the call may change anything."""
        return not self.operation.startswith(_READS)

    @property
    def counts(self) -> bool:
        """Whether it only counts against a rate limit."""
        return bool(self.touches) and all("#RATE#" in touch for touch in self.touches)


@dataclass
class Recorder:
    """Every call since ``start`` or the last ``clear``."""

    calls: list[Sent] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    clients: tuple[Any, ...] = ()

    def start(self, *clients: Any) -> None:
        """Listen to these clients, by default to all of moto."""
        self.clients = clients or tuple(aws.clients().values())
        for client in self.clients:
            client.meta.events.register_first("before-send", self._hear)

    def stop(self) -> None:
        """Stop listening."""
        for client in self.clients:
            client.meta.events.unregister("before-send", self._hear)

    @property
    def writes(self) -> list[Sent]:
        """The calls that changed something other than a rate limit's count."""
        return [call for call in self.calls if call.writes and not call.counts]

    def clear(self) -> None:
        """Clear the record."""
        self.calls.clear()

    def _hear(self, request: Any, event_name: str, **_: Any) -> None:
        _, service, operation = event_name.split(".")
        sent = Sent(service, operation, tuple(_touched(service, operation, request)))
        with self.lock:
            self.calls.append(sent)


def _touched(service: str, operation: str, request: Any) -> list[str]:
    body = request.body or b""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    if service != "dynamodb":
        return parse_qs(text).get("Subject", []) if service == "sns" else []
    asked = json.loads(text)
    if operation == "TransactWriteItems":
        return [_key(next(iter(item.values()))) for item in asked["TransactItems"]]
    if operation == "BatchWriteItem":
        rows = [row for rows in asked["RequestItems"].values() for row in rows]
        return [_key(next(iter(row.values()))) for row in rows]
    return [_key(asked)]


def _key(asked: dict[str, Any]) -> str:
    held = asked.get("Key") or asked.get("Item") or {}
    return f"{asked.get('TableName', '')}/{held.get('pk', {}).get('S', '')}"
