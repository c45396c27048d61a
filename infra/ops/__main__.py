"""``python -m infra.ops``: see ``infra.ops.commands``."""

import sys

from infra.ops.commands import main

if __name__ == "__main__":
    sys.exit(main())
