"""``make package``: pack a stage, check the result, and print its sizes.

Writes ``build/package.json``. Cold starts are measured with the x86_64 build of the same sources,
which differs only in native libraries.
"""

import json
import platform
import shutil
from typing import Any

from infra.deploy import coldstart
from infra.deploy.application import functions
from infra.deploy.names import environment
from infra.deploy.package import BUILD, Packaged, package, sizes

MEGABYTE = 1_000_000
CODE_AT_MOST = 12 * MEGABYTE
LAYER_AT_MOST = 12 * MEGABYTE
# As a multiple of the CPU of a zip that makes one boto3 client.
API_AT_MOST = 1.2
OTHERS_AT_MOST = 1.5
_OURS = {"x86_64": "x86_64", "aarch64": "arm64"}


def main(stage: str) -> int:
    """Pack, measure, print and write. Returns 1 if a zip is too large.

    Cold starts have no limit: even the least of several depends on the machine's load.
    """
    made = package(stage)
    report = measured(made)
    (BUILD / "package.json").write_text(json.dumps(report, indent=2) + "\n")
    print(table(report))
    sizes_hold = (
        target["holds"] for target in report["targets"] if not target["name"].startswith("cold ")
    )
    return 0 if all(sizes_hold) else 1


def measured(made: Packaged) -> dict[str, Any]:
    """{"stage", "code", "layer", "cold_start", "targets"}."""
    code, layer = sizes(made.code), sizes(made.layer)
    starts = cold_starts(made)
    ratios = coldstart.summary(starts)
    targets = [
        _target("code, zipped", code["zipped"], CODE_AT_MOST),
        _target("layer of photos, zipped", layer["zipped"], LAYER_AT_MOST),
        *(
            _target(
                f"cold start of {name}", ratio, API_AT_MOST if name == "app" else OTHERS_AT_MOST
            )
            for name, ratio in ratios.items()
        ),
    ]
    return {
        "stage": made.stage,
        "code": code,
        "layer": layer,
        "cold_start_cpu_ms": starts,
        "targets": targets,
    }


def _target(name: str, value: float, limit: float) -> dict[str, Any]:
    return {"name": name, "value": value, "at_most": limit, "holds": value <= limit}


def cold_starts(made: Packaged) -> dict[str, float]:
    """Least CPU ms of each function's start on this machine's own kind of processor."""
    folder = made.folder.with_name(f"{made.folder.name}-measured")
    here = package(made.stage, _OURS[platform.machine()], folder)
    # The API's handler is the application itself.
    handlers = ["app" if function == "api_handler" else function for function in functions()]
    times = coldstart.compared(
        here.code,
        ["app.app" if handler == "app" else f"app.{handler}" for handler in handlers],
        environment(made.stage),
    )
    shutil.rmtree(folder)
    return {
        name.removeprefix("app.") if name != "bare" else name: milliseconds
        for name, milliseconds in times.items()
    }


def table(report: dict[str, Any]) -> str:
    """The targets for a terminal."""
    lines = [f"{'':40} {'value':>12} {'at most':>12}"]
    for target in report["targets"]:
        mark = "" if target["holds"] else "  MISSED"
        lines.append(f"{target['name']:40} {target['value']:>12,} {target['at_most']:>12,}{mark}")
    code, layer = report["code"], report["layer"]
    lines.append(f"unzipped: code {code['unzipped']:,} bytes, with the layer "
                 f"{code['unzipped'] + layer['unzipped']:,} (AWS: 262,144,000)")  # fmt: skip
    lines.append(
        f"cold starts in CPU of one boto3 client ({report['cold_start_cpu_ms']['bare']:.0f} ms)"
    )
    return "\n".join(lines)
