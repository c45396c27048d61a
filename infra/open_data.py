"""``python -m infra.open_data``: bring the open data's files up to now, as the schedule does."""

import sys


def main() -> int:
    """Write what has changed, and name it."""
    from chalicelib import clock
    from chalicelib.services import open_data

    print("\n".join(open_data.keep(clock.now())) or "nothing has changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
