"""Services are loaded at their first use, as a Lambda function does it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def in_new_interpreter(code: str, **environment: str) -> Any:
    """What ``code`` prints as JSON."""
    outside = {name: text for name, text in os.environ.items() if not name.startswith("AWS_LAMBDA")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, cwd=ROOT, env={**outside, **environment},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def test_a_cold_start_loads_few_services() -> None:
    """Those whose types and limits the routes' declarations need."""
    code = """
import importlib.util, json, sys
import app
named = [name for name in sys.modules if name.startswith("chalicelib.services.")]
services = [sys.modules[name] for name in named]
late = [module for module in services if type(module) is importlib.util._LazyModule]
print(json.dumps([len(services), len(late)]))
"""
    services, late = in_new_interpreter(code, AWS_LAMBDA_FUNCTION_NAME="api_handler")
    assert late > services / 2


def test_each_service_loads_when_its_first_name_is_read() -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "chalicelib" / "services").rglob("*.py"))
        if path.name != "__init__.py"
    ]
    code = f"""
from chalicelib import lazy_services
lazy_services.install()
import importlib, json
modules = [importlib.import_module(name) for name in {names!r}]
print(json.dumps([module.__doc__ is not None for module in modules]))
"""
    assert in_new_interpreter(code) == [True] * len(names)


def test_a_developers_machine_loads_everything_at_once() -> None:
    """A mistake at import shows when the program starts, and threads share finished modules."""
    code = """
import importlib.util, json, sys
import app
print(json.dumps([n for n, m in sys.modules.items() if type(m) is importlib.util._LazyModule]))
"""
    assert in_new_interpreter(code) == []
