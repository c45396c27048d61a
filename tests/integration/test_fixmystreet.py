"""A FixMyStreet as front end: what its client sends arrives, and it can use what it reads.

FixMyStreet is of Perl and in no registry of packages, so its client does not run here.
``FixMyStreet`` sends the same forms, and reads an answer as that client does: XML without
attributes, an empty element as nothing, a repeated one as a list, and only pictures that are JPEG.
"""

import base64
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from chalicelib.services.identity import api_keys
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Context, Edge, application, event_of
from tests.support import photo_files
from tests.support.open311_server import NAME, reply, server
from tests.support.world import JURISDICTION, spot

V2 = "/open311/v2"
FORM = "application/x-www-form-urlencoded"
LISTS = {"service", "attribute", "value", "request", "request_update", "error"}
GROUPS = {"services", "attributes", "values", "service_requests", "errors",
          "service_request_updates"}  # fmt: skip
# The states of FixMyStreet, by the words that it takes for them.
STATES = {
    "open": "confirmed", "closed": "closed", "fixed": "fixed - council",
    "in progress": "in progress", "planned": "planned", "action scheduled": "action scheduled",
    "investigating": "investigating", "duplicate": "duplicate",
    "not councils responsibility": "not responsible", "no further action": "unable to fix",
    "internal referral": "internal referral", "unchanged": None,
}  # fmt: skip
W3C = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
PICTURES = [f"https://{NAME}/photo/42.{n}.full.jpeg?74e33622" for n in (0, 1)]
DETAIL = "title: Broken kerb & “hole”\n\ndetail: Près du café <no 3>\n\nurl: https://fms.example/42"


class FixMyStreet:
    """The client of a FixMyStreet site, for one body and its key."""

    def __init__(self, edge: Edge) -> None:  # noqa: F811
        self.edge = edge
        self.key = api_keys.issue(JURISDICTION, "fms", 1000, edge.now, api_keys.STATE)[1]

    def get(self, path: str, **query: str) -> Any:
        """An answer to GET, as its parser gives it."""
        given = {"jurisdiction_id": JURISDICTION, **query}
        return self._ask("GET", path, None, given)

    def post(self, path: str, *pairs: tuple[str, str]) -> Any:
        """An answer to a form."""
        form = [*pairs, ("jurisdiction_id", JURISDICTION), ("api_key", self.key)]
        return self._ask("POST", path, urlencode(form), {})

    def _ask(self, method: str, path: str, body: str | None, query: dict[str, Any]) -> Any:
        headers = {"Content-Type": FORM} if body else {}
        event = event_of(method, f"{V2}/{path}", body, query, headers, "192.0.2.7")
        if body:
            coded = base64.b64encode(body.encode()).decode()
            event = {**event, "body": coded, "isBase64Encoded": True}
        answer = application()(event, Context())
        assert answer["headers"]["Content-Type"] == "text/xml; charset=utf-8", answer
        parsed = simple(ElementTree.fromstring(answer["body"]))
        if answer["statusCode"] != 200:
            raise Refused(
                "".join(f"{row['code']}: {row['description']}" for row in parsed["error"])
            )
        return parsed

    def send(self, **more: str) -> str:
        """File a problem; the id that it keeps for it."""
        where = {name: f"{value:.6f}" for name, value in spot("D1-W1").items()}
        form = {
            "description": DETAIL, "service_code": "pothole", "first_name": "Ani", "last_name": "",
            "email": "ani@example.org", "phone": "+628123450009", **where, **more,
        }  # fmt: skip
        made = self.post("requests.xml", *form.items())["request"][0]
        if made.get("service_request_id"):
            return str(made["service_request_id"])
        return str(self.get(f"tokens/{made['token']}.xml")["request"][0]["service_request_id"])

    def update(self, report: str, number: int, **more: str) -> str:
        """Send a comment; the id that it keeps for it."""
        form = {
            "updated_datetime": self.edge.now.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "service_request_id": report, "status": "OPEN", "description": "Still there",
            "last_name": "-", "first_name": "Budi", "email": "budi@example.org",
            "update_id": str(number), **more,
        }  # fmt: skip
        made = self.post("servicerequestupdates.xml", *form.items())["request_update"][0]
        assert isinstance(made["update_id"], str)
        return made["update_id"]

    def fetched(self, hours: int = 2) -> list[dict[str, Any]]:
        """The updates of the last hours that it takes: known, and with a time inside the window."""
        self.edge.project()
        start, end = w3c(self.edge.now - timedelta(hours=hours)), w3c(self.edge.now)
        answer = self.get("servicerequestupdates.xml", api_key="", start_date=start, end_date=end)
        rows = (answer or {}).get("request_update") or []
        for row in rows:
            assert W3C.fullmatch(row["updated_datetime"])
            assert start <= row["updated_datetime"] <= end
            assert row["status"].lower().replace("_", " ") in STATES, row
            assert "fixmystreet_id" not in row
            assert not isinstance(row["media_url"], dict)
        return rows

    def act(self, who: str, report: str, action: str, **more: Any) -> None:
        """An official acts."""
        answer = self.edge.act(self.edge.staff(who), report, action, **more)
        assert answer.status == 200, answer.body
        self.edge.advance(minutes=10)

    def photo(self, address: str) -> bytes | None:
        """What it stores of a picture's address: JPEG, and nothing else."""
        from chalicelib.storage import files

        event = event_of("GET", urlsplit(address).path, None, {}, {}, "192.0.2.7")
        answer = application()(event, Context())
        assert answer["statusCode"] == 302, answer
        key = urlsplit(answer["headers"]["Location"]).path.lstrip("/")
        key = key[key.index("photos/") :]
        held = files.head(key)
        assert held is not None
        return files.get(key) if held["type"] == "image/jpeg" else None


