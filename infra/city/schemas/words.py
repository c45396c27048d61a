"""The schemas of patterns.json, successors.json and messages/<language>.json."""

from chalicelib.domain.input.redaction import MOST_GROUPS
from chalicelib.services.platform.catalogue import SHIPPED, city_texts, optional_texts
from infra.city.schemas.parts import (
    Schema,
    by_code,
    choice,
    common,
    file,
    formed,
    many,
    record,
    whole,
)

KINDS = ("areas", "units", "services")
_MOST_RULES = 50
_MOST_SUCCESSORS = 20
_NUMERIC = ("digits", "starts", "first", "groups")
_START = "must be digits that such a number begins with"

_RULE = record(
    {
        "kind": choice(("phone", "identity"), "What such a number is."),
        "shape": formed(
            "^[A9 ./-]{5,40}$",
            "must be 5 to 40 of A (letter), 9 (digit), space . / -",
            "A for a letter, 9 for a digit, a space for a separator that may be missing.",
        ),
        "digits": many(
            whole(5, 24, "A number of digits."),
            "The least and the most digits.",
            minItems=2,
            maxItems=2,
            errorMessage="must be the least and the most digits, from 5 to 24",
        ),
        "starts": many(
            formed(r"^\+?[0-9]{0,6}$", _START),
            "The digits with which such a number may begin.",
            minItems=1,
            uniqueItems=True,
            errorMessage=_START,
        ),
        "first": whole(1, 24, "The least digits of the first group."),
        "groups": {
            "type": ["array", "null"],
            "description": "The only ways in which the digits may stand together.",
            "minItems": 1,
            "errorMessage": "must be lists of how many digits stand together",
            "items": many(
                whole(1, 24, "A number of digits."),
                minItems=1,
                maxItems=MOST_GROUPS,
                errorMessage=f"must be 1 to {MOST_GROUPS} numbers of digits",
            ),
        },
        "finds": common("words", "Texts that must be found as a whole."),
        "passes": common("words", "Texts in which nothing may be found."),
    },
    ["kind", "finds"],
) | {
    "if": {"required": ["shape"]},
    "then": {"properties": dict.fromkeys(_NUMERIC, False)},
    "else": {"required": ["digits"]},
}
PATTERNS: Schema = file(
    "patterns.json",
    "How telephone and identity numbers look in this city, beside those of its country.",
    {
        "patterns": many(
            _RULE,
            "The rules.",
            maxItems=_MOST_RULES,
            errorMessage=f"may have at most {_MOST_RULES} rules",
        )
    },
    ["patterns"],
)


def _successors(most: int, about: str) -> Schema:
    heirs: Schema = {
        "type": ["string", "array"],
        "description": "The code, or a list of the codes, that stand for it now.",
        "pattern": r"\S",
        "items": common("text"),
        "minItems": 1,
        "maxItems": most,
        "uniqueItems": True,
        "errorMessage": f"must be a code or a list of codes, not more than {most}",
    }
    return by_code(heirs, about, propertyNames=common("code"))


SUCCESSORS: Schema = file(
    "successors.json",
    "What became of codes that the city no longer has.",
    {
        "areas": _successors(
            _MOST_SUCCESSORS, "By codes of wards. A ward that was divided has several successors."
        ),
        "units": _successors(1, "By codes of units."),
        "services": _successors(1, "By codes of services."),
    },
)


def messages() -> Schema:
    """The schema of messages/<language>.json: every message, with its English text."""
    texts = {**city_texts(), **optional_texts()}
    return file(
        "messages/<language>.json",
        "What the city says in a language of its own. Each text has the same {places} as the "
        "one that it replaces.",
        {key: common("text", each[SHIPPED]) for key, each in sorted(texts.items())},
    )
