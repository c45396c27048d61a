"""Compares the public map (views and counters) with the answers at the end of the demo."""

from math import atan, degrees, pi, sinh
from typing import Any

from infra.demo.courier import Courier

_SIDE = 0.0879
_EDGE = 1e-7


def read(courier: Courier, accepted: int, opened: int) -> dict[str, Any]:
    """The reports in all views and cells of the city, and whether they agree with the answers."""
    cells = courier.get("/v1/map/cells?z=16").body
    still = courier.get("/v1/map/cells?z=16&status=open").body
    shown: set[str] = set()
    views = list(_views([(x, y) for x, y, _ in still["cells"]]))
    for box in views:
        answer = courier.get(f"/v1/map/reports?bbox={box}").body
        shown |= {feature["id"] for feature in answer["features"]}
    return {
        "received": cells["total"],
        "open": still["total"],
        "cells": len(cells["cells"]),
        "shown": len(shown),
        "views": len(views),
        "agree": (cells["total"], still["total"], len(shown)) == (accepted, opened, opened),
    }


def _views(cells: list[tuple[int, int]]) -> list[str]:
    """Boxes of the largest size that together cover all cells."""
    if not cells:
        return []
    west, east = (_long(x) for x in (min(c[0] for c in cells), max(c[0] for c in cells) + 1))
    north, south = (_lat(y) for y in (min(c[1] for c in cells), max(c[1] for c in cells) + 1))
    boxes = []
    bottom = south - _EDGE
    while bottom < north:
        left = west - _EDGE
        while left < east:
            box = (left, bottom, left + _SIDE, bottom + _SIDE)
            boxes.append(",".join(f"{edge:.9f}" for edge in box))
            left += _SIDE
        bottom += _SIDE
    return boxes


def _long(x: int) -> float:
    return x / 65_536 * 360 - 180


def _lat(y: int) -> float:
    return degrees(atan(sinh(pi * (1 - 2 * y / 65_536))))
