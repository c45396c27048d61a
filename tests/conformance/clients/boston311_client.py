"""boston311 0.1.1, which wants every field to be there."""

import sys
from datetime import UTC, datetime, timedelta

import boston311.api

base, _key, report = sys.argv[1:4]
boston311.api.BOSTON_API_ENDPOINT = f"{base}/"
services = boston311.api.get_services()
assert "banjir" in {one.service_code for one in services.services}
print("read", boston311.api.get_service_request(report).model_dump_json())
now = datetime.now(UTC)
found = boston311.api.get_service_requests(
    service_code="banjir", start_date=now - timedelta(days=30), end_date=now
)
(one,) = [one for one in found.service_requests if one.service_request_id == report]
print("read", one.model_dump_json())
print("passed")
