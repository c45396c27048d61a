"""The demo's own local stack, in its own folder, with one city loaded."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.row_types import StaffRecord
from infra.demo import rows
from infra.demo.rows import Row
from infra.local.schedules import Clock
from infra.local.stack import LocalStack

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
CITIES = ROOT / "infra" / "cities"
_VARIABLE = "TANGGAP_JURISDICTION"


@dataclass(frozen=True)
class Stage:
    """A running stack with its city; background functions run by hand, the clock stands still."""

    stack: LocalStack
    staff: list[StaffRecord]
    agencies: list[str]
    rows: list[Row]
    source: str


@contextmanager
def stage(data: Path | None, seed: int, keep: Path | None) -> Iterator[Stage]:
    """The stage for the archive in ``data``, or for made-up reports without one.

    Its data stay in the folder ``keep``, which is emptied first; without one they are deleted.
    """
    folder = CITIES / ("jakarta" if data else "demo")
    if not keep:
        with tempfile.TemporaryDirectory(prefix="tanggap-demo-") as kept:
            yield from _played(Path(kept), folder, data, seed)
        return
    shutil.rmtree(keep, ignore_errors=True)
    yield from _played(keep, folder, data, seed)


def _played(kept: Path, folder: Path, data: Path | None, seed: int) -> Iterator[Stage]:
    with (
        _jurisdiction(str(json.loads((folder / "city.json").read_bytes())["jurisdiction"])),
        LocalStack(kept, clock=Clock(rows.START, 0), drivers="manual", city=None) as stack,
    ):
        yield _prepared(stack, folder, data, seed)


def _prepared(stack: LocalStack, folder: Path, data: Path | None, seed: int) -> Stage:
    # Storage makes its AWS clients when it is imported, so it has to come after the stack.
    from chalicelib.services.city import cities
    from chalicelib.settings import settings
    from chalicelib.storage import city as store
    from infra.city.load import load_folder

    load_folder(folder, data / "jakarta" if data else None)
    stack.call_directly()
    stack.handle_together()
    name = settings().jurisdiction
    city = cities.current(name, stack.clock.now())
    if data:
        taken, source = rows.archive(data, city.services), f"{rows.REPORTS.name}, source qlue"
    else:
        boundaries = cities.boundaries(name, city.version)
        taken, source = rows.made_up(boundaries, seed, city.services), "made up"
    agencies = [code for code in rows.words()["agencies"] if code in city.units]
    return Stage(stack, store.all_staff(name), agencies, taken, source)


@contextmanager
def _jurisdiction(name: str) -> Iterator[None]:
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = name
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE, None)
        if before is not None:
            os.environ[_VARIABLE] = before
