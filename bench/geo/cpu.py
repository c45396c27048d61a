"""Prints the CPU of a view's endpoint and of its rows as models, as JSON.

The argument is a city's name; the boxes are JSON on standard input.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.geo import models, ours
from bench.geo.tiles import read

TURNS = 5


def main(city: str) -> None:
    """Each method in turn: the median in milliseconds a view."""
    boxes = [tuple(box) for box in json.load(sys.stdin)]
    ways: dict[str, Callable[[Any], object]] = {
        "endpoint": lambda box: ours.view(city, box),
        "packed": lambda box: models.packed(city, box),
        "unpacked": lambda box: models.unpacked(city, box),
        "tiles": read,
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(TURNS + 1):
        for name, ask in ways.items():
            start = time.process_time()
            for box in boxes:
                ask(box)
            # The first turn only fills the recorded answers.
            if turn:
                spent[name].append(1000 * (time.process_time() - start) / len(boxes))
    print(json.dumps({name: statistics.median(times) for name, times in spent.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
