"""``make demo``: the real archive filed over HTTP, and a made-up run in which everything is sent
twice."""

import csv
import io
import json
import os
import random
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from infra.demo import model, photos, rows
from tests.integration.test_recompute import differences, users
from tests.support.scorecards_in_pandas import city_facts, recompute, weights

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
PER_WARD = SHARED / "reports" / "qlue_2017-02_per_kelurahan.csv"
PROGRESS = re.compile(r"\d{4}-\d\d-\d\d |reading timelines |sent again |running every ")
needs_archive = pytest.mark.skipif(
    not PER_WARD.is_file(), reason="the archive of real reports (../shared/data) is not here"
)


def environment() -> dict[str, str]:
    """The environment of a process without AWS settings."""
    kept = ("AWS_", "TANGGAP_")
    return {name: text for name, text in os.environ.items() if not name.startswith(kept)}


def play(out: Path, *options: str) -> tuple[dict[str, Any], str]:
    """Run the demo's command in a process of its own: its document and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.demo", "--out", str(out), *options],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # The terminal shows the progress; no library writes in between.
    assert [line for line in done.stderr.splitlines() if not PROGRESS.match(line)] == []
    return json.loads(out.read_bytes()), done.stdout


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """Every row of the archive filed; one report in twenty is acted upon."""
    out = tmp_path_factory.mktemp("archive") / "build" / "demo.json"
    return play(out, "--data", str(SHARED), "--share", "0.05", "--days", "1")


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """Made-up reports over the shipped city; every request and every function's input twice."""
    out = tmp_path_factory.mktemp("made-up") / "demo.json"
    keep = str(out.parent / "stack")
    return play(out, "--made-up", "--limit", "80", "--twice", "--keep", keep)


@pytest.mark.long
@needs_archive
def test_the_archive_is_accepted_but_for_what_lies_outside_the_city(
    archived: tuple[dict[str, Any], str],
) -> None:
    """926 filed, 909 accepted, 17 refused as outside; each ward is the one the archive names."""
    found, _ = archived
    assert (found["filed"], found["accepted"]) == (926, 909)
    assert found["refused"] == {"outside_area": 17}
    assert found["ward_as_recorded"] == {"rows": 926, "agree": 926}


@pytest.mark.long
@needs_archive
def test_the_reports_of_each_ward_are_those_of_the_published_count(
    archived: tuple[dict[str, Any], str],
) -> None:
    """``wards`` is qlue_2017-02_per_kelurahan.csv to the last ward, including its row without a
    name."""
    with PER_WARD.open(encoding="utf-8", newline="") as file:
        published = {
            row["kemendagri_code"]: int(row["qlue_reports"]) for row in csv.DictReader(file)
        }
    found, _ = archived
    assert {**found["wards"], "": found["refused"]["outside_area"]} == published


@pytest.mark.long
@needs_archive
def test_projections_and_alerts_of_the_archive_say_what_the_answers_said(
    archived: tuple[dict[str, Any], str],
) -> None:
    """Tallies, a rebuild of them, and the distinct alerts agree with the counted answers."""
    found, _ = archived
    assert found["tallies"]["201702"]["received"] == 909
    assert found["tallies_agree"]
    assert found["map"]["agree"]
    assert found["map"]["received"] == 909
    assert found["alerts_agree"]
    # Alerts above the hourly limit come in each official's digest.
    assert found["alerts"] <= found["alerts_delivered"]
    assert found["messages_to_nobody"] == 0
    assert found["fullest_hour"]["messages"] <= 20
    assert found["rebuild"]["changed"] == 0
    assert sum(found["closed"].values()) + sum(found["open"].values()) == 909
    assert found["actions"]["assign"] > 10


@pytest.mark.long
@needs_archive
def test_the_summary_ends_with_the_busiest_wards_by_name(
    archived: tuple[dict[str, Any], str],
) -> None:
    """The table of the terminal names the busiest ward first."""
    found, printed = archived
    assert printed.index("busiest wards") < printed.index("Duri Kepa") < printed.index("Tegal Alur")
    assert max(found["wards"], key=found["wards"].__getitem__) == "31.73.05.1005"


