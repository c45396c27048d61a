"""The same rows as PynamoDB models: packed as in the index, and with one attribute for each field.

The second form is the usual one without packing: eight fields and the keys, in a table of the bench
with the index's keys.
"""

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from bench.geo.load import load
from bench.geo.ours import head
from bench.geo.points import Box, Point


class Row(Model):
    """A report's row, unpacked."""

    class Meta:
        table_name = "bench-rows"
        billing_mode = "PAY_PER_REQUEST"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    report = UnicodeAttribute()
    state = UnicodeAttribute()
    service = UnicodeAttribute()
    district = UnicodeAttribute()
    late = BooleanAttribute()
    lat7 = NumberAttribute()
    long7 = NumberAttribute()
    filed_at = UnicodeAttribute()


def fill(city: str, points: list[Point]) -> None:
    """Make the table and put the open points of a city."""
    from chalicelib.domain.map.geohash import encode

    if not Row.exists():
        Row.create_table(wait=True)

    def rows() -> list[Row]:
        return [
            Row(
                f"{city}#O#{cell[:5]}", f"{cell}#{report.id}", report=report.id,
                state=report.state, service=report.service, district=report.district,
                late=report.late, lat7=report.lat7, long7=report.long7,
                filed_at=report.filed_at.isoformat(),
            )
            for report in (head(city, point) for point in points)
            for cell in [encode(report.lat, report.long, 10)]
        ]  # fmt: skip

    load("bench-rows", (row.serialize() for row in rows()))


def unpacked(city: str, box: Box) -> int:
    """Read the rows of a view's ranges as unpacked models. Returns how many."""
    from chalicelib.domain.map.cover import box_ranges

    many = 0
    for span in box_ranges(box):
        many += len(list(Row.query(f"{city}#O#{span.cell}", Row.sk.between(span.low, span.high))))
    return many


def packed(city: str, box: Box) -> int:
    """Read the index's own rows as models. Returns how many."""
    from chalicelib.domain.map.cover import box_ranges
    from chalicelib.storage import tables

    many = 0
    for span in box_ranges(box):
        between = tables.GeoIndex.gsk.between(span.low, span.high)
        many += len(list(tables.Report.geo.query(f"{city}#O#{span.cell}", between)))
    return many
