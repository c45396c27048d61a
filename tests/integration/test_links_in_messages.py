"""The links in messages, as a browser and a mail program follow them, without a script."""

import json
import re
from typing import Any

import pytest

from chalicelib.services.people import preferences
from chalicelib.settings import settings
from chalicelib.storage import aws, mail
from tests.security.conftest import edge
from tests.security.edge import Edge

__all__ = ["edge"]
BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
FORGED = "k1.abc." + "A" * 22
ONE_CLICK = b"List-Unsubscribe=One-Click"
PARTS = (
    b'--xx\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
    b"One-Click\r\n--xx--\r\n"
)


def path(recipient: str = "abc") -> str:
    """The path of the link in a message."""
    link = preferences.link(settings().jurisdiction, recipient)
    return link.removeprefix(settings().public_url)


def test_a_mail_names_the_address_that_ends_such_mails(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the headers of RFC 8058; a mail without such a choice has none."""
    seen: list[dict[str, Any]] = []
    client = aws.client("sesv2")
    monkeypatch.setattr(client, "send_email", lambda **asked: seen.append(asked) or {})
    mail.send("a@example.org", "News", "Text", "https://city.example/v1/notifications/t")
    mail.send("a@example.org", "Code", "Text")
    first, second = (one["Content"]["Simple"] for one in seen)
    assert {header["Name"]: header["Value"] for header in first["Headers"]} == {
        "List-Unsubscribe": "<https://city.example/v1/notifications/t>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert "Headers" not in second


@pytest.mark.parametrize(
    ("raw", "media"),
    [
        (ONE_CLICK, "application/x-www-form-urlencoded"),
        (PARTS, "multipart/form-data; boundary=xx"),
        (b"", "application/x-www-form-urlencoded"),
    ],
)
def test_one_click_of_a_mail_program_ends_messages_any_number_of_times(
    edge: Edge, raw: bytes, media: str
) -> None:
    where = path()
    token = where.rsplit("/", 1)[1]
    for _ in range(2):
        reply = edge.ask("POST", where, raw=raw, headers={"Content-Type": media}, key=None)
        assert reply.status == 200
        assert preferences.choice(settings().jurisdiction, token)["notify"] == "nothing"
    reply = edge.ask("POST", f"{where}/all", raw=b"", headers=BROWSER, key=None)
    assert reply.status == 200
    assert preferences.choice(settings().jurisdiction, token)["notify"] == "all"


def test_only_one_click_requests_end_messages(edge: Edge) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert edge.ask("POST", path(), raw=b"wish=all", headers=form, key=None).status == 415
    where = f"/v1/notifications/{FORGED}"
    assert edge.ask("POST", where, raw=ONE_CLICK, headers=form, key=None).status == 401
    other = edge.ask("POST", "/v1/devices", raw=ONE_CLICK, headers=form, key=None)
    assert other.status == 415


@pytest.mark.parametrize("kind", ["notifications", "answers", "claims"])
def test_a_forged_link_opened_in_a_browser_shows_a_page_that_says_what_to_do(
    edge: Edge, kind: str
) -> None:
    """In the reader's language; a program still gets the problem document."""
    where = f"/v1/{kind}/{FORGED}"
    for language, words in (("en", "newest message"), ("id", "pesan terbaru"), ("xx", "terbaru")):
        reply = edge.ask("GET", where, headers={**BROWSER, "Accept-Language": language})
        assert reply.status == 401
        assert reply.headers["content-type"].startswith("text/html")
        assert words in reply.text
        assert re.search(r"<html lang=\"(en|id)\">", reply.text)
        assert "<script" not in reply.text
        assert "default-src 'none'" in reply.headers["content-security-policy"]
    reply = edge.get(where)
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_link_of_no_city_and_one_that_is_cut_off_show_a_page_too(edge: Edge) -> None:
    for where, query in (("/v1/answers/%", {}), (path(), {"jurisdiction_id": "nowhere"})):
        reply = edge.ask("GET", where, query=query, headers={**BROWSER, "Accept-Language": "en"})
        assert reply.status in (401, 404, 422)
        assert "newest message" in reply.text


def test_an_open311_client_may_name_a_locale(edge: Edge) -> None:
    """It goes before the header; an unknown locale is ignored."""

    def named(**query: Any) -> str:
        asked = {"Accept-Language": "id"}
        reply = edge.ask("GET", "/open311/v2/services.json", query=query, headers=asked)
        return str(json.loads(reply.text)[0]["service_name"])

    assert named().endswith("(id)")
    assert not named(locale="en-GB").endswith("(id)")
    assert named(locale="xx").endswith("(id)")
