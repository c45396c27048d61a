"""The six tables and their keys (docs/data-model.md). Every partition key begins with the city.

One botocore client serves all models: a client each would cost six times its 100 ms
(pynamodb#1245). It is made at its first use, so that importing needs no AWS; ``connect`` makes it
while a Lambda function starts. ``MODELS`` names every table once.
"""

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.connection.table import TableConnection
from pynamodb.constants import STREAM_NEW_IMAGE
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from chalicelib.settings import settings


class _Meta:
    connect_timeout_seconds = 2
    read_timeout_seconds = 5
    max_retry_attempts = 2
    billing_mode = "PAY_PER_REQUEST"


def _packed(name: str, *attributes: str) -> type:
    projection = IncludeProjection(list(attributes or ("m", "version")))
    return type("Meta", (), {"index_name": name, "projection": projection})


class GeoIndex(GlobalSecondaryIndex["Report"]):  # type: ignore[no-untyped-call]
    """By place: ``O#<gh5>`` / ``<gh10>#<id>`` while open, ``C#<gh5>#<yyyymm>`` once closed."""

    Meta = _packed("geo", "g")
    gpk = UnicodeAttribute(hash_key=True)
    gsk = UnicodeAttribute(range_key=True)


class QueueIndex(GlobalSecondaryIndex["Report"]):  # type: ignore[no-untyped-call]
    """By work: ``Q#<district>#<state>`` / ``<due>#<id>``, then ``S#<district>#<yyyymm>``."""

    Meta = _packed("queue")
    qpk = UnicodeAttribute(hash_key=True)
    qsk = UnicodeAttribute(range_key=True)


class UnitIndex(GlobalSecondaryIndex["Report"]):  # type: ignore[no-untyped-call]
    """Sparse: ``W#<unit>#<state>`` / ``<due>#<id>`` of the open reports that a unit holds."""

    Meta = _packed("unit")
    wpk = UnicodeAttribute(hash_key=True)
    wsk = UnicodeAttribute(range_key=True)


class CalledIndex(GlobalSecondaryIndex["Report"]):  # type: ignore[no-untyped-call]
    """Sparse: ``A#<unit>#<state>`` / ``<due>#<id>`` of the open reports to which a unit is called
    in, as agency or because the report is offered to it."""

    Meta = _packed("called")
    apk = UnicodeAttribute(hash_key=True)
    ask = UnicodeAttribute(range_key=True)


class ReporterIndex(GlobalSecondaryIndex["Report"]):  # type: ignore[no-untyped-call]
    """By reporter: ``U#<uid>`` / ``<filed>#<id>``."""

    Meta = _packed("reporter")
    upk = UnicodeAttribute(hash_key=True)
    usk = UnicodeAttribute(range_key=True)


class DueIndex(GlobalSecondaryIndex["Report"]):  # type: ignore[no-untyped-call]
    """Sparse: ``*#DUE#0`` / ``<next due>#<city>#<id>`` of reports for the SLA sweep."""

    Meta = _packed("due")
    dpk = UnicodeAttribute(hash_key=True)
    dsk = UnicodeAttribute(range_key=True)


class Report(Model):
    """Heads (``R#<id>``), tracking codes (``K#<code>``) and photo tickets (``P#<id>``)."""

    class Meta(_Meta):
        table_name = settings().table("reports")

    pk = UnicodeAttribute(hash_key=True)
    version = NumberAttribute(default=0)
    doc = UnicodeAttribute()
    m = UnicodeAttribute(null=True)
    g = UnicodeAttribute(null=True)
    gpk = UnicodeAttribute(null=True)
    gsk = UnicodeAttribute(null=True)
    qpk = UnicodeAttribute(null=True)
    qsk = UnicodeAttribute(null=True)
    wpk = UnicodeAttribute(null=True)
    wsk = UnicodeAttribute(null=True)
    apk = UnicodeAttribute(null=True)
    ask = UnicodeAttribute(null=True)
    upk = UnicodeAttribute(null=True)
    usk = UnicodeAttribute(null=True)
    dpk = UnicodeAttribute(null=True)
    dsk = UnicodeAttribute(null=True)
    # Only of the ticket of a photo that no report uses.
    ttl = NumberAttribute(null=True)
    geo = GeoIndex()
    queue = QueueIndex()
    unit = UnitIndex()
    called = CalledIndex()
    reporter = ReporterIndex()
    due = DueIndex()


