"""DynamoDB's read units by its published rules; emulators do not count them.

An eventually consistent Query costs half a unit for each 4 KB that it reads, at least half a unit.
It reads everything that the index has of an item, even if it asks for a part.
"""

from math import ceil
from typing import Any

PAGE = 4096


def value_size(value: dict[str, Any]) -> int:
    """The bytes of an attribute's value, as text or bytes."""
    kind: str
    held: str
    kind, held = next(iter(value.items()))
    if kind == "N":
        digits = held.lstrip("-").replace(".", "").strip("0") or "0"
        return (len(digits) + 1) // 2 + 1 + held.startswith("-")
    if kind == "S":
        return len(held.encode())
    if kind == "B":
        return len(held)
    if kind in ("NULL", "BOOL"):
        return 1
    raise ValueError(kind)


def item_size(item: dict[str, Any]) -> int:
    """The bytes of an item: names and values."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def read_units(size: int) -> float:
    """The read units of a page of ``size`` bytes, eventually consistent."""
    return max(1, ceil(size / PAGE)) / 2
