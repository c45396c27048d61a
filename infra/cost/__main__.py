"""``make cost``: measure, compute, print, and write build/cost.json."""

import json
import sys
from pathlib import Path
from typing import Any

from infra.cost import bill

OUT = Path("build") / "cost.json"


def main() -> int:
    """Print the bills and write them."""
    from infra.cost import replay

    found = bill.compared(replay.run())
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=2) + "\n")
    print(table(found))
    return 0


def table(found: dict[str, Any]) -> str:
    """The bills for a terminal."""
    bills = found["bills"]
    lines = [f"{'dollars a month':22}" + "".join(f"{name:>14}" for name in bills)]
    for item in next(iter(bills.values()))["items"]:
        dollars = [one["items"][item] for one in bills.values()]
        lines.append(f"{item:22}" + "".join(f"{one:>14,.2f}" for one in dollars))
    lines.append(f"{'all':22}" + "".join(f"{one['month']:>14,.2f}" for one in bills.values()))
    lines.append(f"at rest {found['at_rest']:.2f}; prices of {found['as_of']}, {found['region']}")
    for name, about in found["others"].items():
        lines.append(f"beside it, {name}: {about['month']:,.2f} ({about['what']})")
    for name, one in bills.items():
        said = ", ".join(one["cheaper"]) or "nothing named here"
        lines.append(f"cheaper than ours for {name}: {said}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
