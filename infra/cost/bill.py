"""A month's bill: the units of one report, look and poll, times a city's month, times prices."""

import json
from pathlib import Path
from typing import Any

from infra.deploy import watching

_HERE = Path(__file__).parent
_CPU = _HERE / "cpu.json"
# A function has 1,024 MB; with 1,769 MB Lambda gives it one whole processor.
MEMORY_GB, SHARE = 1.0, 1024 / 1769
# How long a function waits for one call to AWS.
CALL_SECONDS = 0.005
DAYS = 30
LOG_BYTES_A_REQUEST = 900
MILLION, THOUSAND, GB = 1e6, 1e3, 1e9
# Runs of the scheduled functions in a month; each reads once or twice.
SCHEDULED = (60 + 12 + 3 * 4 + 4) * 24 * DAYS
ALARMS = len(watching.alarms("prod"))
SMALL_BATCHES = 6

Bill = dict[str, float]


def prices() -> dict[str, Any]:
    """The price file."""
    document: dict[str, Any] = json.loads((_HERE / "prices.json").read_text())
    return document


def cpu() -> dict[str, Any]:
    """The file of CPU seconds: ``{"measured": date, "seconds": {"report", "look", "poll"}}``."""
    document: dict[str, Any] = json.loads(_CPU.read_text())
    return document


def keep_cpu(seconds: dict[str, float], day: str) -> None:
    """Write CPU seconds, measured on ``day``, to their file."""
    document = {**cpu(), "measured": day, "seconds": seconds}
    _CPU.write_text(json.dumps(document, indent=2) + "\n")


def cities() -> dict[str, dict[str, float]]:
    """How much each city uses the system."""
    document: dict[str, dict[str, float]] = json.loads((_HERE / "cities.json").read_text())
    return document


def month(units: dict[str, Any], city: dict[str, float], price: dict[str, Any]) -> Bill:
    """Dollars by item of a city's month, after a year of use (twelve months are stored).

    ``units`` are what one report, look and poll take, their CPU seconds included.
    """
    reports = city["reports"]
    looks = city["daily_users"] * city["looks"] * DAYS
    polls = city["officials"] * city["hours"] * 3600 / city["poll_seconds"] * city["days"]
    requests = reports * units["requests_a_report"] + looks + polls

    def used(name: str) -> float:
        return float(
            reports * units["report"][name]
            + looks * units["look"][name]
            + polls * units["poll"][name]
        )

    runs = requests + reports * SMALL_BATCHES + SCHEDULED
    seconds = used("cpu") / SHARE + used("calls") * CALL_SECONDS + SCHEDULED * 2 * CALL_SECONDS
    stored = reports * 12
    rows, files = stored * units["stored"]["rows"] / GB, stored * units["stored"]["files"] / GB
    return {
        "database": used("writes") / MILLION * price["dynamodb_write_million"]
        + (used("reads") + SCHEDULED) / MILLION * price["dynamodb_read_million"],
        "database storage": rows * (price["dynamodb_storage_gb"] + price["dynamodb_recovery_gb"]),
        "functions": runs / MILLION * price["lambda_million"]
        + seconds * MEMORY_GB * price["lambda_gb_second"],
        "api": requests / MILLION * price["api_million"],
        "firewall": price["firewall_fixed"] + requests / MILLION * price["firewall_million"],
        "files": used("puts") / THOUSAND * price["s3_put_thousand"]
        + used("gets") / THOUSAND * price["s3_get_thousand"]
        + files * price["s3_storage_gb"],
        "messages": used("messages") / MILLION * max(price["sns_million"], price["sqs_million"])
        + reports * city["mails"] / THOUSAND * price["mail_thousand"],
        "out": (used("bytes_out") + looks * 0.05 * units["picture"]) / GB * price["out_gb"],
        "logs and alarms": requests * LOG_BYTES_A_REQUEST / GB * price["logs_gb"]
        + (ALARMS - price["free_alarms"]) * price["alarm"]
        + price["key"],
    }


def at_rest(price: dict[str, Any]) -> float:
    """Dollars a month while nobody uses it."""
    nobody = dict.fromkeys(next(iter(cities().values())), 0.0) | {"poll_seconds": 10.0}
    nothing = dict.fromkeys(
        ("reads", "writes", "calls", "puts", "gets", "messages", "cpu", "bytes_out"), 0.0
    )
    units = {"report": nothing, "look": nothing, "poll": nothing, "requests_a_report": 0,
             "stored": {"rows": 0.0, "files": 0.0}, "picture": 0.0}  # fmt: skip
    return sum(month(units, nobody, price).values())


def compared(counted: dict[str, Any], measured: dict[str, Any]) -> dict[str, Any]:
    """The whole document: units, bills, what others cost, and who is cheaper where.

    ``counted`` are the units of ``replay.run``; ``measured`` is the file of CPU seconds.
    """
    price = prices()
    units = {**counted}
    for name, seconds in measured["seconds"].items():
        units[name] = {**counted[name], "cpu": seconds}
    bills = {}
    for name, city in cities().items():
        bill = month(units, city, price)
        total = sum(bill.values())
        cheaper = [other for other, about in price["others"].items() if about["month"] < total]
        bills[name] = {
            "city": city,
            "items": {item: round(dollars, 2) for item, dollars in bill.items()},
            "month": round(total, 2),
            "year": round(12 * total, 2),
            "cheaper": cheaper,
        }
    return {
        "as_of": price["as_of"],
        "region": price["region"],
        "cpu_measured": measured["measured"],
        "at_rest": round(at_rest(price), 2),
        "units": units,
        "bills": bills,
        "others": price["others"],
    }
