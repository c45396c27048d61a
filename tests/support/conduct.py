"""Rows of districts whose officers work at given rates: a model of conduct, without the product."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.bootstrap import Row
from chalicelib.domain.scorecards.card_types import Card
from chalicelib.domain.scorecards.cards import Scorecards
from chalicelib.domain.scorecards.contributions import Contribution
from chalicelib.domain.scorecards.score_means import Means, pass_rates
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.domain.scorecards.totals import MonthTotals, Scope
from chalicelib.domain.sla.custody import WHOLE
from tests.support.random_score_rows import bundle

MONTH = "202611"
CITY = City.from_json(bundle("Asia/Jakarta"))
WEIGHTS = {
    "on_time": 35, "acknowledged_on_time": 15, "verified": 15, "reopened_or_refused": 10,
    "overdue_carried": 10, "satisfaction": 10, "case_mix": 5,
}  # fmt: skip
SETTINGS = Settings(weights=WEIGHTS)
# How often each service is in time where everybody works alike.
IN_TIME = {"litter": 0.95, "lamp": 0.8, "pothole": 0.7, "bridge": 0.45}


@dataclass(frozen=True)
class Conduct:
    """How officers work: shares of reports, and the mean of their stars."""

    in_time: Mapping[str, float]
    heard: float = 0.8
    verified: float = 0.75
    refused: float = 0.12
    carried: float = 0.05
    stars: tuple[int, ...] = (10, 10, 20, 35, 25)


MEAN = Conduct(IN_TIME)


def better(conduct: Conduct, share: float) -> Conduct:
    """So much of what fails succeeds (or, below 0, of what succeeds fails)."""

    def moved(rate: float) -> float:
        return rate + share * (1 - rate) if share > 0 else rate * (1 + share)

    return replace(
        conduct,
        in_time={code: moved(rate) for code, rate in conduct.in_time.items()},
        heard=moved(conduct.heard),
        verified=moved(conduct.verified),
        refused=1 - moved(1 - conduct.refused),
        carried=1 - moved(1 - conduct.carried),
    )


def rows(
    district: str, n: int, conduct: Conduct, rng: Random, services: Iterable[str] = IN_TIME
) -> list[Row]:
    """The rows of ``n`` reports due in the month, and as many in each of the two months before."""
    kinds, made = list(services), list[Row]()
    for number in range(n):
        name, service = f"{district}-{number:05d}", rng.choice(kinds)
        made += [(name, one, WHOLE) for one in report(district, service, conduct, rng)]
    earlier = contribution("due_earlier", "due", "litter", district)
    return made + [(f"{district}-E{number}", earlier, WHOLE) for number in range(2 * n)]


def report(district: str, service: str, conduct: Conduct, rng: Random) -> list[Contribution]:
    """What one report adds."""
    in_time = rng.random() < conduct.in_time[service]
    sure = rng.random() < conduct.verified
    heard = "in_time" if rng.random() < conduct.heard else "late"
    closing = "verified" if sure else "unanswered"
    made = [
        contribution("on_time", closing if in_time else "late", service, district),
        contribution("acknowledged_on_time", heard, service, district),
        contribution("verified", "verified" if sure else "unverified", service, district),
        contribution("reopened_or_refused", "finished", service, district),
    ]
    if rng.random() < conduct.refused:
        made.append(contribution("reopened_or_refused", "refused", service, district))
    if rng.random() < conduct.carried:
        made.append(contribution("overdue_carried", "carried", service, district))
    if rng.random() < 0.4:
        star = rng.choices((1, 2, 3, 4, 5), conduct.stars)[0]
        made.append(contribution("satisfaction", "rated", service, district, float(star)))
    return made


def contribution(
    measure: str, outcome: str, service: str, district: str, value: float | None = None
) -> Contribution:
    """One contribution of the district's own unit."""
    unit, at = f"u-{district.lower()}", "2026-11-10T03:00:00.000Z"
    ward = f"{district}-W1"
    return Contribution(measure, outcome, service, ward, unit, None, WHOLE, value, at)


def cards(given: Iterable[Row], settings: Settings = SETTINGS) -> dict[str, Card]:
    """{code: card} of the city and its districts."""
    known = list(given)
    made = Scorecards(_totals(known), CITY, settings).cards(MONTH, lambda: known)
    return {card["code"]: card for card in made if card["kind"] in ("city", "district")}


def scores(given: Iterable[Row], settings: Settings = SETTINGS) -> dict[str, float]:
    """{code: exact score} of the city and its districts, without intervals."""
    totals = _totals(given)
    codes = [area.code for area in CITY.areas_of_level(-2)]
    whole = totals.of(Scope("city", CITY.root))
    means = Means(whole, settings, pass_rates(totals, codes, settings))
    found = {code: means.score(totals.of(Scope("district", code))) for code in codes}
    found[CITY.root] = means.score(whole)
    return {code: float(100 * score) for code, score in found.items() if score is not None}


def _totals(given: Iterable[Row]) -> MonthTotals:
    totals = MonthTotals(CITY)
    for _, one, weight in given:
        totals.add(one, weight)
    return totals
