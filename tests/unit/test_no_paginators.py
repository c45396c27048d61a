"""What is deployed has no paginators of botocore: they are pruned from the package."""

from pathlib import Path

STORAGE = Path(__file__).parents[2] / "chalicelib" / "storage"
# Run where a city is loaded, with botocore whole.
ELSEWHERE = {"topics.py"}


def test_no_function_asks_botocore_for_a_paginator() -> None:
    found = {
        path.name for path in STORAGE.glob("*.py") if "get_paginator(" in path.read_text()
    }  # fmt: skip
    assert found == ELSEWHERE
