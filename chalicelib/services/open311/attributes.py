"""The attributes of a form of GeoReport: answers to the questions of a service, and others.

Tests: tests/integration/test_post.py
"""

import re
from collections.abc import Mapping

from chalicelib.domain.city.city import City
from chalicelib.domain.city.service import Question, Service
from chalicelib.domain.input import numbers
from chalicelib.domain.input.text import mended
from chalicelib.domain.open311 import georeport
from chalicelib.domain.open311.georeport import InvalidArgument
from chalicelib.domain.timestamps import iso

Answer = str | float | list[str]
# The name of the inside text with the attributes that no question asks for.
WORD = "attributes"
# The answers to questions that the service does not ask, in all.
LONGEST_OTHERS = 4000
# PHP numbers the values of a list.
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,64})\](\[[0-9]{0,4}\])?")


def read(arguments: Mapping[str, list[str]], faults: list[InvalidArgument]) -> dict[str, list[str]]:
    """{code: texts} of a form's attributes; empty texts are left out. Adds to ``faults``."""
    values: dict[str, list[str]] = {}
    for name, texts in arguments.items():
        match = _ATTRIBUTE.fullmatch(name)
        if name.startswith("attribute[") and not match:
            faults.append(
                InvalidArgument("attribute", "must be attribute[CODE] or attribute[CODE][]")
            )
        if match:
            values.setdefault(match[1], []).extend(text for text in texts if text.strip())
    return values


def answers(
    service: Service, values: Mapping[str, list[str]], city: City, faults: list[InvalidArgument]
) -> dict[str, Answer]:
    """The answers to the service's questions. Adds to ``faults``."""
    answered: dict[str, Answer] = {}
    for question in service.questions:
        texts = values.get(question.code, [])
        if not texts:
            if question.required:
                faults.append(InvalidArgument(question.code, "required"))
            continue
        try:
            answered[question.code] = value(question, texts, city)
        except InvalidArgument as invalid:
            faults.append(invalid)
    return answered


def others(values: Mapping[str, list[str]], service: Service | None = None) -> str:
    """The attributes that the service does not ask for, one in a line, for officials to read.
    Without a service, as with an update: all of them.

    FixMyStreet sends its own number of the problem and the place in its country's grid so.
    """
    codes = {question.code for question in service.questions} if service else set()
    lines = [
        # A line break in a value would begin an attribute that nobody sent.
        " ".join(f"{code}: {', '.join(texts)}".split())
        for code, texts in values.items()
        if texts and code not in codes
    ]
    # Cut first: cleaning megabytes takes a second.
    return mended("\n".join(lines)[:LONGEST_OTHERS]).strip()


def value(question: Question, texts: list[str], city: City) -> Answer:
    """The answer to a question in a client's texts. Raises ``InvalidArgument``."""
    keys = {option.key for option in question.options}
    code, text = question.code, texts[-1].strip()
    if question.type == "multivaluelist":
        if not keys.issuperset(texts):
            raise InvalidArgument(code, f"must be of {', '.join(sorted(keys))}")
        return texts
    if question.type == "singlevaluelist" and text not in keys:
        raise InvalidArgument(code, f"must be one of {', '.join(sorted(keys))}")
    if question.type == "number":
        try:
            number = numbers.read(text)
        except ValueError:
            number = float("inf")
        if abs(number) > 1e15:
            raise InvalidArgument(code, "must be a number")
        return number
    if question.type == "datetime":
        return iso(georeport.moment(text, city.zone, code))
    return mended(text)
