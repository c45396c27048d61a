"""GeoReport v2 over HTTP: every check has the id of the contract's list as its name."""

import itertools
import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from infra.local.stack import LocalStack
from tests.support import photo_files

NUMBERS = itertools.count(1)
STRICT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
PLACE = {"lat": "-6.1754", "long": "106.8272"}
PERSONAL = {
    "email": "siti.secret@example.org", "first_name": "Sitirahasia", "last_name": "Amanahgelap",
    "phone": "+628123450000", "device_id": "devicerahasia7", "account_id": "accountrahasia9",
}  # fmt: skip


@dataclass
class Reply:
    """An answer: its status, type and text."""

    status: int
    media: str
    text: str

    @property
    def json(self) -> Any:
        """The answer's JSON."""
        return json.loads(self.text)

    @property
    def xml(self) -> ElementTree.Element:
        """The root of the answer's XML."""
        return ElementTree.fromstring(self.text)


class Client:
    """An Open311 client of the demo city."""

    def __init__(self, stack: LocalStack) -> None:
        from chalicelib.services.identity import api_keys

        self.stack = stack
        self.base = f"{stack.url}/open311/v2"
        now = stack.clock.now()
        self.key_id, self.key = api_keys.issue("demo", "tests", 1000, now)

    def get(self, path: str, **query: Any) -> Reply:
        """GET below the base."""
        return self.at(f"{self.base}/{path}", **query)

    def at(self, url: str, **query: Any) -> Reply:
        """GET anywhere."""
        return _reply(urllib3.request("GET", url, fields=query))

    def post(self, path: str = "requests.json", **fields: Any) -> Reply:
        """POST a form with the key."""
        given = {"api_key": self.key, **fields}
        pairs = [
            (name, one)
            for name, value in given.items()
            for one in (value if isinstance(value, list) else [value])
            if one is not None
        ]
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        answer = urllib3.request(
            "POST", f"{self.base}/{path}", body=urlencode(pairs), headers=headers
        )
        return _reply(answer)

    def file(self, **fields: Any) -> str:
        """A request that is filed and in the lists; its id."""
        given = {"service_code": "banjir", **PLACE, "description": f"Banjir {next(NUMBERS)}"}
        reply = self.post(**{**given, **fields})
        assert reply.status == 200, reply.text
        self.stack.drain()
        return str(reply.json[0]["service_request_id"])

    def listed(self, **query: Any) -> list[dict[str, Any]]:
        """The requests of a list."""
        reply = self.get("requests.json", **query)
        assert reply.status == 200, reply.text
        found: list[dict[str, Any]] = reply.json
        return found


def _reply(answer: urllib3.BaseHTTPResponse) -> Reply:
    return Reply(answer.status, answer.headers.get("Content-Type", ""), answer.data.decode())


@pytest.fixture(scope="module")
def client(stack: LocalStack) -> Client:
    """A client with a key."""
    return Client(stack)


def errors(reply: Reply, status: int) -> list[str]:
    """The descriptions of an error answer, each with its code."""
    assert reply.status == status, reply.text
    found = reply.json
    assert isinstance(found, list)
    assert all(one["code"] == status for one in found)
    return [one["description"] for one in found]


def test_disc_both_formats(client: Client) -> None:
    for form, media in (("xml", "text/xml"), ("json", "application/json")):
        reply = client.at(f"{client.stack.url}/open311/discovery.{form}")
        assert (reply.status, reply.media.split(";")[0]) == (200, media)


def test_disc_all_fields(client: Client) -> None:
    found = client.at(f"{client.stack.url}/open311/discovery.json").json
    assert set(found) == {"changeset", "contact", "key_service", "endpoints"}
    fields = {"specification", "url", "changeset", "type", "formats"}
    assert all(
        set(endpoint) == fields and all(endpoint.values()) for endpoint in found["endpoints"]
    )


def test_disc_spec_uri(client: Client) -> None:
    root = client.at(f"{client.stack.url}/open311/discovery.xml").xml
    uris = {one.text for one in root.iter("specification")}
    assert uris == {"http://wiki.open311.org/GeoReport_v2"}


def test_disc_two_endpoints(client: Client) -> None:
    root = client.at(f"{client.stack.url}/open311/discovery.xml").xml
    assert [one.text for one in root.iter("type")] == ["production", "test"]
    assert [len(one) for one in root.iter("formats")] == [2, 2]


