"""The page at ``/``: what this is and where to go, as HTML for people and as JSON for programs.

It is in the reader's language. It has no script, and its security policy lets it load nothing from
other servers.
"""

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.input import languages
from chalicelib.errors import Problem
from chalicelib.http.problems import LANGUAGES, VARY
from chalicelib.services.city import cities
from chalicelib.services.platform import urls
from chalicelib.services.platform.catalogue import message_text

HTML, JSON = "text/html", "application/json"
# What the page leads to: the name in the JSON index, and the path.
PLACES = {
    "services": "/v1/services",
    "city": "/v1/city",
    "scorecards": "/v1/scorecards",
    "open_data": "/v1/open-data",
    "docs": "/docs",
    "openapi": "/v1/openapi.json",
    "open311": "/open311/discovery.json",
    "health": "/v1/health",
}
_FOR_DEVELOPERS = ("docs", "openapi", "open311", "health")
_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;"
    "color:#111;background:#fff;overflow-wrap:anywhere}h1{margin-bottom:0}a{color:#14532d}"
    "li{margin:.5rem 0}"
)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Vary": f"Accept, {VARY}",
    "X-Frame-Options": "DENY",
}


def wants_json(accept: str) -> bool:
    """Whether an Accept header names JSON and does not prefer HTML."""
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        media, *parameters = (parameter.strip() for parameter in part.split(";"))
        weights[media] = next(
            (_weight(parameter[2:]) for parameter in parameters if parameter[:2] == "q="), 1.0
        )
    return weights.get(JSON, 0) > 0 and weights[JSON] >= weights.get(HTML, 0)


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def answer(
    jurisdiction: str, accept: str, wanted: Iterable[str], now: datetime
) -> tuple[Any, dict[str, str]]:
    """(body, headers) of ``/``: an HTML page, or the index where ``accept`` asks for JSON."""
    try:
        city = cities.current(jurisdiction, now)
    except Problem:
        city = None  # Nothing is loaded yet; the page says so.
    spoken = city.languages if city else ()
    language = languages.first_offered((*wanted, *spoken), {*spoken, *LANGUAGES}) or LANGUAGES[0]
    headers = {**_HEADERS, "Content-Language": language}
    if wants_json(accept):
        return index(city, language), {**headers, "Content-Type": JSON}
    return _page(city, language), headers


def index(city: City | None, language: str) -> dict[str, Any]:
    """The same as a document: {name, about, city, links}."""
    city_document = city and {
        "jurisdiction": city.jurisdiction,
        "name": city.text(city.name, language),
        "languages": list(city.languages),
    }
    links = {name: urls.absolute(path) for name, path in PLACES.items()}
    return {
        "name": "Tanggap",
        "about": _about(city, language),
        "city": city_document,
        "links": links,
    }


def _about(city: City | None, language: str) -> str:
    if city is None:
        return _say("landing.no_city", None, language)
    return _say("landing.about", city, language, name=city.text(city.name, language))


def _say(key: str, city: City | None, language: str, **values: str) -> str:
    # A reader may ask for a language of the product that the city does not speak.
    return message_text(
        key, language, city if city and language in city.languages else None, **values
    )


def _page(city: City | None, language: str) -> str:
    def words(key: str) -> str:
        return escape(_say(f"landing.{key}", city, language))

    def items(names: Iterable[str]) -> str:
        return "".join(
            f'<li><a href="{escape(urls.absolute(PLACES[name]))}">{words(name)}</a></li>'
            for name in names
        )

    title = f"Tanggap · {city.text(city.name, language)}" if city else "Tanggap"
    people = [name for name in PLACES if name not in _FOR_DEVELOPERS] if city else []
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(_about(city, language))}</p>"
        + (f"<h2>{words('look')}</h2><ul>{items(people)}</ul>" if people else "")
        + f"<h2>{words('developers')}</h2><p>{words('screens')}</p>"
        f"<ul>{items(_FOR_DEVELOPERS)}</ul></main></body></html>"
    )