class Refused(Exception):
    """An error answer, as its administrators read it."""


def simple(element: ElementTree.Element) -> Any:
    """An element as FixMyStreet's parser gives it."""
    assert not element.attrib
    if not len(element):
        return element.text
    found: dict[str, Any] = {}
    for child in element:
        value = simple(child)
        if child.tag in GROUPS and isinstance(value, dict):
            (value,) = value.values()
        if child.tag in LISTS:
            found.setdefault(child.tag, []).append(value)
        elif child.tag in found:
            held = found[child.tag]
            found[child.tag] = [*(held if isinstance(held, list) else [held]), value]
        else:
            found[child.tag] = value
    return found


@pytest.fixture(name="site")
def site_fixture(edge: Edge) -> Iterator[FixMyStreet]:  # noqa: F811
    """The site."""
    return FixMyStreet(edge)


def case_of(site: FixMyStreet, report: str) -> dict[str, Any]:
    """The officials' view."""
    answer = site.edge.get(f"/v1/reports/{report}/case", site.edge.staff("officer1"))
    body: dict[str, Any] = answer.body
    return body


def developed(site: FixMyStreet, report: str) -> None:
    """The photo function works on the report's photos."""
    from chalicelib.services.photos import jobs

    with photo_files.quick():
        for photo in site.edge.head(report).pictures:
            job = {"kind": "photo", "task": "develop", "photo": photo, "report": report,
                   "jurisdiction": JURISDICTION, "rev": 1}  # fmt: skip
            jobs.handle(job, site.edge.now, last=True)
    site.edge.project()