@pytest.mark.long
def test_sending_every_request_again_creates_nothing(
    doubled: tuple[dict[str, Any], str],
) -> None:
    """Each accepted key gets the same answer, no refused one is accepted, and nothing changes."""
    found, _ = doubled
    replay = found["replay"]
    assert found["created_on_replay"] == replay["different"] == 0
    assert found["replayed"] + replay["refused_again"] == replay["requests"]
    assert found["replayed"] > 200
    assert replay["unchanged"]


@pytest.mark.long
def test_running_every_background_function_again_changes_nothing(
    doubled: tuple[dict[str, Any], str],
) -> None:
    """Stream, outbox, messages and photos ran over all their inputs again, to no effect."""
    found, _ = doubled
    runs = found["replay"]["background"]
    assert {"project_timeline", "relay_outbox", "send_messages", "process_photos"} <= set(runs)
    assert all(n > 0 for n in runs.values())
    assert found["replay"]["unchanged"]
    assert found["rebuild"]["changed"] == 0
    assert found["map"]["agree"]
    assert found["tallies_agree"]
    assert found["alerts_agree"]


@pytest.mark.long
def test_reports_of_our_own_making_are_worked_from_filing_to_verified(
    doubled: tuple[dict[str, Any], str],
) -> None:
    """Without the archive the shipped city sees every kind of step, and refusals are counted."""
    found, printed = doubled
    assert found["source"] == "made up"
    assert found["city"]["jurisdiction"] == "demo"
    assert found["filed"] == 80 == found["accepted"] + sum(found["refused"].values())
    assert {"assign", "start", "finish", "verify", "merge", "support"} <= set(found["actions"])
    assert found["photos"] > found["actions"]["finish"]
    assert found["closed"]["verified"] > 5
    assert "stale_version" in found["actions_refused"]["assign"]
    assert "created anything" in printed


@pytest.mark.long
def test_the_clock_and_the_months_judgement_are_in_the_document(
    doubled: tuple[dict[str, Any], str],
) -> None:
    """Deadlines were missed and escalated, unanswered repairs lapsed, and a draft was made."""
    found, printed = doubled
    assert found["breached"]["resolve"] > 5
    assert found["escalated"]["1"] >= found["escalated"]["2"] > 0
    assert found["lapsed"] > 0
    assert found["actions"]["audit"] > 0
    card = found["scorecard"]
    assert (card["month"], card["stage"]) == ("201702", "draft")
    assert sum(row["n"] for row in card["districts"]) > 10
    assert "ranking" in printed


# Read in a process of its own: one process has one local stack, and the tests may have theirs.
_DUMP = """
import json, sys
from pathlib import Path
from infra.emulator.session import aws
with aws(Path(sys.argv[1])):
    from chalicelib.services.city import cities
    from chalicelib.storage import report_filers
    from chalicelib.storage import city, people, score_rows, scorecards
    held = scorecards.month("demo", "201702")
    places = cities.districts(cities.at("demo", held["rules"]))
    print(json.dumps({
        "held": held,
        "rules": city.rules("demo", held["rules"]),
        "rows": [row for one in places for row in score_rows.scores("demo", one, "201612")],
        "filers": report_filers.filers("demo", "201702"),
        "cards": dict(scorecards.cards("demo", "201702", held["folder"])),
    }))
"""


