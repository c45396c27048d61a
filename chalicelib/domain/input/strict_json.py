"""The only reader of JSON from requests: it refuses everything that is not plain and small.

Python's own reader accepts ``NaN``, ``1e999``, duplicate keys and a list as the root, and deep
nesting ends in a RecursionError. This one returns a ``dict`` or raises ``Problem``.
"""

import json
import math
import re
from typing import Any, NoReturn

from chalicelib.errors import Problem

MAX_BYTES = 65_536
MAX_DEPTH = 16
MAX_KEYS = 200
MAX_ITEMS = 100
MAX_NUMBER = 20

# A string matches as a whole, closed or not. So the scan never goes back and stays linear.
_TOKENS = re.compile(rb'"(?:[^"\\]+|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")


def parse(raw: bytes) -> dict[str, Any]:
    """The JSON object in ``raw``.

    Raises ``Problem``: ``too_large`` above ``MAX_BYTES``; ``malformed``, with the broken rule in
    its member ``rule``, for anything else than one object in UTF-8 within the limits of this
    module, without duplicate keys, NUL, lone surrogates, and numbers that a float cannot hold.
    """
    if len(raw) > MAX_BYTES:
        raise Problem("too_large", limit=MAX_BYTES)
    _check_depth(raw)
    reader = _Reader()
    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=reader.pairs,
            parse_int=_integer,
            parse_float=_real,
            parse_constant=_constant,
        )
    except ValueError:
        _refuse("syntax")
    if not isinstance(value, dict):
        _refuse("object")
    _check_values(value)
    return value


class _Reader:
    """Counts the keys of one document while it is read."""

    def __init__(self) -> None:
        self.keys = 0

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self.keys += len(pairs)
        if self.keys > MAX_KEYS:
            _refuse("keys")
        members = dict(pairs)
        if len(members) < len(pairs):
            _refuse("duplicate_key")
        return members


def _check_depth(raw: bytes) -> None:
    depth = 0
    for token in _TOKENS.finditer(raw):
        first = raw[token.start()]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                _refuse("depth")
        elif first in b"]}":
            depth -= 1


def _check_values(value: Any) -> None:
    if isinstance(value, str):
        if _UNREADABLE.search(value):
            _refuse("text")
    elif isinstance(value, dict):
        for key, member in value.items():
            _check_values(key)
            _check_values(member)
    elif isinstance(value, list):
        if len(value) > MAX_ITEMS:
            _refuse("items")
        for item in value:
            _check_values(item)


def _integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER:
        _refuse("number")
    return int(digits)


def _real(digits: str) -> float:
    if len(digits) > MAX_NUMBER:
        _refuse("number")
    value = float(digits)
    underflow = value == 0 and re.search("[1-9]", re.split("[eE]", digits)[0])
    if underflow or not math.isfinite(value):
        _refuse("number")
    return value or 0.0


def _constant(_name: str) -> NoReturn:
    _refuse("number")


def _refuse(rule: str) -> NoReturn:
    raise Problem("malformed", rule=rule)
