"""The bill's arithmetic."""

import json
import re

import pytest

from infra.cost import bill

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


def test_ten_times_the_city_costs_ten_times_but_for_what_is_fixed() -> None:
    price, cities = bill.prices(), bill.cities()
    one = sum(bill.month(UNITS, cities["jakarta"], price).values())
    ten = sum(bill.month(UNITS, cities["ten_times"], price).values())
    assert ten == pytest.approx(10 * one - 9 * bill.at_rest(price), rel=1e-3)
    assert cities["jakarta"]["reports"] * 12 == 186_000


def test_who_is_cheaper_is_computed_from_the_bills() -> None:
    found = bill.compared(UNITS)
    for one in found["bills"].values():
        assert one["month"] == pytest.approx(sum(one["items"].values()), abs=0.1)
        named = {name for name, about in found["others"].items() if about["month"] < one["month"]}
        assert set(one["cheaper"]) == named
    assert json.dumps(found)
