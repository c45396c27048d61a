"""three 0.8.0, in JSON; it was written for Python 2. It posts a file."""

import itertools
import json
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
(one,) = client.request(report)
print("read", json.dumps(one))
form = {
    "lat": -6.175412, "long": 106.827153, "description": "Air selutut & naik <três> 水\nGang",
    "email": "three@example.org", "phone": "+628123450001",
    "attribute[passable]": "no", "attribute[flood_depth]": "40.5",
}  # fmt: skip
with Path(photo).open("rb") as media:
    made = client.post(
        "banjir", media=media, name="Siti Tigawati", address="Jl. Tiga 3, RT 03", **form
    )
(one,) = made if isinstance(made, list) else [made]
report = one["service_request_id"]
(token,) = client.token(f"t{report}")
assert token["token"] == f"t{report}"
fields = {
    **{name: value for name, value in form.items() if not name.startswith("attribute")},
    "service_code": "banjir", "first_name": "Siti", "last_name": "Tigawati",
    "address_string": "Jl. Tiga 3, RT 03",
}  # fmt: skip
answers = {"passable": "no", "flood_depth": 40.5}
print("sent", json.dumps({"id": report, "fields": fields, "answers": answers, "photo": photo}))
print("passed")
