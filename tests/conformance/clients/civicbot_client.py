"""civicbot 0.4.0: it checks required attributes by itself before it posts."""

import json
import sys

from civicbot.open311 import Open311Client
from civicbot.registry import Endpoint

base, key, report = sys.argv[1:4]
client = Open311Client(
    Endpoint(id="local", name="local", base_url=base, write=True), jurisdiction_id="demo"
)
codes = {one["service_code"] for one in client.list_services()}
assert "banjir" in codes
definition = client.get_service_definition("banjir")
assert definition["service_code"] == "banjir"
assert report in {one["service_request_id"] for one in client.list_requests(status="open")}
print("read", json.dumps(client.get_request(report)))
form = {
    "description": "Dari civicbot: \"air\" masuk rumah", "address_string": "Gang Buntu 5",
    "media_url": "http://photos.example.org/rumah.jpg", "email": "civicbot@example.org",
    "first_name": "Budi", "last_name": "Santoso", "phone": "+628123450002",
}  # fmt: skip
answers = {"needs": ["pump", "boat"], "passable": "motorcycle", "flood_depth": 12}
made = client.create_request(
    "banjir", dry_run=False, confirm="SEND", api_key=key, validate_remote=True, lat=-6.175501,
    lng=106.827201, attributes=answers, **form,
)  # fmt: skip
(one,) = made.response
fields = {**form, "service_code": "banjir", "lat": -6.175501, "long": 106.827201}
said = {"id": one["service_request_id"], "fields": fields, "answers": answers}
print("sent", json.dumps(said))
print("passed")
