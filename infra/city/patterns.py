"""Rules that find telephone and identity numbers: those of the city's country, and its own.

No rule is a regular expression (``chalicelib.domain.input.redaction``), so each is fast. A city's
own rule has examples, which are tested.
"""

import re
from typing import Any

from chalicelib.domain.input import redaction
from infra.city.fields import Fields

KINDS = ("phone", "identity")
_COUNTRY = re.compile(r"^[A-Z]{2}$")
_SHAPE = re.compile(r"^[A9 ./-]{5,40}$")
_START = re.compile(r"^\+?[0-9]{0,6}$")
_MOST = 50
_EXAMPLES = ("finds", "passes")


def country(one: Fields) -> str | None:
    """The city's country in city.json, or ``None``."""
    if not one.has("country"):
        return None
    return one.text("country", pattern=_COUNTRY, form="two capital letters of ISO 3166") or None


def rules(code: str | None, own: Fields | None) -> list[dict[str, Any]]:
    """All rules for the city's texts: general ones, the country's and the city's own."""
    rules = [_plain(rule) for rule in redaction.of_country(code)]
    rows = own.each("patterns") if own else []
    if own and len(rows) > _MOST:
        own.fault("patterns", f"may have at most {_MOST} rules")
    for row in rows:
        rules.append(_rule(row))
        row.close()
    if own:
        own.close()
    return rules


def _rule(row: Fields) -> dict[str, Any]:
    rule: dict[str, Any] = {"kind": row.choice("kind", KINDS)}
    if row.has("shape"):
        rule["shape"] = row.text(
            "shape", pattern=_SHAPE, form="5 to 40 of A (letter), 9 (digit), space . / -"
        )
        good = bool(_SHAPE.match(rule["shape"]))
    else:
        good = _number(row, rule)
    examples = {name: row.texts(name, required=name == "finds") for name in _EXAMPLES}
    if good:
        _tried(row, rule, examples)
    return rule


def _number(row: Fields, rule: dict[str, Any]) -> bool:
    digits, groups = row.raw("digits"), row.raw("groups", required=False)
    good = _whole(digits, 2) and 5 <= digits[0] <= digits[1] <= 24
    if not good:
        row.fault("digits", "must be the least and the most digits, from 5 to 24")
    rule["digits"] = digits
    if row.has("starts"):
        rule["starts"] = row.texts("starts")
        if not rule["starts"] or not all(_START.match(one) for one in rule["starts"]):
            row.fault("starts", "must be digits that such a number begins with")
            good = False
    if row.has("first"):
        rule["first"] = int(row.number("first", 1, 24, whole=True))
    if groups is not None:
        rule["groups"] = groups
        if not isinstance(groups, list) or not groups or not all(_whole(one) for one in groups):
            row.fault("groups", "must be lists of how many digits stand together")
            good = False
    return good


def _tried(row: Fields, rule: dict[str, Any], examples: dict[str, list[str]]) -> None:
    for text in examples["finds"]:
        if [text[one.start : one.end] for one in redaction.find_personal(text, [rule])] != [text]:
            row.fault("finds", f"the rule does not find {text!r}")
    for text in examples["passes"]:
        if redaction.find_personal(text, [rule]):
            row.fault("passes", f"the rule finds something in {text!r}")


def _whole(value: Any, size: int | None = None) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) <= redaction.MOST_GROUPS
        and size in (None, len(value))
        and all(isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in value)
    )


def _plain(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name not in _EXAMPLES}
