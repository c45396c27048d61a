"""``make cost``: count, compute, print, and write build/cost.json.

python -m infra.cost           the bills, with the CPU seconds in infra/cost/cpu.json
python -m infra.cost --cpu     measure these CPU seconds again first, on an idle machine
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.cost import bill

OUT = Path("build") / "cost.json"


def main(arguments: list[str] | None = None) -> int:
    """Print the bills and write them."""
    from infra.cost import replay

    parser = argparse.ArgumentParser("python -m infra.cost", description="What a month costs.")
    parser.add_argument("--cpu", action="store_true", help="measure the CPU seconds again first")
    options = parser.parse_args(arguments)
    units, seconds = replay.run()
    if options.cpu:
        bill.keep_cpu(seconds, datetime.now(UTC).date().isoformat())
    document = bill.compared(units, bill.cpu())
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(document, indent=2) + "\n")
    print(table(document))
    return 0


def table(document: dict[str, Any]) -> str:
    """The bills for a terminal."""
    bills = document["bills"]
    lines = [f"{'dollars a month':22}" + "".join(f"{name:>14}" for name in bills)]
    for item in next(iter(bills.values()))["items"]:
        dollars = [month["items"][item] for month in bills.values()]
        lines.append(f"{item:22}" + "".join(f"{amount:>14,.2f}" for amount in dollars))
    lines.append(f"{'all':22}" + "".join(f"{month['month']:>14,.2f}" for month in bills.values()))
    lines.append(f"without any use: {document['at_rest']:.2f}")
    lines.append(f"prices of {document['as_of']}, {document['region']}")
    lines.append(f"CPU as measured on {document['cpu_measured']} (again: --cpu)")
    for name, about in document["others"].items():
        lines.append(f"for comparison, {name}: {about['month']:,.2f} ({about['what']})")
    for name, month in bills.items():
        cheaper = ", ".join(month["cheaper"]) or "none of these"
        lines.append(f"cheaper than ours for {name}: {cheaper}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
