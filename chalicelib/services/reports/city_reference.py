"""The city's public data: areas, units, languages and services.

Tests: tests/integration/test_protected_numbers.py
"""

from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.city.service import Question, Service
from chalicelib.services.reports.presenters import code_and_name, phone_numbers


def city(city: City) -> dict[str, Any]:
    """Areas, units, languages and time zone."""
    return {
        "jurisdiction": city.jurisdiction,
        "version": city.version,
        "name": city.name,
        "time_zone": city.time_zone,
        "emergency": city.emergency,
        "languages": list(city.languages),
        "areas": [
            {
                "code": area.code,
                "name": area.name,
                "level": area.level,
                "parent": area.parent,
            }
            for area in city.areas.values()
        ],
        "units": [code_and_name(unit.code, unit.name) for unit in city.units.values()],
    }


def services(city: City) -> dict[str, Any]:
    """The active services that citizens can choose; protected ones with the emergency number."""
    return {
        "services": [
            _service(service, city)
            for service in city.services.values()
            if service.active and not service.staff_only
        ]
    }


def _service(service: Service, city: City) -> dict[str, Any]:
    return {
        "code": service.code,
        "name": service.name,
        "description": service.description or None,
        "group": service.group,
        "group_name": city.groups[service.group],
        "protected": service.protected,
        "public": service.public and not service.protected,
        "emergency": city.emergency if service.protected else None,
        "numbers": phone_numbers(city, service.code),
        "acknowledge_hours": service.acknowledge.hours,
        "resolve_hours": service.resolve.hours,
        "hours": service.resolve.clock,
        "keywords": list(service.keywords),
        "questions": [_question(question) for question in service.questions],
    }


def _question(question: Question) -> dict[str, Any]:
    return {
        "code": question.code,
        "type": question.type,
        "required": question.required,
        "label": question.label,
        "options": [{"key": option.key, "name": option.name} for option in question.options],
    }
