"""What a citizen does, through the client that openapi-python-client made: argv is the base
address, the folder with the generated package, and a photo."""

import importlib
import json
import pkgutil
import sys
import time
import uuid
from pathlib import Path

import httpx

base, folder, photo = sys.argv[1:4]
sys.path.insert(0, folder)

import tanggap_client  # noqa: E402
from tanggap_client import AuthenticatedClient, Client, models  # noqa: E402
from tanggap_client.api.devices import register_device  # noqa: E402
from tanggap_client.api.me import list_my_reports  # noqa: E402
from tanggap_client.api.photos import get_photo, ticket_photo  # noqa: E402
from tanggap_client.api.reports import (  # noqa: E402
    file_report,
    follow_report,
    get_report,
    get_timeline,
    unfollow_report,
)
from tanggap_client.api.services import list_services  # noqa: E402
from tanggap_client.api.track import track_report  # noqa: E402
from tanggap_client.api.workflow import get_workflow  # noqa: E402

for one in pkgutil.walk_packages(tanggap_client.__path__, "tanggap_client."):
    importlib.import_module(one.name)
for name in ("MapCells", "Scorecard", "ScorecardFigures", "Workflow", "Question", "Event"):
    assert hasattr(models, name), name

anybody = Client(base_url=base)
services = list_services.sync(client=anybody).services
(flood,) = [one for one in services if one.code == "banjir"]
assert flood.description.en == "Water on a street or in houses", flood
assert flood.group_name.id == "Banjir dan drainase", flood
(passable,) = [one for one in flood.questions if one.code == "passable"]
assert passable.type_ == models.QuestionType.SINGLEVALUELIST
workflow = get_workflow.sync(client=anybody)
assert workflow.actions["assign"].to == "assigned"
assert workflow.states["closed"].clock == models.WorkflowStateClock.STOPPED
assert "lapse" not in set(models.ActionAction)

device = register_device.sync(client=anybody)
me = AuthenticatedClient(base_url=base, token=device.token, prefix=device.kind)


def key() -> str:
    """A new idempotency key."""
    return str(uuid.uuid4())


ticket = ticket_photo.sync(
    client=me, idempotency_key=key(), body=models.NewPhoto(content_type="image/jpeg")
)
sent = httpx.post(
    ticket.upload.url,
    data=ticket.upload.fields.to_dict(),
    files={"file": ("photo.jpg", Path(photo).read_bytes(), "image/jpeg")},
)
assert sent.is_success, sent.text

answers = models.NewReportAnswers()
answers["passable"] = passable.options[0].key
report = models.NewReport(
    service="banjir", lat=-6.1754, long=106.8272, description="Banjir", photos=[ticket.photo],
    answers=answers, channel=models.NewReportChannel.APP,
    contact=models.Contact(email="generated@example.org", phone="+628123450021"),
)  # fmt: skip
filing = key()
receipt = file_report.sync(client=me, idempotency_key=filing, body=report)
assert isinstance(receipt, models.Receipt), receipt
again = file_report.sync_detailed(client=me, idempotency_key=filing, body=report)
assert again.headers["Idempotent-Replayed"] == "true"
assert again.parsed.id == receipt.id

problem = file_report.sync(
    client=me, idempotency_key=key(), body=models.NewReport(service="x", lat=-6.1754, long=106.8272)
)
assert isinstance(problem, models.Problem), problem
assert problem.type_ == "urn:tanggap:problem:unknown_service"

for _ in range(200):
    if get_photo.sync(ticket.photo, client=me).state == models.MyPhotoState.READY:
        break
    time.sleep(0.1)
else:
    raise AssertionError("the photo was never processed")

assert follow_report.sync(receipt.id, client=me, body=models.Follow()).following is True
seen = track_report.sync(receipt.code, client=anybody)
assert (seen.id, seen.state, seen.photos) == (receipt.id, models.ReportState.SUBMITTED, 1), seen
assert get_report.sync(receipt.id, client=me).unit.code == receipt.unit.code
timeline = get_timeline.sync(receipt.id, client=anybody)
assert timeline.events[0].action == "file"
assert timeline.events[0].words["description"] == "Banjir"
assert receipt.id in {one.id for one in list_my_reports.sync(client=me).reports}
assert unfollow_report.sync(receipt.id, client=me).following is False
sent = {
    "id": receipt.id,
    "fields": {"service_code": "banjir", "lat": -6.1754, "long": 106.8272, "description": "Banjir",
               "email": "generated@example.org", "phone": "+628123450021"},
    "answers": {"passable": passable.options[0].key}, "photo": photo, "channel": "app",
}  # fmt: skip
print("sent", json.dumps(sent))
print("passed")
