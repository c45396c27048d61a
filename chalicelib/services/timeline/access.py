"""Which reports a principal may see and act on: loading one, or the 404 that betrays nothing."""

from dataclasses import dataclass

from chalicelib.domain.principal import BY_LINK, FOR_MANY, Principal
from chalicelib.domain.report import Report
from chalicelib.domain.workflow import permissions
from chalicelib.domain.workflow.table import asked_to_protect, standing
from chalicelib.errors import Problem
from chalicelib.storage import people, reports


@dataclass(frozen=True)
class Seen:
    """A report as one principal stands to it."""

    report: Report
    standing: frozenset[str]
    is_reporter: bool
    is_its_channel: bool = False


def load(actor: Principal, report_id: str) -> Seen:
    """The report with the actor's standing; ``not_found`` if there is none or it is not theirs.

    An official sees what lies in their scope; a protected report is seen by its unit, by its
    verifiers and by its reporter alone. One that is proposed to a protected unit is seen by that
    unit besides, and by nobody outside the administration but its reporter.
    """
    report = reports.get(actor.jurisdiction, report_id)
    if report is None:
        raise Problem("not_found")
    ours = reporter_of(actor, report)
    spoken_for = ours or speaks_for(actor, report)
    found = Seen(
        report, standing(actor, report, is_reporter=spoken_for), ours, is_its_channel(actor, report)
    )
    if not sees(actor, found):
        raise Problem("not_found")
    return found


def sees(actor: Principal, seen: Seen) -> bool:
    """Whether the report exists for this principal at all."""
    if actor.kind == "system" or seen.is_reporter or _by_link(actor, seen.report):
        return True
    if actor.kind != "staff":
        # The system that a private report came through goes on passing on what its people say.
        return not seen.report.hidden or (seen.is_its_channel and not seen.report.secret)
    if seen.report.protected:
        return in_scope(actor, seen.report)
    asked = permissions.called(actor, seen.report) or asked_to_protect(actor, seen.report)
    return asked or in_scope(actor, seen.report)


def exists_for(actor: Principal, report: Report) -> bool:
    """Whether a report that is at hand exists for this principal."""
    return sees(actor, Seen(report, frozenset(), reporter_of(actor, report)))


def in_scope(actor: Principal, report: Report) -> bool:
    """Whether an official's districts and services reach the report."""
    roles = permissions.over(actor, report).roles()
    if roles and report.protected and actor.unit != report.unit:
        return "outside_verifier" in standing(actor, report, is_reporter=False)
    return bool(roles)


def permit(actor: Principal, report: Report, operation: str) -> None:
    """Refuse (403) who has no role over this report that may call the operation."""
    if not permissions.permitted(actor, operation, report):
        raise Problem("role_not_allowed", action=operation, rule=f"{operation}.scope")


def reporter_of(actor: Principal, report: Report) -> bool:
    """Whether the actor has a reporter's rights: filed it, claimed it, or filed a duplicate.

    A system that files for many people never has them.
    """
    if actor.kind != "citizen" or actor.uid is None or FOR_MANY in actor.permissions:
        return False
    if actor.uid == report.reporter:
        return True
    # Rights by a duplicate end where a report becomes secret: it is its own reporter's alone.
    shared = bool(report.merged) and not report.secret
    return shared and people.has_right(report.jurisdiction, report.id, actor.uid)


def is_its_channel(actor: Principal, report: Report) -> bool:
    """Whether the actor is the other system that the report came through: it passes on words."""
    return FOR_MANY in actor.permissions and actor.uid is not None and report.via == actor.uid


def speaks_for(actor: Principal, report: Report) -> bool:
    """Whether the actor may answer in the reporter's place: the system that it came through, as
    long as nobody has claimed it, and whoever got the one-tap link to it."""
    unclaimed = report.reporter is None and is_its_channel(actor, report)
    return unclaimed or _by_link(actor, report)


def _by_link(actor: Principal, report: Report) -> bool:
    return f"{BY_LINK}{report.id}" in actor.permissions
