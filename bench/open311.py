"""``python -m bench.open311``: a list of 1,000 requests, as ratios; also build/bench/open311.json.

CPU is this process's own for the whole request through the application, in turn with ``json.dumps``
of the same rows; the emulator runs in another process. Calls are counted at the client.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from bench.failures import reported
from bench.stack import running_stack
from chalicelib.domain.timeline_types import Event

OUT = Path("build") / "bench" / "open311.json"
ROWS, ROUNDS = 1000, 11
TEXT = "Lubang di depan pasar, sudah dua minggu, kemarin ada motor jatuh. " * 3


def main() -> int:
    """Print the table and write it."""
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder)) as environment:
        os.environ.update(environment)
        rows = _measure()
    figures = {name: {"value": value} for name, value in rows.items()}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    for name, value in rows.items():
        print(f"{name:52} {value:>10.2f}")
    return 0


def _measure() -> dict[str, float]:
    import app
    from chalicelib.storage import tables

    _fill(datetime.now(UTC))
    calls: Counter[str] = Counter()
    client = tables.client()
    client.meta.events.register(
        "before-call.dynamodb.*", lambda model, **_: calls.update([str(model.name)])
    )

    def ask(form: str) -> str:
        path = f"/open311/v2/requests.{form}"
        event = {
            "resource": path, "path": path, "httpMethod": "GET", "headers": {},
            "multiValueHeaders": {}, "multiValueQueryStringParameters": None,
            "pathParameters": None, "stageVariables": None, "body": None, "isBase64Encoded": False,
            "requestContext": {"resourcePath": path, "httpMethod": "GET", "path": path,
                               "identity": {"sourceIp": "192.0.2.1"}, "requestId": "-"},
        }  # fmt: skip
        answer: dict[str, Any] = app.app(event, None)
        assert answer["statusCode"] == 200, answer["body"][:300]
        return str(answer["body"])

    listed = json.loads(ask("json"))
    assert len(listed) == ROWS
    calls.clear()
    ask("json")
    rows: dict[str, float] = {f"calls of a list of {ROWS}": calls.total()}
    times: dict[str, list[float]] = {"json": [], "xml": [], "dumps": []}
    for _ in range(ROUNDS):
        times["json"].append(_cpu(lambda: ask("json")))
        times["xml"].append(_cpu(lambda: ask("xml")))
        times["dumps"].append(_cpu(lambda: json.dumps(listed, ensure_ascii=False)))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    rows["CPU of JSON / json.dumps of the same rows"] = medians["json"] / medians["dumps"]
    rows["CPU of XML / json.dumps of the same rows"] = medians["xml"] / medians["dumps"]
    rows["CPU of JSON, ms"] = medians["json"] * 1000
    rows["JSON, MB"] = len(ask("json").encode()) / 1e6
    rows["XML, MB"] = len(ask("xml").encode()) / 1e6
    return rows


def _cpu(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _fill(now: datetime) -> None:
    """Write rows and texts as the projection and the filings write them."""
    from chalicelib import ids
    from chalicelib.domain.events import EventText
    from chalicelib.domain.timestamps import iso
    from chalicelib.services.city import cities
    from chalicelib.settings import settings
    from chalicelib.storage import open311_requests, report_texts
    from chalicelib.storage.transactions import commit

    jurisdiction = settings().jurisdiction
    city = cities.current(jurisdiction, now)
    ward = city.areas_of_level(-1)[0].code
    district, _ = city.district_and_path(ward)
    for number in range(ROWS + 200):
        at = now - timedelta(minutes=number)
        report = ids.new_ulid(at)
        after = {
            "protected": False, "state": "submitted", "resolution": None, "service": "banjir",
            "district": district, "ward": ward, "unit": city.unit_for("banjir", district),
            "agency": None, "due_at": iso(at + timedelta(days=2)), "place": [-61750000, 1068000000],
            "closed_at": None, "picture": None,
        }  # fmt: skip
        event = cast(Event, {"report": report, "version": 1, "rules": city.version, "at": iso(at),
                             "after": after})  # fmt: skip
        words = EventText("description", "public", f"{number} {TEXT}", b"0" * 16)
        commit(
            [
                open311_requests.put_request(jurisdiction, open311_requests.row_of(event), event),
                report_texts.put_text(jurisdiction, report, 1, words),
            ]
        )


if __name__ == "__main__":
    sys.exit(reported(main))
