"""The test city with so many rows that an unbounded read would show, and hostile requests.

    with hostile_city.start() as city:
        faults = city.ask(200, seed=1)

There are reports of every audience, a long timeline, hundreds of hidden rows in the lists, a person
with more reports than a page, and tokens of every kind.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.settings import settings
from tests.security.edge import Context, Edge, application, event_of
from tests.security.tokens import ISSUERS
from tests.support import aws
from tests.support.hostile import Faults, Known, Request, Requests
from tests.support.world import JURISDICTION, WARDS, spot

HIDDEN, REPORTS, COMMENTS = 400, 22, 12


class HostileCity:
    """The city, what exists in it (``known``), and the tokens of two devices."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.devices = (edge.device(), edge.device())
        self.known: Known = {}
        self._fill()

    def ask(self, count: int, seed: int) -> Faults:
        """Ask ``count`` hostile requests in this process."""
        faults, requests = Faults(), Requests(seed, self.known, self.devices)
        for _ in range(count):
            request = next(requests)
            self.edge.recorder.clear()
            try:
                answer = application()(_event(request), Context())
            except Exception as error:
                faults.found.append(f"{error!r}: {request}")
                continue
            size = len(answer["body"] or "")
            wrote = bool(self.edge.recorder.writes)
            faults.judge(request, answer["statusCode"], size, self.reads(), wrote=wrote)
        return faults

    def get(self, path: str, query: dict[str, str]) -> tuple[int, str]:
        """(status, text) of an anonymous GET."""
        self.edge.recorder.clear()
        event = event_of("GET", path, None, dict(query), {}, "192.0.2.1")
        answer = application()(event, Context())
        return answer["statusCode"], answer["body"]

    def reads(self) -> int:
        """How many calls of the last request read."""
        return sum(not call.writes for call in self.edge.recorder.calls)

    def _fill(self) -> None:
        edge, (ann, ben) = self.edge, self.devices
        contact = {"email": "ann@example.org", "phone": "+6281234567890"}
        receipts = [
            edge.file(ann, public=number % 3 != 0, contact=contact, **spot(WARDS[number % 4])).body
            for number in range(REPORTS)
        ]
        secret = edge.file(ben, service="violence").body
        report, closed = receipts[1]["id"], receipts[2]["id"]
        officer = edge.staff("officer1")
        for number in range(COMMENTS):
            edge.post(f"/v1/reports/{report}/comments",
                      {"text": f"Comment {number}", "audience": "public"},
                      ann if number % 2 else officer)  # fmt: skip
        edge.act(officer, receipts[4]["id"], "reject", reason_code="spam", text="Not a report.")
        photo = edge.photo(ann)
        edge.project()
        # The hidden reports are the newest, so that every list meets them first.
        edge.advance(days=1)
        self._hide(HIDDEN)
        self._know(report, closed, secret["id"], [one["code"] for one in receipts[:3]], photo)

    def _hide(self, count: int) -> None:
        """Many hidden reports in the lists."""
        from chalicelib import ids
        from chalicelib.storage import tables

        rows = []
        for number in range(count):
            moment = self.edge.now - timedelta(minutes=number)
            month, name = f"{moment:%Y%m}", ids.new_ulid(moment)
            rows.append({
                "pk": {"S": f"{JURISDICTION}#REQ#{month}"}, "sk": {"S": name},
                "doc": {"S": "{}"}, "version": {"N": "1"},
                "spk": {"S": f"{JURISDICTION}#UPD#{month}"},
                "ssk": {"S": f"{moment:%Y-%m-%dT%H:%M:%S.000Z}#{name}"},
            })  # fmt: skip
        table = tables.Figure.Meta.table_name
        for start in range(0, count, 25):
            puts = [{"PutRequest": {"Item": row}} for row in rows[start : start + 25]]
            tables.client().batch_write_item(RequestItems={table: puts})

    def _know(self, report: str, closed: str, secret: str, codes: list[str], photo: str) -> None:
        from chalicelib.services.identity import api_keys
        from chalicelib.services.people import claiming
        from chalicelib.services.platform import signing
        from chalicelib.services.reports import one_tap_tokens

        now = self.edge.now
        _, key = api_keys.issue(JURISDICTION, "tests", 1_000_000, now)
        place = spot("D1-W1")
        page = self.edge.get("/v1/me/reports", self.devices[0], limit=2).body["cursor"]
        data = self.edge.get("/v1/me/data", self.devices[0], limit=2).body["cursor"]
        changes = self.edge.get("/v1/changes").body["cursor"]
        tap = one_tap_tokens.make(JURISDICTION, report, now)
        undo = claiming.undo_link(JURISDICTION, report, 1, now).rpartition("/")[2]
        words = signing.sign("other", {}, None)
        self.known = {
            "id": (report, report, closed, secret),
            "service_request_id": (report, closed, secret, f"{report},{closed}"),
            "open311_name": ("pothole", f"t{report}", f"{report}-{photo}", "t" + "Z" * 26),
            "photo": (photo,),
            "photos": (photo,),
            "code": (*codes, codes[0].lower().replace("-", "%20")),
            "month": ("202611", "202610", "000001", "999912"),
            "area": ("D1", "D1-W1", "TV", "u-d1", "s_worker1", "Z.-_"),
            "name": ("swagger-ui.css", "services", "services.json", "staff", "city"),
            "wish": ("all", "digest", "email"),
            "token": (tap, undo, words, tap[:-1], f"t{report}"),
            "cursor": (page, data, changes, page[:-2], changes[:-3]),
            "measure": ("verified", "breached", "received"),
            "service": ("pothole", "violence", "flood"),
            "service_code": ("pothole", "flood", "pothole,flood", "violence"),
            "district": ("D1", "D2"),
            "api_key": (key, key, key, "tk_" + "0" * 32),
            "lat": (str(place["lat"]), "-6.195"),
            "long": (str(place["long"]), "106.805"),
            "status": ("open", "closed"),
            "update_id": ("1", "2", "x" * 300),
            "updated_datetime": ("2026-11-02T01:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01"),
            "attribute[depth]": ("1", "nan", "1_0", "٤١", "1e15"),
            "attribute[since]": ("9999-12-31T23:59:59Z", "0001-01-01", "2026-11-01"),
            "description": ("A hole", "x" * 4001, "漢" * 4000),
        }


def _event(request: Request) -> dict[str, Any]:
    query: dict[str, Any] = {}
    for name, value in request.query:
        query.setdefault(name, []).append(value)
    body: str | None = None
    encoded = False
    if request.body is not None:
        try:
            body = request.body.decode("utf-8")
        except UnicodeDecodeError:
            body, encoded = base64.b64encode(request.body).decode(), True
    method, path = request.method, request.path
    event = event_of(method, path, body, query, request.headers, request.address)
    return {**event, "isBase64Encoded": encoded}


@contextmanager
def start() -> Iterator[HostileCity]:
    """The city in an empty AWS of this process."""
    patches = pytest.MonkeyPatch()
    with aws.start():
        patches.setenv("TANGGAP_ISSUERS", json.dumps(ISSUERS))
        patches.setenv("TANGGAP_JURISDICTION", JURISDICTION)
        settings.cache_clear()
        edge = Edge(patches)
        edge.recorder.start()
        try:
            yield HostileCity(edge)
        finally:
            edge.recorder.stop()
            patches.undo()
            settings.cache_clear()
