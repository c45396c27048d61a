"""Publishes a city folder: all of it or nothing; an unchanged folder changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from chalicelib import clock
from chalicelib.domain.row_types import StaffRecord
from infra.city.findings import Findings
from infra.city.folder import SUCCESSORS, Prepared, prepare

if TYPE_CHECKING:
    from chalicelib.services.reports.city_migration import Moves

__all__ = ["Loaded", "Prepared", "load_folder", "prepare"]


@dataclass(frozen=True)
class Loaded:
    """The published city; ``new``: the version was not the current one before; ``moves``: the open
    reports that were moved; ``hooks_gone``: the webhooks that the version before had, by code."""

    jurisdiction: str
    version: str
    new: bool
    counts: dict[str, int]
    endpoints: dict[str, int]
    moves: "Moves"
    hooks_gone: list[str]


def load_folder(
    folder: Path,
    boundaries: Path | None = None,
    now: datetime | None = None,
    *,
    jurisdiction: str | None = None,
    issuer: str | None = None,
    settle: Callable[[], None] | None = None,
) -> Loaded:
    """Check and publish a city folder. Raises ``CityErrors`` before anything is written.

    The arguments are those of ``prepare``. Officials' endpoints are subscribed, filtered and
    removed by the staff records. Open reports are moved to the new codes and staff. After a new
    version ``settle`` waits until no container uses the old one; then reports are moved again.
    """
    made = prepare(folder, boundaries, jurisdiction=jurisdiction, issuer=issuer)
    # Imported here so that checking a folder needs no AWS.
    from chalicelib.services.city import cities, staff
    from chalicelib.services.notifications import subscriptions
    from chalicelib.services.reports import city_migration
    from chalicelib.storage import city as store

    name = made.bundle["jurisdiction"]
    before, now = store.all_staff(name), now or clock.now()
    known = store.current(name) is not None
    _check_open_reports(made)
    hooks_gone = _hooks_gone(made)
    new = cities.publish(made.bundle, made.blob, cast(list[StaffRecord], made.staff), now)
    # Addresses that were deleted from a record are removed too, as for officials who left.
    left: list[StaffRecord] = [{**record, "active": False} for record in before]
    done = subscriptions.sync(name, [*store.all_staff(name), *left])
    staff.forget()
    # A new city has no reports yet.
    moves = city_migration.run(name, now) if known else city_migration.Moves()
    if known and new and settle is not None:
        settle()
        moves.add(city_migration.run(name, clock.now()))
    return Loaded(name, made.bundle["version"], new, made.counts, done, moves, hooks_gone)


def _hooks_gone(made: Prepared) -> list[str]:
    from chalicelib.services.city import cities
    from chalicelib.storage import city as store

    name = made.bundle["jurisdiction"]
    version = store.current(name)
    before = cities.at(name, version).hooks if version is not None else {}
    return sorted(before.keys() - {row["code"] for row in made.bundle.get("webhooks", ())})


def _check_open_reports(made: Prepared) -> None:
    """Refuse a version in which codes of open reports have no successor."""
    from chalicelib.domain.city.city import City
    from chalicelib.services.city import cities
    from chalicelib.services.reports import city_migration
    from chalicelib.storage import city as store

    name, version = made.bundle["jurisdiction"], store.current(made.bundle["jurisdiction"])
    if version is None or version == made.bundle["version"]:
        return
    findings = Findings()
    new = City.from_json(made.bundle)
    for kind, code, reports in city_migration.codes_without_successor(
        cities.at(name, version), new
    ):
        some = ", ".join(reports[:3]) + (" …" if len(reports) > 3 else "")
        findings.add(
            SUCCESSORS,
            f"{kind}.{code}",
            f"is gone and has no successor, but {len(reports)} open report(s) have it: {some}",
        )
    findings.stop_if_any()
