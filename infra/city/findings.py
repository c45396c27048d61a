"""The faults of a city folder, each with its file, position and field."""

from dataclasses import dataclass, field


class CityErrors(Exception):
    """A city folder cannot be loaded; ``findings`` are all its faults."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings


@dataclass
class Findings:
    """The faults of one folder, in the order of reading.

    ``languages`` are the languages that the city's names need, known after city.json is read.
    """

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    languages: tuple[str, ...] = ()
    # {file: base folder} of the files that the folder takes from its base.
    inherited: dict[str, str] = field(default_factory=dict)

    def add(self, location: str, name: str, message: str) -> None:
        """Add a fault: ``location`` is "services.json:12" or "wards.geojson: feature 3"."""
        _note(self.lines, location, name, message + self._whence(location))

    def warn(self, location: str, name: str, message: str) -> None:
        """Add a warning: the folder loads, but this should be changed."""
        _note(self.warnings, location, name, message + self._whence(location))

    def _whence(self, location: str) -> str:
        file = location.partition(":")[0]
        base = self.inherited.get(file)
        return f" ({file} is taken from {base}: write an own one)" if base else ""

    def stop_if_any(self) -> None:
        """Raise ``CityErrors`` if there are faults."""
        if self.lines:
            raise CityErrors(self.lines)


def _note(lines: list[str], location: str, name: str, message: str) -> None:
    line = f"{location}: {name}: {message}" if name else f"{location}: {message}"
    if line not in lines:
        lines.append(line)
