"""``python -m infra.docs.workflow``: write docs/workflow.md from the rules that are enforced.

States and actions come from chalicelib/rules/workflow.json, the right to call an operation from
permissions.json. A word of the rules that has no explanation here is an error.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from chalicelib.domain import principal
from chalicelib.domain.workflow import permissions
from chalicelib.domain.workflow import table as workflow_table

PAGE = Path(__file__).parents[2] / "docs" / "workflow.md"

STATES = {
    "submitted": "filed; nobody works on it yet",
    "assigned": "a unit, or one of its people, has it",
    "in_progress": "somebody works on it",
    "coordinated": "another agency has to act first",
    "scheduled": "planned for a later date, with a reason that everybody can read",
    "needs_info": "the reporter was asked a question",
    "work_done": "the unit says that it is done; somebody else has to verify it",
    "closed": "finished, with a resolution",
}
RESOLUTIONS = {
    "verified": "the reporter or an independent verifier has confirmed the repair",
    "unverified": "nobody answered within the time to verify",
    "rejected": "not acted upon, for one of the listed reasons",
    "duplicate": "another report is about the same",
    "not_ours": "another authority is responsible",
    "withdrawn": "the reporter has taken it back",
}
ACTORS = {
    "holder": "the person, or the unit, that has the report",
    "handed_to": "the unit or person to which it was handed and who has not accepted yet",
    "reporter": "who filed it (with the rights of a reporter)",
    "outside_verifier": "a verifier of another unit than the one that worked on it",
    "anyone_into_protected": "any official who may act on the report, into a protected service",
    "protector": "an official of the protected unit that is proposed",
    "system": "nobody: the clock or the platform does it",
}
KINDS = {"protected": "In a protected report", "proposed": "While protection is proposed"}
CLOCKS = {"running": "runs", "paused": "is paused", "stopped": "has stopped"}


def text() -> str:
    """The page as it is committed."""
    table = workflow_table.table()
    return "\n".join(
        [
            "# States, actions and who may",
            "",
            "This page is written by `make workflow` from `chalicelib/rules/workflow.json` and",
            "`permissions.json`, which are what the code enforces; a test compares. Change the",
            "rules, not this page. `GET /v1/workflow` answers the same as data.",
            "",
            *_diagram(table),
            *_states(table),
            *_actions(table),
            *_kinds(table),
            *_actors(table),
            *_operations(),
        ]
    )


def _diagram(table: dict[str, Any]) -> list[str]:
    steps: dict[tuple[str, str], list[str]] = {}
    for name, action in table["actions"].items():
        target = action["to"]
        for source in action["from"] if target in table["states"] else ():
            if source != target:
                steps.setdefault((source, target), []).append(name)
    lines = [f"  {start} --> {end}: {', '.join(names)}" for (start, end), names in steps.items()]
    return ["```mermaid", "stateDiagram-v2", "  [*] --> submitted: file", *lines, "```", ""]


def _states(table: dict[str, Any]) -> list[str]:
    rows = [
        (f"`{name}`", STATES[name], CLOCKS[state["clock"]], f"`{state['open311']}`")
        for name, state in table["states"].items()
    ]
    closed = [(f"`{name}`", RESOLUTIONS[name]) for name in table["resolutions"]]
    return [
        *_section("States", ("State", "Meaning", "SLA clock", "Open311"), rows),
        *_section("Resolutions of a closed report", ("Resolution", "Meaning"), closed),
    ]


def _actions(table: dict[str, Any]) -> list[str]:
    rows = [
        (f"`{name}`", _sources(table, action), _target(action), _who(action), _needs(action))
        for name, action in table["actions"].items()
    ]
    reasons = [(f"`{name}`", _codes(codes)) for name, codes in table["reasons"].items()]
    return [
        *_section("Actions", ("Action", "From", "To", "Who", "Needs (may have)"), rows),
        *_section("Reasons to choose from", ("Action", "Reasons"), reasons),
    ]


def _sources(table: dict[str, Any], action: dict[str, Any]) -> str:
    sources = action["from"]
    if len(sources) == len(table["states"]):
        return "any"
    if len(sources) == len(table["states"]) - 1 and "closed" not in sources:
        return "any open"
    closed_as = f" as {_codes(action['resolutions'])}" if "resolutions" in action else ""
    return _codes(sources) + closed_as


def _target(action: dict[str, Any]) -> str:
    words = {"same": "unchanged", "back": "the state before"}
    target = words.get(action["to"], f"`{action['to']}`")
    return f"{target}, `{action['resolution']}`" if "resolution" in action else target


def _who(action: dict[str, Any]) -> str:
    only = action.get("only", {})
    named = []
    for actor in action["who"]:
        where = f" (in {_codes(only[actor])})" if actor in only else ""
        named.append(f"`{actor}`{where}")
    return ", ".join(named) or "nobody"


def _needs(action: dict[str, Any]) -> str:
    needed = [f"`{need}`" for need in action.get("requires", ())]
    if "any_of" in action:
        needed.append(" or ".join(f"`{need}`" for need in action["any_of"]))
    optional = _codes(action.get("optional", ()))
    return f"{', '.join(needed)} ({optional})".strip() if optional else ", ".join(needed)


def _kinds(table: dict[str, Any]) -> list[str]:
    lines = []
    for kind, title in KINDS.items():
        rows = [
            (f"`{name}`", "; ".join(_change(key, value) for key, value in changed.items()))
            for name, changed in table[kind].items()
        ]
        lines += _section(f"{title}, what differs", ("Action", "Instead"), rows)
    return lines


def _change(key: str, value: Any) -> str:
    if key == "who":
        return f"who: {_codes(value) or 'nobody'}"
    if key == "requires":
        return f"needs: {_codes(value)}"
    return f"its words are {value}" if key == "words" else f"{key}: {value}"


def _actors(table: dict[str, Any]) -> list[str]:
    named = {actor for action in table["actions"].values() for actor in action["who"]}
    named |= {
        actor for kind in KINDS for each in table[kind].values() for actor in each.get("who", ())
    }
    meanings = {**{role: row["is"] for role, row in principal.roles().items()}, **ACTORS}
    rows = [(f"`{actor}`", about) for actor, about in meanings.items() if actor in named]
    unknown = named - meanings.keys()
    if unknown:
        raise KeyError(f"nobody says who is {', '.join(sorted(unknown))}")
    return _section("Who is who", ("Word", "Who"), rows)


def _operations() -> list[str]:
    by_right: dict[tuple[str, ...], list[str]] = {}
    for operation, roles in permissions.operations().items():
        by_right.setdefault(tuple(sorted(roles)), []).append(operation)
    rows = [(_codes(roles), _codes(sorted(names))) for roles, names in sorted(by_right.items())]
    about = (
        "The right to call is the first question; an official's grant must also reach the report's "
        "district and service."
    )
    return [
        *_section("Roles and operations of the API", ("Roles", "Operations"), rows, about),
    ]


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _section(
    title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], about: str = ""
) -> list[str]:
    return [
        f"## {title}", "", *([about, ""] if about else []),
        f"| {' | '.join(columns)} |", "|" + "---|" * len(columns),
        *(f"| {' | '.join(row)} |" for row in rows), "",
    ]  # fmt: skip


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
    print(f"wrote {PAGE.name}")
