"""Rules that find telephone and identity numbers: those of the city's country, and its own.

No rule is a regular expression (``chalicelib.domain.input.redaction``), so each is fast. A city's
own rule has examples, which are tested.
"""

from typing import Any

from chalicelib.domain.input import redaction
from infra.city.fields import Fields

_EXAMPLES = ("finds", "passes")


def country(fields: Fields) -> str | None:
    """The city's country in city.json, or ``None``."""
    return fields.text("country") or None


def rules(code: str | None, own: Fields | None) -> list[dict[str, Any]]:
    """All rules for the city's texts: general ones, the country's and the city's own."""
    rules = [_plain(rule) for rule in redaction.of_country(code)]
    # A rule that has not the form of one cannot be tried.
    for row in own.each("patterns") if own and own.sound else ():
        rules.append(_rule(row))
    return rules


def _rule(row: Fields) -> dict[str, Any]:
    rule: dict[str, Any] = {"kind": row.text("kind")}
    names = ("shape",) if row.has("shape") else ("digits", "starts", "first", "groups")
    rule |= {name: _whole(value) for name in names if (value := row.raw(name)) is not None}
    digits = rule.get("digits", [0, 0])
    if digits[0] > digits[1]:
        row.fault("digits", "must be the least and the most digits, from 5 to 24")
    else:
        _tried(row, rule, {name: row.texts(name) for name in _EXAMPLES})
    return rule


def _tried(row: Fields, rule: dict[str, Any], examples: dict[str, list[str]]) -> None:
    for text in examples["finds"]:
        if [text[find.start : find.end] for find in redaction.find_personal(text, [rule])] != [
            text
        ]:
            row.fault("finds", f"the rule does not find {text!r}")
    for text in examples["passes"]:
        if redaction.find_personal(text, [rule]):
            row.fault("passes", f"the rule finds something in {text!r}")


def _whole(value: Any) -> Any:
    """The value with whole numbers that are written as 3.0 as 3."""
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) else value


def _plain(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name not in _EXAMPLES}
