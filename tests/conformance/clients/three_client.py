"""three 0.8.0, in JSON; it was written for Python 2."""

import itertools
import sys
from pathlib import Path

itertools.ifilter = filter

import three  # noqa: E402

base, key, report, photo = sys.argv[1:5]
root = base.removesuffix("v2")
client = three.Three(
    f"{base}/", jurisdiction="demo", api_key=key, discovery=f"{root}discovery.json"
)
assert client.discovery()["endpoints"]
assert "banjir" in {one["service_code"] for one in client.services()}
assert client.services("banjir")["service_code"] == "banjir"
assert client.requests("banjir", count=5, page=1)
assert report in str(client.request(report))
with Path(photo).open("rb") as media:
    made = client.post("banjir", lat=-6.1754, long=106.8272, description="Dari three", media=media)
(one,) = made if isinstance(made, list) else [made]
assert one["service_request_id"], made
assert one["service_request_id"] in str(client.token(f"t{one['service_request_id']}"))
print("passed")
