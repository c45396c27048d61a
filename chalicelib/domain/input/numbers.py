"""Numbers that clients write as text: in ASCII digits, finite, in decimal notation.

Python's own ``float`` also accepts ``nan``, ``inf``, ``1_0`` and the digits of every script.
"""

import math
import re

_NUMBER = re.compile(r"[+-]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})([eE][+-]?[0-9]{1,3})?")


def read(text: str) -> float:
    """The number in a text; spaces around it are allowed. Raises ``ValueError``."""
    if not _NUMBER.fullmatch(text.strip(" \t\r\n")):
        raise ValueError("no number")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("too large")
    return number or 0.0
