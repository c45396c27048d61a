"""Measures the cost and the correctness of the map's answers."""

import json
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.geo import ours
from bench.geo.points import Box, Circle, Point
from bench.geo.truth import Truth
from chalicelib.domain.map.tiles import tile, tiles

ZOOMS = (14, 15, 16, 17, 18)
_BATCHES = 5


@dataclass
class Tally:
    """The sums of many questions of one kind."""

    asked: int = 0
    most_calls: int = 0
    calls: int = 0
    read: int = 0
    there: int = 0
    units: float = 0.0
    wrong: int = 0
    truncated: int = 0

    def add(self, cost: ours.Cost, there: int, wrong: int) -> None:
        """Add one answer."""
        self.asked += 1
        self.most_calls = max(self.most_calls, cost.calls)
        self.calls += cost.calls
        self.read += cost.items
        self.there += there
        self.units += cost.units
        self.wrong += wrong

    @property
    def amplification(self) -> float:
        """Rows read for each row in the answer."""
        return self.read / max(self.there, 1)


@dataclass
class City:
    """A city of the bench: its open points by brute force, and by id."""

    name: str
    opened: list[Point]
    truth: Truth = field(init=False)
    ids: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.truth = Truth(self.opened)
        self.ids = {ours.ulid(point): point.number for point in self.opened}

    def view(self, box: Box, tally: Tally) -> None:
        """Ask for a box and compare."""
        with ours.Cost() as cost:
            answer = json.loads(ours.view(self.name, box))
        right = self.truth.box(box)
        if answer.get("truncated"):
            tally.truncated += 1
            tally.add(cost, len(right), self._miscounted(answer["cells"]["cells"], box, right))
            return
        numbers = Counter(self.ids.get(row["id"], -1) for row in answer["features"])
        tally.add(cost, len(right), _differing(numbers, right))

    def circle(self, circle: Circle, tally: Tally) -> None:
        """Ask for a circle and compare."""
        with ours.Cost() as cost:
            answer = json.loads(ours.nearby(self.name, circle))
        right = self.truth.circle(circle)
        numbers = Counter(self.ids.get(row["id"], -1) for row in answer["reports"])
        if answer.get("truncated"):
            # The answer has only the nearest reports.
            tally.truncated += 1
            right = [point for point in right if point.number in numbers]
        tally.add(cost, len(right), _differing(numbers, right))

    def _miscounted(self, cells: list[list[int]], box: Box, right: list[Point]) -> int:
        """The error of the counts: of the box, or of all cells that it touches."""
        counts = {(x, y): n for x, y, n in cells}
        if counts == _counted(right):
            return 0
        left, top, last_x, last_y = tiles(box, 16)
        whole = {
            (x, y): n
            for (x, y), n in _counted(self.opened).items()
            if left <= x <= last_x and top <= y <= last_y
        }
        return sum(
            abs(counts.get(key, 0) - whole.get(key, 0)) for key in counts.keys() | whole.keys()
        )


def _counted(points: list[Point]) -> Counter[tuple[int, int]]:
    return Counter(tile(point.lat7 / 1e7, point.long7 / 1e7, 16) for point in points)


def _differing(numbers: Counter[int], right: list[Point]) -> int:
    """The number of missing, wrong and repeated reports."""
    wanted = Counter(point.number for point in right)
    return (numbers - wanted).total() + (wanted - numbers).total()


def differing(numbers: list[int], right: list[Point]) -> int:
    """The same for a peer's answer."""
    return _differing(Counter(numbers), right)


def cost_of(action: Callable[..., object], *arguments: Any, **more: Any) -> ours.Cost:
    """The DynamoDB calls and units of an action."""
    with ours.Cost() as cost:
        action(*arguments, **more)
    return cost


def cpu_ratio(
    one: Callable[[Any], object], other: Callable[[Any], object], questions: list[Any]
) -> float:
    """CPU of one function divided by CPU of the other for the same questions (median)."""
    ratios = []
    for _ in range(_BATCHES):
        spent = []
        for action in (one, other):
            start = time.process_time()
            for each in questions:
                action(each)
            spent.append(time.process_time() - start)
        ratios.append(spent[0] / spent[1])
    return statistics.median(ratios)


def median_ms(action: Callable[[Any], object], questions: list[Any]) -> float:
    """The median wall time of a call, in milliseconds."""
    times = []
    for each in questions:
        start = time.perf_counter()
        action(each)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)