@pytest.mark.long
def test_pandas_computes_the_same_scorecard_from_the_demos_rows(
    doubled: tuple[dict[str, Any], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The draft as it was published, against an independent recomputation over its rows."""
    found, _ = doubled
    (folder,) = tmp_path_factory.getbasetemp().glob("made-up[0-9]*/stack")
    command = [sys.executable, "-c", _DUMP, str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    kept = json.loads(done.stdout)
    held = kept["held"]
    assert held["digest"] == found["scorecard"]["digest"]
    assert len(kept["rows"]) == found["accepted"]
    filers = {"201702": kept["filers"]}
    facts = {**city_facts(kept["rules"]), "users": users(filers, "201702")}
    counted = weights(filers, held["settings"]["reporter_cap"], held["settings"]["weighing"])
    until = datetime.fromisoformat(held["until"])
    mine = recompute(kept["rows"], counted, facts, held["settings"], "201702", until)
    product = [card for name, card in kept["cards"].items() if name != "ranking"]
    assert differences(product, mine) == []


def test_a_small_demo_runs_to_its_summary_and_everything_again_changes_nothing(
    tmp_path: Path,
) -> None:
    """What the whole demo shows, with only 8 reports."""
    out = tmp_path / "demo.json"
    found, printed = play(out, "--made-up", "--limit", "8", "--twice", "--days", "4")
    assert found["filed"] == 8 == found["accepted"] + sum(found["refused"].values())
    assert found["created_on_replay"] == found["replay"]["different"] == 0
    assert found["replay"]["unchanged"]
    assert found["rebuild"]["changed"] == 0
    assert found["map"]["agree"]
    assert found["tallies_agree"]
    assert found["alerts_agree"]
    assert {"assign", "start", "finish"} <= set(found["actions"])
    assert found["breached"]["resolve"] > 0
    assert "created anything" in printed


def test_the_course_of_a_report_depends_on_the_seed_alone() -> None:
    """The same generator draws the same steps and delays; shares never exceed one."""

    def course(seed: str) -> list[tuple[str, float]]:
        rng = random.Random(seed)
        drawn = [model.next_step("submitted", rng, merge=True) for _ in range(50)]
        return [(s.action, model.delay(s, rng).total_seconds()) for s in drawn if s is not None]

    assert course("1:7") == course("1:7") != course("1:8")
    for situation in {step.situation for step in model.STEPS}:
        assert sum(step.share for step in model.STEPS if step.situation == situation) <= 1


def test_the_model_is_the_one_that_the_page_states() -> None:
    """Every row of docs/demo.md is a row of the model, and the other way round."""
    page = (ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
    stated = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in page.splitlines()
        if line.startswith("| ") and line.count("|") == 7
    ]
    played = [
        (
            step.situation,
            step.action,
            step.who,
            f"{step.share:.0%}",
            f"{step.median_hours:g} h",
            f"{step.spread:g}",
        )
        for step in (model.MERGE, *model.STEPS, *model.ASIDES)
    ]
    assert stated[1:] == played


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Banjir stasiun tebet", "banjir"),
        ("#cuacaekstrim #drainaseburuk", "drainase"),
        ("Got mampet bro", "drainase"),
        ("Tanggul jebol di perumahan", "sungai"),
        ("Mohon ditanggulangi segera", "banjir"),
        ("Pompa tidak berfungsi", "pompa"),
        ("#jalananrusak #drainaseburuk", "jalan_rusak"),
        ("", "banjir"),
    ],
)
def test_words_choose_the_service_in_the_order_of_the_table(text: str, service: str) -> None:
    """The first service one of whose words occurs; a flood where none does."""
    offered = {"banjir", "drainase", "sungai", "pompa", "jalan_rusak"}
    assert rows.service_of(text, offered) == service
    assert rows.service_of(text, {"banjir"}) == "banjir"


def test_the_photos_of_a_seed_are_the_same_street_before_and_after() -> None:
    """JPEGs that the same seed draws alike, except for the damage on the road."""
    before, after = (photos.draw(random.Random("a"), repaired=one) for one in (False, True))
    assert before == photos.draw(random.Random("a"), repaired=False) != after
    with Image.open(io.BytesIO(before)) as one, Image.open(io.BytesIO(after)) as other:
        assert one.size == other.size == (640, 480)
        assert 0 < sum(ImageChops.difference(one, other).convert("L").histogram()[40:]) < 60_000
