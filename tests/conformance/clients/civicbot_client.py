"""civicbot 0.4.0: it checks required attributes by itself before it posts."""

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
found = client.get_request(report)
assert found["service_request_id"] == report
made = client.create_request(
    "banjir", dry_run=False, confirm="SEND", api_key=key, validate_remote=True, lat=-6.1754,
    lng=106.8272, description="Dari civicbot",
)  # fmt: skip
assert "service_request_id" in str(made), made
print("passed")
