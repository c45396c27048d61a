"""A month that an older engine judged is computed again to the same bytes."""

import pytest

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.statistics import Settings
from tests.integration.test_recompute import store
from tests.support import golden_months
from tests.support.random_score_rows import Town, bundle

KNOWN = golden_months.load()


FEW = 3  # months in ``make test``


@pytest.mark.parametrize(
    "seed",
    [
        *golden_months.SEEDS[-FEW:],
        *(pytest.param(seed, marks=pytest.mark.long) for seed in golden_months.SEEDS[:-FEW]),
    ],
)
def test_a_month_of_the_first_engine_is_computed_again_byte_for_byte(aws: None, seed: int) -> None:
    """Every figure, row, file and document, and the digest that was published."""
    town, known = Town(seed), KNOWN[str(seed)]
    store(town, City.from_json(bundle(town.zone)))
    digest, written = golden_months.published(seed, Settings.of_month(known["settings"]))
    if seed == golden_months.WHOLE_TEXT:
        (text,) = (body for name, body in written.items() if "scorecard.json" in name)
        assert text.decode() == KNOWN["scorecard"]
    assert golden_months.hashes(written) == known["hashes"]
    assert digest == known["digest"]
