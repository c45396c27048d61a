"""georeport 0.3.1, in both formats."""

import sys

from georeport import GeoReport

base, _key, report = sys.argv[1:4]
for form in ("json", "xml"):
    client = GeoReport(base, jurisdiction="demo", output_format=form)
    services = client.get_service_list()
    assert services, form
    definition = client.get_service_definition("banjir")
    assert definition, form
    found = client.get_service_requests(status="open")
    assert found, form
    one = client.get_service_request(report)
    assert report in str(one), form
print("passed")
