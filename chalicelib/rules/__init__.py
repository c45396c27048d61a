"""The rules that ship, as data: each file of this folder is read here and nowhere else."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def load(name: str) -> Any:
    """What the file ``<name>.json`` holds; ``FileNotFoundError`` where there is none."""
    return json.loads((FOLDER / f"{name}.json").read_bytes())


@cache
def names(folder: str) -> tuple[str, ...]:
    """The names, as ``load`` takes them, of the files of a folder within this one."""
    return tuple(sorted(path.stem for path in (FOLDER / folder).glob("*.json")))
