"""Cases 83 to 90: keys, forms, addresses that would be fetched, what GeoReport's answers
contain."""

import json
import xml.etree.ElementTree as ElementTree
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.edge import Context, Edge, application, event_of, sent_to
from tests.support.world import JURISDICTION, spot

V2 = "/open311/v2"
FORM = "application/x-www-form-urlencoded"


class Client:
    """A system with a key of the test city."""

    def __init__(self, edge: Edge) -> None:
        from chalicelib.services.identity import api_keys

        self.edge = edge
        self.key_id, self.key = api_keys.issue(JURISDICTION, "tests", 1000, edge.now)
        place = spot("D1-W1")
        self.good = {"service_code": "pothole", "lat": str(place["lat"]),
                     "long": str(place["long"])}  # fmt: skip

    def ask(
        self,
        method: str,
        path: str,
        body: str | None = None,
        query: dict[str, str] | None = None,
        media: str = FORM,
    ) -> tuple[int, str]:
        """(status, text) of an answer, which is always in the asked form."""
        headers = {"Content-Type": media} if body is not None else {}
        event = event_of(method, path, body, dict(query or {}), headers, "192.0.2.7")
        answer = application()(event, Context())
        return answer["statusCode"], answer["body"]

    def post(self, fields: Any = None, path: str = f"{V2}/requests.json", **more: Any) -> Any:
        """(status, JSON) of a POST with the key."""
        given = fields if fields is not None else {"api_key": self.key, **self.good, **more}
        pairs = list(given.items()) if isinstance(given, dict) else given
        status, text = self.ask("POST", path, urlencode(pairs))
        return status, json.loads(text)

    def file(self, **more: Any) -> str:
        """A request that the lists know; its id."""
        status, found = self.post(**more)
        assert status == 200, found
        self.edge.project()
        return str(found[0]["service_request_id"])


@pytest.fixture(name="client")
def client_fixture(edge: Edge) -> Client:
    """The client."""
    return Client(edge)


def test_case_83_a_key_opens_one_city_and_is_kept_as_a_hash(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    from chalicelib.services.identity import api_keys
    from tests.support import aws

    for key in ("", "tk_wrong", client.key[:-1], client.key.upper(), "k_" + client.key_id):
        assert client.post(api_key=key)[0] == 403
    _, other = api_keys.issue("elsewhere", "tests", 10, client.edge.now)
    assert client.post(api_key=other)[0] == 403
    assert client.post()[0] == 200
    assert client.key not in json.dumps(aws.rows("city")) + caplog.text
    assert api_keys.revoke(JURISDICTION, client.key_id, client.edge.now)
    assert client.post()[0] == 403
    assert not api_keys.revoke(JURISDICTION, "unknown", client.edge.now)


def test_case_84_forms_that_no_client_sends_are_400(client: Client) -> None:
    good = {"api_key": client.key, **client.good}
    assert client.post([(f"f{n}", "x") for n in range(1001)])[0] == 400
    assert client.post({**good, "attribute[a][b]": "x"})[0] == 400
    assert client.post({**good, "attribute[]": "x"})[0] == 400
    assert client.ask("POST", f"{V2}/requests.json", "%ff%fe=1")[0] == 400
    bad = "multipart/form-data; boundary=x"
    assert client.ask("POST", f"{V2}/requests.json", "no parts", media=bad)[0] == 400
    assert "multipart/form-data" in application().api.binary_types
    # A repeated attribute is one with several values, as PHP's clients send it.
    twice = [*good.items(), ("attribute[x]", "1"), ("attribute[x]", "2")]
    assert client.post(twice)[0] == 200


@pytest.mark.parametrize(
    "address",
    ["http://169.254.169.254/latest/meta-data/", "http://localhost:8000/", "http://[::1]/",
     "https://127.0.0.1/a.jpg", "https://user@example.org/a.jpg", "https://example.org:8443/a.jpg",
     "http://example.org/a.jpg", "https://printer.local/a.jpg"],
)  # fmt: skip
def test_case_85_an_address_inside_is_never_fetched_nor_shown(client: Client, address: str) -> None:
    report = client.file(media_url=address, description="x")
    head = client.edge.head(report)
    assert (head.photos, head.pictures) == ((), {})
    status, text = client.ask("GET", f"{V2}/requests/{report}.json")
    assert status == 200
    assert json.loads(text)[0]["media_url"] is None
    assert address not in text + client.edge.get(f"/v1/reports/{report}/timeline").text
    assert not [key for key in sent_to("s3").buckets["tanggap-files"].keys if "quarantine" in key]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "gopher://x", "javascript:alert(1)"])
def test_case_85_what_is_no_web_address_is_refused(client: Client, address: str) -> None:
    status, errors = client.post(media_url=address)
    assert (status, errors[0]["description"]) == (400, "media_url is no web address")


