"""``python -m infra.demo``: play, print the results, write the document."""

import argparse
import gc
import json
import logging
import sys
from pathlib import Path

from infra.demo.play import DAYS, Plan
from infra.demo.run import Run, checks
from infra.demo.show import ending, summary
from infra.demo.stage import ROOT, SHARED, stage
from infra.emulator.emulator import StackError

SEED = 2017


def main(arguments: list[str] | None = None) -> int:
    """Play the demo; the exit status is 1 if a check fails."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level="WARNING", format="%(levelname)s %(name)s: %(message)s")
    # The emulator keeps all data as small objects, which every collection visits.
    gc.set_threshold(100_000, 50, 100)
    data = options.data or (SHARED if SHARED.is_dir() else None)
    plan = Plan(options.seed, options.share, options.days)
    try:
        with stage(None if options.made_up else data, options.seed, options.keep) as prepared:
            run = Run(prepared, prepared.rows[: options.limit], plan)
            document = run.play(options.twice)
    except KeyboardInterrupt:
        return 130
    except (OSError, StackError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    results = checks(document)
    print(summary(document, run.names, run.seconds))
    print(f"written to {options.out}")
    print(f"\n{ending(document, results)}")
    return 0 if all(results.values()) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m infra.demo", description=__doc__)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", type=Path, help=f"folder of the real data ({SHARED})")
    source.add_argument(
        "--made-up", action="store_true", help="use made-up reports, not the real data"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--limit", type=int, help="file only the first LIMIT reports")
    parser.add_argument(
        "--share", type=float, default=1.0, help="share of reports that anybody acts on"
    )
    parser.add_argument("--days", type=int, default=DAYS, help="days played after the last filing")
    parser.add_argument("--twice", action="store_true", help="send every request a second time")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo.json")
    parser.add_argument("--keep", type=Path, help="folder in which the stack's data are kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
