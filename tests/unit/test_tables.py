"""The tables' models and their one client."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EVERYTHING = """
import importlib, pkgutil
import chalicelib
for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
    if "__main__" not in module.name:
        importlib.import_module(module.name)
import app
from chalicelib.storage import tables
assert tables.connection()._client is None
"""


def _run(code: str, **environment: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, env={**kept, **nowhere, **environment}
    )


def test_every_module_can_be_imported_without_any_aws() -> None:
    """A tool, a test or an editor needs no region and no credentials, and no client is made."""
    _run(EVERYTHING)


def test_on_lambda_the_client_is_made_while_the_function_starts() -> None:
    """So that the first request does not wait for the client."""
    _run(
        "import app\nfrom chalicelib.storage import tables\n"
        "assert tables.connection()._client is not None",
        AWS_LAMBDA_FUNCTION_NAME="api", AWS_DEFAULT_REGION="ap-southeast-3",
    )  # fmt: skip