def test_fmt_xml_decl(client: Client) -> None:
    assert client.get("services.xml").text.startswith('<?xml version="1.0" encoding="UTF-8"?>')


def test_fmt_ctype_xml(client: Client) -> None:
    for path in ("services.xml", "requests.xml", "tokens/x.xml"):
        assert client.get(path).media == "text/xml; charset=utf-8"


def test_fmt_ctype_json(client: Client) -> None:
    for path in ("services.json", "requests.json", "tokens/x.json"):
        assert client.get(path).media == "application/json; charset=utf-8"


def test_fmt_no_suffix_404(client: Client) -> None:
    for path in ("services", "requests", "services/banjir", "requests/x.html", "discovery"):
        assert client.get(path).status == 404


def test_fmt_utf8_roundtrip(client: Client) -> None:
    text = "Banjir é 漢字 🌊 ‏עברית"
    wanted = text.replace("‏", "")  # marks of direction are taken out at the door, and flagged
    report = client.file(description=text)
    assert client.get(f"requests/{report}.json").json[0]["description"] in (text, wanted)
    assert client.get(f"requests/{report}.xml").xml.findtext("request/description") in (
        text, wanted,
    )  # fmt: skip


def test_fmt_xml_escape(client: Client) -> None:
    text = "<b>&\"' ]]> <!ENTITY x> <script>alert(1)</script>"
    report = client.file(description=text)
    assert client.get(f"requests/{report}.xml").xml.findtext("request/description") == text


def test_fmt_json_array_of_one(client: Client) -> None:
    report = client.file()
    for found in (client.get(f"requests/{report}.json").json,
                  client.listed(service_request_id=report)):  # fmt: skip
        assert isinstance(found, list)
        assert len(found) == 1


def test_fmt_json_empty_array(client: Client) -> None:
    assert client.listed(service_code="nothing") == []


def test_fmt_xml_empty_root(client: Client) -> None:
    root = client.get("requests.xml", service_code="nothing").xml
    assert (root.tag, len(root), root.text) == ("service_requests", 0, None)


def test_dt_has_zone_and_no_fraction(client: Client) -> None:
    client.file()
    for one in client.listed():
        for name in ("requested_datetime", "updated_datetime", "expected_datetime"):
            assert STRICT.fullmatch(one[name]), one[name]


@pytest.mark.parametrize(
    "start",
    ["2026-03-01 00:00:00", "2026-03-01T00:00:00.123456Z", "2026-03-01", "2026-03-01T00:00",
     "2026-03-01T00:00:00 07:00", "2026-03-01 00:00:00-06:00", "2026-03-01T00:00:00+0700"],
)  # fmt: skip
def test_dt_accept_space_and_plus_as_space(client: Client, start: str) -> None:
    report = client.file()
    found = client.listed(start_date=start)
    assert report in {one["service_request_id"] for one in found}


