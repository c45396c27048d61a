"""CPU of requests through the app object, called as by Lambda, and of a bare Chalice route."""

import json
import statistics
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import boto3
from chalice.app import Chalice

from infra.local.requests import Context, Event, event

BATCHES = 9
PLACE = (-6.175, 106.827)


def measure() -> dict[str, float]:
    """Ratios to the bare route, and the bare route's own µs of CPU."""
    from app import app
    from chalicelib.domain.principal import Grant, Principal
    from chalicelib.services.city import cities
    from chalicelib.services.reports import queues
    from chalicelib.settings import settings

    bare = _bare()
    numbers = count()

    def filing() -> Event:
        body = {"service": "banjir", "lat": PLACE[0], "long": PLACE[1], "description": "Banjir"}
        return event("POST", "/v1/reports", body, _device(app), f"bench-{next(numbers)}")

    first = _call(app, filing())
    for _ in range(60):
        _call(app, filing())
    city = cities.current(settings().jurisdiction, _now())
    district = first["district"]["code"]
    actor = Principal(
        "staff",
        city.jurisdiction,
        uid="s_bench",
        grants=(Grant("officer", frozenset({district}), frozenset({"*"})),),
    )
    by_id = event("GET", "/v1/reports/{id}", path={"id": first["id"]})

    def page() -> None:
        queues.queue(actor, district, "submitted", None, 50, None, _now())

    sdk, heads = boto3.client("dynamodb"), settings().table("reports")
    key = {"pk": {"S": f"{city.jurisdiction}#R#{first['id']}"}}
    work: dict[str, tuple[Callable[[], object], int]] = {
        "bare": (lambda: bare(event("GET", "/bare"), Context()), 400),
        "boto3 get_item / bare route": (lambda: sdk.get_item(TableName=heads, Key=key), 40),
        "report by id / bare route": (lambda: _call(app, by_id), 40),
        "intake request / bare route": (_prepared(app, filing), 12),
        "queue page of 50 / bare route": (page, 20),
    }
    samples: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(BATCHES):
        for name, (action, times) in work.items():
            samples[name].append(_cpu(action, times))
    base = statistics.median(samples.pop("bare"))
    ratios = {name: statistics.median(values) / base for name, values in samples.items()}
    index = cities.boundaries(city.jurisdiction, city.version)
    ratios["warm boundary look-up, µs of CPU"] = 1e6 * _cpu(lambda: index.ward_at(*PLACE), 20_000)
    return {**ratios, "bare route, µs of CPU": base * 1e6}


def _bare() -> Chalice:
    bare = Chalice("bare", configure_logs=False)

    def answer() -> dict[str, bool]:
        return {"ok": True}

    bare.route("/bare")(answer)
    return bare


def _prepared(app: Any, filing: Callable[[], Event]) -> Callable[[], object]:
    # The event, its device and its key are made by the client, so not measured.
    ready = [filing() for _ in range(12 * BATCHES)]
    return lambda: _call(app, ready.pop())


def _device(app: Any) -> str:
    token: str = _call(app, event("POST", "/v1/devices"))["token"]
    return f"Device {token}"


def _cpu(action: Callable[[], object], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        action()
    return (time.process_time() - start) / times


def _call(app: Any, event: Event) -> Any:
    answer = app(event, Context())
    if answer["statusCode"] >= 400:
        raise RuntimeError(f"{event['httpMethod']} {event['path']}: {answer['body']}")
    return json.loads(answer["body"])


def _now() -> Any:
    from chalicelib import clock

    return clock.now()
