"""What a citizen leaves behind, each with a row in the index that an erasure reads.

Whoever writes something of a citizen's adds the rows of this module to the same transaction. A
system that files for many people leaves nothing of its own: what it sends belongs to a report.
"""

from datetime import datetime

from chalicelib.domain.events import Words
from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.domain.report import Report
from chalicelib.storage import late as late_notes
from chalicelib.storage import people
from chalicelib.storage.transactions import Write


def citizen_uid(actor: Principal) -> str | None:
    """The uid of the citizen who acts; ``None`` for officials, systems and channels."""
    if actor.kind != "citizen" or FOR_MANY in actor.permissions:
        return None
    return actor.uid


def index_rows(actor: Principal, kind: str, report: str, detail: str = "-") -> list[Write]:
    """The index row of one thing that ``actor`` leaves; nothing for who is no citizen."""
    uid = citizen_uid(actor)
    return [people.put_trace(actor.jurisdiction, uid, kind, report, detail)] if uid else []


def after_closing(actor: Principal, report: Report, now: datetime) -> list[Write]:
    """A note, where a citizen leaves something on a report that is closed: its time may be over."""
    theirs = actor.kind == "citizen" and not report.open
    return [late_notes.put(report.jurisdiction, report.id, now)] if theirs else []


def text_rows(actor: Principal, report: str, version: int, words: tuple[Words, ...]) -> list[Write]:
    """The texts of one event, each kept with its author's uid and an index row."""
    uid = citizen_uid(actor)
    writes: list[Write] = []
    for one in words:
        writes.append(people.put_text(actor.jurisdiction, report, version, one, by=uid))
        writes += index_rows(actor, people.TEXT, report, people.text_name(version, one.field))
    return writes
