"""GeoReport v2: discovery, the list of services, and the definition of a service.

Tests: tests/e2e/test_open311.py
"""

from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.city.service import Question, Service
from chalicelib.domain.open311 import georeport
from chalicelib.domain.timestamps import parse
from chalicelib.errors import Problem
from chalicelib.services.open311.answer_types import Attribute, Definition, ServiceView
from chalicelib.services.platform import urls
from chalicelib.settings import settings
from chalicelib.storage import city as store

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"


def jurisdictions() -> list[str]:
    """The cities of this deployment."""
    return store.jurisdictions()


def discovery(jurisdiction: str = "") -> dict[str, Any]:
    """The discovery document: endpoints, formats, and the time of the last change.

    Each city of the deployment has an endpoint, with its name if there are several; with
    ``jurisdiction`` only that city has. The endpoint for tests is one that the operator names.
    Raises ``Problem``: unknown_jurisdiction.
    """
    configuration = settings()
    names = jurisdictions() or [configuration.jurisdiction]
    several = len(names) > 1
    if several and jurisdiction:
        if jurisdiction not in names:
            raise Problem("unknown_jurisdiction", field="jurisdiction_id")
        names = [jurisdiction]
    changes = {name: _changeset(name) for name in names}
    endpoints = [
        {
            **_endpoint(configuration.public_url, "production", changes[name]),
            **({"jurisdiction_id": name} if several else {}),
        }
        for name in names
    ]
    if configuration.test_url:
        changed = max(changes.values())
        endpoints.append(_endpoint(configuration.test_url, "test", changed))
    page = urls.absolute("/open311/keys")
    return {
        "changeset": max(changes.values()),
        "contact": urls.absolute("/docs"),
        "key_service": f"How to get an API key: {page} (contact: {configuration.mail_from})",
        "endpoints": endpoints,
    }


def _changeset(jurisdiction: str) -> str:
    return georeport.format_time(parse(store.since(jurisdiction) or "2026-01-01T00:00:00Z"))


def _endpoint(base: str, kind: str, changeset: str) -> dict[str, Any]:
    return {
        "specification": SPECIFICATION,
        "url": f"{base.rstrip('/')}/open311/v2",
        "changeset": changeset,
        "type": kind,
        "formats": ["text/xml", "application/json"],
    }


def services(city: City, languages: tuple[str, ...] = ()) -> list[ServiceView]:
    """The services for citizens, in the first of ``languages`` that the city has."""
    language = city.choose_language(*languages)
    return [_service(service, city, language) for service in offered(city)]


def offered(city: City) -> list[Service]:
    """The active services for citizens that the city offers by Open311."""
    return [
        service
        for service in city.services.values()
        if service.active and not service.staff_only and service.reception != "none"
    ]


def reception(service: Service) -> str:
    """GeoReport's type of a service. A protected service answers with a token at most."""
    if service.protected and service.reception == "realtime":
        return "batch"
    return service.reception


def _keywords(service: Service) -> list[str]:
    # FixMyStreet shows nobody the problems of a service with this word.
    private = ["private"] if service.protected or not service.public else []
    return list(dict.fromkeys([*private, *service.keywords]))


def definition(city: City, code: str, languages: tuple[str, ...] = ()) -> Definition:
    """The questions (attributes) of a service. Raises ``Problem``: not_found."""
    service = next((item for item in offered(city) if item.code == code), None)
    if service is None:
        raise Problem("not_found", field="service_code")
    language = city.choose_language(*languages)
    attributes = [
        _attribute(item, number, city, language)
        for number, item in enumerate(service.questions, start=1)
    ]
    return {"service_code": code, "attributes": attributes}


def _service(service: Service, city: City, language: str) -> ServiceView:
    return {
        "service_code": service.code,
        "service_name": city.text(service.name, language),
        "description": city.text(service.description, language),
        "metadata": bool(service.questions),
        "type": reception(service),
        "keywords": ", ".join(_keywords(service)),
        "group": city.text(city.groups[service.group], language),
    }


def _attribute(question: Question, order: int, city: City, language: str) -> Attribute:
    return {
        "variable": True,
        "code": question.code,
        "datatype": question.type,
        "required": question.required,
        "datatype_description": None,
        "order": order,
        "description": city.text(question.label, language),
        "values": [
            {"key": option.key, "name": city.text(option.name, language)}
            for option in question.options
        ],
    }
