"""What people write, made safe to keep: one spelling, nothing invisible, nothing that piles up.

Every string of every request passes ``clean``. It never escapes or shortens anything: how a text
is shown is the matter of the place that shows it.
"""

import re
import unicodedata

from chalicelib.errors import Problem

MAX_BYTES = 8_192
MAX_MARKS = 4

_UNREADABLE = re.compile("[\x00\ud800-\udfff]")
# Controls but tab and newline, and the code points that Unicode keeps out of interchange.
_REFUSED = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")
# Marks of direction (a text must not show in another order than it is stored) and zero widths.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
_JOINERS = re.compile("[\u200c\u200d]+")
_JOINABLE = frozenset("LMS")
_PILED = frozenset({"Mn", "Me"})


def clean(value: str, field: str | None = None) -> str:
    """``value`` as it is stored: NFC, newline-separated lines, without invisible characters.

    Joiners stay where they join letters or emoji. ``clean(clean(x)) == clean(x)``. Raises
    ``Problem``: ``malformed`` for NUL and lone surrogates, ``invalid_field`` (rule ``text``) for
    other controls, more than four combining marks in a row, or more than 8 KB in UTF-8.
    """
    return scrub(value, field)[0]


def scrub(value: str, field: str | None = None) -> tuple[str, bool]:
    """``clean``'s text, and whether something invisible was taken out of it."""
    if value.isascii() and value.isprintable() and len(value) <= MAX_BYTES:
        return value, False
    if _UNREADABLE.search(value):
        raise Problem("malformed", rule="text")
    lines = _LINE_ENDS.sub("\n", value)
    if _REFUSED.search(lines):
        raise Problem("invalid_field", field=field, rule="text")
    visible = _JOINERS.sub(_joiner, _INVISIBLE.sub("", lines))
    text = unicodedata.normalize("NFC", visible)
    if len(text.encode()) > MAX_BYTES or _piles_up(text):
        raise Problem("invalid_field", field=field, rule="text")
    return text, visible != lines


def _joiner(found: re.Match[str]) -> str:
    text, start, end = found.string, found.start(), found.end()
    if end - start > 1 or start == 0 or end == len(text):
        return ""
    sides = (text[start - 1], text[end])
    joins = all(unicodedata.category(side)[0] in _JOINABLE for side in sides)
    return found[0] if joins else ""


def _piles_up(text: str) -> bool:
    marks = 0
    for character in text:
        if unicodedata.category(character) in _PILED:
            marks += 1
            if marks > MAX_MARKS:
                return True
        else:
            marks = 0
    return False
