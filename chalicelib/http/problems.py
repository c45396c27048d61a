"""Problems as answers: every refusal is ``application/problem+json``, in the reader's language.

    Problem, or an error of the framework   ->   {statusCode, headers, body}

They repeat nothing that a client sent.
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
# Problems for which there is no city, and so no language of a city.
_CITY_UNKNOWN = ("unknown_jurisdiction",)
VARY = "Accept-Language, Authorization, Origin"

# Our kinds for the errors that Chalice and API Gateway make themselves.
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
    """The RFC 9457 document, with a sentence about the broken rule of a field or body, if any."""
    document = problem.document(language)
    sentences = rule_texts().get(str(problem.members.get("rule")))
    if sentences:
        sentence = sentences[language].format(limit=problem.members.get("limit", ""))
        document["detail"] = f"{document['detail']} {sentence}"
    return document


def for_status(status: int) -> Problem:
    """The problem for an error status that was not made by us."""
    if status == 413:
        return Problem("too_large", limit=strict_json.MAX_BYTES)
    return Problem(_BY_STATUS.get(status, "malformed" if status < 500 else "internal"))


def request_id_of(context: dict[str, Any], lambda_context: Any) -> str:
    """The id of a request in logs and answers: API Gateway's, else Lambda's."""
    request_id = context.get("requestId") or getattr(lambda_context, "aws_request_id", None)
    return request_id if isinstance(request_id, str) else "unknown"


def language_of(
    accept_language: str | None, city: Sequence[str] = (), locale: str | None = None
) -> str:
    """The reader's language if problems have texts in it, else the city's first such language,
    else English."""
    wanted = (*languages.requested(accept_language, locale), *city, LANGUAGES[0])
    return languages.first_offered(wanted, LANGUAGES) or LANGUAGES[0]


def reader_language(
    accept_language: str | None,
    jurisdiction: str | None,
    problem: Problem,
    locale: str | None = None,
) -> str:
    """The language of a refusal: the reader's, if the product has it, else the city's first.

    After a server error only cached data about the city are used.
    """
    wanted = languages.requested(accept_language, locale)
    if languages.first_offered(wanted, LANGUAGES) or problem.slug in _CITY_UNKNOWN:
        return language_of(accept_language, (), locale)
    city = jurisdiction or settings().jurisdiction
    spoken = cities.languages(city, clock.now() if problem.status < 500 else None)
    return language_of(accept_language, spoken, locale)


@cache
def rule_texts() -> dict[str, dict[str, str]]:
    """{rule of a field: {language: sentence}}."""
    texts: dict[str, dict[str, str]] = rules.load("field_rules")
    return texts
