"""A refusal as an HTML page: for a browser whose link is forged, incomplete or expired."""

from chalice.app import Response

from chalicelib import clock
from chalicelib.domain.city.city import City
from chalicelib.domain.input import languages
from chalicelib.errors import Problem
from chalicelib.http.problems import document_of, problem_response
from chalicelib.pages import one_tap_page
from chalicelib.services.city import cities
from chalicelib.services.platform.catalogue import message_text
from chalicelib.settings import settings

# Problems of a link; the page says one sentence in a language of the city.
_OF_LINK = frozenset({"invalid_token", "not_found"})


def response(
    problem: Problem,
    accept_language: str | None,
    jurisdiction: str | None,
    language: str,
    request_id: str | None,
) -> Response:
    """The page of ``problem``, with status and headers; ``language`` is that of its document."""
    refused = problem_response(problem, language, request_id)
    city = _city(jurisdiction) if problem.status < 500 else None
    wanted = languages.requested(accept_language)
    spoken = city.choose_language(*wanted) if city and problem.slug in _OF_LINK else language
    document = document_of(problem, language)
    title, said = document["title"], document["detail"]
    if problem.slug in _OF_LINK:
        title, said = message_text("page.invalid", spoken, city), ""
    body = one_tap_page.refused(spoken, title, said, city)
    headers: dict[str, str | list[str]] = {
        **refused["headers"],
        **one_tap_page.HEADERS,
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": spoken,
        "Cache-Control": "no-store",
    }
    return Response(body, headers, refused["statusCode"])


def _city(jurisdiction: str | None) -> City | None:
    try:
        return cities.current(jurisdiction or settings().jurisdiction, clock.now())
    except Problem:
        return None
