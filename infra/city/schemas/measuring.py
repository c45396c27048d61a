"""The schemas of calendar.json and scoring.json."""

from chalicelib.domain.city.business_hours import DAYS
from chalicelib.domain.scorecards.measures import measures, scored
from infra.city.schemas.parts import (
    MESSAGE,
    Schema,
    choice,
    common,
    file,
    formed,
    many,
    number,
    own,
    record,
    whole,
)

_TIME = formed(r"^([01]\d|2[0-3]):[0-5]\d$", 'must be a time of day such as "07:30"')
_SPAN = many(
    _TIME,
    "From when, until when.",
    minItems=2,
    maxItems=2,
    errorMessage='must be two times of day such as ["07:30", "16:00"]',
)
_DAY: Schema = {
    "type": ["array", "null"],
    "description": "Spans of work, in order; nothing where nobody works.",
    "items": _SPAN,
}
_HOLIDAY = record(
    {
        "date": {
            "type": "string",
            "description": "A day such as 2027-01-01.",
            "format": "date",
            MESSAGE: "must be a date such as 2027-01-01",
        },
        "name": common("texts", "The holiday's name."),
        "basis": choice(
            ("fixed", "announced", "expected"),
            "fixed: on its date by law. announced: for its year. expected: by the calendar of "
            "its faith, still to be announced.",
        ),
    },
    ["date", "name", "basis"],
)
CALENDAR: Schema = file(
    "calendar.json",
    "Weekly working hours and holidays.",
    {
        "working": record(
            {day: own("day", f"Working hours on {day}.") for day in DAYS},
            (),
            "The working hours of a week, in the city's time.",
        ),
        "holidays": many(_HOLIDAY, "Days without work."),
    },
    ["working", "holidays"],
) | {"$defs": {"day": _DAY}}

SETTINGS: dict[str, Schema] = {
    "rank_from": whole(
        1, 10_000, "With fewer reports a district is shown but not ranked.", default=10
    ),
    "score_from": whole(
        1, 10_000, "With fewer reports due in three months there is no score.", default=30
    ),
    "audit_from": whole(
        1,
        10_000,
        "From how many audited closings, over three months, a district's own pass rate counts "
        "alone. At most three times audit_sample.",
        default=30,
    ),
    "audit_prior": whole(
        0, 1000, "As how many audits the city's pass rate counts until then.", default=5
    ),
    "audit_sample": whole(
        1, 1000, "How many closings of a district and month are audited.", default=12
    ),
    "unaudited_pass_rate": number(
        0, 1, "The pass rate while nobody in the city was audited.", default=0.5
    ),
    "reporter_cap": whole(
        1, 10_000, "How many reports of one reporter in a month count fully.", default=25
    ),
    "shrink_n": whole(
        0, 10_000, "The weight of the city's mean, in reports, in a shrunken mean.", default=20
    ),
    "old_factor": number(
        1, 20, "After how many targets of waiting an open report is old.", default=3
    ),
    "recurrence_m": number(
        1, 1000, "Within how many metres of a repair the same has recurred.", default=30
    ),
    # A scorecard looks back two months, so a longer wait would let repairs go unjudged.
    "recurrence_days": whole(
        1, 60, "Within how many days of a repair the same has recurred.", default=60
    ),
}


_BAND = record(
    {
        "code": common("code", "Its code."),
        "name": common("texts", "Its name."),
        "from": number(0, 100, "The lowest score in it."),
    },
    ["code", "name", "from"],
)
BANDS = many(
    _BAND,
    "Bands of scores, the lowest first, which are published in place of ranks. The first begins "
    "at 0.",
    maxItems=20,
)


def scoring() -> Schema:
    """The schema of scoring.json."""
    known = measures()
    weights = {name: whole(0, 100, f"{known[name]['name']['en']}: percent.") for name in scored()}
    about = "The weight of each measure. All add up to 100."
    return file(
        "scoring.json",
        "The scorecard's weights and settings.",
        {"weights": record(weights, (), about), **SETTINGS, "bands": BANDS},
        ["weights"],
    )
