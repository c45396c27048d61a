"""A small but complete month on the local stack: reports with photos from filing to verified
repair, and the looks and polls of everybody else. Gives what one of each takes.

Time, identifiers and pictures come from a seed, so that every run takes the same.
"""

import io
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import urllib3
from PIL import Image

from infra.cost.measuring import Meter, counted
from infra.local.requests import Context, event
from infra.local.schedules import Clock
from infra.local.stack import LocalStack

REPORTS, LOOKS = 30, 40
_SEED = 7
_START = datetime(2026, 11, 2, 1, tzinfo=UTC)
_BETWEEN_STEPS = timedelta(minutes=20)
_CENTRE = (-6.1754, 106.8272)
_SPREAD = 0.01


class Replay:
    """One running stack (its clock stands still), and everybody who uses it."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.random = random.Random(_SEED)
        self.meter = Meter()
        self.keys = 0
        self.reports: list[dict[str, Any]] = []
        self.jpeg = _jpeg(self.random)

    def ask(
        self,
        method: str,
        route: str,
        body: dict[str, Any] | None = None,
        who: str | None = None,
        query: dict[str, str] | None = None,
        **path: str,
    ) -> Any:
        """The JSON of one request, through the application as Lambda calls it."""
        self.keys += 1
        request = event(method, route, body, who, f"cost-{self.keys:06}", path)
        if query:
            request["queryStringParameters"] = query
            request["multiValueQueryStringParameters"] = {
                name: [value] for name, value in query.items()
            }
        answer = self.stack.app(request, Context())
        if answer["statusCode"] >= 400:
            raise RuntimeError(f"{method} {route}: {answer['body'][:500]}")
        return json.loads(answer["body"]) if answer["body"] else None

    def photo(self, who: str) -> str:
        """Upload a photo; the background functions make its pictures. Returns its id."""
        ticket = self.ask("POST", "/v1/photos", {"content_type": "image/jpeg"}, who)
        form = {**ticket["upload"]["fields"], "file": ("a.jpg", self.jpeg, "image/jpeg")}
        urllib3.request("POST", ticket["upload"]["url"], fields=form)
        return str(ticket["photo"])

    def life(self, number: int) -> None:
        """A report from filing to rating, with all background work that follows from it."""
        device = f"Device {self.ask('POST', '/v1/devices')['token']}"
        photo = self.photo(device)
        lat, long = (degrees + self.random.uniform(-_SPREAD, _SPREAD) for degrees in _CENTRE)
        body = {
            "service": "banjir", "lat": round(lat, 6), "long": round(long, 6), "photos": [photo],
            "description": f"Banjir di depan rumah nomor {number}, sudah dua hari",
            "contact": {"email": f"w{number}@example.org"},
        }  # fmt: skip
        report = self.ask("POST", "/v1/reports", body, device)
        self.reports.append(report)
        self.pass_time()
        district = report["district"]["code"]
        officer, worker = (
            f"Bearer {self.stack.token(f'{role}-{district}')}"
            for role in ("officer", "field_worker")
        )
        self.ask("GET", "/v1/queue", None, officer, {"state": "submitted"})
        self.act(report, officer, "assign", person=f"s_field_worker-{district}")
        self.act(report, worker, "start", note="Menuju lokasi")
        after = self.photo(worker)
        self.pass_time()
        self.act(report, worker, "finish", note="Sudah surut", photos=[after])
        self.act(report, device, "verify")
        self.ask("POST", "/v1/reports/{id}/rating", {"rating": 5}, device,
                 id=report["id"])  # fmt: skip
        self.pass_time()
        self.stack.fire("sweep_clocks")

    def pass_time(self) -> None:
        """Do all outstanding background work, and move the clock on."""
        self.stack.drain()
        self.stack.clock.set(self.stack.clock.now() + _BETWEEN_STEPS)

    def act(self, report: dict[str, Any], who: str, action: str, **more: Any) -> None:
        """Act on the report's current version."""
        current = self.ask("GET", "/v1/reports/{id}", id=report["id"])
        body = {"action": action, "version": current["version"], **more}
        self.ask("POST", "/v1/reports/{id}/actions", body, who, id=report["id"])

    def look(self, number: int) -> Any:
        """A citizen looks at the map (half of the looks), a report or its history."""
        report = self.reports[number % len(self.reports)]
        if number % 2:
            lat, long = _CENTRE
            sides = (long - _SPREAD, lat - _SPREAD, long + _SPREAD, lat + _SPREAD)
            box = ",".join(f"{side:.4f}" for side in sides)
            return self.ask("GET", "/v1/map/reports", query={"bbox": box})
        if number % 4:
            return self.ask("GET", "/v1/reports/{id}", id=report["id"])
        return self.ask("GET", "/v1/reports/{id}/timeline", id=report["id"])

    def poll(self, _: int) -> Any:
        """The Command Center asks for changes; as most of the time, there are none."""
        return self.ask("GET", "/v1/changes", query={"since": self.cursor})

    def run(self) -> tuple[dict[str, Any], dict[str, float]]:
        """The units of one report, look and poll and the bytes stored; and their CPU seconds."""
        self.life(0)
        before = self.keys
        report, report_cpu = counted(self.meter, REPORTS, self.life)
        requests = (self.keys - before) / REPORTS
        look, look_cpu = counted(self.meter, LOOKS, self.look)
        self.cursor = str(self.ask("GET", "/v1/changes")["cursor"])
        poll, poll_cpu = counted(self.meter, LOOKS, self.poll)
        stored = self.stored()
        units = {
            "report": report,
            "requests_a_report": requests,
            "look": look,
            "poll": poll,
            "stored": stored,
            "picture": stored["files"] / 6,
        }
        return units, {"report": report_cpu, "look": look_cpu, "poll": poll_cpu}

    def stored(self) -> dict[str, float]:
        """Bytes a report takes in the tables and in the bucket."""
        import boto3

        from chalicelib.settings import settings

        rows, client = 0, boto3.client("dynamodb")
        for name in ("reports", "timeline", "people", "figures", "control"):
            for page in client.get_paginator("scan").paginate(TableName=settings().table(name)):
                rows += sum(len(json.dumps(item)) for item in page["Items"])
        files = 0
        for page in (
            boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=settings().bucket)
        ):
            files += sum(file["Size"] for file in page.get("Contents", ())
                         if not file["Key"].startswith("cities/"))  # fmt: skip
        return {"rows": rows / len(self.reports), "files": files / len(self.reports)}


def _jpeg(source: random.Random) -> bytes:
    """A JPEG about as large as a phone's photo: noise of a standard deviation of about 40."""
    size = (1600, 1200)
    first, second, third = (
        Image.frombytes("L", size, source.randbytes(size[0] * size[1])) for _ in range(3)
    )
    noise = Image.blend(Image.blend(first, second, 1 / 2), third, 1 / 3)
    out = io.BytesIO()
    noise.convert("RGB").save(out, "JPEG", quality=80)
    return out.getvalue()


def run() -> tuple[dict[str, Any], dict[str, float]]:
    """Replay on a stack of its own: units, and CPU seconds (see ``Replay.run``)."""
    from chalicelib import ids

    ids.use(random.Random(_SEED))
    try:
        with (
            TemporaryDirectory() as folder,
            LocalStack(Path(folder), clock=Clock(_START, 0), drivers="manual") as stack,
        ):
            return Replay(stack).run()
    finally:
        ids.use(None)
