"""``python -m bench.geo [small]``: the map beside its peers; prints a table, build/bench/geo.json.

All systems get the same seeded points, views and circles in one run; every answer is compared with
brute force. Calls, rows and units are counted at the client and do not depend on the machine. CPU
is a ratio within the run. Wall times have no bounds, because an emulator is not DynamoDB.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from bench.failures import reported, run
from bench.geo import dynamodb_geo, models, ours, postgis
from bench.geo.canned import Canned
from bench.geo.measure import ZOOMS, City, Tally, cost_of, cpu_ratio, differing, median_ms
from bench.geo.points import Box, Circle, Point, centres, clustered, tenfold, uniform, view
from bench.geo.tiles import Tiles
from bench.stack import running_stack

OUT = Path("build") / "bench" / "geo.json"


class Size(NamedTuple):
    """The numbers of points and questions; ``side`` shrinks the city."""

    opened: int
    closed: int
    side: float
    views: int
    circles: int
    peer_views: int


SIZES = {
    "full": Size(50_000, 1_000_000, 1.0, 60, 100, 12),
    "small": Size(1_500, 6_000, 0.2, 16, 30, 6),
}


class Table:
    """The figures, printed as they are measured."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    def __call__(self, name: str, value: float, bound: float | None = None) -> None:
        """Add and print a figure; the bound is compared with the printed value."""
        shown = round(value, 4)
        limit = {} if bound is None else {"bound": bound, "holds": shown <= bound}
        self.rows[name] = {"value": shown, **limit}
        bound_text = "" if bound is None else f"  (bound {bound:g}, holds: {shown <= bound})"
        print(f"{name:66} {shown:>12,.3f}{bound_text}", flush=True)


def main() -> int:
    """Load, ask, compare, print."""
    parser = argparse.ArgumentParser("python -m bench.geo", description=__doc__)
    parser.add_argument("size", nargs="?", choices=SIZES, default="full")
    parser.add_argument("--open", type=int, help="open reports")
    parser.add_argument("--closed", type=int, help="closed reports")
    options = parser.parse_args()
    size = SIZES[options.size]
    size = size._replace(opened=options.open or size.opened)
    size = size._replace(closed=size.closed if options.closed is None else options.closed)
    table = Table()
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder)) as environment:
        os.environ.update(environment)
        _measure(size, table)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(table.rows, indent=2) + "\n")
    return 0


def _measure(size: Size, table: Table) -> None:
    points = list(clustered(size.opened, size.closed, size.side))
    city = City("clustered", points[: size.opened])
    ours.fill(city.name, points)
    even = City("uniform", list(uniform(size.opened, size.side)))
    ours.fill(even.name, even.opened)
    wrong = _views(table, size, city, even) + _circles(table, size, city)
    wrong += _tiles(table, size, city)
    _cpu(table, size, city)
    _heat(table, points)
    _tenfold(table, size)
    wrong += _peer(table, size, city)
    wrong += _postgis(table, size, city, points)
    table("wrong or missing reports, all of the above", wrong, 0)


def _boxes(city: City, zoom: int, many: int) -> list[Box]:
    return [view(lat, long, zoom) for lat, long in centres(city.opened, many, zoom)]


def _rounds(city: City, many: int, radius: float) -> list[Circle]:
    return [(lat, long, radius) for lat, long in centres(city.opened, many, int(radius))]


def _views(table: Table, size: Size, city: City, even: City) -> int:
    most = wrong = views = 0
    for where, bound in ((city, 1.45), (even, 1.6)):
        whole = Tally()
        for zoom in ZOOMS:
            tally = Tally()
            for box in _boxes(where, zoom, size.views):
                where.view(box, tally)
            name = f"{where.name}, z{zoom}:"
            table(f"{name} rows read / in view", tally.amplification)
            table(f"{name} read units a view", tally.units / tally.asked)
            table(f"{name} answered as counts, of {tally.asked}", tally.truncated)
            most, wrong = max(most, tally.most_calls), wrong + tally.wrong
            views += tally.asked
            whole.read += tally.read
            whole.there += tally.there
        table(f"rows read / in view, {where.name}", whole.amplification, bound)
    table(f"calls of a view z14-18, maximum of {views}", most, 9)
    return wrong


