"""A month replayed on the local stack, small but whole: reports with photos from phone to verified
repair, and the looks and polls of everybody else. Gives what one of each takes."""

import io
import json
import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import urllib3
from PIL import Image

from infra.cost.measuring import Meter, counted
from infra.local.requests import Context, event
from infra.local.stack import LocalStack

REPORTS, LOOKS = 30, 40
_CENTRE = (-6.1754, 106.8272)
_SPREAD = 0.01


class Replay:
    """One running stack, and everybody who uses it."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.random = random.Random(7)
        self.meter = Meter()
        self.keys = 0
        self.reports: list[dict[str, Any]] = []
        image = Image.effect_noise((1600, 1200), 40).convert("RGB")
        out = io.BytesIO()
        image.save(out, "JPEG", quality=80)
        self.jpeg = out.getvalue()

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
        asked = event(method, route, body, who, f"cost-{self.keys}", path)
        if query:
            asked["queryStringParameters"] = query
            asked["multiValueQueryStringParameters"] = {key: [one] for key, one in query.items()}
        answer = self.stack.app(asked, Context())
        if answer["statusCode"] >= 400:
            raise RuntimeError(f"{method} {route}: {answer['body'][:500]}")
        return json.loads(answer["body"]) if answer["body"] else None

    def photo(self, who: str) -> str:
        """A photo that is uploaded; its pictures come with what is worked off."""
        ticket = self.ask("POST", "/v1/photos", {"content_type": "image/jpeg"}, who)
        form = {**ticket["upload"]["fields"], "file": ("a.jpg", self.jpeg, "image/jpeg")}
        urllib3.request("POST", ticket["upload"]["url"], fields=form)
        return str(ticket["photo"])

    def life(self, number: int) -> None:
        """A report from the phone to its rating, with everything that follows from it."""
        device = f"Device {self.ask('POST', '/v1/devices')['token']}"
        photo = self.photo(device)
        lat, long = (one + self.random.uniform(-_SPREAD, _SPREAD) for one in _CENTRE)
        body = {
            "service": "banjir", "lat": round(lat, 6), "long": round(long, 6), "photos": [photo],
            "description": f"Banjir di depan rumah nomor {number}, sudah dua hari",
            "contact": {"email": f"w{number}@example.org"},
        }  # fmt: skip
        report = self.ask("POST", "/v1/reports", body, device)
        self.reports.append(report)
        self.stack.drain()
        district = report["district"]["code"]
        officer, worker = (
            f"Bearer {self.stack.token(f'{role}-{district}')}"
            for role in ("officer", "field_worker")
        )
        self.ask("GET", "/v1/queue", None, officer, {"state": "submitted"})
        self.act(report, officer, "assign", person=f"s_field_worker-{district}")
        self.act(report, worker, "start", note="Menuju lokasi")
        after = self.photo(worker)
        self.stack.drain()
        self.act(report, worker, "finish", note="Sudah surut", photos=[after])
        self.act(report, device, "verify")
        self.ask("POST", "/v1/reports/{id}/rating", {"rating": 5}, device,
                 id=report["id"])  # fmt: skip
        self.stack.drain()
        self.stack.fire("sweep_clocks")

    def act(self, report: dict[str, Any], who: str, action: str, **more: Any) -> None:
        """Act on the newest version."""
        seen = self.ask("GET", "/v1/reports/{id}", id=report["id"])
        body = {"action": action, "version": seen["version"], **more}
        self.ask("POST", "/v1/reports/{id}/actions", body, who, id=report["id"])

    def look(self, number: int) -> Any:
        """What somebody at home looks at: half the time the map, else a report and its history."""
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
        """The Command Center asks what has changed: nothing, as most of the time."""
        return self.ask("GET", "/v1/changes", query={"since": self.cursor})

    def run(self) -> dict[str, Any]:
        """{"report", "look", "poll"}: what one of each takes; and bytes stored a report."""
        self.life(0)
        before = self.keys
        found: dict[str, Any] = {"report": counted(self.meter, REPORTS, self.life)}
        found["requests_a_report"] = (self.keys - before) / REPORTS
        found["look"] = counted(self.meter, LOOKS, self.look)
        self.cursor = str(self.ask("GET", "/v1/changes")["cursor"])
        found["poll"] = counted(self.meter, LOOKS, self.poll)
        found["stored"] = self.stored()
        found["picture"] = found["stored"]["files"] / 6
        return found

    def stored(self) -> dict[str, float]:
        """Bytes a report in tables and in the bucket, and log bytes a request."""
        import boto3

        from chalicelib.settings import settings

        rows, client = 0, boto3.client("dynamodb")
        for name in ("reports", "timeline", "people", "figures", "control"):
            for page in client.get_paginator("scan").paginate(TableName=settings().table(name)):
                rows += sum(len(json.dumps(one)) for one in page["Items"])
        files = 0
        for page in (
            boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=settings().bucket)
        ):
            files += sum(one["Size"] for one in page.get("Contents", ())
                         if not one["Key"].startswith("cities/"))  # fmt: skip
        return {"rows": rows / len(self.reports), "files": files / len(self.reports)}


def run() -> dict[str, Any]:
    """Replay on a stack of its own."""
    with TemporaryDirectory() as folder, LocalStack(Path(folder), drivers="manual") as stack:
        return Replay(stack).run()
