"""Proposals for protection: a report is hidden at once, then taken or returned.

While a proposal is open the report stays with its holder, its clock runs, and it counts where
it did. If the protected unit does not decide within one working day, the report is visible
again. Pure functions from head to head, one an action; ``domain.actions.perform`` calls them
(docs/decisions/protection-by-proposal.md).
"""

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain import photos
from chalicelib.domain.actions.context import Attempt
from chalicelib.domain.actions.routing import rerouted
from chalicelib.domain.city.city import City
from chalicelib.domain.city.service import Service
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, periods
from chalicelib.domain.timestamps import iso, parse
from chalicelib.errors import Problem

PROTECT, TAKE, RETURN, LAPSE = "protect", "take", "return", "protect_lapse"
# The actions that end a proposal without protection.
BACK = frozenset({RETURN, LAPSE})
_WORKING_DAY = timedelta(hours=8)


def actual_action(name: str, report: Report, service: str | None, city: City) -> str:
    """The action that a request means.

    Reclassifying an open report into a protected service is a proposal for protection.
    """
    wanted = city.services.get(service or "")
    into = name == "reclassify" and wanted is not None and wanted.protected
    return PROTECT if into and report.open and not report.secret else name


def protect(attempt: Attempt, report: Report) -> Report:
    """Propose the report to the unit of a protected service; it is hidden from now on."""
    service = _service(attempt.present, attempt.fields["service"])
    since = attempt.now
    until = attempt.present.calendar.add_working(since, _WORKING_DAY)
    proposal = {
        "service": service.code,
        "unit": attempt.present.unit_for(service.code, report.district),
        "by_unit": attempt.actor.unit or report.unit,
        "since": iso(since),
        "until": iso(until),
    }
    return photos.with_new_revisions(replace(report, protection=proposal))


def take(attempt: Attempt, report: Report) -> Report:
    """The protected unit takes the report: it gets that service and that service's promise.

    What it has added to scorecards until now stays, without a name. A closed report is opened
    again, with a promise from now.
    """
    service = _service(attempt.present, report.protection["service"])
    changed = replace(
        report,
        counted=dict(periods.ended_row(attempt.report, attempt.city, attempt.now) or {}),
        protection={},
        service=service.code,
        group=service.group,
        protected=True,
        public_decimals=service.public_decimals,
    )
    if attempt.report.open:
        return rerouted(attempt, changed)
    again = replace(
        changed,
        state="submitted",
        resolution=None,
        merged_into=None,
        closed_at=None,
        closed_month=None,
        acknowledged_at=None,
        breached=(),
        escalated=0,
        audit=None,
        released=False,
        missed_service=None,
        past_rounds=periods.past(attempt.report, attempt.city),
    )
    return rerouted(attempt, clocks.promised(again, attempt.present, since=attempt.now))


def give_back(attempt: Attempt, report: Report) -> Report:
    """The report does not need protection: visible again, otherwise unchanged."""
    return replace(report, protection={})


def lapse(attempt: Attempt, report: Report) -> Report:
    """The protected unit did not decide in time: visible again."""
    if not report.protection or parse(report.protection["until"]) > attempt.now:
        attempt.refuse("too_early")
    return replace(report, protection={})


def _service(city: City, code: str) -> Service:
    service = city.services.get(code)
    if service is None or not service.active or not service.protected:
        raise Problem("unknown_service", field="service")
    return service
