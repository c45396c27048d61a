"""The bench of tricks: what it reports, and that honest conduct gains nothing (bench/gaming)."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.gaming import __main__ as bench
from bench.gaming import conduct, figures, life, place, quick, simulation
from bench.gaming.catalogue import TRICKS

NAMES = ["control", "coordinate", "border_pins"]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """One seed with fifteen reports a district, and three tricks."""
    out = tmp_path_factory.mktemp("bench") / "gaming.json"
    arguments = ["--seeds", "1", "--sizes", "15", "--workers", "1", "--out", str(out)]
    assert bench.main([*arguments, "--no-references", "--tricks", *NAMES]) == 0
    loaded: dict[str, object] = json.loads(out.read_text())
    return loaded


def test_the_report_has_every_trick_by_size_with_an_interval(report: dict[str, object]) -> None:
    assert (report["seeds"], report["sizes"], report["detectors"]) == (1, [15], None)
    tricks = report["tricks"]
    assert isinstance(tricks, list)
    assert [row["name"] for row in tricks] == NAMES
    for row in tricks:
        figure = row["sizes"]["15"]
        # A trick after which too little is due leaves a district without a score.
        if figure["mean"] is not None:
            assert figure["low"] <= figure["mean"] <= figure["high"]
        assert figure["flagged"] is None
    honest = report["honest"]
    assert isinstance(honest, dict)
    assert 0 < honest["15"]["mean"] < 100


def test_the_same_conduct_lived_again_gains_nothing(report: dict[str, object]) -> None:
    tricks = report["tricks"]
    assert isinstance(tricks, list)
    figure = tricks[0]["sizes"]["15"]
    assert (figure["mean"], figure["low"], figure["high"]) == (0.0, 0.0, 0.0)
    assert figure["touched"] == 1.0


def test_a_trick_that_the_workflow_refuses_is_shown_with_the_rule(
    report: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    tricks = report["tricks"]
    assert isinstance(tricks, list)
    figure = tricks[2]["sizes"]["15"]
    assert not figure["possible"]
    assert figure["refused"] == {"move_pin.dispatcher_needed": figure["acts"]}
    print(figures.table(report))
    assert "refused: dispatcher_needed" in capsys.readouterr().out


def test_a_setting_that_scorings_do_not_have_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--set", "shrink=3"])
    assert "no such setting: shrink" in capsys.readouterr().err
    assert simulation.settings({"shrink_n": 40}).shrink_n == 40


@pytest.mark.parametrize("words", [["--seeds", "0"], ["--sizes", "15", "0"], ["--workers", "-1"]])
def test_a_bench_of_nothing_is_refused(
    capsys: pytest.CaptureFixture[str], words: list[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit):
        bench.main([*words, "--tricks", "control", "--out", str(tmp_path / "gaming.json")])
    assert "must be a whole number from 1" in capsys.readouterr().err


def test_no_trick_of_any_kind_is_lost() -> None:
    groups = [trick.group for trick in TRICKS.values()]
    assert {name: groups.count(name) for name in ("table", "before", "more")} == {
        "table": 22,
        "before": 12,
        "more": 13,
    }


def test_equal_seeds_give_equal_reports_and_others_do_not() -> None:
    def made(seed: str) -> list[conduct.Case]:
        return conduct.district_cases(seed, place.GAMED, simulation.MONTHS[:1], 5, conduct.Habits())

    assert made("a") == made("a")
    assert made("a") != made("b")


def test_honest_acts_are_all_allowed_by_the_workflow() -> None:
    """Refused acts of a trick are counted, so here every act is said to be one."""
    end = place.city().bounds("202612")[1]
    for case in conduct.district_cases(
        "honest", place.GAMED, simulation.MONTHS[:1], 60, conduct.Habits()
    ):
        acts = tuple(replace(act, trick=True) for act in case.acts)
        ended = life.life_of(replace(case, acts=acts), end)
        assert ended.refused == (), case


def test_the_quick_copy_of_a_head_is_what_replace_gives() -> None:
    case = conduct.district_cases("copy", place.GAMED, simulation.MONTHS[:1], 1, conduct.Habits())[
        0
    ]
    head = life.filed(case)
    assert quick.quick_replace(head, state="assigned") == replace(head, state="assigned")
    assert head.state == "submitted"


def test_the_bench_reads_no_data_that_a_public_clone_lacks() -> None:
    folder = Path(bench.__file__).parent
    assert not [path for path in folder.glob("*.py") if "shared" in path.read_text()]