def test_its_categories_have_all_that_it_keeps_of_them(site: FixMyStreet) -> None:
    services = site.get("services.xml")["service"]
    assert len({service["service_name"] for service in services}) == len(services)
    for service in services:
        assert service["service_name"] == service["service_name"].strip()
        assert service["metadata"] in ("true", "false")
        meta = site.get(f"services/{service['service_code']}.xml")
        assert isinstance(meta["attributes"], list) is (service["metadata"] == "true")
        for attribute in meta["attributes"] or []:
            assert {"variable", "code", "datatype", "required", "order"} <= attribute.keys()
            assert attribute["description"]
            assert attribute["required"] in ("true", "false")
            assert int(attribute["order"]) > 0
            assert ("list" in attribute["datatype"]) is isinstance(attribute["values"], list)
            for value in attribute["values"] or []:
                assert value.keys() == {"key", "name"}


def test_a_problem_with_two_photos_arrives_whole(site: FixMyStreet) -> None:
    where = {name: f"{value:.6f}" for name, value in spot("D1-W1").items()}
    form = {
        "description": DETAIL, "service_code": "pothole", "first_name": "Ani", "last_name": "Ba",
        "email": "ani@example.org", "phone": "+628123450009", "account_id": "7", **where,
        "attribute[easting]": "529025.7", "attribute[northing]": "179716.2",
        "attribute[fixmystreet_id]": "42", "attribute[closest_address]": "Rue 3, près du café",
    }  # fmt: skip
    pictures = [("media_url", address) for address in PICTURES]
    with server(lambda asked, handler: reply(handler, 200, photo_files.jpeg())):
        made = site.post("requests.xml", *form.items(), *pictures)["request"][0]
        report = made["service_request_id"]
        again = site.post("requests.xml", *form.items(), *pictures)["request"][0]
        assert again["service_request_id"] == report
        developed(site, report)
    (shown,) = site.get(f"requests/{report}.xml")["request"]
    assert shown["description"] == DETAIL
    assert (float(shown["lat"]), float(shown["long"])) == (
        float(where["lat"]),
        float(where["long"]),
    )
    assert site.photo(shown["media_url"]) is not None
    case = case_of(site, report)
    assert case["photos"] == 2
    words = case["timeline"][0]["words"]
    assert words["media_url"].splitlines() == PICTURES
    assert words["attributes"].splitlines() == [
        "easting: 529025.7", "northing: 179716.2", "fixmystreet_id: 42",
        "closest_address: Rue 3, près du café",
    ]  # fmt: skip
    contact = site.edge.post(f"/v1/reports/{report}/contact", who=site.edge.staff("officer1"))
    assert contact.body["contact"] == {
        "name": "Ani Ba", "email": "ani@example.org", "phone": "+628123450009",
    }  # fmt: skip
    public = site.edge.get(f"/v1/reports/{report}/timeline").text
    assert not [word for word in ("529025", "café,", "Rue 3", "ani@", "Ba") if word in public]


def test_every_state_that_officials_give_reaches_it_with_their_words(site: FixMyStreet) -> None:
    report = site.send()
    site.edge.advance(minutes=10)
    site.act("officer1", report, "assign", person="s_worker1")
    site.act("worker1", report, "start", note="On our way")
    photo = site.edge.photo(site.edge.staff("worker1"), processed=True)
    site.act("worker1", report, "finish", note="Filled & rolled", photos=[photo])
    site.act("verifier", report, "verify")
    rows = [row for row in site.fetched() if row["service_request_id"] == report]
    assert len({row["update_id"] for row in rows}) == len(rows)
    taken = [(STATES[row["status"].replace("_", " ")], row["description"]) for row in rows]
    assert taken == [
        ("investigating", None), ("in progress", "On our way"),
        ("in progress", "Filled & rolled"), ("fixed - council", None),
    ]  # fmt: skip
    assert [site.photo(row["media_url"]) for row in rows if row["media_url"]] == [b"jpeg"]
    (asked,) = site.get("requests.xml", service_request_id=f"{report},unknown")["request"]
    assert STATES[asked["status"]] == "closed"
    # By their numbers it takes the notes for the text.
    assert asked["status_notes"]


