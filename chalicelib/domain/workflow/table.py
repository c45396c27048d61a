"""Who may do what in which state: the table of rules/workflow.json, and refusals that explain.

Pure: it reads the table once and decides from the report and the actor's standing towards it.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

from chalicelib import rules
from chalicelib.domain.principal import AUDITOR, Principal, group
from chalicelib.domain.report import Report
from chalicelib.domain.workflow import permissions
from chalicelib.errors import Problem

WORKERS = group("worker")


@dataclass(frozen=True)
class Action:
    """One row of the table, as it stands for one report.

    ``only``: states to which some of ``who`` are held, where ``sources`` are for the others.
    """

    name: str
    sources: frozenset[str]
    to: str
    who: frozenset[str]
    requires: tuple[str, ...]
    any_of: tuple[str, ...]
    optional: tuple[str, ...]
    resolution: str | None
    resolutions: frozenset[str] | None
    words: str
    work: bool
    only: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def fields(self) -> frozenset[str]:
        """Every field that the action takes."""
        return frozenset((*self.requires, *self.any_of, *self.optional))

    def states(self, standing: frozenset[str]) -> frozenset[str]:
        """The states from which somebody with this standing may take it."""
        found = (self.only.get(one, self.sources) for one in self.who & standing)
        return frozenset[str]().union(*found)


@cache
def table() -> dict[str, Any]:
    """The workflow's data."""
    data: dict[str, Any] = rules.load("workflow")
    return data


def actions(protected: bool, proposed: bool = False) -> dict[str, Action]:
    """Every action by name; protected reports, and those proposed to be, have rules of their
    own."""
    return _actions("protected" if protected else "proposed" if proposed else "")


@cache
def _actions(kind: str) -> dict[str, Action]:
    found = {}
    own = table()[kind] if kind else {}
    for name, row in table()["actions"].items():
        row = {**row, **own.get(name, {})}
        found[name] = Action(
            name=name,
            sources=frozenset(row["from"]),
            to=row["to"],
            who=frozenset(row["who"]),
            requires=tuple(row.get("requires", ())),
            any_of=tuple(row.get("any_of", ())),
            optional=tuple(row.get("optional", ())),
            resolution=row.get("resolution"),
            resolutions=frozenset(row["resolutions"]) if "resolutions" in row else None,
            words=row.get("words", "inside"),
            work=row.get("work", False),
            only={one: frozenset(states) for one, states in row.get("only", {}).items()},
        )
    return found


def actions_of(report: Report) -> dict[str, Action]:
    """The actions by the rules that hold for a report."""
    return actions(report.protected, bool(report.protection))


def clock(state: str) -> str:
    """``running``, ``paused`` or ``stopped`` in this state."""
    kind: str = table()["states"][state]["clock"]
    return kind


def standing(actor: Principal, report: Report, *, is_reporter: bool) -> frozenset[str]:
    """What the actor is to this report: roles in scope, and relations to it.

    A reporter who is signed in as staff is no reporter. ``outside_verifier`` is a verifier whose
    home unit lies outside the district and who neither held nor finished the work; nor did their
    unit. The agency that a report was coordinated with holds it beside the unit that answers for
    it. Whoever works for that agency, or for the unit that it is offered to, is asked for their
    unit's sake: their grants need not name the report's district and service. ``protector``
    belongs to the unit that a report is proposed to.
    """
    if actor.kind == "system":
        return frozenset({"system"})
    into_protected = frozenset() if report.secret else frozenset({"anyone_into_protected"})
    if actor.kind != "staff":
        return frozenset({"reporter"}) | into_protected if is_reporter else frozenset()
    roles = permissions.over(actor, report).roles()
    found = set(roles - {"field_worker", "verifier"})
    ours, agency = actor.unit == report.unit, _of_agency(actor, report)
    asked = actor.roles() if agency or _is_offered(actor, report) else frozenset()
    free = report.holder in (None, actor.uid)
    if ("field_worker" in roles and ours and free) or (agency and "field_worker" in asked):
        found.add("field_worker")
    mine = actor.uid == report.holder and bool(roles - {AUDITOR})
    unheld = ours and report.holder is None and report.assigned and roles & WORKERS
    if mine or unheld or (agency and asked & WORKERS):
        found.add("holder")
    if _is_offered(actor, report) and asked & WORKERS:
        found.add("handed_to")
    if asked_to_protect(actor, report):
        found.add("protector")
    if "verifier" in roles:
        found.add("outside_verifier" if _outside(actor, report) else "inside_verifier")
    return frozenset(found) | into_protected if roles - {AUDITOR} else frozenset(found)


