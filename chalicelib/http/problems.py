"""Problems as answers: every refusal leaves as ``application/problem+json``, in the asked language.

    Problem, or an error that the framework made   ->   {statusCode, headers, body}

Nothing that a client sent is repeated in them.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from chalicelib import clock, rules
from chalicelib.domain.input import languages, strict_json
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.settings import settings

MEDIA = "application/problem+json"
LANGUAGES = ("en", "id")
# There is no city then whose language it could be.
_CITY_UNKNOWN = ("unknown_jurisdiction",)
VARY = "Accept-Language, Authorization, Origin"

# What Chalice and API Gateway answer by themselves, as kinds of our own.
_BY_STATUS = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
}


def problem_response(
    problem: Problem, language: str = "en", request_id: str | None = None
) -> dict[str, Any]:
    """The Lambda proxy answer of ``problem`` in ``language`` ("en" or "id")."""
    document = document_of(problem, language)
    if request_id and problem.status >= 500:
        document["request_id"] = request_id
    headers = {
        "Content-Type": MEDIA,
        "Content-Language": language,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Vary": VARY,
        **problem.headers,
    }
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tanggap", Device realm="tanggap"'
    if request_id:
        headers["X-Request-Id"] = request_id
    return {
        "statusCode": problem.status,
        "headers": headers,
        "multiValueHeaders": {},
        "body": json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
    }


def document_of(problem: Problem, language: str) -> dict[str, Any]:
    """The RFC 9457 document; a broken rule of a field or body is told in a sentence of its own."""
    document = problem.document(language)
    told = rule_texts().get(str(problem.members.get("rule")))
    if told:
        sentence = told[language].format(limit=problem.members.get("limit", ""))
        document["detail"] = f"{document['detail']} {sentence}"
    return document


def for_status(status: int) -> Problem:
    """The problem that stands for an error answer which was not made by us."""
    if status == 413:
        return Problem("too_large", limit=strict_json.MAX_BYTES)
    return Problem(_BY_STATUS.get(status, "malformed" if status < 500 else "internal"))


def request_id_of(context: dict[str, Any], lambda_context: Any) -> str:
    """The id of a request in logs and answers: API Gateway's, else Lambda's."""
    found = context.get("requestId") or getattr(lambda_context, "aws_request_id", None)
    return found if isinstance(found, str) else "unknown"


def language_of(
    accept_language: str | None, city: Sequence[str] = (), locale: str | None = None
) -> str:
    """The reader's language if problems are told in it, else the first such of a city, else
    English."""
    wanted = (*languages.requested(accept_language, locale), *city, LANGUAGES[0])
    return languages.first_offered(wanted, LANGUAGES) or LANGUAGES[0]


def reader_language(
    accept_language: str | None,
    jurisdiction: str | None,
    problem: Problem,
    locale: str | None = None,
) -> str:
    """The language of a refusal: a reader who asks for none of the product's gets the city's
    first. Where things fail, nothing more is asked of them."""
    asked = languages.requested(accept_language, locale)
    if languages.first_offered(asked, LANGUAGES) or problem.slug in _CITY_UNKNOWN:
        return language_of(accept_language, (), locale)
    place = jurisdiction or settings().jurisdiction
    known = cities.languages(place, clock.now() if problem.status < 500 else None)
    return language_of(accept_language, known, locale)


@cache
def rule_texts() -> dict[str, dict[str, str]]:
    """What each rule of a field says, by language."""
    found: dict[str, dict[str, str]] = rules.load("field_rules")
    return found
