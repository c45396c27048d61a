"""Our side: the points as reports of a city, the map's endpoints and their cost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from bench.clocks_city import bundle, id_of
from bench.geo.load import load
from bench.geo.points import DISTRICTS, NOW, Box, Circle, Point
from bench.geo.units import item_size, read_units
from chalicelib.domain.map import heat_counters
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import facts
from infra.local.requests import Context, event

_INDEX_NAMES = len("gpkgskpkg")


def ulid(point: Point) -> str:
    """The id of a point's report."""
    return id_of(int(point.filed.timestamp() * 1000) << 80 | point.number)


def head(city: str, point: Point) -> Report:
    """The report of a point."""
    filed, closed = point.filed, point.closed
    local = filed + timedelta(hours=7)
    month = (closed + timedelta(hours=7)).strftime("%Y%m") if closed else None
    name = ulid(point)
    return Report(
        id=name, code=f"{name[-8:-4]}-{name[-4:]}", jurisdiction=city, city_version="bench",
        service=point.service, group="g", protected=False, ward=f"w{point.district[1:]}",
        district=point.district, unit=f"u-{point.district}", lat7=point.lat7, long7=point.long7,
        channel="api", language="id", filed_at=filed, changed_at=closed or filed, clock_from=filed,
        acknowledge_due=filed + timedelta(hours=8), due_at=filed + timedelta(hours=48),
        city_due_at=filed + timedelta(hours=48), filed_month=f"{local:%Y%m}",
        filed_day=f"{local:%Y%m%d}", state="closed" if closed else "submitted",
        resolution="verified" if closed else None, closed_at=closed, closed_month=month,
        tail="0" * 64,
    )  # fmt: skip


def fill(city: str, points: list[Point]) -> None:
    """Publish the city, and write its reports and the counters that they would have."""
    from chalicelib.domain.city.boundaries import build
    from chalicelib.services.city import cities
    from chalicelib.storage import tables

    cities.publish(bundle(city, DISTRICTS), build([("w000", [[_square()]])]), [], NOW)
    counters: dict[tuple[str, str], dict[str, int]] = {}

    def rows() -> Iterator[dict[str, Any]]:
        from chalicelib.storage.reports import put_head

        for point in points:
            report = head(city, point)
            for (partition, cell, name), n in heat_counters.contributions(facts(report)).items():
                held = counters.setdefault((partition, cell), {})
                held[name] = held.get(name, 0) + n
            yield put_head(report, None, seen=None).item.serialize()

    load(tables.Report.Meta.table_name, rows())
    load(tables.Figure.Meta.table_name, (_document(city, *counter) for counter in counters.items()))


@dataclass
class Cost:
    """Counts within a ``with`` block: DynamoDB calls, and the size of the rows there."""

    calls: int = 0
    items: int = 0
    units: float = 0.0
    _events: Any = field(default=None, repr=False)

    def __enter__(self) -> Self:
        from chalicelib.storage import tables

        self._events = tables.client().meta.events
        self._events.register("read-lean.dynamodb", self._read)
        return self

    def __exit__(self, *_: object) -> None:
        self._events.unregister("read-lean.dynamodb", self._read)

    def _read(self, params: dict[str, Any], parsed: dict[str, Any], **_: Any) -> None:
        self.calls += 1
        self.items += len(parsed["Items"])
        if params.get("IndexName") == "geo":
            # A query asks for part of a row; the index has its three keys and the pin.
            partition = params["ExpressionAttributeValues"][":p"]["S"]
            fixed = _INDEX_NAMES + len(partition) + len(partition.split("#")[0]) + 3
            size = sum(
                fixed + len(item["gsk"]["S"]) + 26 + len(item["g"]["S"]) for item in parsed["Items"]
            )
        else:
            size = sum(map(item_size, parsed["Items"]))
        self.units += read_units(size)


def ask(path: str, city: str, **query: Any) -> str:
    """The application's answer to a GET, called as by Lambda."""
    from app import app

    parameters = {name: [str(value)] for name, value in {**query, "jurisdiction_id": city}.items()}
    answer = app({**event("GET", path), "multiValueQueryStringParameters": parameters}, Context())
    if answer["statusCode"] != 200:
        raise RuntimeError(f"{path} {query}: {answer['body']}")
    body: str = answer["body"]
    return body


def view(city: str, box: Box) -> str:
    """The map's answer for a box."""
    return ask("/v1/map/reports", city, bbox=bbox(box))


def nearby(city: str, circle: Circle) -> str:
    """The map's answer for a circle."""
    lat, long, radius = circle
    return ask("/v1/map/nearby", city, lat=lat, long=long, radius=radius, limit=200)


def bbox(box: Box) -> str:
    """The box as it is asked for."""
    south, west, north, east = box
    return f"{west},{south},{east},{north}"


def _document(
    city: str, key: tuple[str, str], counts: dict[str, int]
) -> dict[str, Any]:  # fmt: skip
    partition, cell = key
    keys = {"pk": {"S": f"{city}#{partition}"}, "sk": {"S": cell}}
    return {**keys, **{name: {"N": str(n)} for name, n in counts.items()}}


def _square() -> list[tuple[float, float]]:
    return [(106.6, -6.4), (107.0, -6.4), (107.0, -6.0), (106.6, -6.0), (106.6, -6.4)]
