"""Open311's edge: discovery, other web pages, HEAD, refusals in the standard's form, addresses."""

import json
import xml.etree.ElementTree as ElementTree
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.services.identity import api_keys
from chalicelib.settings import settings
from chalicelib.storage import city as store
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Context, Edge, application, event_of
from tests.support.world import JURISDICTION, spot

V2 = "/open311/v2"
FORM = "application/x-www-form-urlencoded"
PAGE = "https://app.example.org"


class Answer:
    """An answer: status, headers (lower case), text."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.status: int = raw["statusCode"]
        self.headers = {name.lower(): value for name, value in raw["headers"].items()}
        self.text: str = raw["body"]

    def errors(self) -> list[tuple[str, str]]:
        """(code, description) of each error, from XML or JSON, as the type says."""
        if self.headers["content-type"].startswith("text/xml"):
            root = ElementTree.fromstring(self.text)
            assert root.tag == "errors"
            return [(row.findtext("code") or "", row.findtext("description") or "")
                    for row in root.findall("error")]  # fmt: skip
        assert self.headers["content-type"] == "application/json; charset=utf-8"
        return [(str(row["code"]), row["description"]) for row in json.loads(self.text)]


def ask(
    method: str,
    path: str,
    body: str | None = None,
    query: dict[str, Any] | None = None,
    **headers: str,
) -> Answer:
    """A request to the application."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    event = event_of(method, path, body, query or {}, names, "192.0.2.7")
    return Answer(application()(event, Context()))


@pytest.fixture(name="cities")
def fixture_cities(edge: Edge) -> list[str]:  # noqa: F811
    """A second city beside the test city."""
    names = [*store.jurisdictions(), "villetest"]
    store.put_jurisdictions(names)
    return names


def key(edge: Edge) -> str:  # noqa: F811
    """A new key."""
    return api_keys.issue(JURISDICTION, "tests", 1000, edge.now)[1]


def good(**more: str) -> dict[str, str]:
    """The arguments of a request."""
    return {
        "service_code": "pothole",
        **{name: str(value) for name, value in spot("D1-W1").items()},
        **more,
    }


def test_discovery_needs_no_city_and_lists_those_of_the_deployment(cities: list[str]) -> None:
    answer = ask("GET", "/open311/discovery.json")
    assert answer.status == 200, answer.text
    endpoints = json.loads(answer.text)["endpoints"]
    assert [row["jurisdiction_id"] for row in endpoints] == cities
    assert {row["type"] for row in endpoints} == {"production"}
    root = ElementTree.fromstring(ask("GET", "/open311/discovery.xml").text)
    assert [row.text for row in root.iter("jurisdiction_id")] == cities


def test_discovery_of_one_city_is_asked_for_by_its_name(cities: list[str]) -> None:
    answer = ask("GET", "/open311/discovery.json", query={"jurisdiction_id": JURISDICTION})
    assert [row["jurisdiction_id"] for row in json.loads(answer.text)["endpoints"]] == [
        JURISDICTION
    ]
    answer = ask("GET", "/open311/discovery.json", query={"jurisdiction_id": "nowhere"})
    assert [code for code, _ in answer.errors()] == ["404"]


def test_a_test_endpoint_is_named_where_the_operator_names_one(
    edge: Edge,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def kinds() -> list[tuple[str, str]]:
        rows = json.loads(ask("GET", "/open311/discovery.json").text)["endpoints"]
        return [(row["type"], row["url"]) for row in rows]

    monkeypatch.delenv("TANGGAP_TEST_URL", raising=False)
    settings.cache_clear()
    assert [kind for kind, _ in kinds()] == ["production"]
    monkeypatch.setenv("TANGGAP_TEST_URL", "https://try.example.org")
    settings.cache_clear()
    assert kinds()[1:] == [("test", "https://try.example.org/open311/v2")]
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize(
    "path",
    ["/open311/discovery.json", f"{V2}/services.json", f"{V2}/services/pothole.xml",
     f"{V2}/requests.json", f"{V2}/requests/x.json", f"{V2}/tokens/x.json",
     f"{V2}/servicerequestupdates.json", f"{V2}/media/x", f"{V2}/nothing.json"],
)  # fmt: skip
def test_any_web_page_may_read_what_everybody_may_read(
    edge: Edge,  # noqa: F811
    path: str,
) -> None:
    for method in ("GET", "HEAD"):
        for headers in ({}, {"origin": PAGE}):
            answer = ask(method, path, **headers)
            assert answer.headers["access-control-allow-origin"] == "*", (method, path)
            assert "access-control-allow-credentials" not in answer.headers


def test_other_pages_may_not_read_what_a_key_wrote_nor_anything_else(
    edge: Edge,  # noqa: F811
) -> None:
    body = urlencode(good(api_key=key(edge)))
    answer = ask("POST", f"{V2}/requests.json", body, content_type=FORM, origin=PAGE)
    assert answer.status == 200, answer.text
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in ask("GET", "/v1/city", origin=PAGE).headers


def test_a_browser_that_asks_first_may_get_but_not_post(edge: Edge) -> None:  # noqa: F811
    answer = ask("OPTIONS", f"{V2}/requests.json", origin=PAGE)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/open311/discovery.xml",
        f"{V2}/services.json",
        f"{V2}/requests.xml",
        f"{V2}/requests/x.json",
    ],
)
def test_head_is_get_without_the_body(edge: Edge, path: str) -> None:  # noqa: F811
    get, head = ask("GET", path), ask("HEAD", path)
    assert (head.status, head.text) == (get.status, "")
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("form", ["xml", "json"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "requests"), ("PUT", "requests"), ("POST", "services"), ("PATCH", "requests/x"),
     ("POST", "servicerequestupdates/x"), ("POST", "tokens/x")],
)  # fmt: skip
def test_a_method_that_is_not_offered_is_refused_in_the_standards_form(
    edge: Edge,  # noqa: F811
    method: str,
    path: str,
    form: str,
) -> None:
    answer = ask(method, f"{V2}/{path}.{form}")
    wanted = 404 if "updates/" in path else 405
    assert answer.status == wanted
    ((code, text),) = answer.errors()
    assert code == str(wanted)
    assert answer.headers["content-type"].startswith(
        ("text/xml", "application/json")[form == "json"]
    )
    if wanted == 405:
        assert "GET" in answer.headers["allow"]
        assert "GET" in text


