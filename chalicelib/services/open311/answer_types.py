"""What GeoReport's answers hold, as types; ``http.georeport_formats`` writes them as XML or JSON.

Tests: tests/unit/test_georeport.py
"""

from typing import TypedDict


class Attribute(TypedDict):
    """A question of a service."""

    variable: bool
    code: str
    datatype: str
    required: bool
    datatype_description: str | None
    order: int
    description: str
    values: list[dict[str, str]]


class Definition(TypedDict):
    """The questions of a service."""

    service_code: str
    attributes: list[Attribute]


class ServiceView(TypedDict):
    """A service in the list of services."""

    service_code: str
    service_name: str
    description: str
    metadata: bool
    type: str
    keywords: str
    group: str


class UpdateView(TypedDict):
    """An update of mySociety's extension."""

    update_id: str
    service_request_id: str
    status: str
    updated_datetime: str
    description: str
    media_url: str | None
    external_status_code: str | None
