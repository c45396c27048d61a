"""Identifiers and random bytes; tests replace the source to repeat a history."""

import math
import os
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime

from ulid import ULID

_bytes: Callable[[int], bytes] = os.urandom
CODE_LETTERS = 8
_LOOK_ALIKES = str.maketrans("OIL", "011")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTER = "[0-9A-HJKMNP-TV-Z]"
# Regular expressions of an id and of a tracking code.
PATTERN = f"{_LETTER}{{26}}"
CODE_PATTERN = f"{_LETTER}{{4}}-{_LETTER}{{4}}"


def token_bytes(count: int) -> bytes:
    """``count`` unpredictable bytes."""
    return _bytes(count)


def new_ulid(now: datetime) -> str:
    """A sortable id of 26 characters: milliseconds of ``now``, then 80 random bits."""
    return str(ULID.from_bytes(int(now.timestamp() * 1000).to_bytes(6, "big") + token_bytes(10)))


def moment(ulid: str) -> datetime:
    """The moment at which an id was made."""
    return datetime.fromtimestamp(ULID.from_str(ulid).milliseconds / 1000, UTC)


def floor(moment: datetime) -> str:
    """The lowest possible id of ``moment``: it sorts after all ids that were made earlier."""
    milliseconds = max(0, min(math.ceil(moment.timestamp() * 1000), (1 << 48) - 1))
    return str(ULID.from_bytes(milliseconds.to_bytes(6, "big") + bytes(10)))


def new_code() -> str:
    """A random tracking code, ``XXXX-XXXX``, easy to read out on the phone."""
    letters = "".join(_CROCKFORD[byte & 31] for byte in token_bytes(CODE_LETTERS))
    return f"{letters[:4]}-{letters[4:]}"


def code_of(text: str) -> str | None:
    """The tracking code in what somebody typed; ``None`` if it is none.

    Any case, with or without dash and spaces; O, I and L count as the digits 0, 1 and 1.
    """
    plain = re.sub(r"[\s-]|%20", "", text).upper().translate(_LOOK_ALIKES)
    letters = len(plain) == CODE_LETTERS and set(plain) <= set(_CROCKFORD)
    return f"{plain[:4]}-{plain[4:]}" if letters else None


def use(source: random.Random | None) -> None:
    """Draw from ``source`` from now on (``None`` restores the system's randomness)."""
    global _bytes
    _bytes = source.randbytes if source else os.urandom
