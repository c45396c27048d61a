"""``python -m infra.demo``: plays, prints the summary, writes the document."""

import argparse
import json
import logging
import sys
from pathlib import Path

from infra.demo.play import DAYS, Plan
from infra.demo.run import Run, broken
from infra.demo.show import summary
from infra.demo.stage import ROOT, SHARED, stage
from infra.local.emulator import StackError

SEED = 2017


def main(given: list[str] | None = None) -> int:
    """Play the demo; its exit status: 1 if something that must hold does not."""
    options = _parser().parse_args(given)
    logging.basicConfig(level="WARNING", format="%(levelname)s %(name)s: %(message)s")
    data = options.data or (SHARED if SHARED.is_dir() else None)
    try:
        with stage(None if options.made_up else data, options.seed, options.keep) as place:
            run = Run(
                place, place.rows[: options.limit], Plan(options.seed, options.share, options.days)
            )
            found = run.play(options.twice)
    except KeyboardInterrupt:
        return 130
    except (OSError, StackError) as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    print(summary(found, run.names, run.seconds))
    print(f"written to {options.out}")
    failures = broken(found)
    for promise in failures:
        print(f"does not hold: {promise}", file=sys.stderr)
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m infra.demo", description=__doc__)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", type=Path, help=f"where the real data lie ({SHARED})")
    source.add_argument("--made-up", action="store_true", help="as if there were no real data")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--limit", type=int, help="file only the first so many reports")
    parser.add_argument("--share", type=float, default=1.0, help="of reports anybody acts on")
    parser.add_argument("--days", type=int, default=DAYS, help="played after the last filing")
    parser.add_argument("--twice", action="store_true", help="send every request a second time")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo.json")
    parser.add_argument("--keep", type=Path, help="where the stack's data stay afterwards")
    return parser


if __name__ == "__main__":
    sys.exit(main())
