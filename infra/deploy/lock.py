"""``make lock``: write what ships, with the digest of each file, into requirements*.lock.

uv, in an environment of its own, finds the versions. The files contain versions and digests but no
addresses, so that any mirror can be used.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from infra.deploy import runtime

ROOT = Path(__file__).parents[2]
# The Python version of Lambda, not of this process.
PYTHON = "{}.{}".format(*runtime.VERSION)
LOCKS = {
    "requirements.lock": "requirements.txt",
    "requirements-photos.lock": "requirements-photos.txt",
}
HEAD = (
    "# Written by make lock from {source}; do not edit. What is deployed is installed from this.\n"
)


def needed(source: str) -> str:
    """The shipped requirements of a list; packing adds the runtime part of Chalice."""
    lines = (ROOT / source).read_text("utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith(("#", "chalice=="))]
    return "\n".join([*kept, ""])


def _locked(uv: Path, source: str, held: str, upgrade: bool) -> str:
    words = [
        str(uv), "pip", "compile", "--quiet", "--universal", "--python-version", PYTHON,
        "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url",
        "--no-emit-find-links", *(["--upgrade"] if upgrade else []), "-",
    ]  # fmt: skip
    if held and not upgrade:
        words += ["--constraint", held]
    return subprocess.run(
        words, input=needed(source), capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout


def main(arguments: list[str] | None = None) -> int:
    """Write the files again; without ``--upgrade`` unpinned libraries keep their version."""
    parser = argparse.ArgumentParser(
        "python -m infra.deploy.lock", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--uv", type=Path, required=True, help="the uv to ask")
    parser.add_argument("--upgrade", action="store_true", help="take the newest that fits")
    options = parser.parse_args(arguments)
    for name, source in LOCKS.items():
        path = ROOT / name
        held = str(path) if path.exists() else ""
        locked = _locked(options.uv, source, held, options.upgrade)
        path.write_text(HEAD.format(source=source) + locked, "utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
