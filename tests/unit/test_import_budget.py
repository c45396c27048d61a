"""What a cold start may load: weight here is everybody's waiting time."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = (
    "pydantic", "requests", "moto", "chalice.cli", "aws_xray_sdk", "cryptography", "jwt",
    "shapely", "numpy", "fastjsonschema", "boto3", "offapi", "infra", "jsonschema",
)  # fmt: skip


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    """The modules that a fresh interpreter has after ``import app``."""
    code = "import app, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_import_app_loads_nothing_heavy(loaded: list[str]) -> None:
    """Tokens, validators, other AWS services and the workshop are loaded where they are needed."""
    assert not [name for name in HEAVY if name in loaded]


def test_import_app_stays_within_its_number_of_modules(loaded: list[str]) -> None:
    """A new dependency at import shows here first."""
    assert len(loaded) < 700
