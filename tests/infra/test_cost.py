"""The bill's arithmetic."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.cost import bill

ROOT = Path(__file__).parents[2]
UNITS = {
    "report": {"reads": 50.0, "writes": 400.0, "calls": 120.0, "puts": 16.0, "gets": 12.0,
               "messages": 8.0, "cpu": 0.7, "bytes_out": 100.0},
    "look": {"reads": 1.5, "writes": 0.0, "calls": 1.0, "puts": 0.0, "gets": 0.0,
             "messages": 0.0, "cpu": 0.003, "bytes_out": 1700.0},
    "poll": {"reads": 2.5, "writes": 0.0, "calls": 1.0, "puts": 0.0, "gets": 0.0,
             "messages": 0.0, "cpu": 0.001, "bytes_out": 1000.0},
    "requests_a_report": 17.0,
    "stored": {"rows": 46_000.0, "files": 3_000_000.0},
    "picture": 500_000.0,
}  # fmt: skip


_COUNT = """
import json
from infra.cost import replay
replay.REPORTS, replay.LOOKS = 3, 4
print(json.dumps(replay.run()[0]))
"""


def test_prices_have_a_date_and_say_what_they_leave_out() -> None:
    price = bill.prices()
    assert re.fullmatch(r"20\d\d-\d\d", price["as_of"])
    assert "Free tiers" in price["about"]
    assert set(price["others"]) == {"postgis_django_ha", "one_vm", "qlue"}


def test_a_bill_is_what_is_used_times_its_price() -> None:
    price = bill.prices()
    city = {**bill.cities()["town"], "reports": 1_000_000, "daily_users": 0, "officials": 0}
    found = bill.month(UNITS, city, price)
    writes = 400.0 * price["dynamodb_write_million"]
    reads = (50.0 + bill.SCHEDULED / 1e6) * price["dynamodb_read_million"]
    assert found["database"] == pytest.approx(writes + reads)
    assert found["api"] == pytest.approx(17 * price["api_million"])
    assert found["files"] == pytest.approx(16_000 * 0.005 + 12_000 * 0.0004 + 36_000 * 0.023)


def test_what_it_costs_at_rest_is_what_the_pages_say() -> None:
    """Each alarm of the templates costs; the count is theirs."""
    dollars = round(bill.at_rest(bill.prices()))
    for page, words in (
        ("README.md", f"At rest it costs about {dollars} dollars a month"),
        ("docs/deploy.md", f"At rest it costs about {dollars} dollars a month"),
        ("docs/deploy.md", f"{bill.ALARMS} alarms less the free ten"),
        ("docs/cost.md", f"it costs {dollars} dollars a month without traffic"),
    ):
        assert words in (ROOT / page).read_text(), page


def test_ten_times_the_city_costs_ten_times_but_for_what_is_fixed() -> None:
    price, cities = bill.prices(), bill.cities()
    one = sum(bill.month(UNITS, cities["jakarta"], price).values())
    ten = sum(bill.month(UNITS, cities["ten_times"], price).values())
    assert ten == pytest.approx(10 * one - 9 * bill.at_rest(price), rel=1e-3)
    assert cities["jakarta"]["reports"] * 12 == 186_000


def test_cpu_is_a_dated_constant_and_not_what_the_run_took() -> None:
    measured = bill.cpu()
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", measured["measured"])
    assert "--cpu" in measured["about"]
    document = bill.compared(UNITS, measured)
    for name, seconds in measured["seconds"].items():
        assert document["units"][name]["cpu"] == seconds != UNITS[name]["cpu"]
    assert document["cpu_measured"] == measured["measured"]


@pytest.mark.long
def test_two_replays_count_the_same() -> None:
    counts = [
        subprocess.run(
            [sys.executable, "-c", _COUNT],
            check=True,
            capture_output=True,
            text=True,
            timeout=600,
        ).stdout
        for _ in range(2)
    ]
    assert json.loads(counts[0])["report"]["writes"] > 0
    assert counts[0] == counts[1]


def test_who_is_cheaper_is_computed_from_the_bills() -> None:
    found = bill.compared(UNITS, bill.cpu())
    for month in found["bills"].values():
        assert month["month"] == pytest.approx(sum(month["items"].values()), abs=0.1)
        named = {name for name, about in found["others"].items() if about["month"] < month["month"]}
        assert set(month["cheaper"]) == named
    assert json.dumps(found)
