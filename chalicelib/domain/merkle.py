"""A Merkle tree as in RFC 6962: one hash stands for a list, and a short path proves one item.

Tests: tests/unit/test_merkle.py
"""

import hashlib
from collections.abc import Sequence

EMPTY = hashlib.sha256(b"").hexdigest()
LEFT, RIGHT = "left", "right"
# (the side of the other hash, the other hash), from the leaf upwards.
Path = list[tuple[str, str]]


def leaf(data: bytes) -> str:
    """The hash of one item, in hex."""
    return hashlib.sha256(b"\x00" + data).hexdigest()


def root(leaves: Sequence[str]) -> str:
    """The hash of a list of leaves."""
    return _levels(leaves)[-1][0] if leaves else EMPTY


def path(leaves: Sequence[str], index: int) -> Path:
    """The path from leaf number ``index`` to the root."""
    steps: Path = []
    for level in _levels(leaves)[:-1]:
        other = index ^ 1
        # The last hash of a level of odd length goes up alone.
        if other < len(level):
            steps.append((LEFT if other < index else RIGHT, level[other]))
        index //= 2
    return steps


def climb(start: str, steps: Path) -> str:
    """The root to which a leaf's path leads."""
    for side, other in steps:
        start = _node(other, start) if side == LEFT else _node(start, other)
    return start


def _levels(leaves: Sequence[str]) -> list[list[str]]:
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = [_node(*below[n : n + 2]) for n in range(0, len(below) - 1, 2)]
        levels.append(pairs + below[len(pairs) * 2 :])
    return levels


def _node(left: str, right: str) -> str:
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()
