"""georeport 0.3.1, in both formats."""

import json
import sys

from georeport import GeoReport

base, _key, report = sys.argv[1:4]
for form in ("json", "xml"):
    client = GeoReport(base, jurisdiction="demo", output_format=form)
    services = client.get_service_list()
    assert "banjir" in {one["service_code"] for one in services}, form
    definition = client.get_service_definition("banjir")
    assert definition["service_code"] == "banjir", form
    (found,) = [
        one
        for one in client.get_service_requests(status="open")
        if one["service_request_id"] == report
    ]
    print("read", json.dumps(found))
    one = client.get_service_request(report)
    print("read", json.dumps(one[0] if isinstance(one, list) else one))
print("passed")