def test_dt_same_instant_two_zones(client: Client) -> None:
    client.file()
    now = client.stack.clock.now().replace(microsecond=0)
    there = now.astimezone(UTC) + timedelta(hours=7)
    one = client.listed(end_date=now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    other = client.listed(end_date=there.strftime("%Y-%m-%dT%H:%M:%S+07:00"))
    assert one == other != []


def test_jur_single_ignored(client: Client) -> None:
    one = client.get("services.json", jurisdiction_id="anything.example.org")
    assert one.json == client.get("services.json").json


def test_jur_missing_400_unknown_404_isolated(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.services.open311 import service_list
    from chalicelib.storage import city

    report = client.file()
    before = city.jurisdictions()
    city.put_jurisdictions([*before, "elsewhere"])
    try:
        assert "jurisdiction_id" in errors(client.get("services.json"), 400)[0]
        errors(client.get("services.json", jurisdiction_id="nowhere"), 404)
        assert client.get("services.json", jurisdiction_id="demo").status == 200
        assert client.get(f"requests/{report}.json", jurisdiction_id="demo").status == 200
        assert client.get(f"requests/{report}.json", jurisdiction_id="elsewhere").status == 404
    finally:
        city.put_jurisdictions(before)
    assert service_list.jurisdictions() == before


def test_svc_seven_fields(client: Client) -> None:
    found = client.get("services.json").json
    fields = {"service_code", "service_name", "description", "metadata", "type", "keywords",
              "group"}  # fmt: skip
    assert found
    assert all(set(one) == fields for one in found)
    assert all(isinstance(one["metadata"], bool) for one in found)
    root = client.get("services.xml").xml
    assert [one.tag for one in root] == ["service"] * len(found)


def test_svc_type_enum(client: Client) -> None:
    kinds = {one["type"] for one in client.get("services.json").json}
    assert kinds <= {"realtime", "batch", "blackbox"}


def asking(client: Client) -> tuple[str, list[dict[str, Any]]]:
    """A service that asks something, and what."""
    for one in client.get("services.json").json:
        if one["metadata"] and one["type"] == "realtime":
            code = one["service_code"]
            return code, client.get(f"services/{code}.json").json["attributes"]
    raise AssertionError("the demo city asks nothing")


def test_def_404(client: Client) -> None:
    errors(client.get("services/nothing.json"), 404)


def test_def_object_not_array_order_unique_values_array(client: Client) -> None:
    code, attributes = asking(client)
    found = client.get(f"services/{code}.json").json
    assert set(found) == {"service_code", "attributes"}
    assert [attribute["order"] for attribute in attributes] == list(range(1, len(attributes) + 1))
    assert all(isinstance(attribute["values"], list) for attribute in attributes)
    root = client.get(f"services/{code}.xml").xml
    assert root.tag == "service_definition"
    assert [one.findtext("code") for one in root.iter("attribute")] == [
        attribute["code"] for attribute in attributes
    ]


def test_post_no_key_403(client: Client) -> None:
    errors(client.post(api_key=None, service_code="banjir", **PLACE), 403)


def test_post_bad_key_403(client: Client) -> None:
    errors(client.post(api_key="tk_wrong", service_code="banjir", **PLACE), 403)


def test_post_revoked_key_403_and_too_many_429(client: Client) -> None:
    from chalicelib.services.identity import api_keys

    now = client.stack.clock.now()
    key_id, key = api_keys.issue("demo", "small", 2, now)
    codes = [
        client.post(api_key=key, service_code="banjir", description=f"n{n}", **PLACE).status
        for n in range(3)
    ]
    assert codes == [200, 200, 429]
    assert api_keys.revoke("demo", key_id, now)
    errors(client.post(api_key=key, service_code="banjir", **PLACE), 403)
    (mine,) = [one for one in api_keys.list_keys("demo") if one["id"] == key_id]
    assert mine["revoked"]
    assert key not in json.dumps(api_keys.list_keys("demo"))


def test_get_needs_no_key_and_minds_none(client: Client) -> None:
    assert client.get("requests.json", api_key="wrong").status == 200


def test_post_no_service_400(client: Client) -> None:
    assert "service_code" in errors(client.post(**PLACE), 400)[0]


def test_post_unknown_service_404(client: Client) -> None:
    errors(client.post(service_code="nothing", **PLACE), 404)


def test_post_no_location_400(client: Client) -> None:
    assert "lat" in errors(client.post(service_code="banjir"), 400)[0]


def test_post_lat_only_400(client: Client) -> None:
    assert "long" in errors(client.post(service_code="banjir", lat="-6.2"), 400)[0]


@pytest.mark.parametrize("lat", ["91", "x", "nan", "inf", "-1e9"])
def test_post_lat_out_of_range_400(client: Client, lat: str) -> None:
    errors(client.post(service_code="banjir", lat=lat, long="106.8"), 400)


def test_post_outside_400(client: Client) -> None:
    errors(client.post(service_code="banjir", lat="-7.5", long="110.4"), 400)


def ward(client: Client) -> tuple[str, str]:
    """The code and name of a ward of the city."""
    found = urllib3.request("GET", f"{client.stack.url}/v1/city").json()
    areas = {area["code"] for area in found["areas"]} - {area["parent"] for area in found["areas"]}
    one = next(area for area in found["areas"] if area["code"] in areas)
    return one["code"], one["name"]


def test_post_address_string_ok(client: Client) -> None:
    code, name = ward(client)
    report = client.file(lat=None, long=None, address_string=f"Jalan Melati 7, {name}, Jakarta")
    assert client.get(f"requests/{report}.json").json[0]["address_id"] == code
    errors(client.post(service_code="banjir", address_string="Nowhere at all"), 400)


def test_post_address_id_ok(client: Client) -> None:
    code, _ = ward(client)
    report = client.file(lat=None, long=None, address_id=code)
    assert client.get(f"requests/{report}.json").json[0]["address_id"] == code


def fitting(attribute: dict[str, Any]) -> Any:
    """A value that an attribute takes."""
    values = [value["key"] for value in attribute["values"]]
    return {
        "string": "x", "text": "x", "number": "12.5", "datetime": "2026-03-01 10:00:00",
        "singlevaluelist": values[:1], "multivaluelist": values[:2],
    }[attribute["datatype"]]  # fmt: skip


def form(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """The arguments that answer attributes."""
    return {
        f"attribute[{attribute['code']}]"
        + ("[]" if attribute["datatype"] == "multivaluelist" else ""): fitting(attribute)
        for attribute in attributes
    }


def test_post_attr_multi(client: Client) -> None:
    code, attributes = asking(client)
    report = client.file(service_code=code, **form(attributes))
    assert client.get(f"requests/{report}.json").json[0]["service_code"] == code


def test_post_attr_required_400_unknown_key_400_many_errors_listed(client: Client) -> None:
    code, attributes = asking(client)
    wrong = {
        f"attribute[{attribute['code']}]": {"number": "many", "datetime": "soon"}.get(
            attribute["datatype"], "not-a-key"
        )
        for attribute in attributes
        if attribute["datatype"] not in ("string", "text")
    }
    found = errors(client.post(service_code=code, lat="-6.2", email="x", **wrong), 400)
    assert len(found) == 2 + len(wrong) + sum(
        attribute["required"] and attribute["datatype"] in ("string", "text")
        for attribute in attributes
    )
    required = [attribute["code"] for attribute in attributes if attribute["required"]]
    missing = errors(client.post(service_code=code, **PLACE), 400) if required else []
    assert missing == [f"{one} required" for one in required]


def test_post_desc_4000_ok_4001_400(client: Client) -> None:
    report = client.file(description="é" * 4000)
    assert len(client.get(f"requests/{report}.json").json[0]["description"]) == 4000
    assert (
        "description"
        in errors(client.post(service_code="banjir", description="x" * 4001, **PLACE), 400)[0]
    )


def test_post_empty_equals_absent(client: Client) -> None:
    report = client.file(email="", media_url="", address_string="", jurisdiction_id="")
    assert client.get(f"requests/{report}.json").status == 200
    assert "service_code" in errors(client.post(service_code=" ", **PLACE), 400)[0]


def test_post_id_xor_token(client: Client) -> None:
    (made,) = client.post(service_code="banjir", description="once", **PLACE).json
    assert made["service_request_id"]
    assert "token" not in made
    root = client.post("requests.xml", service_code="banjir", description="xml", **PLACE).xml
    assert (root.tag, root[0].tag) == ("service_requests", "request")
    assert root.findtext("request/service_request_id")


def test_post_protected_is_a_token_and_nowhere(client: Client) -> None:
    hidden = [one["service_code"] for one in client.get("services.json").json
              if one["keywords"].startswith("private") and one["type"] == "batch"]  # fmt: skip
    assert hidden
    client.stack.drain()
    before = client.listed()
    code = hidden[0]
    attributes = client.get(f"services/{code}.json").json["attributes"]
    (made,) = client.post(service_code=code, **PLACE, **form(attributes)).json
    client.stack.drain()
    assert "service_request_id" not in made
    assert client.listed() == before
    ((known,),) = [client.get(f"tokens/{made['token']}.json").json]
    errors(client.get(f"requests/{known['service_request_id']}.json"), 404)


def test_post_the_same_form_again_is_the_same_request(client: Client) -> None:
    given = {"service_code": "banjir", "description": "retried", **PLACE}
    first, second = client.post(**given).json, client.post(**given).json
    assert first == second


def test_post_multipart_media(client: Client) -> None:
    fields = {"api_key": client.key, "service_code": "banjir", "description": "foto", **PLACE,
              "media": ("a.jpg", photo_files.jpeg(), "image/jpeg")}  # fmt: skip
    reply = _reply(urllib3.request("POST", f"{client.base}/requests.json", fields=fields))
    assert reply.status == 200, reply.text
    client.stack.drain()
    (made,) = client.get(f"requests/{reply.json[0]['service_request_id']}.json").json
    picture = urllib3.request("GET", made["media_url"])
    assert (picture.status, picture.headers["Content-Type"]) == (200, "image/jpeg")
    # Addresses that older versions gave still lead to the picture.
    older = urllib3.request("GET", made["media_url"].replace(".jpg", ".webp"))
    assert (older.status, older.headers["Content-Type"]) == (200, "image/webp")


def test_tok_unknown_404(client: Client) -> None:
    for token in ("x", "t", "t01J00000000000000000000001", "01J00000000000000000000001"):
        errors(client.get(f"tokens/{token}.json"), 404)


def test_tok_pending_200_null_then_ready(client: Client) -> None:
    (made,) = client.post(service_code="banjir", description="token", **PLACE).json
    report = made["service_request_id"]
    path = f"tokens/t{report}.json"
    assert client.get(path).json == [{"service_request_id": None, "token": f"t{report}"}]
    assert client.get(path.replace("json", "xml")).xml.findtext("request/service_request_id") == ""
    client.stack.drain()
    assert client.get(path).json == [{"service_request_id": report, "token": f"t{report}"}]


def test_list_default_90d_and_get_old_allowed(client: Client) -> None:
    report = client.file()
    now = client.stack.clock.now()
    far = (now + timedelta(days=100)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert report in {one["service_request_id"] for one in client.listed()}
    assert report not in {one["service_request_id"] for one in client.listed(end_date=far)}
    assert client.get(f"requests/{report}.json").status == 200


def test_list_span_over_90_400(client: Client) -> None:
    found = errors(client.get("requests.json", start_date="2026-01-01", end_date="2026-06-01"), 400)
    assert "start_date" in found[0]
    assert "end_date" in found[0]


@pytest.mark.parametrize(
    "query",
    [{"start_date": "soon"}, {"status": "maybe"}, {"start_date": "2026-03-02", "end_date":
     "2026-03-01"}, {"page": "x"}, {"bbox": "1,2,3"}, {"page": "200", "page_size": "100"},
     {"start_date": "2026-13-40"}, {"lat": "x", "long": "1"}],
    ids=str,
)  # fmt: skip
def test_list_what_cannot_be_understood_400(client: Client, query: dict[str, str]) -> None:
    errors(client.get("requests.json", **query), 400)


def test_list_ids_override(client: Client) -> None:
    first, second = client.file(), client.file()
    found = client.listed(service_request_id=f"{second}, {first},unknown", status="closed",
                          start_date="1990-01-01")  # fmt: skip
    assert {one["service_request_id"] for one in found} == {first, second}


def test_list_status_service_and_combined_filters(client: Client) -> None:
    client.file()
    every = client.listed()
    assert {one["service_request_id"] for one in client.listed(status="open,closed")} == {
        one["service_request_id"] for one in every
    }
    for query in ({"status": "open"}, {"service_code": "banjir"},
                  {"status": "open", "service_code": "banjir, pompa"}):  # fmt: skip
        wanted = [
            one
            for one in every
            if one["status"] in query.get("status", one["status"])
            and one["service_code"] in query.get("service_code", one["service_code"])
        ]
        assert [one["service_request_id"] for one in client.listed(**query)] == [
            one["service_request_id"] for one in wanted
        ]


def test_list_page_stable_and_full_until_last(client: Client) -> None:
    for _ in range(3):
        client.file()
    every = [one["service_request_id"] for one in client.listed()]
    assert every == sorted(every, reverse=True)
    pages: list[list[str]] = []
    while not pages or len(pages[-1]) == 4:
        found = client.listed(page=len(pages) + 1, page_size=4)
        pages.append([one["service_request_id"] for one in found])
    assert [one for page in pages for one in page] == every
    assert client.listed(page=0, per_page=2) == client.listed(page=1, page_size=2)


def test_list_updated_after(client: Client) -> None:
    old = client.file()
    client.stack.clock.set(client.stack.clock.now() + timedelta(minutes=5))
    since = client.stack.clock.now()
    new = client.file()
    changed = client.listed(updated_after=since.strftime("%Y-%m-%dT%H:%M:%SZ"))
    found = {one["service_request_id"] for one in changed}
    assert new in found
    assert old not in found
    long_ago = {one["service_request_id"] for one in client.listed(updated_after="2025-06-01")}
    assert {old, new} <= long_ago
    errors(
        client.get("requests.json", updated_after="2026-03-01", updated_before="2026-02-01"), 400
    )


def test_list_no_personal_data(client: Client) -> None:
    report = client.file(**PERSONAL, description="Air masuk")
    texts = [
        client.get(path, extensions="true").text
        for form in ("json", "xml")
        for path in (f"requests.{form}", f"requests/{report}.{form}", f"tokens/t{report}.{form}")
    ]
    for text in texts:
        assert report in text
        assert not [one for one in PERSONAL.values() if one in text]


def test_list_by_place(client: Client) -> None:
    report = client.file()
    near = {"lat": "-6.1755", "long": "106.8273", "radius": "100"}
    assert report in {one["service_request_id"] for one in client.listed(**near)}
    far = {"lat": "-6.19", "long": "106.85", "radius": "100"}
    assert report not in {one["service_request_id"] for one in client.listed(**far)}
    box = client.listed(bbox="106.82,-6.18,106.83,-6.17")
    assert report in {one["service_request_id"] for one in box}


def test_get_unknown_404(client: Client) -> None:
    for one in ("01J00000000000000000000001", "x", "1"):
        errors(client.get(f"requests/{one}.json"), 404)
    root = client.get("requests/x.xml").xml
    assert (root.tag, root.findtext("error/code")) == ("errors", "404")


def test_closed_updated_is_close_time(client: Client) -> None:
    report = client.file()
    acted(client, report, REJECTED)
    closed_at = client.stack.clock.now()
    client.stack.clock.set(closed_at + timedelta(hours=1))
    note = {"text": "Terima kasih", "audience": "public"}
    url = f"{client.stack.url}/v1/reports/{report}/comments"
    headers = {"Authorization": officer_of(client, report)[0], "Idempotency-Key": f"note-{report}"}
    assert urllib3.request("POST", url, json=note, headers=headers).status == 201
    client.stack.drain()
    for one in (client.get(f"requests/{report}.json").json[0],
                *client.listed(service_code="banjir", status="closed")):  # fmt: skip
        if one["service_request_id"] == report:
            assert one["status"] == "closed"
            updated = datetime.fromisoformat(one["updated_datetime"])
            assert abs(updated - closed_at) < timedelta(seconds=2)


def test_get_every_key_is_present_and_ids_are_strings(client: Client) -> None:
    report = client.file()
    (one,) = client.get(f"requests/{report}.json").json
    assert set(one) == {
        "service_request_id", "status", "status_notes", "service_name", "service_code",
        "description", "agency_responsible", "service_notice", "requested_datetime",
        "updated_datetime", "expected_datetime", "address", "address_id", "zipcode", "lat",
        "long", "media_url",
    }  # fmt: skip
    assert isinstance(one["lat"], float)
    assert isinstance(one["address"], str)
    assert one["media_url"] is None


def test_both_ends_of_the_base_and_unknown_arguments_are_fine(client: Client) -> None:
    assert client.get("requests.json", _="123", debug="true", extensions="true").status == 200


def test_ext_true_adds_only(client: Client) -> None:
    client.file()
    plain, more = client.listed(), client.listed(extensions="true")
    assert {name for one in more for name in set(one) - set(plain[0])} == {"extended_attributes"}
    assert [{**one, "extended_attributes": None} for one in plain] == [
        {**one, "extended_attributes": None} for one in more
    ]
    assert client.get("requests.xml", extensions="true").xml.find("request/extended_attributes")


def officer_of(client: Client, report: str) -> tuple[str, dict[str, Any]]:
    """The authorization of an officer of a report's district, and the report."""
    from chalicelib.services.city import staff

    head = urllib3.request("GET", f"{client.stack.url}/v1/reports/{report}").json()
    found = staff.find("demo", "officer", head["district"]["code"])
    assert found is not None
    return f"Bearer {client.stack.token(str(found['subject']))}", head


def acted(client: Client, report: str, *bodies: dict[str, Any]) -> dict[str, Any]:
    """An officer's actions on a new report, one after the other; the report as it was."""
    officer, head = officer_of(client, report)
    url = f"{client.stack.url}/v1/reports/{report}/actions"
    for version, body in enumerate(bodies, start=1):
        headers = {"Authorization": officer, "Idempotency-Key": f"{report}-{version}"}
        answer = urllib3.request("POST", url, json={"version": version, **body}, headers=headers)
        assert answer.status == 200, answer.data
    return head


REJECTED = {"action": "reject", "reason_code": "spam", "text": "Bukan laporan."}


def worked(client: Client, report: str) -> None:
    """Somebody assigns it, works on it and says so in public."""
    _, head = officer_of(client, report)
    assign = {"action": "assign", "unit": head["unit"]["code"]}
    acted(client, report, assign, {"action": "start", "note": "Pompa & selang menuju lokasi"})
    client.stack.drain()


def window(client: Client) -> dict[str, str]:
    """The last hour, as FixMyStreet asks."""
    now = client.stack.clock.now()
    ends = (now - timedelta(hours=1), now + timedelta(seconds=1))
    return dict(zip(("start_date", "end_date"),
                    (end.strftime("%Y-%m-%dT%H:%M:%SZ") for end in ends), strict=True))  # fmt: skip


def test_upd_window_ids_unique_status_enum(client: Client) -> None:
    report = client.file()
    worked(client, report)
    root = client.get("servicerequestupdates.xml", **window(client)).xml
    assert root.tag == "service_request_updates"
    assert {one.tag for one in root} == {"request_update"}
    ids = [one.findtext("update_id") for one in root]
    assert len(ids) == len(set(ids))
    mine = [one for one in root if one.findtext("service_request_id") == report]
    told = [(one.findtext("status"), one.findtext("description")) for one in mine]
    assert told == [("investigating", ""), ("in_progress", "Pompa & selang menuju lokasi")]
    asked = window(client)
    for one in root:
        moment = one.findtext("updated_datetime") or ""
        assert STRICT.fullmatch(moment)
        assert asked["start_date"] <= moment <= asked["end_date"]
    old = {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-01-02T00:00:00Z"}
    assert client.get("servicerequestupdates.json", **old).json == []
    errors(client.get("servicerequestupdates.json", start_date="2026-01-01"), 400)


def update(client: Client, report: str, **more: Any) -> Reply:
    """An update of a request from the system that filed it."""
    now = client.stack.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {"service_request_id": report, "update_id": "u1", "status": "OPEN",
             "updated_datetime": now, "description": "Masih banjir"}  # fmt: skip
    return client.post("servicerequestupdates.json", **{**given, **more})


def test_upd_post_upper_and_replay_idempotent(client: Client) -> None:
    report = client.file()
    for _ in range(2):
        found = update(client, report, update_id=f"a-{report}")
        assert found.json == [{"update_id": f"{report}-2", "account_id": None}]
    client.stack.drain()
    events = urllib3.request("GET", f"{client.stack.url}/v1/reports/{report}/timeline").json()
    assert [event["action"] for event in events["events"]] == ["file", "comment"]
    assert events["events"][1]["words"] == {"comment": "Masih banjir"}
    assert len(errors(update(client, report, status="open", description=""), 400)) == 2
    assert "update_id" in errors(update(client, report, update_id=None), 400)[0]
    older = update(client, report, update_id=None, update_id_ext="77", status="PLANNED")
    assert older.json == [{"update_id": f"{report}-3", "account_id": None}]
    errors(update(client, report, api_key="tk_wrong"), 403)
    errors(update(client, "01J00000000000000000000001", update_id="b"), 404)


def test_upd_post_of_the_filing_person_alone_reopens_what_was_closed(client: Client) -> None:
    report = client.file(email="rina@example.org")
    acted(client, report, REJECTED)
    client.stack.clock.set(client.stack.clock.now() + timedelta(minutes=1))
    for number, email in enumerate((None, "other@example.org", "rina@example.org")):
        assert client.get(f"requests/{report}.json").json[0]["status"] == "closed"
        assert update(client, report, update_id=f"{number}-{report}", email=email).status == 200
    assert client.get(f"requests/{report}.json").json[0]["status"] == "open"


def test_another_systems_endpoint_can_be_imported(client: Client) -> None:
    """This product's own, as an old system's: every page, once, with its times."""
    from chalicelib import ids
    from chalicelib.services.city import cities
    from infra.city import import_mapping_checks, import_open311, importing

    for _ in range(3):
        client.file()
    now = client.stack.clock.now()
    city = cities.current("demo", now)
    every = client.listed()

    def run() -> importing.Outcome:
        reader = import_open311.Reader(client.base)
        raw = {**importing.GEOREPORT, "source": "another"}
        mapping = import_mapping_checks.checked(raw, city)
        rows = reader.rows(now - timedelta(days=80), now)
        return importing.run(city, rows, mapping, now, ids.new_ulid(now))

    first, second = run(), run()
    assert first.imported + len(first.findings) == len(every)
    assert first.imported > 2
    assert (second.imported, second.known) == (0, first.imported)
    client.stack.drain()
    assert len(client.listed()) == len(every) + first.imported