def _circles(table: Table, size: Size, city: City) -> int:
    wrong = 0
    for radius in (50, 100, 250):
        tally = Tally()
        for circle in _rounds(city, size.circles, radius):
            city.circle(circle, tally)
        judged = radius == 100
        name = f"radius {radius} m:"
        table(f"{name} calls, maximum of {tally.asked}", tally.most_calls, 4 if judged else None)
        table(f"{name} rows read / found", tally.amplification, 2.8 if judged else None)
        table(f"{name} read units", tally.units / tally.asked)
        wrong += tally.wrong
    return wrong


def _cpu(table: Table, size: Size, city: City) -> None:
    from chalicelib.domain.map.cover import box_ranges

    models.fill(city.name, city.opened)
    spent = _spent(city, _boxes(city, 16, size.peer_views))
    name = "CPU, z16 view's endpoint"
    table(f"{name}, ms", spent["endpoint"])
    ratio = spent["endpoint"] / spent["unpacked"]
    table(f"{name} / its rows as PynamoDB models", ratio, round(1 / 6, 4))
    ratio = spent["endpoint"] / spent["packed"]
    table(f"{name} / its packed rows as PynamoDB models", ratio)
    ratio = spent["tiles"] / spent["endpoint"]
    table("tile documents, z16: CPU of reading / the endpoint's", ratio)
    every = [box for zoom in ZOOMS for box in _boxes(city, zoom, size.peer_views)]
    cover = cpu_ratio(box_ranges, dynamodb_geo.cover, every)
    table("CPU, cover / s2sphere's RegionCoverer", cover, 0.1)


def _spent(city: City, boxes: list[Box]) -> dict[str, float]:
    """The CPU of a view in milliseconds for each method, measured in a process of its own."""
    command = [sys.executable, "-m", "bench.geo.cpu", city.name]
    with Canned(os.environ["AWS_ENDPOINT_URL"]) as canned:
        printed = run(
            command,
            input_text=json.dumps(boxes),
            env={**os.environ, "AWS_ENDPOINT_URL_DYNAMODB": canned.url},
        )
    milliseconds: dict[str, float] = json.loads(printed.splitlines()[-1])
    return milliseconds


