"""Stored scorecards: each month's present revision, its cards, and the samples of audits.

Each revision has a partition of its own. All its cards are written before the month's row names the
revision, so that nobody reads an incomplete one.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, cast

from chalicelib.domain.scorecards.card_types import Closing, ScoreMonth
from chalicelib.storage import tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Delete, Put, Unavailable, Update, read

_BATCH, _TRIES = 25, 8


def month(jurisdiction: str, name: str) -> ScoreMonth | None:
    """The record of a month: stage, revision, digest, until, history."""
    doc: ScoreMonth | None = get(tables.Figure, f"{jurisdiction}#MONTHS#ALL", name)
    return doc


def months(jurisdiction: str, before: str | None, limit: int) -> list[ScoreMonth]:
    """The months that have scorecards, newest first."""
    condition = tables.Figure.sk < before if before else None
    key = f"{jurisdiction}#MONTHS#ALL"
    rows = read(
        lambda: list(tables.Figure.query(key, condition, scan_index_forward=False, limit=limit))
    )
    return [json.loads(row.doc) for row in rows]


def put_month(jurisdiction: str, name: str, doc: ScoreMonth, seen: int | None) -> Put:
    """Set a month's present revision, over the ``edition`` in ``seen`` (``None``: none yet)."""
    figure = tables.Figure
    row = figure(f"{jurisdiction}#MONTHS#ALL", name, doc=dump(doc), version=doc["edition"])
    condition = figure.pk.does_not_exist() if seen is None else figure.version == seen
    return Put("month", row, condition)


def put_cards(jurisdiction: str, name: str, folder: str, cards: dict[str, Any]) -> None:
    """Write a revision's documents by name; a repetition is harmless."""
    key = f"{jurisdiction}#CARDS#{name}/{folder}"
    _put_all(
        {"pk": {"S": key}, "sk": {"S": document}, "doc": {"S": dump(cards[document])}}
        for document in cards
    )


def card(jurisdiction: str, name: str, folder: str, which: str) -> dict[str, Any] | None:
    """One document of a revision."""
    key = f"{jurisdiction}#CARDS#{name}/{folder}"
    doc: dict[str, Any] | None = get(tables.Figure, key, which, consistent=False)
    return doc


def cards(jurisdiction: str, name: str, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every document of a revision: to compare revisions, not for a request."""
    key = f"{jurisdiction}#CARDS#{name}/{folder}"
    for row in read(lambda: list(tables.Figure.query(key))):
        yield row.sk, json.loads(row.doc)


def put_sample(jurisdiction: str, name: str, closings: list[Closing]) -> None:
    """Write the closings drawn for the audit of a month, before anybody audits one."""
    key = f"{jurisdiction}#AUDITS#{name}"
    _put_all(
        {
            "pk": {"S": key},
            "sk": {"S": f"{closing['district']}#{closing['report']}"},
            "doc": {"S": dump(closing)},
        }
        for closing in closings
    )


def sample(
    jurisdiction: str, name: str, district: str, after: str | None, limit: int
) -> list[tuple[str, Closing]]:
    """A page of a district's sample: (sort key, {report, resolution, closed_at, result})."""
    figure = tables.Figure
    start = f"{district}#{after}\x00" if after else f"{district}#"
    condition = figure.sk.between(start, f"{district}#~")
    key = f"{jurisdiction}#AUDITS#{name}"
    rows = read(lambda: list(figure.query(key, condition, limit=limit, consistent_read=True)))
    closings = ((row.sk, {**json.loads(row.doc), "result": row.result}) for row in rows)
    return [(name.split("#", 1)[1], cast(Closing, closing)) for name, closing in closings]


def sampled(jurisdiction: str, name: str, district: str, report: str) -> bool:
    """Whether a report is in a district's sample of a month."""
    return get(tables.Figure, f"{jurisdiction}#AUDITS#{name}", f"{district}#{report}") is not None


def put_audited(jurisdiction: str, name: str, district: str, report: str, result: str) -> Update:
    """Store the result of an audit of a closing in the sample, once."""
    figure = tables.Figure
    row = figure(f"{jurisdiction}#AUDITS#{name}", f"{district}#{report}")
    condition = figure.pk.exists() & figure.result.does_not_exist()
    return Update("audit", row, [figure.result.set(result)], condition)


def flag(jurisdiction: str, name: str, why: str) -> Put:
    """Flag a closed month that may have changed; ``why`` distinguishes flags."""
    row = tables.Figure(f"{jurisdiction}#RECHECK#ALL", name, doc=dump({"why": why}))
    return Put(f"recheck:{name}", row)


def flagged(jurisdiction: str, limit: int) -> dict[str, str]:
    """{month: why} of the flagged months, oldest first."""
    key = f"{jurisdiction}#RECHECK#ALL"
    rows = read(lambda: list(tables.Figure.query(key, limit=limit)))
    return {row.sk: json.loads(row.doc)["why"] for row in rows}


def unflag(jurisdiction: str, name: str, why: str) -> Delete:
    """Remove a flag, unless the month was flagged again in between."""
    row = tables.Figure(f"{jurisdiction}#RECHECK#ALL", name)
    return Delete("recheck", row, tables.Figure.doc == dump({"why": why}))


def put_to_anonymise(jurisdiction: str, report: str, month: str, at: str) -> Put:
    """Record that a report filed in ``month`` became protected: its rows must be made anonymous."""
    row = tables.Figure(f"{jurisdiction}#HIDE#ALL", report, doc=dump({"month": month, "at": at}))
    return Put("hide", row)


def to_anonymise(
    jurisdiction: str, limit: int, after: str = ""
) -> list[tuple[str, dict[str, Any]]]:
    """(report, {month, at}) of the reports whose rows must still be made anonymous, by id."""
    key, later = f"{jurisdiction}#HIDE#ALL", tables.Figure.sk > after if after else None
    rows = read(lambda: list(tables.Figure.query(key, later, limit=limit)))
    return [(row.sk, json.loads(row.doc)) for row in rows]


def delete_to_anonymise(jurisdiction: str, report: str) -> Delete:
    """Delete such a record, because the rows are anonymous."""
    return Delete("hide", tables.Figure(f"{jurisdiction}#HIDE#ALL", report))


def _put_all(items: Iterable[dict[str, Any]], pause: Callable[[float], None] | None = None) -> None:
    """BatchWriteItem in batches; items that DynamoDB leaves unprocessed are sent again."""
    table = tables.Figure.Meta.table_name
    waiting = [{"PutRequest": {"Item": item}} for item in items]
    tries = 0
    while waiting:
        batch, waiting = waiting[:_BATCH], waiting[_BATCH:]
        answer = read(partial(tables.client().batch_write_item, RequestItems={table: batch}))
        unprocessed = answer.get("UnprocessedItems", {}).get(table, [])
        if unprocessed:
            tries += 1
            if tries > _TRIES:
                raise Unavailable
            (pause or time.sleep)(0.05 * 2**tries)
            waiting = unprocessed + waiting
