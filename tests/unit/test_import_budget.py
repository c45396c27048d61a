"""What a cold start may load: imports here make every user wait."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "pydantic", "requests", "moto", "chalice.cli", "aws_xray_sdk", "cryptography", "jwt",
    "shapely", "numpy", "fastjsonschema", "boto3", "offapi", "infra", "jsonschema",
    "PIL", "pi_heif", "shapefile",
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
    """Tokens, validators, other AWS services and the decoder are loaded only where they are
    needed."""
    assert not [name for name in HEAVY if name in loaded]


def test_the_api_runs_without_the_codecs() -> None:
    """They are a layer of the photo function; no other requirement of what ships brings them."""
    root = Path(__file__).parents[2]
    shipped = (root / "requirements.txt").read_text("utf-8").lower()
    assert not {"pillow", "heif"} & set(re.findall(r"[a-z]+", shipped))
    code = (
        "import sys\n"
        "for name in ('PIL', 'pi_heif', 'pillow_heif'): sys.modules[name] = None\n"
        "import app\n"
        "from chalicelib.services.photos import jobs\n"
        "from chalicelib.services.reports import actions, intake\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env=os.environ)


def test_import_app_stays_within_its_number_of_modules(loaded: list[str]) -> None:
    """A new dependency at import shows here first. Our own modules are not counted: a module that
    is split into two costs the same."""
    others = [name for name in loaded if name.partition(".")[0] not in ("app", "chalicelib")]
    assert len(others) < 425