def _heat(table: Table, points: list[Point]) -> None:
    """Compare the heat map of a year with that of a city with one month of reports."""

    def units(city: str, **window: str) -> float:
        return cost_of(ours.ask, "/v1/map/cells", city, **window).units

    name = "clustered"
    table(f"city heat, ever, read units at {len(points)} reports", units(name), 6)
    table("city heat, open now, read units", units(name, status="open"), 6)
    month = {"from": "2026-10-01", "to": "2026-10-31"}
    young = [point for point in points if (point.filed + timedelta(hours=7)).strftime("%m") == "10"]
    ours.fill("october", young)
    old = units(name, **month)
    table("city heat of a month, read units", old, 6)
    ratio = old / units("october", **month)
    table(f"city heat of a month, read units after a year / at {len(young)}", ratio, 1.0)
    tenth = points[:: max(len(points) // 50_000, 10)]
    ours.fill("tenth", tenth)
    ever = units(name) / units("tenth")
    table(f"city heat, ever, read units / at {len(tenth)} reports", ever)


def _tenfold(table: Table, size: Size) -> None:
    base = list(clustered(size.opened // 10, size.opened // 10, size.side, seed=7))
    for name, held in (("one", base), ("ten", list(tenfold(base)))):
        ours.fill(name, held)
    cursors = {name: json.loads(ours.ask("/v1/changes", name))["cursor"] for name in ("one", "ten")}
    opened = [point for point in base if point.closed is None]
    boxes = [view(lat, long, 16) for lat, long in centres(opened, 20)]
    wide = [view(lat, long, 14) for lat, long in centres(opened, 20)]

    def cells(name: str) -> None:
        for box in wide:
            ours.ask("/v1/map/cells", name, bbox=ours.bbox(box))

    questions: dict[str, Callable[[str], object]] = {
        "view": lambda name: [ours.view(name, box) for box in boxes],
        "nearby": lambda name: [
            ours.nearby(name, (*centre, 100.0)) for centre in centres(opened, 20)
        ],
        "cells of a view": cells,
        "changes": lambda name: ours.ask("/v1/changes", name, since=cursors[name]),
    }
    for what, ask in questions.items():
        one, ten = (cost_of(ask, name) for name in ("one", "ten"))
        table(f"{what}, calls at 10x the data", ten.calls / one.calls, 1.1)
        table(f"{what}, read units at 10x the data", ten.units / one.units, 1.1)


def _tiles(table: Table, size: Size, city: City) -> int:
    """The cost of tile documents as an alternative to the index."""
    tiles, wrong = Tiles(city.opened), 0
    for zoom in (14, 16, 18):
        boxes = _boxes(city, zoom, size.peer_views)
        answers = [tiles.box(box) for box in boxes]
        pairs = zip(answers, boxes, strict=True)
        wrong += sum(differing(answer[0], city.truth.box(box)) for answer, box in pairs)
        index = sum(cost_of(ours.view, city.name, box).units for box in boxes)
        table(f"tile documents, z{zoom}: calls", sum(answer[1] for answer in answers) / len(boxes))
        units = sum(answer[2] for answer in answers)
        table(f"tile documents, z{zoom}: read units / the index's", units / index)
    table("tile documents, write units of a change", tiles.write_units())
    return wrong


def _peer(table: Table, size: Size, city: City) -> int:
    boxes, circles = _boxes(city, 16, size.peer_views), _rounds(city, size.peer_views, 100)
    mine, wrong, best = Tally(), 0, float("inf")
    for box in boxes:
        city.view(box, mine)
    for length in (2, 6):
        peer = dynamodb_geo.Peer(city.opened, length)
        for box in boxes:
            wrong += differing(peer.box(box), city.truth.box(box))
        name = f"dynamodbgeo, key length {length}:"
        table(f"{name} calls of a z16 view", peer.cost.calls / len(boxes))
        table(f"{name} rows read / in view", peer.cost.items / max(mine.there, 1))
        table(f"{name} read units of a z16 view", peer.cost.units / len(boxes))
        table(f"{name} start keys that it handed on to another range", peer.cost.leaked)
        best = min(best, peer.cost.units)
        peer.cost.reset()
        for circle in circles:
            wrong += differing(peer.circle(circle), city.truth.circle(circle))
        table(f"{name} calls, radius 100 m", peer.cost.calls / len(circles))
        table(f"{name} read units, radius 100 m", peer.cost.units / len(circles))
    table("read units of a z16 view, ours / dynamodbgeo's better", mine.units / best, 0.2)
    return wrong + mine.wrong


def _postgis(table: Table, size: Size, city: City, points: list[Point]) -> int:
    if reason := postgis.missing():
        print(f"PostGIS is left out: {reason}")
        return 0
    wrong = 0
    with postgis.running(points) as peer:
        for zoom in ZOOMS:
            boxes = _boxes(city, zoom, size.peer_views)
            wrong += sum(differing(peer.box(box), city.truth.box(box)) for box in boxes)
            table(f"PostGIS, z{zoom} view, median ms", median_ms(peer.box, boxes))
        circles = _rounds(city, size.peer_views, 100)
        wrong += sum(
            differing(peer.circle(circle), city.truth.circle(circle)) for circle in circles
        )
        table("PostGIS, radius 100 m, median ms", median_ms(peer.circle, circles))
        heat = median_ms(lambda _: peer.heat(), [None] * 3)
        table(f"PostGIS, heat of {len(points)} reports, median ms", heat)
    boxes = _boxes(city, 16, size.peer_views)
    name = city.name
    conditions = "on the emulator, median ms"
    table(f"ours, z16 view, {conditions}", median_ms(lambda box: ours.view(name, box), boxes))
    table(
        f"ours, radius 100 m, {conditions}",
        median_ms(lambda circle: ours.nearby(name, circle), circles),
    )
    cells = median_ms(lambda _: ours.ask("/v1/map/cells", name), [None] * 5)
    table(f"ours, heat of {len(points)} reports, {conditions}", cells)
    return wrong


if __name__ == "__main__":
    sys.exit(reported(main))
