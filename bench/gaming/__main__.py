"""``python -m bench.gaming``: the gain of each trick, to build/bench/gaming.json.

``--seeds 20 --sizes 15 60 200 500 --tricks NAME … --workers 2``. Equal arguments give equal files.
``--set weighing=1 shrink_n=40``: other settings of the scoring than the demo city's.
``--no-references`` leaves out the honest districts of the outsider's trial. With one worker, all
runs in this process.
"""

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bench.failures import reported
from bench.gaming import figures, quick
from bench.gaming.catalogue import TRICKS
from bench.gaming.simulation import settings

OUT = Path("build") / "bench" / "gaming.json"
SEEDS, SIZES, WORKERS = 20, (15, 60, 200, 500), 2
# The size of the city in which the references are judged, as in the outsider's trial.
_REFERENCE_SIZE = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all seeds and sizes, print the table and write the report."""
    options = _options(arguments)
    names = options.tricks or list(TRICKS)
    sizes = sorted(options.sizes, reverse=True)
    changed = dict(options.set)
    beside = _REFERENCE_SIZE if _REFERENCE_SIZE in sizes else sizes[0]
    tasks = [
        (seed, n, names, changed, options.references and n == beside)
        for n in sizes
        for seed in range(1, options.seeds + 1)
    ]
    if options.workers == 1:
        runs = [_run(task) for task in tasks]
    else:
        with ProcessPoolExecutor(options.workers, initializer=_prepare) as pool:
            runs = list(pool.map(_run, tasks))
    report = figures.document(runs, names, changed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    print(figures.table(report))
    return 0


def _prepare() -> None:
    quick.install()
    # A city has some hundred thousand objects that live until its last trick.
    gc.disable()


def _run(task: tuple[int, int, Sequence[str], dict[str, float], bool]) -> figures.Run:
    seed, n, names, changed, references = task
    gc.collect()
    return figures.run(seed, n, names, changed, references=references)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def _setting(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        value = float(number)
        settings({name: value})
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name, int(value) if value.is_integer() else value


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.gaming", description=__doc__)
    parser.add_argument("--seeds", type=_count, default=SEEDS)
    parser.add_argument("--sizes", type=_count, nargs="+", default=SIZES)
    parser.add_argument("--tricks", nargs="+", choices=list(TRICKS))
    parser.add_argument("--set", type=_setting, nargs="+", default=[], metavar="NAME=NUMBER")
    parser.add_argument("--references", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--workers", type=_count, default=WORKERS)
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(reported(main))
