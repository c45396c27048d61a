"""What is wrong with a city folder: every fault found, each with its file, place and field."""

from dataclasses import dataclass, field


class CityErrors(Exception):
    """A city folder that cannot be loaded; ``findings`` names every fault."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings


@dataclass
class Findings:
    """The faults of one folder, in the order in which they were met; ``languages`` are those in
    which the city's names must be, once its city.json is read."""

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    languages: tuple[str, ...] = ()

    def add(self, place: str, name: str, message: str) -> None:
        """Note a fault: ``place`` is "services.json:12" or "wards.geojson: feature 3"."""
        _note(self.lines, place, name, message)

    def warn(self, place: str, name: str, message: str) -> None:
        """Note what is no fault and should be changed; the folder loads all the same."""
        _note(self.warnings, place, name, message)

    def stop_if_any(self) -> None:
        """Raise ``CityErrors`` with everything found so far."""
        if self.lines:
            raise CityErrors(self.lines)


def _note(lines: list[str], place: str, name: str, message: str) -> None:
    line = f"{place}: {name}: {message}" if name else f"{place}: {message}"
    if line not in lines:
        lines.append(line)