class Event(Model):
    """The timeline: partition ``R#<id>``, sort version; append-only, hash-chained, streamed."""

    class Meta(_Meta):
        table_name = settings().table("timeline")
        stream_view_type = STREAM_NEW_IMAGE

    pk = UnicodeAttribute(hash_key=True)
    version = NumberAttribute(range_key=True)
    event = UnicodeAttribute()
    hash = UnicodeAttribute()
    # From schema 2 on: ``event`` is the public part, and this is the rest with its salt.
    inside = UnicodeAttribute(null=True)
    salt = UnicodeAttribute(null=True)


class _Row(Model):
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    doc = UnicodeAttribute(null=True)


class Person(_Row):
    """Personal data: texts ``T#<report>``, contacts ``C#<ref>``, marks ``R#<report>``, metadata of
    photos ``PH#<photo>``."""

    class Meta(_Meta):
        table_name = settings().table("people")

    ttl = NumberAttribute(null=True)


class ScoreIndex(GlobalSecondaryIndex["Figure"]):  # type: ignore[no-untyped-call]
    """By district: ``SCORE#<district>`` / ``<last month that matters>#<id>``."""

    class Meta:
        index_name = "score"
        projection = IncludeProjection(["doc"])

    spk = UnicodeAttribute(hash_key=True)
    ssk = UnicodeAttribute(range_key=True)


class Figure(_Row):
    """Projections: live tallies ``TALLY#<yyyymm>`` / ``<district>[/<ward>]``, counters of places
    ``CELLS#…`` and ``DAYS#…`` (``domain.map.heat_counters``), the log of changes ``CHANGES#0``, a
    report's row in the scorecards ``ROW#<id>``; scorecards ``CARDS#<month>…`` and the audits'
    sample."""

    class Meta(_Meta):
        table_name = settings().table("figures")

    received = NumberAttribute(null=True)
    open = NumberAttribute(null=True)
    verified = NumberAttribute(null=True)
    unverified = NumberAttribute(null=True)
    rejected = NumberAttribute(null=True)
    duplicate = NumberAttribute(null=True)
    not_ours = NumberAttribute(null=True)
    withdrawn = NumberAttribute(null=True)
    finished = NumberAttribute(null=True)
    refused = NumberAttribute(null=True)
    reopened = NumberAttribute(null=True)
    supported = NumberAttribute(null=True)
    ratings = NumberAttribute(null=True)
    rating_sum = NumberAttribute(null=True)
    acknowledge_breached = NumberAttribute(null=True)
    breached = NumberAttribute(null=True)
    escalated = NumberAttribute(null=True)
    version = NumberAttribute(null=True)
    spk = UnicodeAttribute(null=True)
    ssk = UnicodeAttribute(null=True)
    result = UnicodeAttribute(null=True)
    ttl = NumberAttribute(null=True)
    score = ScoreIndex()


class CityRow(_Row):
    """Cities: ``CITY`` / ``CURRENT``, ``V#<version>``; officials: ``STAFF`` / ``S#…``, ``P#…``."""

    class Meta(_Meta):
        table_name = settings().table("city")


class Control(_Row):
    """Idempotency rows, seen markers, outbox, rate buckets, dead-letter notes."""

    class Meta(_Meta):
        table_name = settings().table("control")

    ttl = NumberAttribute(null=True)
    used = NumberAttribute(null=True)
    holder = UnicodeAttribute(null=True)
    until = NumberAttribute(null=True)
    # Of a webhook's row: the last version that was handled, and the newest that was announced.
    cursor = NumberAttribute(null=True)
    rung = NumberAttribute(null=True)


MODELS: dict[str, type[Model]] = {
    "reports": Report,
    "timeline": Event,
    "people": Person,
    "figures": Figure,
    "city": CityRow,
    "control": Control,
}


def connection() -> Connection:
    """The connection that all models share."""
    return Report._get_connection().connection


def _share() -> None:
    shared = connection()
    for model in MODELS.values():
        table: TableConnection = model._get_connection()
        if table.connection is not shared:
            shared.add_meta_table(table.get_meta_table())
            table.connection = shared


def client() -> Any:
    """The botocore client behind the models (for packed reads and for counting calls in tests)."""
    return connection().client


def connect() -> None:
    """Make the client now. Raises ``NoRegionError`` if the environment names no region."""
    client()


_share()
