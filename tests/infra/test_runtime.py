"""What is packed runs on Lambda's Python and its C library."""

import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.deploy import __main__ as command
from infra.deploy import runtime
from infra.deploy.package import Packaged
from infra.deploy.runtime import RuntimeMissing, UnfitWheel
from tests.infra import packed
from tests.infra.packed import of_type

_NEEDED = re.compile(rb"GLIBC_(\d+)\.(\d+)")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """The stage that people use."""
    return packed.packed(tmp_path_factory, "prod")


@pytest.fixture
def fresh() -> Iterator[None]:
    """Look for the interpreter anew, now and after the test."""
    runtime.interpreter.cache_clear()
    yield
    runtime.interpreter.cache_clear()


def files(made: Packaged, ending: str) -> dict[str, bytes]:
    """Name → content of every packed file with an ending."""
    found: dict[str, bytes] = {}
    for archive in (made.code, made.layer):
        with zipfile.ZipFile(archive) as opened:
            found |= {one: opened.read(one) for one in opened.namelist() if one.endswith(ending)}
    return found


def test_functions_and_layer_state_the_python_that_they_were_packed_for(made: Packaged) -> None:
    app = packed.application(made)
    functions = of_type(app, "Serverless::Function").values()
    assert {one["Runtime"] for one in functions} == {runtime.NAME}
    (layer,) = of_type(app, "Serverless::LayerVersion").values()
    assert layer["CompatibleRuntimes"] == [runtime.NAME]


def test_no_compiled_file_is_of_another_python(made: Packaged) -> None:
    """It would be compiled again at each cold start, or not be imported at all."""
    code = "import importlib.util as u, sys; sys.stdout.buffer.write(u.MAGIC_NUMBER)"
    magic = subprocess.run(
        [runtime.interpreter(), "-c", code], capture_output=True, check=True
    ).stdout
    tag = "cpython-{}{}".format(*runtime.VERSION)
    compiled = files(made, ".pyc")
    assert compiled
    for name, content in compiled.items():
        assert f".{tag}." in name
        assert content.startswith(magic), name
    native = [one for one in files(made, ".so") if ".cpython-" in one]
    assert native
    assert all(f".{tag}-" in one for one in native), native


def test_no_library_asks_for_a_newer_c_library_than_lambda_has(made: Packaged) -> None:
    with_glibc = {}
    for archive in (made.code, made.layer):
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                if ".so" in Path(name).name:
                    needed = _NEEDED.findall(opened.read(name))
                    with_glibc[name] = max(((int(a), int(b)) for a, b in needed), default=(0, 0))
    assert {name: one for name, one in with_glibc.items() if one > runtime.GLIBC} == {}
    # Why python3.11 would not do: its Amazon Linux 2 has 2.26, and pictures become WebP.
    assert max(with_glibc.values()) > (2, 26)


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("py3-none-any", True),
        ("py2-none-any", False),
        ("cp313-cp313-manylinux_2_28_aarch64", True),
        ("cp313-cp313-manylinux2014_aarch64", True),
        ("cp313-cp313-manylinux_2_34_aarch64", True),
        ("cp313-cp313-manylinux_2_35_aarch64", False),
        ("cp313-cp313-manylinux_2_28_x86_64", False),
        ("cp313-cp313-musllinux_1_2_aarch64", False),
        ("cp313-cp313-linux_aarch64", False),
        ("cp311-cp311-manylinux_2_28_aarch64", False),
        ("cp313-cp313t-manylinux_2_28_aarch64", False),
        ("cp311-abi3-manylinux_2_28_aarch64", True),
        ("cp314-abi3-manylinux_2_28_aarch64", False),
        ("py3-none-manylinux_2_17_aarch64", True),
    ],
)
def test_a_wheel_fits_by_python_abi_processor_and_c_library(tag: str, fits: bool) -> None:
    assert runtime.fits(tag, "arm64") == fits


def test_a_library_that_does_not_fit_stops_the_packing_and_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "new_thing-1.0.dist-info"
    folder.mkdir()
    (folder / "WHEEL").write_text("Wheel-Version: 1.0\nTag: cp313-cp313-manylinux_2_39_x86_64\n")
    with pytest.raises(UnfitWheel, match=r"new_thing-1\.0 is built for .*glibc 2\.34"):
        runtime.check_wheels(tmp_path, "x86_64")
    (folder / "WHEEL").write_text(
        "Tag: cp313-cp313-manylinux_2_39_x86_64\nTag: cp313-cp313-manylinux_2_28_x86_64\n"
    )
    runtime.check_wheels(tmp_path, "x86_64")


def test_without_that_python_the_command_says_how_to_get_it(
    fresh: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(runtime.VARIABLE, str(tmp_path / "none"))
    assert command.main(["package", "--stage", "dev", "--unmeasured"]) == 1
    said = capsys.readouterr().err
    for part in (runtime.NAME, "apt-get install", "brew install", "pyenv install", "uv python"):
        assert part in said
    with pytest.raises(RuntimeMissing):
        runtime.interpreter()


def test_a_python_of_another_version_is_not_taken(
    fresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / runtime.NAME
    other.write_text("#!/bin/sh\necho 3.9\n")
    other.chmod(0o755)
    monkeypatch.setenv(runtime.VARIABLE, str(other))
    with pytest.raises(RuntimeMissing):
        runtime.interpreter()
    other.write_text("#!/bin/sh\necho {}.{}\n".format(*runtime.VERSION))
    assert runtime.interpreter() == str(other)
