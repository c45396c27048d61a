"""The Python of Lambda: its version, its glibc, a matching interpreter here, and fitting wheels.

The zip holds compiled files and native libraries, so it is made for one version of Python and one C
library; the Python that runs the packing does not matter. Amazon Linux 2023, on which the runtimes
from python3.12 on stand, has glibc 2.34 (python3.11 stood on Amazon Linux 2 with 2.26, which is too
old for the photo libraries).
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

VERSION = (3, 13)
NAME = "python{}.{}".format(*VERSION)
GLIBC = (2, 34)
# Names an interpreter that is at none of the usual places.
VARIABLE = "LAMBDA_PYTHON"
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_PLATFORM = re.compile(r"manylinux_(\d+)_(\d+)_(\w+)")
_OLD_PLATFORMS = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_ABI3 = re.compile(r"cp3(\d+)")
_SAY = "import sys; print('%d.%d' % sys.version_info[:2])"


class RuntimeMissing(Exception):
    """This machine lacks the Python of Lambda; the text says how to get it."""


class UnfitWheel(Exception):
    """A library does not run on Lambda's runtime."""


@cache
def interpreter() -> str:
    """A Python of Lambda's version on this machine. Raises ``RuntimeMissing``."""
    for candidate in _candidates():
        if _version(candidate) == "{}.{}".format(*VERSION):
            return candidate
    raise RuntimeMissing(
        f"AWS Lambda runs our code with {NAME}, and this machine has none to compile it for that.\n"
        f"Get it:  apt-get install {NAME}   (Debian, Ubuntu)\n"
        f"         brew install python@{VERSION[0]}.{VERSION[1]}   (Mac)\n"
        f"         pyenv install {VERSION[0]}.{VERSION[1]}   or   "
        f"uv python install {VERSION[0]}.{VERSION[1]}\n"
        f"or name one with {VARIABLE}=/path/to/{NAME}."
    )


def _candidates() -> Iterator[str]:
    if named := os.environ.get(VARIABLE):
        yield named
        return
    yield sys.executable
    if path := shutil.which(NAME):
        yield path
    folders = {
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions": "",
        Path.home() / ".local/share/uv/python": "cpython-",
        Path("/opt/homebrew/opt"): "python@",
        Path("/usr/local/opt"): "python@",
    }
    for folder, begins in folders.items():
        versions = sorted(folder.glob(f"{begins}{VERSION[0]}.{VERSION[1]}*/bin/{NAME}"))
        yield from map(str, reversed(versions))


def _version(candidate: str) -> str | None:
    try:
        done = subprocess.run([candidate, "-c", _SAY], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def pip_options(architecture: str) -> list[str]:
    """What tells pip to choose wheels for Lambda, not for this machine."""
    machine = MACHINES[architecture]
    platforms = [f"manylinux2014_{machine}"]
    platforms += [f"manylinux_2_{minor}_{machine}" for minor in range(17, GLIBC[1] + 1)]
    version = "{}.{}".format(*VERSION)
    abi = "cp{}{}".format(*VERSION)
    return [
        "--only-binary=:all:", "--implementation", "cp", "--python-version", version,
        *(word for tag in (abi, "abi3", "none") for word in ("--abi", tag)),
        *(word for platform in platforms for word in ("--platform", platform)),
    ]  # fmt: skip


def check_wheels(folder: Path, architecture: str) -> None:
    """Check that each library installed in a folder runs on Lambda. Raises ``UnfitWheel``."""
    for wheel in sorted(folder.glob("*.dist-info/WHEEL")):
        tags = re.findall(r"^Tag: *(\S+)$", wheel.read_text("utf-8"), re.MULTILINE)
        if not any(fits(tag, architecture) for tag in tags):
            name = wheel.parent.name.removesuffix(".dist-info")
            glibc = "{}.{}".format(*GLIBC)
            raise UnfitWheel(
                f"{name} is built for {', '.join(tags)}; Lambda's {NAME} ({architecture}) "
                f"has glibc {glibc}"
            )


def fits(tag: str, architecture: str) -> bool:
    """Whether a wheel with this tag (``cp313-cp313-manylinux_2_28_x86_64``) runs on Lambda."""
    python, abi, platform = tag.split("-")
    return _python_fits(python, abi) and _platform_fits(platform, MACHINES[architecture])


def _python_fits(python: str, abi: str) -> bool:
    if abi == "none":
        # Pure Python, or a library that does not depend on Python's version.
        own = "cp{}{}".format(*VERSION)
        return python in ("py3", f"py{VERSION[0]}{VERSION[1]}", own)
    if abi == "abi3":
        since = _ABI3.fullmatch(python)
        return since is not None and int(since[1]) <= VERSION[1]
    return python == abi == "cp{}{}".format(*VERSION)


def _platform_fits(platform: str, machine: str) -> bool:
    if platform == "any":
        return True
    name, _, of = platform.partition("_")
    if name in _OLD_PLATFORMS:
        return of == machine
    match = _PLATFORM.fullmatch(platform)
    return match is not None and match[3] == machine and (int(match[1]), int(match[2])) <= GLIBC
