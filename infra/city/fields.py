"""One object of a city file, whose form ``infra.city.checking`` has checked, read field by field.

Each reader returns a usable value even where that check found a fault, and notes only what no
schema can tell: a code that does not exist, a language of the city that is missing.
"""

import re
from collections.abc import Iterable
from typing import Any

from infra.city.documents import Node
from infra.city.findings import Findings
from infra.city.schemas import parts

CODE = re.compile(parts.CODE)
LANGUAGE = re.compile(parts.LANGUAGE)
_NO_NUMBER = 10**300
_NOT_READ = ("about", "$schema")


class Fields:
    """The fields of one object."""

    def __init__(self, findings: Findings, file: str, value: Any, path: str = "") -> None:
        self.findings = findings
        self.file = file
        self.path = path
        self.line = value.line if isinstance(value, Node) else 0
        # Whether the whole file has the form that its schema says.
        self.sound = True
        self._value: dict[str, Any] = value if isinstance(value, dict) else {}

    def fault(self, name: str, message: str) -> None:
        """Report a fault of a field."""
        self.findings.add(self._place(), self._named(name), message)

    def warn(self, name: str, message: str) -> None:
        """Report a warning: the field should be changed, but the folder loads."""
        self.findings.warn(self._place(), self._named(name), message)

    def _place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def _named(self, name: str) -> str:
        return ".".join(part for part in (self.path, name) if part)

    def has(self, name: str) -> bool:
        """Whether the field is present."""
        return name in self._value

    def raw(self, name: str) -> Any:
        """The unchecked value, ``None`` if there is none."""
        return self._value.get(name)

    def text(self, name: str) -> str:
        """A text; "" where there is none."""
        value = self.raw(name)
        return value if isinstance(value, str) and value.strip() else ""

    def both(self, name: str) -> dict[str, str]:
        """A text in every language of the city, which must all be there; others are left out."""
        value = self.raw(name)
        if not isinstance(value, dict):
            return {}
        inner = Fields(self.findings, self.file, value, self._inside(name))
        inner.line = inner.line or self.line
        for language in self.findings.languages:
            # A folder may be the base of cities with fewer languages, but not with more.
            if not inner.has(language):
                inner.fault(language, "is missing")
        return {language: inner.text(language) for language in self.findings.languages}

    def number(self, name: str, default: float = 0) -> float:
        """A number."""
        value = self.raw(name)
        good = isinstance(value, int | float) and not isinstance(value, bool)
        # A whole number may be too large to be compared as a float.
        return value if good and abs(value) < _NO_NUMBER else default

    def whole(self, name: str, default: int = 0) -> int:
        """A whole number, be it written as 3 or as 3.0."""
        return int(self.number(name, default))

    def choice(self, name: str, options: Iterable[str], kind: str) -> str:
        """One of the options, which are codes of a kind."""
        allowed = list(options)
        value = self.text(name)
        if not value or value in allowed:
            return value
        shown = f"one of {', '.join(allowed)}" if len(allowed) <= 12 else f"a known {kind}"
        self.fault(name, f"must be {shown}, not {value!r}")
        return ""

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self.raw(name)
        return value if isinstance(value, bool) else default

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        return [item for item in self._list(name) if isinstance(item, str) and item.strip()]

    def choices(self, name: str, options: Iterable[str], kind: str) -> list[str]:
        """A list of options, which are codes of a kind."""
        allowed = set(options)
        values = self.texts(name)
        for value in values:
            if value not in allowed:
                self.fault(name, f"names an unknown {kind} {value!r}")
        return [value for value in values if value in allowed]

    def inner(self, name: str) -> "Fields":
        """The object of a field."""
        made = Fields(self.findings, self.file, self.raw(name), self._inside(name))
        made.line = made.line or self.line
        return made

    def each(self, name: str) -> list["Fields"]:
        """The objects of a list."""
        return [
            Fields(self.findings, self.file, item, f"{self._inside(name)}[{number}]")
            for number, item in enumerate(self._list(name))
        ]

    def names(self) -> list[str]:
        """The names of the fields that are present."""
        return [name for name in self._value if name not in _NOT_READ]

    def muted(self) -> "Fields":
        """The same fields without reports of faults: their absence has been reported."""
        self.findings = Findings(languages=self.findings.languages)
        return self

    def _list(self, name: str) -> list[Any]:
        value = self.raw(name)
        return value if isinstance(value, list) else []

    def _inside(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def unique(rows: list[Fields], values: list[str], name: str) -> None:
    """Report every row with the value of an earlier row."""
    seen: set[str] = set()
    for row, value in zip(rows, values, strict=True):
        if value and value in seen:
            row.fault(name, f"{value!r} is used twice")
        seen.add(value)
