"""Service attributes: the answers to a service's questions, checked by type.

Tests: tests/integration/test_intake.py
"""

from typing import Any

from chalicelib.domain.city.service import Question, Service
from chalicelib.domain.input import moments
from chalicelib.errors import Problem

LONGEST = 500


def check(service: Service, answers: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """(values for the head, free texts), each by the question's code.

    Free texts are stored apart, where they can be erased. Numbers become decimal text, since events
    hold integers only. Raises ``Problem``: unknown_question, answer_missing, answer_invalid.
    """
    questions = {question.code: question for question in service.questions}
    for code in answers:
        if code not in questions:
            raise Problem("unknown_question", field="answers", questions=sorted(questions))
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for code, question in questions.items():
        value = answers.get(code)
        if value is None or value == "" or value == []:
            if question.required:
                raise Problem("answer_missing", field=f"answers.{code}")
        elif question.type == "text":
            texts[code] = _text(question, value)
        else:
            values[code] = _value(question, value)
    return values, texts


def _text(question: Question, value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise _invalid(question)
    return value


def _value(question: Question, value: Any) -> Any:
    keys = {option.key for option in question.options}
    if question.type == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        return format(value, ".15g")
    if question.type == "singlevaluelist" and isinstance(value, str) and value in keys:
        return value
    if (
        question.type == "multivaluelist"
        and isinstance(value, list)
        and keys.issuperset(map(str, value))
    ):
        return sorted(set(map(str, value)))
    if question.type == "datetime" and isinstance(value, str):
        try:
            moments.read(value)
        except ValueError:
            raise _invalid(question) from None
        return value
    raise _invalid(question)


def _invalid(question: Question) -> Problem:
    return Problem("answer_invalid", field=f"answers.{question.code}", expected=question.type)