# No random part of an answer begins with these.
_WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=8, max_size=16).map("zqxj{}".format)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(_WORD, min_size=6, max_size=6, unique=True),
    digits=st.integers(10**11, 10**12 - 1),
)
def test_case_86_what_is_personal_is_in_no_answer(
    client: Client, words: list[str], digits: int
) -> None:
    mail, first, last, device, account, _ = words
    secrets = {"email": f"{mail}@example.org", "first_name": first, "last_name": last,
               "device_id": device, "account_id": account, "phone": f"+62{digits}"}  # fmt: skip
    report = client.file(**secrets, description=f"Lubang {words[5][:3]}")
    now = client.edge.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    window = {"start_date": "2026-11-01", "end_date": now}
    for form in ("json", "xml"):
        for path, query in (
            (f"{V2}/requests/{report}.{form}", {"extensions": "true"}),
            (f"{V2}/requests.{form}", {"extensions": "true"}),
            (f"{V2}/tokens/t{report}.{form}", {}),
            (f"{V2}/servicerequestupdates.{form}", window),
        ):
            status, text = client.ask("GET", path, query=query)
            assert status == 200, text
            assert not [one for one in (mail, first, last, device, account, str(digits))
                        if one in text]  # fmt: skip
    for path in (f"/v1/reports/{report}", f"/v1/reports/{report}/timeline"):
        text = client.edge.get(path).text
        assert not [one for one in (mail, first, last, device, account, str(digits)) if one in text]


def test_case_86_what_becomes_protected_is_in_no_answer_any_more(client: Client) -> None:
    report = client.file(description="Katasangatrahasia")
    officer = client.edge.staff("officer1")
    told = {"action": "assign", "person": "s_worker1", "note": "Catatanrahasia"}
    done = client.edge.post(f"/v1/reports/{report}/actions", {**told, "version": 1}, officer)
    assert done.status == 200
    client.edge.project()
    paths = (f"{V2}/requests.json", f"{V2}/servicerequestupdates.json")
    assert all(report in client.ask("GET", path)[1] for path in paths)
    change = {"action": "reclassify", "version": 2, "service": "violence", "reason": "x"}
    assert client.edge.post(f"/v1/reports/{report}/actions", change, officer).status == 200
    client.edge.project()
    for path in (*paths, f"{V2}/requests/{report}.json", f"{V2}/tokens/t{report}.json"):
        text = client.ask("GET", path)[1]
        assert not [one for one in (report, "Katasangat", "Catatan") if one in text], path


@pytest.mark.parametrize(
    "query",
    [{"updated_after": "1970-01-01"},
     {"start_date": "1970-01-01", "end_date": "1970-12-31"}, {"start_date": "0000-00-00"},
     {"page_size": "1e9"}, {"page": "-1"}, {"page_size": "1000", "page": "11"},
     {"status": "deleted"}, {"bbox": "nan,nan,nan,nan"}, {"lat": "1", "long": "inf"}],
    ids=range(9),
)  # fmt: skip
def test_case_87_the_limits_of_the_standard_hold(client: Client, query: dict[str, str]) -> None:
    status, text = client.ask("GET", f"{V2}/requests.json", query=query)
    assert status == 400, text
    assert json.loads(text)[0]["code"] == 400


def test_case_87_thousands_of_ids_are_read_by_the_page(client: Client) -> None:
    report = client.file()
    many = [f"01J{number:023d}" for number in range(10_000)]
    client.edge.recorder.clear()
    status, text = client.ask(
        "GET", f"{V2}/requests.json", query={"service_request_id": ",".join([report, *many])}
    )
    assert (status, [one["service_request_id"] for one in json.loads(text)]) == (200, [report])
    assert len(client.edge.recorder.calls) <= 15


def test_case_87_an_old_window_is_empty_and_no_error(client: Client) -> None:
    client.file()
    status, text = client.ask("GET", f"{V2}/requests.json", query={"start_date": "1970-01-01"})
    assert (status, json.loads(text)) == (200, [])


@pytest.mark.parametrize(
    "text",
    ["a ]]> b", "<script>alert(1)</script>", "&lt;x&gt; & y", "line\nline\ttab", "🌊 é 漢",
     "x\x0by\x7fz", "﷐ \U0001fffe", "\"'`", "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc'>]>"],
    ids=range(9),
)  # fmt: skip
def test_case_88_any_text_makes_xml_that_can_be_read(client: Client, text: str) -> None:
    status, found = client.post(description=text)
    if status == 400:
        return  # Bytes that are not text were refused earlier.
    report = found[0]["service_request_id"]
    _, answer = client.ask("GET", f"{V2}/requests/{report}.xml")
    shown = ElementTree.fromstring(answer).findtext("request/description") or ""
    stored = client.edge.get(f"/v1/reports/{report}").body["description"]
    assert shown == "".join(one for one in stored if one in "\t\n\r" or ord(one) >= 32)


@pytest.mark.parametrize("media", ["text/xml", "application/xml", "application/json", "x"])
def test_case_89_a_body_that_is_no_form_is_400(client: Client, media: str) -> None:
    body = "<?xml version='1.0'?><request><service_code>pothole</service_code></request>"
    for path in (f"{V2}/requests.xml", f"{V2}/servicerequestupdates.xml"):
        status, text = client.ask("POST", path, body, {"api_key": client.key}, media)
        assert status == 400
        assert ElementTree.fromstring(text).findtext("error/code") == "400"


@pytest.mark.parametrize(
    "path",
    ["/open311/v1/requests.json", "/open311/v2/requests", "/open311/v2/requests.yaml",
     "/open311/v2/services.JSON", "/open311/v2/requests/x", "/open311/v2/../v1/requests.json",
     "/open311/v2/", "/open311"],
)  # fmt: skip
def test_case_90_other_paths_and_forms_are_404(client: Client, path: str) -> None:
    assert client.ask("GET", path)[0] == 404
