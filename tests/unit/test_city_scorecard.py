"""The ranking of a month for a terminal says what its dashes and ranges mean."""

from typing import Any

from infra.city import scorecard


def page(settings: dict[str, Any], **placed: Any) -> dict[str, Any]:
    """A month with one district."""
    on_time = {"value": 0.5, "low": 0.3, "high": 0.7, "n": 12}
    row = {"name": {"en": "North"}, "n": 12.0, "on_time": on_time, **placed}
    head = {"month": "202611", "stage": "draft", "revision": 1, "rules": "v1"}
    return {**head, "settings": settings, "districts": [row], "units": [], "city": []}


def test_a_district_without_a_score_is_explained() -> None:
    none = dict.fromkeys(("score", "score_low", "rank", "rank_best"))
    text = scorecard.text(
        page({"rank_from": 10, "score_from": 25}, **none, ranked=False, unscored="too_few_due")
    )
    assert "–: a score needs 25 reports due in three months, a rank also 10 in the month" in text


def test_a_rank_of_the_first_engine_is_not_called_a_range() -> None:
    text = scorecard.text(page({"rank_from": 10}, score=61.0, rank=1, of=1, ranked=True))
    assert "      1  North" in text
    assert "interval of the score" not in text
