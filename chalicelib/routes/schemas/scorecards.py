"""What is answered about scorecards and audits."""

from chalicelib.domain.scorecards.card_types import RANGES, UNSCORED
from chalicelib.domain.scorecards.measures import measures, scored, table
from chalicelib.routes.schemas.blocks import (
    BOTH,
    CODE,
    COUNT,
    ID,
    MOMENT,
    NUMBER,
    RESOLUTIONS,
    Schema,
    many,
    maybe,
    record,
)

MONTH = {"type": "string", "pattern": "^[0-9]{6}$"}
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_PERCENT = {"type": "number", "minimum": 0, "maximum": 100}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_MAYBE = maybe(NUMBER)
_SCORE = maybe({"type": "number", "minimum": 0, "maximum": 100})
_STAGE: dict[str, Schema] = {
    "month": MONTH,
    "stage": {"type": "string", "enum": ["live", "provisional", "draft"]},
    "revision": COUNT,
    "rules": CODE,
    "until": MOMENT,
    "closed_at": MOMENT,
    "digest": _DIGEST,
}
_RANKED: dict[str, Schema] = {
    "n": {"type": "number", "description": "Deadlines in the month, by shares."},
    "score": _SCORE,
    "ranked": {"type": "boolean"},
    "rank": maybe(COUNT),
    "of": maybe(COUNT),
    "score_low": _SCORE,
    "score_high": _SCORE,
    "rank_best": maybe(COUNT),
    "rank_worst": maybe(COUNT),
    "band_low": maybe(CODE),
    "band_high": maybe(CODE),
    "due_in_three_months": _MAYBE,
    "unscored": maybe({"type": "string", "enum": list(UNSCORED)}),
}
_WEIGHTS: dict[str, Schema] = {
    code: {"type": "integer", "minimum": 0, "maximum": 100, "description": table()[code]["weight"]}
    for code in scored()
}
_SETTINGS = record(
    "ScoringSettings",
    {
        "weights": record("ScoreWeights", _WEIGHTS, optional=scored()),
        "rank_from": COUNT,
        "audit_from": COUNT,
        "audit_prior": COUNT,
        "audit_sample": COUNT,
        "unaudited_pass_rate": _SHARE,
        "reporter_cap": COUNT,
        "shrink_n": COUNT,
        "old_factor": NUMBER,
        "recurrence_m": NUMBER,
        "recurrence_days": COUNT,
        "weighing": COUNT,
        "engine": COUNT,
        "score_from": COUNT,
        "bands": many(record("ScoreBand", {"code": CODE, "name": BOTH, "from": _PERCENT}), 20),
    },
    optional=("weighing", "engine", "score_from", "bands"),
)
_PASS_RATE = record(
    "PassRate",
    {
        "district": {**maybe(CODE), "description": "The whole city if null."},
        "passed": COUNT,
        "audited": COUNT,
        "used": _SHARE,
    },
)
_KINDS = sorted({measure["kind"] for measure in measures().values()})
_FORMULA: dict[str, Schema] = {
    "kind": {"type": "string", "enum": _KINDS},
    "name": BOTH,
    "formula": BOTH,
}
_FIGURE = record(
    "ScoreFigure",
    {
        "measure": {"type": "string", "enum": list(measures())},
        **dict.fromkeys(("value", "numerator", "denominator", "n"), _MAYBE),
        **dict.fromkeys(("low", "high", "median", "p90", "oldest_days", "old"), _MAYBE),
        **_FORMULA,
    },
    optional=("low", "high", "median", "p90", "oldest_days", "old"),
)
_CARD = record(
    "ScorecardFigures",
    {
        "kind": {
            "type": "string",
            "enum": ["city", "district", "ward", "unit", "officer", "others"],
        },
        "code": CODE,
        "name": BOTH,
        **_RANKED,
        "measures": many(_FIGURE),
    },
    optional=RANGES,
)
_LINE = record(
    "RankedLine",
    {
        "code": CODE,
        "name": BOTH,
        **_RANKED,
        "on_time": record("RateInBrief", dict.fromkeys(("value", "low", "high", "n"), _MAYBE)),
    },
    optional=RANGES,
)
_HISTORY = record(
    "PastRevision", {name: _STAGE[name] for name in ("stage", "revision", "digest", "closed_at")}
)
_CHANGE = record(
    "FigureChange",
    {
        "kind": {"type": "string"},
        "code": CODE,
        "measure": {"type": "string"},
        "was": _MAYBE,
        "is": _MAYBE,
    },
)
_TOMBSTONE = record(
    "ReplacedRows",
    {
        "folder": CODE,
        "district": {"type": "string"},
        "at": MOMENT,
        "was": {**_DIGEST, "description": "SHA-256 of the file of rows that was replaced."},
        "is": _DIGEST,
        "rows": {**COUNT, "description": "How many rows name nobody since."},
    },
)
_SEED = {"month": MONTH, "sha256": _DIGEST}
SCORECARD_MONTHS = record(
    "ScorecardMonths",
    {
        "months": many(record("ScoredMonth", _STAGE)),
        "next": maybe(MONTH),
        "settings": _SETTINGS,
        "measures": many(record("Measure", {"code": CODE, **_FORMULA})),
        "audits": record(
            "AuditSeeds",
            {
                "commitments": many(record("SeedCommitment", _SEED)),
                "seeds": many(record("Seed", {**_SEED, "seed": _DIGEST})),
            },
        ),
    },
)
SCORECARD_MONTH = record(
    "ScorecardMonth",
    {
        **_STAGE,
        "settings": _SETTINGS,
        "history": many(_HISTORY),
        "changes": many(_CHANGE),
        "because": many(ID),
        "tombstones": many(_TOMBSTONE),
        "pass_rates": many(_PASS_RATE, 5000),
        "city": many(_LINE),
        "districts": many(_LINE, 5000),
        "units": many(_LINE, 5000),
    },
)
SCORECARD = record("Scorecard", {**_STAGE, "card": _CARD, "others": maybe(_CARD)})
SCORECARD_ROWS = record(
    "ScorecardRows",
    {
        "month": MONTH,
        "revision": COUNT,
        "measure": CODE,
        "rows": many(
            record(
                "Contribution",
                {
                    "report": {**maybe(ID), "description": "Null of a report kept secret since."},
                    "service": CODE,
                    "measure": CODE,
                    "outcome": CODE,
                    "ward": maybe(CODE),
                    "unit": maybe(CODE),
                    "district": {**maybe(CODE), "description": "Of a row without a ward."},
                    "officer": maybe(CODE),
                    "share": _SHARE,
                    "weight": _SHARE,
                    "value": _MAYBE,
                    "at": maybe(MOMENT),
                },
                optional=("district", "officer"),
            )
        ),
        "cursor": maybe({"type": "string"}),
    },
)
AUDITS = record(
    "Audits",
    {
        "month": MONTH,
        "district": CODE,
        "sample": many(
            record(
                "AuditedClosing",
                {
                    "report": ID,
                    "resolution": {"type": "string", "enum": RESOLUTIONS},
                    "closed_at": MOMENT,
                    "result": maybe({"type": "string", "enum": ["pass", "fail"]}),
                },
            )
        ),
        "next": maybe(ID),
    },
)
