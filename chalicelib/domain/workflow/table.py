"""Who may take which action in which state: the table of rules/workflow.json, and refusals.

Pure: it reads the table once and decides from the report and the actor's standing.

Tests: tests/unit/test_workflow.py
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

from chalicelib import rules
from chalicelib.domain.body_types import ActionFields
from chalicelib.domain.principal import AUDITOR, Principal, group
from chalicelib.domain.report import Report
from chalicelib.domain.workflow import permissions
from chalicelib.errors import Problem

WORKERS = group("worker")


@dataclass(frozen=True)
class Action:
    """One row of the table, as it holds for one report.

    ``only``: {standing: states} for some of ``who`` that may act only in these states; ``sources``
    are the states of the others.
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
        """Every field that the action accepts."""
        return frozenset((*self.requires, *self.any_of, *self.optional))

    def states(self, standing: frozenset[str]) -> frozenset[str]:
        """The states in which somebody with this standing may take the action."""
        states = (self.only.get(name, self.sources) for name in self.who & standing)
        return frozenset[str]().union(*states)


@cache
def table() -> dict[str, Any]:
    """The workflow's data."""
    data: dict[str, Any] = rules.load("workflow")
    return data


def published() -> dict[str, Any]:
    """The workflow's data without what only the notifications and Open311 read."""
    own = ("alert", "open311")
    rows = {
        name: {key: value for key, value in row.items() if key not in own}
        for name, row in table()["actions"].items()
    }
    return {**table(), "actions": rows}


def alerts(part: str) -> dict[str, Any]:
    """{action: its row of ``part``: officials or citizens}; ``None`` tells nobody, on purpose.

    Raises ``KeyError`` with the name of an action that does not say whom it tells.
    """
    return {name: _said(name, row, "alert")[part] for name, row in table()["actions"].items()}


def open311() -> dict[str, str]:
    """{action: status of the update that Open311 clients read}, of those that make one: ``state``
    is the status of the state or resolution. Raises ``KeyError`` as ``alerts`` does."""
    rows = table()["actions"].items()
    return {
        name: updates for name, row in rows if (updates := _said(name, row, "open311")) is not None
    }


def _said(name: str, row: dict[str, Any], key: str) -> Any:
    if key not in row:
        raise KeyError(f"rules/workflow.json: the action {name} has no {key!r}")
    return row[key]


def actions(protected: bool, proposed: bool = False) -> dict[str, Action]:
    """Every action by name; protected reports, and proposed ones, have their own rules."""
    return _actions("protected" if protected else "proposed" if proposed else "")


@cache
def _actions(kind: str) -> dict[str, Action]:
    rows = {}
    own = table()[kind] if kind else {}
    for name, row in table()["actions"].items():
        row = {**row, **own.get(name, {})}
        rows[name] = Action(
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
            only={who: frozenset(states) for who, states in row.get("only", {}).items()},
        )
    return rows


def actions_of(report: Report) -> dict[str, Action]:
    """The actions by the rules that hold for this report."""
    return actions(report.protected, bool(report.protection))


def clock(state: str) -> str:
    """``running``, ``paused`` or ``stopped`` in this state."""
    kind: str = table()["states"][state]["clock"]
    return kind


def standing(actor: Principal, report: Report, *, is_reporter: bool) -> frozenset[str]:
    """What the actor is to this report: roles over it, and relations to it.

    A reporter who is signed in as staff does not count as reporter. ``outside_verifier``: a
    verifier from another district who neither held nor finished the work, and whose unit did not
    either. The agency that a report is coordinated with holds it beside its unit. Workers of that
    agency, or of the unit that it is offered to, count by their unit: their grants need not name
    the report's district and service. ``protector``: works for the unit that the report is
    proposed to.
    """
    if actor.kind == "system":
        return frozenset({"system"})
    into_protected = frozenset() if report.secret else frozenset({"anyone_into_protected"})
    if actor.kind != "staff":
        return frozenset({"reporter"}) | into_protected if is_reporter else frozenset()
    roles = permissions.over(actor, report).roles()
    names = set(roles - {"field_worker", "verifier"})
    ours, agency = actor.unit == report.unit, _of_agency(actor, report)
    unit_roles = actor.roles() if agency or _is_offered(actor, report) else frozenset()
    free = report.holder in (None, actor.uid)
    if ("field_worker" in roles and ours and free) or (agency and "field_worker" in unit_roles):
        names.add("field_worker")
    mine = actor.uid == report.holder and bool(roles - {AUDITOR})
    unheld = ours and report.holder is None and report.assigned and roles & WORKERS
    if mine or unheld or (agency and unit_roles & WORKERS):
        names.add("holder")
    if _is_offered(actor, report) and unit_roles & WORKERS:
        names.add("handed_to")
    if asked_to_protect(actor, report):
        names.add("protector")
    if "verifier" in roles:
        names.add("outside_verifier" if _outside(actor, report) else "inside_verifier")
    return frozenset(names) | into_protected if roles - {AUDITOR} else frozenset(names)


def asked_to_protect(actor: Principal, report: Report) -> bool:
    """Whether the report is proposed to the actor's unit, for a service of the actor."""
    if actor.kind != "staff" or not report.protection:
        return False
    proposal = report.protection
    roles = actor.roles(report.district, proposal["service"])
    return actor.unit == proposal["unit"] and bool(roles & WORKERS)


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
    """The action's row. Raises ``Problem`` that names the rule and the actions that are open."""
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


def check_fields(action: Action, fields: ActionFields) -> None:
    """Refuse a missing or an unknown field of the action's body."""
    for name in action.requires:
        if fields.get(name) in (None, "", []):
            raise Problem("action_field_missing", field=name, action=action.name)
    if action.any_of and not any(fields.get(name) for name in action.any_of):
        raise Problem("action_field_missing", field=action.any_of[0], action=action.name)
    for name in fields:
        if name not in action.fields:
            raise Problem(
                "action_field_unknown",
                field=name,
                action=action.name,
                fields=sorted(action.fields),
            )
    reasons = table()["reasons"].get(action.name)
    if reasons and fields.get("reason_code") not in reasons:
        raise Problem("reason_unknown", field="reason_code", reasons=reasons)


def _applies(action: Action, report: Report, standing: frozenset[str]) -> bool:
    return report.state in action.states(standing) and (
        action.resolutions is None or report.resolution in action.resolutions
    )


def _rule(action: Action, standing: frozenset[str]) -> str:
    # Two-person rule: nobody judges the work of their own unit or district.
    own = "inside_verifier" in standing and "outside_verifier" in action.who
    return "two_person" if own else "who"


def _is_offered(actor: Principal, report: Report) -> bool:
    offered = report.offered_to
    return offered is not None and actor.unit == offered and not report.protected


def _of_agency(actor: Principal, report: Report) -> bool:
    return report.agency is not None and actor.unit == report.agency and not report.protected


def _outside(actor: Principal, report: Report) -> bool:
    # A unit that was called in but did nothing has no work of its own to judge. Older reports do
    # not say which units worked: there the agency counts as one that did.
    unknown = report.finished_at is not None and not report.worked
    worked = (report.agency,) if unknown else report.worked
    return (
        actor.unit not in (report.unit, *worked)
        and actor.home_district != report.district
        and actor.uid not in report.held_by
        and actor.uid != report.finished_by
    )
