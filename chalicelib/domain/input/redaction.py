"""Finds and masks e-mail addresses, telephone and identity numbers in a text, by a city's rules.

A rule is data and not a regular expression, so no rule can be slow on any text: ``{"kind",
"starts", "digits", "first", "groups"}`` for numbers, ``{"kind", "shape"}`` for numbers with letters
(``A`` a letter, ``9`` a digit, a space an optional separator). Links to maps and coordinates are
kept: places are not personal data.
"""

import re
from functools import cache
from typing import Any, NamedTuple

from chalicelib import rules

SHOWN = "[…]"
EMAIL = "email"
_GROUP = re.compile(r"[0-9]+")
_BETWEEN = re.compile(r"[ \u00a0.\-\u2013/()]{1,3}")
_AT = re.compile(r"@")
_LOCAL = re.compile(r"[\w.!#$%&'*+=?^`{|}~-]{1,64}\Z")
_DOMAIN = re.compile(r"[^\W_](?:[\w-]|\.(?=[^\W_])){0,188}")
_TOP = re.compile(r"(?:[^\W\d_]{2,63}|xn--[a-z0-9-]{1,59})\Z", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|geo:)\S{1,2048}", re.IGNORECASE)
_PAIR = re.compile(
    r"@?[-+]?[0-9]{1,3}[.][0-9]{2,10}\s{0,2}[,;/]\s{0,2}[-+]?[0-9]{1,3}[.][0-9]{2,10}"
    r"(?:,[0-9]{1,3}(?:[.][0-9]{1,2})?z)?"
)
_DECIMAL = re.compile(r"(?<![0-9.])(?:0|[1-9][0-9]{0,2})[.][0-9]{4,15}(?![0-9]|[.\- ][0-9])")
MOST_GROUPS = 8
Rule = dict[str, Any]


class Find(NamedTuple):
    """Personal data in a text, in characters: from ``start`` up to ``end``."""

    start: int
    end: int
    kind: str


@cache
def defaults() -> dict[str, Any]:
    """rules/patterns.json: {"maps": […], "countries": {"*": [rule], "ID": [rule], …}}."""
    table: dict[str, Any] = rules.load("patterns")
    return table


def of_country(country: str | None) -> list[Rule]:
    """The rules for every country and those of one country (ISO 3166, ``ID``)."""
    countries = defaults()["countries"]
    return [*countries["*"], *(countries.get(country, ()) if country else ())]


def find_personal(text: str, rules: list[Rule]) -> list[Find]:
    """The personal data in a text, in order, without overlaps."""
    spared = _spared(text)
    finds = [*_emails(text), *_numbers(text, rules)]
    for rule in rules:
        if "shape" in rule:
            shape = _shape(rule["shape"])
            finds += [Find(*match.span(), rule["kind"]) for match in shape.finditer(text)]
    kept: list[Find] = []
    for find in sorted(finds, key=lambda find: (find.start, -find.end)):
        free = not kept or kept[-1].end <= find.start
        is_place = find.kind != EMAIL and any(a < find.end and find.start < z for a, z in spared)
        if free and not is_place:
            kept.append(find)
    return kept


def redact(text: str, rules: list[Rule]) -> str:
    """The text with ``SHOWN`` in place of all personal data."""
    return mask(text, [(find.start, find.end) for find in find_personal(text, rules)])


def mask(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with ``SHOWN`` in place of each span; spans must not overlap."""
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]}{SHOWN}{text[end:]}"
    return text


def _spared(text: str) -> list[tuple[int, int]]:
    """The spans of links to maps and of coordinates, which are kept."""
    maps = defaults()["maps"]
    links = [
        link.span()
        for link in _LINK.finditer(text)
        if any(host in link[0].lower() for host in maps)
    ]
    pairs = [pair.span() for pair in _PAIR.finditer(text)]
    return [*links, *pairs, *(number.span() for number in _DECIMAL.finditer(text))]


def _emails(text: str) -> list[Find]:
    finds = []
    for at in _AT.finditer(text):
        local = _LOCAL.search(text[max(0, at.start() - 64) : at.start()])
        domain = _DOMAIN.match(text, at.end())
        if local and domain and "." in domain[0] and _TOP.search(domain[0].rpartition(".")[2]):
            finds.append(Find(at.start() - len(local[0]), domain.end(), EMAIL))
    return finds


def _numbers(text: str, rules: list[Rule]) -> list[Find]:
    numeric = [rule for rule in rules if "digits" in rule]
    finds: list[Find] = []
    for run in _runs(text):
        start = 0
        while start < len(run):
            match = _longest(text, run, start, numeric)
            if match is None:
                start += 1
                continue
            finds.append(match[0])
            start = match[1]
    return finds


def _runs(text: str) -> list[list[re.Match[str]]]:
    """Groups of digits with only a separator between them."""
    runs: list[list[re.Match[str]]] = []
    end = -1
    for group in _GROUP.finditer(text):
        if runs and end >= 0 and _BETWEEN.fullmatch(text, end, group.start()):
            runs[-1].append(group)
        else:
            runs.append([group])
        end = group.end()
    return runs


def _longest(
    text: str, run: list[re.Match[str]], start: int, rules: list[Rule]
) -> tuple[Find, int] | None:
    """The longest number that starts with a group and fits a rule, and the group after it."""
    begin = run[start].start()
    if begin and text[begin - 1].isalnum():
        return None
    while begin and text[begin - 1] in "(+" and run[start].start() - begin < 2:
        begin -= 1
    plus = "+" in text[begin : run[start].start()]
    for last in range(min(len(run), start + MOST_GROUPS) - 1, start - 1, -1):
        end = run[last].end()
        if end < len(text) and text[end].isalnum():
            continue
        groups = [group[0] for group in run[start : last + 1]]
        for rule in rules:
            if _fits(groups, plus, rule):
                return Find(begin, end, rule["kind"]), last + 1
    return None


def _fits(groups: list[str], plus: bool, rule: Rule) -> bool:
    digits = "".join(groups)
    low, high = rule["digits"]
    number = f"+{digits}" if plus else digits
    sizes = rule.get("groups")
    return (
        low <= len(digits) <= high
        and any(number.startswith(prefix) for prefix in rule.get("starts", [""]))
        and len(groups[0]) >= (1 if plus else rule.get("first", 1))
        and (plus or sizes is None or [len(group) for group in groups] in sizes)
    )


@cache
def _shape(shape: str) -> re.Pattern[str]:
    parts = {"A": "[A-Z]", "9": "[0-9]", " ": "[ .-]?"}
    body = "".join(parts.get(char, re.escape(char)) for char in shape)
    return re.compile(rf"(?<![^\W_]){body}(?![^\W_])", re.IGNORECASE)
