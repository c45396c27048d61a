"""The rules that ship, as data: each file of this folder is read here and nowhere else."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def load(name: str) -> Any:
    """What the file ``<name>.json`` holds; ``FileNotFoundError`` where there is none."""
    return json.loads((FOLDER / f"{name}.json").read_bytes())
