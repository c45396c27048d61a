"""The page at the front door: what a person sees there, and a program."""

import json
import re

import pytest

from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Edge

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.fixture(name="front")
def front_fixture(edge: Edge) -> Edge:  # noqa: F811
    return edge


@pytest.mark.parametrize(
    ("asked", "language", "words"),
    [
        ("id-ID,id;q=0.9,en;q=0.8", "id", "Laporkan apa yang rusak"),
        ("in", "id", "Laporkan apa yang rusak"),
        ("en-GB", "en", "Report what is broken"),
        ("nl", "id", "Laporkan apa yang rusak"),
        (None, "id", "Laporkan apa yang rusak"),
    ],
)
def test_a_person_sees_what_this_is_in_their_language(
    front: Edge, asked: str | None, language: str, words: str
) -> None:
    headers = {"Accept": BROWSER} | ({"Accept-Language": asked} if asked else {})
    reply = front.ask("GET", "/", headers=headers)
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["content-language"] == language
    assert f'<html lang="{language}">' in reply.text
    assert words in reply.text
    assert {"Accept", "Accept-Language"} <= set(reply.headers["vary"].split(", "))


def test_every_link_of_the_page_leads_somewhere(front: Edge) -> None:
    text = front.ask("GET", "/", headers={"Accept": BROWSER}).text
    places = re.findall(r'href="http://127.0.0.1:8000([^"]+)"', text)
    assert len(places) == text.count("href=") == 8
    for place in places:
        assert front.ask("GET", place).status == 200, place


def test_the_page_runs_no_script_and_loads_nothing(front: Edge) -> None:
    reply = front.ask("GET", "/", headers={"Accept": BROWSER})
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in reply.text + policy
    assert "src=" not in reply.text
    assert " style=" not in reply.text


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("Application/JSON", True),
        ("application/json, text/plain, */*", True),
        ("text/html, application/json;q=0.9", False),
        ("text/html;q=0.5, application/json", True),
        ("application/json;q=0", False),
        ("application/json;q=x", False),
        ("*/*", False),
        ("", False),
        (BROWSER, False),
    ],
)
def test_a_program_that_accepts_json_gets_an_index(front: Edge, accept: str, is_json: bool) -> None:
    reply = front.ask("GET", "/", headers={"Accept": accept, "Accept-Language": "en"})
    assert reply.headers["content-type"].split(";")[0] == (
        "application/json" if is_json else "text/html"
    )
    if is_json:
        found = json.loads(reply.text)
        assert found["name"] == "Tanggap"
        assert found["city"]["jurisdiction"] == front.city.jurisdiction
        assert found["links"]["docs"] == "http://127.0.0.1:8000/docs"


def test_a_deployment_without_a_city_says_so(front: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.settings import settings

    monkeypatch.setenv("TANGGAP_JURISDICTION", "nowhere")
    settings.cache_clear()
    reply = front.ask("GET", "/", headers={"Accept": BROWSER, "Accept-Language": "en"})
    assert (reply.status, "no city is loaded yet" in reply.text) == (200, True)
    index = front.ask("GET", "/", headers={"Accept": "application/json"}).body
    assert index["city"] is None