def test_its_own_comment_does_not_come_back_as_another(site: FixMyStreet) -> None:
    report = site.send()
    site.edge.advance(minutes=10)
    known = {site.update(report, 1), site.update(report, 2, description="Look", title="Mr",
                                                 email_alerts_requested="FALSE")}  # fmt: skip
    assert site.update(report, 1) in known
    site.edge.advance(minutes=10)
    rows = [row for row in site.fetched() if row["service_request_id"] == report]
    assert {row["update_id"] for row in rows} == known
    assert [row["description"] for row in rows] == ["Still there", "Look"]


def test_what_else_it_says_of_a_comment_is_for_officials(site: FixMyStreet) -> None:
    report = site.send()
    site.edge.advance(minutes=10)
    site.update(report, 1, **{"attribute[outcome]": "Kerb relaid", "attribute[crew]": "7",
                              "title": "Mr", "service_code": "pothole"})  # fmt: skip
    (comment,) = [row for row in case_of(site, report)["timeline"] if row["action"] == "comment"]
    assert comment["words"] == {
        "comment": "Still there", "attributes": "outcome: Kerb relaid\ncrew: 7",
    }  # fmt: skip
    assert "relaid" not in site.edge.get(f"/v1/reports/{report}/timeline").text
    assert "relaid" not in str(site.fetched())


def test_a_comment_with_a_photo_alone_arrives_with_its_photo(site: FixMyStreet) -> None:
    report = site.send()
    site.edge.advance(minutes=10)
    with server(lambda asked, handler: reply(handler, 200, photo_files.jpeg())):
        site.update(report, 1, description="", media_url=PICTURES[0])
        developed(site, report)
    case = case_of(site, report)
    assert [picture["state"] for picture in case["pictures"]] == ["ready"]
    (comment,) = [row for row in case["timeline"] if row["action"] == "comment"]
    assert comment["words"]["media_url"] == PICTURES[0]


@pytest.mark.parametrize("status", ["INVESTIGATING", "IN_PROGRESS", "FIXED", "NO_FURTHER_ACTION"])
def test_a_new_state_without_words_arrives_instead_of_being_sent_for_ever(
    site: FixMyStreet, status: str
) -> None:
    """Its staff may change a state without a comment; a refused update is sent each half hour."""
    report = site.send()
    site.edge.advance(minutes=10)
    first = site.update(report, 1, status=status, description="")
    assert site.update(report, 1, status=status, description="") == first
    (comment,) = [row for row in case_of(site, report)["timeline"] if row["action"] == "comment"]
    assert (comment["data"]["status"], comment["words"]) == (status, {})
    assert site.edge.head(report).state == "submitted"
    site.edge.advance(minutes=10)
    assert [row for row in site.fetched() if row["service_request_id"] == report] == []
    with pytest.raises(Refused, match="400: description is required"):
        site.update(report, 2, status="UNCHANGED", description="")


def test_what_it_is_refused_says_why(site: FixMyStreet) -> None:
    with pytest.raises(Refused, match="400: lat must be a number"):
        site.send(lat="north")
    site.key = "wrong"
    with pytest.raises(Refused, match=r"403: .*key"):
        site.send()


def test_the_problems_of_an_hour_that_it_copies_have_a_place_and_a_time(site: FixMyStreet) -> None:
    report = site.send()
    site.edge.project()
    start, end = site.edge.now - timedelta(hours=1), site.edge.now
    rows = site.get("requests.xml", start_date=w3c(start), end_date=w3c(end))["request"]
    (row,) = [row for row in rows if row["service_request_id"] == report]
    assert float(row["lat"])
    assert float(row["long"])
    assert w3c(start) <= row["updated_datetime"] <= w3c(end)
    assert row["requested_datetime"] <= row["updated_datetime"]
    assert (row["description"], STATES[row["status"]]) == (DETAIL, "confirmed")


def w3c(moment: datetime) -> str:
    """A time as FixMyStreet writes one in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
