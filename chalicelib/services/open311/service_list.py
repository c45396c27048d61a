"""GeoReport v2: where the API is, what may be reported, and what is asked about it."""

from typing import Any

from chalicelib.domain.city.city import City, Question, Service
from chalicelib.domain.open311 import georeport
from chalicelib.domain.timestamps import parse
from chalicelib.errors import Problem
from chalicelib.settings import settings
from chalicelib.storage import city as store

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"


def jurisdictions() -> list[str]:
    """The cities that are served here."""
    return store.jurisdictions()


def discovery(jurisdiction: str) -> dict[str, Any]:
    """Where the API is, in which forms, and since when it is as it is."""
    chosen = settings()
    since = store.since(jurisdiction) or "2026-01-01T00:00:00Z"
    changeset = georeport.format_time(parse(since))
    kinds = (("production", chosen.public_url), ("test", chosen.test_url))
    return {
        "changeset": changeset,
        "contact": f"{chosen.public_url}/docs",
        "key_service": f"Ask the city for an API key: {chosen.mail_from}",
        "endpoints": [
            {
                "specification": SPECIFICATION,
                "url": f"{base}/open311/v2",
                "changeset": changeset,
                "type": kind,
                "formats": ["text/xml", "application/json"],
            }
            for kind, base in kinds
        ],
    }


def services(city: City, languages: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Every service that citizens may choose, in the first of ``languages`` that is the city's."""
    chosen = city.choose_language(*languages)
    return [_service(one, city, chosen) for one in offered(city)]


def offered(city: City) -> list[Service]:
    """The services that are for citizens and in use."""
    return [one for one in city.services.values() if one.active and not one.staff_only]


def reception(service: Service) -> str:
    """GeoReport's type of a service; what is protected gives nothing back to follow in public."""
    return "blackbox" if service.protected else service.reception


def definition(city: City, code: str, languages: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a service asks; without questions the list is empty."""
    service = next((one for one in offered(city) if one.code == code), None)
    if service is None:
        raise Problem("not_found", field="service_code")
    chosen = city.choose_language(*languages)
    attributes = [
        _attribute(one, at, city, chosen) for at, one in enumerate(service.questions, start=1)
    ]
    return {"service_code": code, "attributes": attributes}


def _service(service: Service, city: City, language: str) -> dict[str, Any]:
    return {
        "service_code": service.code,
        "service_name": city.text(service.name, language),
        "description": city.text(service.description, language),
        "metadata": bool(service.questions),
        "type": reception(service),
        "keywords": ", ".join(service.keywords),
        "group": city.text(city.groups[service.group], language),
    }


def _attribute(question: Question, order: int, city: City, language: str) -> dict[str, Any]:
    return {
        "variable": True,
        "code": question.code,
        "datatype": question.type,
        "required": question.required,
        "datatype_description": None,
        "order": order,
        "description": city.text(question.label, language),
        "values": [
            {"key": one.key, "name": city.text(one.name, language)} for one in question.options
        ],
    }