def asked_to_protect(actor: Principal, report: Report) -> bool:
    """Whether the report is proposed to the actor's unit, for a service of the actor's."""
    if actor.kind != "staff" or not report.protection:
        return False
    wanted = report.protection
    roles = actor.roles(report.district, wanted["service"])
    return actor.unit == wanted["unit"] and bool(roles & WORKERS)


def holds(actor: Principal, report: Report) -> bool:
    """Whether the actor belongs to the unit, or to the agency, that holds the report."""
    return actor.kind == "staff" and (actor.unit == report.unit or _of_agency(actor, report))


def open_actions(report: Report, standing: frozenset[str]) -> list[str]:
    """The actions that this standing may take in the report's present state."""
    return [
        action.name for action in actions_of(report).values() if _applies(action, report, standing)
    ]


def open_states(report: Report, standing: frozenset[str]) -> list[str]:
    """The states that those actions lead to."""
    rows = actions_of(report)
    to = {rows[name].to for name in open_actions(report, standing)}
    named = {"back": report.back_to or "submitted", "same": report.state}
    return sorted({named.get(state, state) for state in to})


def allowed(name: str, report: Report, standing: frozenset[str]) -> Action:
    """The action's row, or a refusal that names the rule and what is open instead."""
    action = actions_of(report).get(name)
    if action is None:
        raise Problem("unknown_action", field="action", actions=sorted(actions(False)))
    if not action.who & standing:
        raise Problem(
            "role_not_allowed",
            action=name,
            rule=f"{name}.{_rule(action, standing)}",
            roles=sorted(action.who),
            state=report.state,
            open_actions=open_actions(report, standing),
            open_states=open_states(report, standing),
        )
    if not _applies(action, report, standing):
        states = sorted(action.states(standing))
        refuse("wrong_state", name, report, standing, states=states)
    return action


def refuse(
    slug: str, name: str, report: Report, standing: frozenset[str], **members: Any
) -> NoReturn:
    """Raise the 409 ``slug`` with the rule broken and the actions that are open."""
    raise Problem(
        slug,
        action=name,
        rule=f"{name}.{slug}",
        state=report.state,
        version=report.version,
        open_actions=open_actions(report, standing),
        open_states=open_states(report, standing),
        **members,
    )


def check_fields(action: Action, given: dict[str, Any]) -> None:
    """Refuse a missing or a foreign field of the action's body."""
    for name in action.requires:
        if given.get(name) in (None, "", []):
            raise Problem("action_field_missing", field=name, action=action.name)
    if action.any_of and not any(given.get(name) for name in action.any_of):
        raise Problem("action_field_missing", field=action.any_of[0], action=action.name)
    for name in given:
        if name not in action.fields:
            raise Problem(
                "action_field_unknown",
                field=name,
                action=action.name,
                fields=sorted(action.fields),
            )
    reasons = table()["reasons"].get(action.name)
    if reasons and given.get("reason_code") not in reasons:
        raise Problem("reason_unknown", field="reason_code", reasons=reasons)


def _applies(action: Action, report: Report, standing: frozenset[str]) -> bool:
    return report.state in action.states(standing) and (
        action.resolutions is None or report.resolution in action.resolutions
    )


def _rule(action: Action, standing: frozenset[str]) -> str:
    # Nobody judges the work of their own unit or district: the rule of the second person.
    own = "inside_verifier" in standing and "outside_verifier" in action.who
    return "two_person" if own else "who"


def _is_offered(actor: Principal, report: Report) -> bool:
    offered = report.offered_to
    return offered is not None and actor.unit == offered and not report.protected


def _of_agency(actor: Principal, report: Report) -> bool:
    return report.agency is not None and actor.unit == report.agency and not report.protected


def _outside(actor: Principal, report: Report) -> bool:
    # A unit that was asked and has done nothing has nothing of its own to judge. Of what was
    # finished before units were noted, nobody knows whether the agency has worked.
    unknown = report.finished_at is not None and not report.worked
    worked = (report.agency,) if unknown else report.worked
    return (
        actor.unit not in (report.unit, *worked)
        and actor.home_district != report.district
        and actor.uid not in report.held_by
        and actor.uid != report.finished_by
    )
