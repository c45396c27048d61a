"""Index rows of personal data: erasure reads them to find everything that a person left.

A service that writes personal data of a citizen adds the rows of this module to the same
transaction. A channel has no rows of its own: what it sends belongs to a report.
"""

from datetime import datetime

from chalicelib.domain.events import EventText
from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.domain.report import Report
from chalicelib.storage import late_additions, people, report_texts
from chalicelib.storage.transactions import Write


def citizen_uid(actor: Principal) -> str | None:
    """The uid of the citizen who acts; ``None`` for officials, systems and channels."""
    if actor.kind != "citizen" or FOR_MANY in actor.permissions:
        return None
    return actor.uid


def index_rows(actor: Principal, kind: str, report: str, detail: str = "-") -> list[Write]:
    """The index row of one thing that ``actor`` leaves; none for officials and systems."""
    uid = citizen_uid(actor)
    return [people.put_trace(actor.jurisdiction, uid, kind, report, detail)] if uid else []


def after_closing(actor: Principal, report: Report, now: datetime) -> list[Write]:
    """A note for retention when a citizen adds something to a closed report: retention may have
    looked at that report already."""
    late = actor.kind == "citizen" and not report.open
    return [late_additions.put(report.jurisdiction, report.id, now)] if late else []


def text_rows(
    actor: Principal, report: str, version: int, words: tuple[EventText, ...]
) -> list[Write]:
    """The rows of an event's texts, each with its author's uid, and their index rows."""
    uid = citizen_uid(actor)
    writes: list[Write] = []
    for text in words:
        writes.append(report_texts.put_text(actor.jurisdiction, report, version, text, by=uid))
        writes += index_rows(
            actor, people.TEXT, report, report_texts.text_name(version, text.field)
        )
    return writes
