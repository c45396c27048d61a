"""The workflow as it is answered: states, actions and who may take them, reasons with texts."""

from chalicelib.routes.schemas.blocks import (
    BOTH,
    RESOLUTIONS,
    STATE,
    VERSION,
    Schema,
    by_code,
    many,
    record,
)

_NAMES = many({"type": "string"})
_WORDS = {"type": "string", "enum": ["public", "inside"]}
_ACTION: dict[str, Schema] = {
    "from": many(STATE),
    "to": {"type": "string"},
    "who": _NAMES,
    "requires": _NAMES,
    "any_of": _NAMES,
    "optional": _NAMES,
    "resolution": {"type": "string", "enum": RESOLUTIONS},
    "resolutions": many({"type": "string", "enum": RESOLUTIONS}),
    "words": _WORDS,
    "work": {"type": "boolean"},
    "only": by_code(many(STATE)),
}
_MAY_MISS = ("requires", "any_of", "optional", "resolution", "resolutions", "words", "work", "only")
_RULE = record("WorkflowAction", _ACTION, optional=_MAY_MISS)
# What a kind of report changes in the rows of the actions.
_CHANGE = record("WorkflowChange", _ACTION, optional=tuple(_ACTION))
_STATE = record(
    "WorkflowState",
    {
        "open311": {"type": "string", "enum": ["open", "closed"]},
        "clock": {"type": "string", "enum": ["running", "paused", "stopped"]},
    },
)
WORKFLOW = record(
    "Workflow",
    {
        "version": VERSION,
        "states": by_code(_STATE),
        "resolutions": many({"type": "string", "enum": RESOLUTIONS}),
        "reasons": by_code(_NAMES),
        "actions": by_code(_RULE),
        "protected": by_code(_CHANGE),
        "proposed": by_code(_CHANGE),
        "moderations": by_code(BOTH),
        "flags": by_code(BOTH),
        "texts": by_code(BOTH),
    },
)
