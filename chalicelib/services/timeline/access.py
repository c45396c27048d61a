"""Which reports a principal may see and act on. What they may not see is 404, as if it were not
there.

Tests: tests/integration/test_permissions.py
"""

from dataclasses import dataclass

from chalicelib.domain.principal import BY_CONTACT, BY_LINK, FOR_MANY, Principal
from chalicelib.domain.report import Report
from chalicelib.domain.workflow import permissions
from chalicelib.domain.workflow.table import asked_to_protect, standing
from chalicelib.errors import Problem
from chalicelib.storage import people, reports


@dataclass(frozen=True)
class Seen:
    """A report, and what one principal is to it.

    ``standing``: holder, verifier, reporter and the like. ``is_reporter``: has a reporter's rights.
    ``is_its_channel``: is the API client that the report came through.
    """

    report: Report
    standing: frozenset[str]
    is_reporter: bool
    is_its_channel: bool = False


def load(actor: Principal, report_id: str) -> Seen:
    """The report with the actor's standing. Raises ``Problem``: not_found, also for a report that
    the actor may not see.

    Officials see the reports in their scope. Only its unit, its verifiers and its reporter see a
    protected report. A report that is proposed to a protected unit is also seen by that unit; from
    outside the administration only its reporter sees it.
    """
    report = reports.get(actor.jurisdiction, report_id)
    if report is None:
        raise Problem("not_found")
    is_reporter = reporter_of(actor, report)
    answers = is_reporter or speaks_for(actor, report)
    seen = Seen(
        report,
        standing(actor, report, is_reporter=answers),
        is_reporter,
        is_its_channel(actor, report),
    )
    if not sees(actor, seen):
        raise Problem("not_found")
    return seen


def sees(actor: Principal, seen: Seen) -> bool:
    """Whether this principal may know of the report."""
    if seen.report.undone:
        return actor.kind == "system"
    if actor.kind == "system" or seen.is_reporter or speaks_for(actor, seen.report):
        return True
    if actor.kind != "staff":
        # A channel can still pass on what its people say about their private report.
        return not seen.report.hidden or (seen.is_its_channel and not seen.report.secret)
    if seen.report.protected:
        return in_scope(actor, seen.report)
    called = permissions.called(actor, seen.report) or asked_to_protect(actor, seen.report)
    return called or in_scope(actor, seen.report)


def exists_for(actor: Principal, report: Report) -> bool:
    """Whether this principal may know of a report that is loaded already."""
    return sees(actor, Seen(report, frozenset(), reporter_of(actor, report)))


def in_scope(actor: Principal, report: Report) -> bool:
    """Whether an official has a role over the report's district and service."""
    roles = permissions.over(actor, report).roles()
    if roles and report.protected and actor.unit != report.unit:
        return "outside_verifier" in standing(actor, report, is_reporter=False)
    return bool(roles)


def permit(actor: Principal, report: Report, operation: str) -> None:
    """Raise ``role_not_allowed`` (403) if no role of the actor over this report allows the
    operation."""
    if not permissions.permitted(actor, operation, report):
        raise Problem("role_not_allowed", action=operation, rule=f"{operation}.scope")


def reporter_of(actor: Principal, report: Report) -> bool:
    """Whether the actor has a reporter's rights: filed it, claimed it, or filed a duplicate of it.

    A channel, which files for many people, never has them.
    """
    if actor.kind != "citizen" or actor.uid is None or FOR_MANY in actor.permissions:
        return False
    if actor.uid == report.reporter:
        return True
    # A secret report is for its own reporter only, not for reporters of duplicates.
    by_duplicate = bool(report.merged) and not report.secret
    return by_duplicate and people.has_right(report.jurisdiction, report.id, actor.uid)


def is_its_channel(actor: Principal, report: Report) -> bool:
    """Whether the actor is the channel that the report came through. It can pass on comments."""
    return FOR_MANY in actor.permissions and actor.uid is not None and report.via == actor.uid


def speaks_for(actor: Principal, report: Report) -> bool:
    """Whether the actor may answer for the reporter: a person with the one-tap link, and one whom
    the report's channel names by the contact that the report was filed with."""
    return bool(actor.permissions & {f"{BY_LINK}{report.id}", f"{BY_CONTACT}{report.id}"})
