"""E-mail addresses, telephone and identity numbers of people in a text, by a city's own rules.

A rule is data, and no regular expression: ``{"kind", "starts", "digits", "first", "groups"}`` for
numbers, ``{"kind", "shape"}`` for numbers with letters (``A`` a letter, ``9`` a digit, a space an
optional separator). So no rule can take long on any text. Places are no persons: links to maps and
coordinates stay as they are.
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
    """Where something personal stands, in characters: from ``start`` up to ``end``."""

    start: int
    end: int
    kind: str


@cache
def defaults() -> dict[str, Any]:
    """rules/patterns.json: {"maps": […], "countries": {"*": [rule], "ID": [rule], …}}."""
    found: dict[str, Any] = rules.load("patterns")
    return found


def of_country(country: str | None) -> list[Rule]:
    """What is looked for everywhere, and in a country (ISO 3166, ``ID``)."""
    countries = defaults()["countries"]
    return [*countries["*"], *(countries.get(country, ()) if country else ())]


def find_personal(text: str, rules: list[Rule]) -> list[Find]:
    """What is personal in a text, in its order, nothing twice."""
    spared = _spared(text)
    found = [*_emails(text), *_numbers(text, rules)]
    for rule in rules:
        if "shape" in rule:
            shape = _shape(rule["shape"])
            found += [Find(*one.span(), rule["kind"]) for one in shape.finditer(text)]
    kept: list[Find] = []
    for one in sorted(found, key=lambda find: (find.start, -find.end)):
        free = not kept or kept[-1].end <= one.start
        mapped = one.kind != EMAIL and any(a < one.end and one.start < z for a, z in spared)
        if free and not mapped:
            kept.append(one)
    return kept


def redact(text: str, rules: list[Rule]) -> str:
    """The text with ``SHOWN`` in the place of every find."""
    return mask(text, [(one.start, one.end) for one in find_personal(text, rules)])


def mask(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with ``SHOWN`` in the place of each span; spans do not overlap."""
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]}{SHOWN}{text[end:]}"
    return text


def _spared(text: str) -> list[tuple[int, int]]:
    """Links to maps, and coordinates."""
    maps = defaults()["maps"]
    links = [
        one.span() for one in _LINK.finditer(text) if any(place in one[0].lower() for place in maps)
    ]
    pairs = [one.span() for one in _PAIR.finditer(text)]
    return [*links, *pairs, *(one.span() for one in _DECIMAL.finditer(text))]


def _emails(text: str) -> list[Find]:
    found = []
    for at in _AT.finditer(text):
        local = _LOCAL.search(text[max(0, at.start() - 64) : at.start()])
        domain = _DOMAIN.match(text, at.end())
        if local and domain and "." in domain[0] and _TOP.search(domain[0].rpartition(".")[2]):
            found.append(Find(at.start() - len(local[0]), domain.end(), EMAIL))
    return found


def _numbers(text: str, rules: list[Rule]) -> list[Find]:
    numeric = [rule for rule in rules if "digits" in rule]
    found: list[Find] = []
    for run in _runs(text):
        start = 0
        while start < len(run):
            one = _longest(text, run, start, numeric)
            if one is None:
                start += 1
                continue
            found.append(one[0])
            start = one[1]
    return found


def _runs(text: str) -> list[list[re.Match[str]]]:
    """Groups of digits that stand together, with but a separator between them."""
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
    """The longest number that begins with a group and that a rule knows, and where to go on."""
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
        groups = [one[0] for one in run[start : last + 1]]
        for rule in rules:
            if _fits(groups, plus, rule):
                return Find(begin, end, rule["kind"]), last + 1
    return None


def _fits(groups: list[str], plus: bool, rule: Rule) -> bool:
    digits = "".join(groups)
    low, high = rule["digits"]
    known = f"+{digits}" if plus else digits
    sizes = rule.get("groups")
    return (
        low <= len(digits) <= high
        and any(known.startswith(one) for one in rule.get("starts", [""]))
        and len(groups[0]) >= (1 if plus else rule.get("first", 1))
        and (plus or sizes is None or [len(one) for one in groups] in sizes)
    )


@cache
def _shape(shape: str) -> re.Pattern[str]:
    parts = {"A": "[A-Z]", "9": "[0-9]", " ": "[ .-]?"}
    body = "".join(parts.get(one, re.escape(one)) for one in shape)
    return re.compile(rf"(?<![^\W_]){body}(?![^\W_])", re.IGNORECASE)
