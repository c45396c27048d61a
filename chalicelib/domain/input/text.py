"""Cleans texts from people: one spelling (NFC), nothing invisible, no stacks of marks.

Every string of every request passes ``clean``, and each text of Open311 ``mended``. Neither ever
escapes a text: that is up to the code that shows the text.
"""

import re
import unicodedata

from chalicelib.errors import Problem

MAX_BYTES = 8_192
MAX_MARKS = 4

_UNREADABLE = re.compile("[\x00\ud800-\udfff]")
# Control characters except tab and newline, and Unicode noncharacters.
_REFUSED = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")
# Zero-width characters, and marks of direction: a text must be shown in the order it is stored.
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
    """The cleaned text, and whether invisible characters were removed."""
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


def mended(value: str) -> str:
    """The text of another system, cleaned. What ``clean`` would refuse is left out, because nobody
    there could correct it; the size is up to the caller."""
    readable = _REFUSED.sub("", _LINE_ENDS.sub("\n", _UNREADABLE.sub("", value)))
    visible = _JOINERS.sub(_joiner, _INVISIBLE.sub("", readable))
    kept, marks = [], 0
    for character in unicodedata.normalize("NFC", visible):
        marks = marks + 1 if unicodedata.category(character) in _PILED else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def _joiner(match: re.Match[str]) -> str:
    text, start, end = match.string, match.start(), match.end()
    if end - start > 1 or start == 0 or end == len(text):
        return ""
    sides = (text[start - 1], text[end])
    joins = all(unicodedata.category(side)[0] in _JOINABLE for side in sides)
    return match[0] if joins else ""


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


CSV_MEDIA = "text/csv; charset=utf-8"
# First in a CSV file. Without it Excel reads UTF-8 as Windows-1252.
BOM = "\ufeff"
# What a spreadsheet takes for the beginning of a formula, also behind spaces and in full width.
_FORMULA = re.compile("^[\\s\u200b\u3000]*[=+\\-@\t\r\n\x00＝＋－＠]")


def no_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, CSV injection): an apostrophe before
    one that would. Everything that is written as CSV goes through here."""
    return f"'{text}" if _FORMULA.match(text) else text
