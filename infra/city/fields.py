"""Reads and checks the fields of one object of a city file.

Each reader returns a usable value even if it finds a fault, so that one pass finds all faults.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

from infra.city.documents import Node
from infra.city.findings import Findings

CODE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
LANGUAGE = re.compile(r"^[a-z]{2,3}$")
_TEXT_LIMIT = 2000


class Fields:
    """The fields of one object; ``close`` reports the fields that were not read."""

    def __init__(self, findings: Findings, file: str, value: Any, path: str = "") -> None:
        self.findings = findings
        self.file = file
        self.path = path
        self.line = value.line if isinstance(value, Node) else 0
        self._seen = {"about"} if path else {"about", "$schema"}
        if not isinstance(value, dict):
            self.fault("", "must be an object")
        self._value: dict[str, Any] = value if isinstance(value, dict) else {}
        for name in value.repeated if isinstance(value, Node) else ():
            self.fault(name, "is given twice")

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

    def raw(self, name: str, *, required: bool = True) -> Any:
        """The unchecked value, ``None`` if there is none."""
        self._seen.add(name)
        if name not in self._value:
            if required:
                self.fault(name, "is missing")
            return None
        return self._value[name]

    def text(self, name: str, *, required: bool = True, pattern: re.Pattern[str] | None = None,
             form: str = "a code") -> str:  # fmt: skip
        """A text that is not blank."""
        value = self.raw(name, required=required)
        if value is None:
            if name in self._value:
                self.fault(name, "must be a text")
            return ""
        if not isinstance(value, str) or not value.strip() or len(value) > _TEXT_LIMIT:
            self.fault(name, "must be a text")
            return ""
        if pattern and not pattern.match(value):
            self.fault(name, f"must be {form}, not {value!r}")
            return ""
        return value

    def code(self, name: str = "code") -> str:
        """A code: letters, digits, dot, hyphen and underscore."""
        return self.text(name, pattern=CODE, form="a code of letters, digits and . _ -")

    def both(self, name: str, *, required: bool = True) -> dict[str, str]:
        """A text in every language of the city; other languages are left out."""
        value = self.raw(name, required=required)
        if value is None and name not in self._value:
            return {}
        inner = Fields(self.findings, self.file, value, self._inside(name))
        inner.line = inner.line or self.line
        if not isinstance(value, dict):
            return {}
        texts = {language: inner.text(language) for language in self.findings.languages}
        for other in inner.names():
            if LANGUAGE.match(other) and other not in texts:
                # A folder may be the base of a city with fewer languages.
                inner.raw(other)
        inner.close()
        return texts

    def number(self, name: str, low: float, high: float, *, whole: bool = False,
               default: float | None = None) -> float:  # fmt: skip
        """A finite number within bounds; optional if there is a default."""
        value = self.raw(name, required=default is None)
        if value is None and name not in self._value:
            return low if default is None else default
        good = isinstance(value, int) or (isinstance(value, float) and not whole)
        good = good and not isinstance(value, bool) and math.isfinite(value)
        if not good or not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            self.fault(name, f"must be {kind} from {low:g} to {high:g}, not {value!r}")
            return low
        return value  # type: ignore[no-any-return]

    def choice(self, name: str, options: Iterable[str], kind: str = "") -> str:
        """One of the options."""
        allowed = list(options)
        value = self.raw(name)
        if value is None and name not in self._value:
            return ""
        if not isinstance(value, str) or value not in allowed:
            shown = f"one of {', '.join(allowed)}" if len(allowed) <= 12 else f"a known {kind}"
            self.fault(name, f"must be {shown}, not {value!r}")
            return ""
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self.raw(name, required=False)
        if value is None and name not in self._value:
            return default
        if not isinstance(value, bool):
            self.fault(name, "must be true or false")
            return default
        return value

    def texts(self, name: str, *, required: bool = True) -> list[str]:
        """A list of different texts."""
        value = self._list(name, required)
        texts = [one for one in value if isinstance(one, str) and one.strip()]
        if len(texts) < len(value):
            self.fault(name, "must be a list of texts")
        for one in sorted({one for one in texts if texts.count(one) > 1}):
            self.fault(name, f"names {one!r} twice")
        return texts

    def choices(self, name: str, options: Iterable[str], kind: str) -> list[str]:
        """A list of different options."""
        allowed = set(options)
        chosen = self.texts(name)
        for one in chosen:
            if one not in allowed:
                self.fault(name, f"names an unknown {kind} {one!r}")
        return [one for one in chosen if one in allowed]

    def inner(self, name: str) -> "Fields":
        """The object of a field."""
        value = self.raw(name)
        if value is None and name not in self._value:
            return Fields(self.findings, self.file, {}, self._inside(name)).muted()
        return Fields(self.findings, self.file, value, self._inside(name))

    def each(self, name: str, *, required: bool = True) -> list["Fields"]:
        """The objects of a list."""
        return [
            Fields(self.findings, self.file, one, f"{self._inside(name)}[{number}]")
            for number, one in enumerate(self._list(name, required))
        ]

    def names(self) -> list[str]:
        """The names of the fields that are present."""
        return [name for name in self._value if name not in ("about", "$schema")]

    def close(self) -> None:
        """Report the fields that are not known."""
        for name in sorted(self._value.keys() - self._seen):
            self.fault(name, "is not known here")

    def muted(self) -> "Fields":
        """The same fields without reports of faults: their absence has been reported."""
        self.findings = Findings(languages=self.findings.languages)
        return self

    def _list(self, name: str, required: bool) -> list[Any]:
        value = self.raw(name, required=required)
        if value is None and name not in self._value:
            return []
        if not isinstance(value, list):
            self.fault(name, "must be a list")
            return []
        return value

    def _inside(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def unique(rows: list[Fields], values: list[str], name: str) -> None:
    """Report every row with the value of an earlier row."""
    seen: set[str] = set()
    for row, value in zip(rows, values, strict=True):
        if value and value in seen:
            row.fault(name, f"{value!r} is used twice")
        seen.add(value)
