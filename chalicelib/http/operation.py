"""The declaration of an operation, and what its view receives and returns."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from chalicelib import ids
from chalicelib.domain.input import schema
from chalicelib.domain.notifications.reachability import CHOICES, WAYS
from chalicelib.domain.principal import Principal
from chalicelib.domain.workflow.permissions import operations

PATH_PATTERNS = {
    "id": ids.PATTERN,
    "photo": ids.PATTERN,
    # As people type it; ``ids.code_of`` normalises it. Spaces in a path arrive encoded (%20).
    "code": r"((-| |%20){0,3}[0-9A-TV-Za-tv-z]){8}(-| |%20){0,3}",
    "month": r"[0-9]{4}(0[1-9]|1[0-2])",
    "area": r"[A-Za-z0-9._-]{1,64}",
    "name": r"[a-z0-9][a-z0-9._-]{0,63}",
    "token": r"[A-Za-z0-9._~-]{1,1024}",
    "wish": f"({'|'.join((*CHOICES, *WAYS))})",
}
JURISDICTION = {
    "type": "string",
    "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$",
    "description": "The city; the deployment's own if absent.",
}
# No public request makes more calls that read than this (docs/api.md, tests/support/hostile.py).
READS_AT_MOST = 200
NO_BODY = {"type": "object", "additionalProperties": False}
PARAMETER = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Operation:
    """One operation of the API: ``body``, ``query`` and ``answers`` are JSON Schemas.

    ``etag``: the answer is the same for everybody and has an ETag. ``bad_query``: the kind of
    problem for a wrong value of a query parameter. ``body_optional``: a missing body counts as
    ``{}``. ``also``: further media types of its answers, {media: schema}; the view chooses by
    ``Call.accept``. ``personal``: everybody may call it, but the answer may depend on the token.
    ``one_click``: it accepts what a mail program posts to unsubscribe (RFC 8058).
    """

    id: str
    summary: str
    body: schema.Schema | None = None
    query: Mapping[str, schema.Schema] = field(default_factory=dict)
    required_query: tuple[str, ...] = ()
    answers: Mapping[int, schema.Schema] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    idempotent: bool = False
    cache: str = "no-store"
    etag: bool = False
    bad_query: str = "invalid_parameter"
    media: str = "application/json"
    body_optional: bool = False
    personal: bool = False
    also: Mapping[str, schema.Schema] = field(default_factory=dict)
    one_click: bool = False


@dataclass(frozen=True)
class Call:
    """A valid request for a view.

    ``body`` has passed the operation's schema; services say by ``domain.body_types`` what it holds.
    ``languages``: the reader's, the preferred one first; ``stripped``: fields from which invisible
    characters were removed.
    """

    principal: Principal
    jurisdiction: str
    body: Any
    query: dict[str, Any]
    path: dict[str, str]
    key: str | None
    body_hash: str
    now: datetime
    ip: str
    languages: tuple[str, ...]
    request_id: str
    operation: str
    stripped: tuple[str, ...] = ()
    accept: str = ""


class Encoded(str):
    """A body that is already JSON text."""


@dataclass(frozen=True)
class Answer:
    """The answer of a view: a JSON value, or a ``str`` for another media type."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


View = Callable[[Call], Answer]


@dataclass(frozen=True)
class Registered:
    """An operation with its path and view. Validators are compiled when first needed.

    The docstring of ``view`` is the operation's description for clients.
    """

    operation: Operation
    method: str
    path: str
    roles: frozenset[str]
    view: View

    @property
    def body(self) -> schema.Schema | None:
        """The schema of the body; a write without a declared one takes ``{}``."""
        return self.operation.body or (None if self.method == "GET" else NO_BODY)

    @cached_property
    def query(self) -> dict[str, schema.Schema]:
        """All query parameters, the jurisdiction included."""
        common = {"jurisdiction_id": JURISDICTION} if self.path.startswith("/v1/") else {}
        return {**self.operation.query, **common}

    @cached_property
    def check_body(self) -> schema.Validator:
        """The validator of ``body``."""
        return schema.compiled(self.body or NO_BODY)

    @cached_property
    def check_query(self) -> dict[str, schema.Validator]:
        """The validators of ``query``."""
        return {name: schema.compiled(each) for name, each in self.query.items()}


def permissions() -> dict[str, list[str]]:
    """Operation id -> the roles that may call it."""
    return operations()
