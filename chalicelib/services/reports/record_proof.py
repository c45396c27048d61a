"""The public parts of a report's events, so that anybody can recompute its hash chain.

Tests: tests/integration/test_record_proof.py
"""

import json

from chalicelib.domain import event_parts
from chalicelib.domain.hash_chain import Entry
from chalicelib.domain.principal import Principal
from chalicelib.services.platform.record_answer_types import ProofPage, ProofRow
from chalicelib.services.reports import queries
from chalicelib.services.timeline import access
from chalicelib.storage import reports, timeline_rows


def proof(actor: Principal, report_id: str, after: int) -> ProofPage:
    """A page of the chain of a report that the actor may see, after event number ``after``.

    ``event`` is the text whose SHA-256 is ``hash``. It is ``None`` for an event of schema 1, and if
    the report is private now and was not then. Raises ``Problem``: not_found.
    """
    view = queries.public(actor, report_id)
    entries = timeline_rows.chain(actor.jurisdiction, report_id, after, queries.PAGE)
    outside = view["private"] and not _sees(actor, report_id)
    rows = [_row(entry, outside) for entry in entries]
    more = len(entries) == queries.PAGE
    return {
        "jurisdiction": actor.jurisdiction,
        "id": report_id,
        "events": rows,
        "next": after + queries.PAGE if more else None,
    }


def _sees(actor: Principal, report_id: str) -> bool:
    report = reports.get(actor.jurisdiction, report_id)
    return report is not None and access.exists_for(actor, report)


def _row(entry: Entry, outside: bool) -> ProofRow:
    event = json.loads(entry.text)
    withheld = entry.inside is None or (outside and event_parts.shows_contents(event))
    return {
        "version": event["version"],
        "hash": entry.hash,
        "prev": event["prev"],
        "event": None if withheld else entry.text,
    }
