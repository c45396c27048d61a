"""What is stored, read past AWS and sorted by kind, for the checkers."""

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from chalicelib.domain import event_parts
from chalicelib.domain.hash_chain import Entry
from tests.faults.world import Sent
from tests.support import aws

Row = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One event of a timeline, as stored, and what it says."""

    version: int
    stored: Entry

    @property
    def text(self) -> str:
        """The text that is hashed."""
        return self.stored.text

    @property
    def hash(self) -> str:
        """The hash as stored."""
        return self.stored.hash

    @cached_property
    def says(self) -> dict[str, Any]:
        """The event's document."""
        whole = event_parts.whole(self.stored.text, self.stored.inside)
        found: dict[str, Any] = json.loads(whole)
        return found


class State:
    """Every table at one moment, and what left the system until then."""

    def __init__(self, sent: list[Sent]) -> None:
        self.sent = sent
        self.tables = {
            name: aws.rows(name) for name in ("reports", "timeline", "people", "figures", "control")
        }
        self.heads = {key: json.loads(row["doc"]) for key, row in self._of("reports", "R").items()}
        self.codes = {key: row["doc"] for key, row in self._of("reports", "K").items()}
        self.tickets = {
            key: json.loads(row["doc"]) for key, row in self._of("reports", "P").items()
        }
        self.operations = {
            key: json.loads(row["doc"]) for key, row in self._of("control", "IDEM").items()
        }
        self.timelines: dict[str, list[Event]] = defaultdict(list)
        for row in self.tables["timeline"]:
            stored = Entry(row["event"], row["hash"], row.get("inside"), row.get("salt"))
            event = Event(row["version"], stored)
            self.timelines[row["pk"].split("#")[2]].append(event)
        for events in self.timelines.values():
            events.sort(key=lambda event: event.version)

    def by_operation(self) -> dict[str, list[tuple[str, Event]]]:
        """Operation's id → the (report, event) pairs that it wrote."""
        found: dict[str, list[tuple[str, Event]]] = defaultdict(list)
        for report, events in self.timelines.items():
            for event in events:
                found[event.says["op"]].append((report, event))
        return found

    def outbox(self) -> list[str]:
        """The ids of what has not been published."""
        return [row["sk"] for row in self.tables["control"] if "#OUT#" in row["pk"]]

    def tallies(self) -> dict[tuple[str, str, str], int]:
        """(month, area, measure) → n, without zeros."""
        found = {}
        for row in self.tables["figures"]:
            _, kind, month = row["pk"].split("#")[:3]
            if kind == "TALLY":
                for name, n in row.items():
                    if isinstance(n, int) and n:
                        found[month, row["sk"], name] = n
        return found

    def rows_of(self, report: str) -> dict[str, Row]:
        """The rows of a report that only a newer event replaces: in scorecards, in lists."""
        return {
            kind: row
            for row in self.tables["figures"]
            if (kind := row["pk"].split("#")[1]) in ("ROW", "REQ")
            and report in (row["pk"].split("#")[2], row["sk"])
        }

    def marks(self, kind: str) -> dict[str, set[str]]:
        """Report → who has such a mark (SUP, FOL, REP)."""
        found: dict[str, set[str]] = defaultdict(set)
        for row in self.tables["people"]:
            _, table, report = row["pk"].split("#")
            if table == "R" and row["sk"].startswith(f"{kind}#"):
                found[report].add(row["sk"].split("#", 1)[1])
        return found

    def texts(self) -> dict[tuple[str, str], Row]:
        """(report, "<version>#<field>") → {text, salt, audience}."""
        return {
            (row["pk"].split("#")[2], row["sk"]): json.loads(row["doc"])
            for row in self.tables["people"]
            if "#T#" in row["pk"]
        }

    def publications(self) -> list[list[str]]:
        """The dedupe keys of the alerts in each message to the topic: one, or those of a digest."""
        found: list[list[str]] = []
        for message in self.sent:
            if message.operation != "Publish" or "TopicArn" not in message.fields:
                continue
            named = _attributes(message.fields)
            if named["event"] == "digest":
                document = json.loads(json.loads(message.fields["Message"])["sqs"])
                found.append([alert["dedupe"] for alert in document["alerts"]])
            else:
                found.append([named["dedupe"]])
        return found

    def alerts(self) -> list[str]:
        """The dedupe keys of all alerts published to the topic, alone or in a digest."""
        return [key for keys in self.publications() for key in keys]

    def dead(self) -> list[str]:
        """The dead letters."""
        return [
            f"{row['pk']} {row['sk']}" for row in self.tables["control"] if "#DEAD#" in row["pk"]
        ]

    def queued(self) -> list[str]:
        """The dedupe keys of all messages for citizens and jobs for photos, in their order."""
        return [
            json.loads(message.fields["MessageBody"])["dedupe"]
            for message in self.sent
            if message.operation == "SendMessage"
        ]

    def _of(self, table: str, kind: str) -> dict[str, Row]:
        return {
            row["pk"].split("#", 2)[2]: row
            for row in self.tables[table]
            if row["pk"].split("#", 2)[1] == kind
        }


def _attributes(fields: dict[str, str]) -> dict[str, str]:
    start = "MessageAttributes.entry."
    names = {k.split(".")[2]: v for k, v in fields.items() if k.startswith(start) and "Name" in k}
    return {name: fields[f"{start}{n}.Value.StringValue"] for n, name in names.items()}
