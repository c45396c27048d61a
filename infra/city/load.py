"""Publishing a city folder: all of it or nothing, and nothing again when nothing has changed."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chalicelib import clock
from infra.city.folder import Prepared, prepare

__all__ = ["Loaded", "Prepared", "load_folder", "prepare"]


@dataclass(frozen=True)
class Loaded:
    """What was published; ``new`` says whether its version was not the current one before."""

    jurisdiction: str
    version: str
    new: bool
    counts: dict[str, int]
    endpoints: dict[str, int]


def load_folder(
    folder: Path,
    boundaries: Path | None = None,
    now: datetime | None = None,
    *,
    jurisdiction: str | None = None,
    issuer: str | None = None,
) -> Loaded:
    """Check and publish a city folder; ``CityErrors`` before anything is written.

    The arguments are those of ``prepare``. Officials' endpoints are subscribed, filtered and
    removed as the staff records say.
    """
    made = prepare(folder, boundaries, jurisdiction=jurisdiction, issuer=issuer)
    # Imported here so that checking a folder needs no AWS.
    from chalicelib.services import cities, subscriptions
    from chalicelib.storage import city as store

    name = made.bundle["jurisdiction"]
    before = store.all_staff(name)
    new = cities.publish(made.bundle, made.blob, made.staff, now or clock.now())
    # An address that a record no longer has is removed, like those of one who left.
    left = [{**record, "active": False} for record in before]
    done = subscriptions.sync(name, [*store.all_staff(name), *left])
    return Loaded(name, made.bundle["version"], new, made.counts, done)
