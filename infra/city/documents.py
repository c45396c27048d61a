"""Reads JSON and CSV files; every object and row knows its line."""

import csv
import io
import json
import json.decoder
import json.scanner
from bisect import bisect_right
from pathlib import Path
from typing import Any

from infra.city import other_formats
from infra.city.findings import Findings

_LARGEST = 200_000_000


class Node(dict[str, Any]):
    """A JSON object with its first line and its repeated keys."""

    line: int = 0
    repeated: tuple[str, ...] = ()


class _Decoder(json.JSONDecoder):
    """Python's own decoder with ``Node`` objects; slow, so only for small files."""

    def __init__(self, text: str) -> None:
        super().__init__()
        starts = [0, *(index + 1 for index, sign in enumerate(text) if sign == "\n")]
        modules: Any = (json.decoder, json.scanner)
        read = modules[0].JSONObject

        def parse(start: tuple[str, int], *options: Any) -> tuple[Node, int]:
            strict, scan, _, _, memo = (*options, None)[:5]
            node, end = read(start, strict, scan, None, _node, memo)
            node.line = bisect_right(starts, start[1] - 1)
            return node, end

        self.parse_object = parse
        self.scan_once = modules[1].py_make_scanner(self)


def _node(pairs: list[tuple[str, Any]]) -> Node:
    node = Node(pairs)
    names = [name for name, _ in pairs]
    node.repeated = tuple(sorted({name for name in names if names.count(name) > 1}))
    return node


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not a number of JSON")


def read_json(path: Path, findings: Findings) -> Any:
    """The file's value, its objects as ``Node``s; ``None`` and a finding if it cannot be read."""
    text = _text(path, findings)
    if text is None:
        return None
    try:
        decoder = _Decoder(text)
        decoder.parse_constant = _constant
        return _whole(decoder.decode(text), text, path, findings)
    except json.JSONDecodeError as fault:
        findings.add(f"{path.name}:{fault.lineno}", "", f"is not JSON: {fault.msg}")
    except (ValueError, RecursionError) as fault:
        findings.add(path.name, "", f"is not JSON: {fault}")
    return None


def _whole(value: Any, text: str, path: Path, findings: Findings) -> Any:
    """The value, or ``None`` and a finding if a text in it cannot be stored."""
    if r"\ud" in text.lower() and (where := other_formats.lone_surrogate(value)) is not None:
        findings.add(path.name, where, "has half of a character, as \\ud800 is")
        return None
    return value


def read_large_json(path: Path, findings: Findings) -> Any:
    """Like ``read_json``, but fast and without lines; for GeoJSON, whose features have numbers."""
    seen = Findings()
    text = _text(path, seen)
    value = None
    try:
        value = json.loads(text) if text is not None else None
    except json.JSONDecodeError as fault:
        seen.add(f"{path.name}:{fault.lineno}", "", f"is not JSON: {fault.msg}")
    except (ValueError, RecursionError) as fault:
        seen.add(path.name, "", f"is not JSON: {fault}")
    if seen.lines:
        other = other_formats.of_file(path) if path.is_file() else None
        if other:
            findings.add(path.name, "", other)
        else:
            findings.lines += seen.lines
        return None
    return _whole(value, text or "", path, findings)


def read_csv(path: Path, columns: tuple[str, ...], findings: Findings) -> list[Node]:
    """The rows of a CSV file with exactly these columns, in any order."""
    text = _text(path, findings)
    if text is None:
        return []
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if sorted(reader.fieldnames or ()) != sorted(columns):
        findings.add(f"{path.name}:1", "", f"the columns must be {', '.join(columns)}")
        return []
    rows = []
    for row in reader:
        if None in row or None in row.values():
            findings.add(f"{path.name}:{reader.line_num}", "", f"must have {len(columns)} fields")
            continue
        node = Node({name: value.strip() for name, value in row.items()})
        node.line = reader.line_num
        rows.append(node)
    return rows


def _text(path: Path, findings: Findings) -> str | None:
    try:
        if path.stat().st_size > _LARGEST:
            findings.add(path.name, "", f"is larger than {_LARGEST} bytes")
            return None
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        findings.add(path.name, "", "is missing")
    except UnicodeDecodeError as fault:
        findings.add(path.name, "", f"is not UTF-8 at byte {fault.start}")
    except OSError as fault:
        findings.add(path.name, "", f"cannot be read: {fault.strerror}")
    return None