@pytest.mark.parametrize(
    ("path", "form"),
    [("nothing.json", "json"), ("nothing.xml", "xml"), ("nothing", "xml"), ("requests", "xml"),
     ("requests/x/y.json", "json"), ("requests.yaml", "xml")],
)  # fmt: skip
def test_an_unknown_address_is_refused_in_the_standards_form(
    edge: Edge,  # noqa: F811
    path: str,
    form: str,
) -> None:
    answer = ask("GET", f"{V2}/{path}")
    assert answer.status == 404
    assert form in answer.headers["content-type"]
    assert [code for code, _ in answer.errors()] == ["404"]


@pytest.mark.parametrize("wrong", [None, "tk_wrong", "revoked"])
def test_a_wrong_key_is_refused_with_the_word_key(
    edge: Edge,  # noqa: F811
    wrong: str | None,
) -> None:
    if wrong == "revoked":
        key_id, wrong = api_keys.issue(JURISDICTION, "old", 10, edge.now)
        api_keys.revoke(JURISDICTION, key_id, edge.now)
    given = good(**({"api_key": wrong} if wrong else {}))
    for language, word in (("en", "key"), ("id", "kunci")):
        answer = ask("POST", f"{V2}/requests.json", urlencode(given), content_type=FORM,
                     accept_language=language)  # fmt: skip
        ((code, text),) = answer.errors()
        assert code == "403"
        assert word in text.removeprefix("api_key").lower()
        assert "role" not in text.lower()


@pytest.mark.parametrize("media", ["application/json", "text/plain", "application/xml"])
@pytest.mark.parametrize("path", ["requests", "servicerequestupdates"])
def test_a_body_that_is_no_form_is_answered_with_send_a_form(
    edge: Edge,  # noqa: F811
    path: str,
    media: str,
) -> None:
    body = json.dumps(good(api_key=key(edge)))
    answer = ask("POST", f"{V2}/{path}.json", body, content_type=media)
    ((code, text),) = answer.errors()
    assert (answer.status, code) == (400, "400")
    assert "end a form" in text
    assert FORM in text


def test_the_address_beside_a_pin_is_for_officials_alone(edge: Edge) -> None:  # noqa: F811
    home = "Jalan Kenanga 14, RT 3"
    body = urlencode(good(api_key=key(edge), address_string=home))
    answer = ask("POST", f"{V2}/requests.json", body, content_type=FORM)
    report = json.loads(answer.text)[0]["service_request_id"]
    edge.project()
    for path in (f"/v1/reports/{report}", f"/v1/reports/{report}/timeline",
                 f"{V2}/requests/{report}.json", f"{V2}/servicerequestupdates.json"):  # fmt: skip
        assert "Kenanga" not in ask("GET", path).text, path
    officer = edge.staff("officer1")
    case = edge.get(f"/v1/reports/{report}/case", officer)
    assert case.status == 200, case.text
    assert case.body["address"] == home


def test_an_address_that_is_too_long_is_named(edge: Edge) -> None:  # noqa: F811
    body = urlencode(good(api_key=key(edge), address_string="x" * 1001))
    answer = ask("POST", f"{V2}/requests.json", body, content_type=FORM)
    ((code, text),) = answer.errors()
    assert code == "400"
    assert text.startswith("address_string")


def test_discovery_leads_to_a_page_that_says_how_to_get_a_key(edge: Edge) -> None:  # noqa: F811
    document = json.loads(ask("GET", "/open311/discovery.json").text)
    address = next(word for word in document["key_service"].split() if "://" in word)
    path = "/" + address.split("/", 3)[3]
    for language, words in (("en", "How to get a key"), ("id", "Cara mendapat kunci")):
        answer = ask("GET", path, accept_language=language)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert words in answer.text
        assert "api_key" in answer.text
