"""``python -m infra.ops open-data``: write the open data's files now, as the schedule does."""

import sys


def main() -> int:
    """Write the changed files and print their names."""
    from chalicelib import clock
    from chalicelib.services.open_data import publishing

    print("\n".join(publishing.publish(clock.now())) or "nothing has changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
