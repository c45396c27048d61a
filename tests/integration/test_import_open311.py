"""Reading another city's Open311 server: every request, whatever the server's habits are."""

import io
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import urllib3

from chalicelib.outside import addresses
from chalicelib.storage import report_texts, timeline_rows
from infra.city import import_open311, importing
from infra.city.findings import CityErrors
from infra.city.import_mapping_checks import checked
from infra.city.import_open311 import Reader
from tests.support import open311_server
from tests.support.open311_server import Archive
from tests.support.world import JURISDICTION, World, city, spot

SINCE, NOW = datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
CAPTURED = Path(__file__).parents[3] / "shared/data/open311/chicago-requests.json"


def requests(many: int, days: float = 360, seed: int = 1) -> list[dict[str, Any]]:
    """Requests of a year, in the order of nothing."""
    dice = random.Random(seed)
    return [
        {
            "service_request_id": f"R-{number}",
            "requested_datetime": (
                SINCE + timedelta(seconds=dice.randrange(int(days * 86_400)))
            ).isoformat(),
        }
        for number in range(many)
    ]


class Direct:
    """An archive asked without HTTP."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def request(self, method: str, url: str, fields: dict[str, str], **_: Any) -> Any:
        """What urllib3's ``request`` answers."""
        status, media, body = self._archive.written(url, fields)
        headers = {"Content-Type": media}
        return urllib3.HTTPResponse(io.BytesIO(body), headers, status, preload_content=False)


def read(archive: Archive) -> tuple[list[str], Reader]:
    """The ids that are read from an archive."""
    reader = Reader("https://old.example.org/open311/v2/", Direct(archive))  # type: ignore[arg-type]
    return [row["service_request_id"] for row in reader.rows(SINCE, NOW)], reader


def dense(many: int) -> list[dict[str, Any]]:
    """Requests of one day."""
    return requests(many, days=1)


@pytest.mark.parametrize(
    "archive",
    [
        Archive(requests(130), limit=50),
        Archive(requests(1100), limit=1000, pages=False),
        Archive(requests(1100), limit=1000, pages=False, oldest_first=True),
        Archive(dense(1100), limit=1000, pages=False),
        Archive(requests(700), limit=50, pages=False),
        Archive(requests(700), limit=200, by_day=True),
        Archive(requests(700), limit=50, pages=False, by_day=True),
        Archive(requests(130), limit=50, nothing=404),
        Archive(requests(3), nothing=404),
        Archive([]),
        Archive(requests(130), limit=50, formats=("xml",)),
        Archive(requests(130), limit=50, nothing=404, formats=("xml",)),
        Archive(requests(130), limit=50, formats=("xml",), other_format=406),
        Archive(requests(130), limit=50, formats=("xml",), other_format=415),
        Archive(requests(130), limit=50, formats=("xml",), other_format=400),
        Archive(requests(130), limit=50, formats=("xml",), other_format=200),
    ],
    ids=[
        "a cap under the page asked for", "no pages", "no pages, oldest first",
        "no pages, all on one day", "a small cap without pages", "dates without times",
        "dates without times or pages", "404 for nothing, and a cap", "404 for nothing", "empty",
        "XML", "XML, and 404 for nothing", "XML, and 406 for JSON", "XML, and 415 for JSON",
        "XML, and 400 for JSON", "XML under every name",
    ],
)  # fmt: skip
def test_every_request_is_read_once_and_the_count_is_proved(archive: Archive) -> None:
    names, reader = read(archive)
    assert sorted(names) == sorted(row["service_request_id"] for row in archive.requests)
    assert reader.not_read == []
    assert reader.summary()["read"] == len(archive.requests)


def test_a_day_of_which_the_server_gives_no_more_is_said() -> None:
    """It has no pages and no times: 80 of one day cannot be had, whatever is asked."""
    crowd = [{**row, "service_request_id": f"D-{n}"} for n, row in enumerate(dense(80))]
    names, reader = read(Archive(requests(300) + crowd, limit=50, pages=False, by_day=True))
    assert len(names) == len(set(names)) < 380
    assert any("exactly 50 requests" in line for line in reader.not_read)


def test_a_server_that_does_not_obey_dates_is_said() -> None:
    names, reader = read(Archive(requests(90), limit=50, pages=False, dates=False))
    assert len(names) == 50
    assert any("does not obey" in line for line in reader.not_read)


@pytest.mark.parametrize("other_format", [404, 406, 415, 501])
def test_a_server_of_xml_whose_first_months_are_empty_is_read(other_format: int) -> None:
    late = [row for row in requests(300) if row["requested_datetime"] > "2023-07"]
    archive = Archive(late, nothing=404, formats=("xml",), other_format=other_format)
    names, reader = read(archive)
    assert sorted(names) == sorted(row["service_request_id"] for row in late)
    assert reader.not_read == []


def test_a_window_that_a_server_of_xml_cannot_answer_now_is_not_taken_for_empty() -> None:
    class Busy(Archive):
        def written(self, path: str, fields: dict[str, str]) -> tuple[int, str, bytes]:
            return (503, "text/html", b"") if "xml" in path else (404, "text/html", b"")

    with pytest.raises(CityErrors, match="answered with 503"):
        read(Busy([]))


def test_a_window_that_fails_is_read_around_and_said() -> None:
    bad = SINCE + timedelta(days=100, hours=3)
    names, reader = read(Archive(requests(500), refuses=(bad, 500)))
    assert 490 < len(names) < 500
    assert all("answered with 500" in line for line in reader.not_read)
    assert len(reader.not_read) == 1


@pytest.mark.parametrize("formats", [("json", "xml"), ("json",), ("xml",)])
def test_over_http_json_and_xml_give_the_same_reports(
    world: World, formats: tuple[str, ...]
) -> None:
    rows = [
        {**row, **spot("D1-W1"), "service_code": "pothole", "status": ("open", "closed")[n % 2],
         "updated_datetime": NOW.isoformat(), "description": f"Lubang <besar> & dalam {n} é",
         "address": None, "expected_datetime": NOW.isoformat()}
        for n, row in enumerate(requests(25))
    ]  # fmt: skip
    with open311_server.server(Archive(rows, limit=10, formats=formats)) as server:
        http = urllib3.PoolManager(cert_reqs="CERT_NONE", assert_hostname=False)
        base = f"https://127.0.0.1:{addresses.PORT}/v2?jurisdiction_id=oldtown"
        reader = Reader(base, http)
        mapping = checked(importing.GEOREPORT, city())
        with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
            outcome = importing.run(city(), reader.rows(SINCE, NOW), mapping, world.now)
    assert {asked.fields["jurisdiction_id"] for asked in server.asked} == {"oldtown"}
    assert outcome.summary() == {
        "imported": 25, "known": 0, "findings": {}, "services": {"pothole": 25},
        "statuses": {"open": 13, "unverified": 12},
    }  # fmt: skip
    # The other format is asked for once at most.
    other = [asked for asked in server.asked if not asked.path.endswith(formats[0])]
    assert len(other) <= 1
    (entry, *_) = timeline_rows.whole_timeline()
    report = json.loads(entry[0])["report"]
    name = report_texts.text_name(1, "description")
    text = report_texts.named_texts(JURISDICTION, report, [name])[name]["text"]
    assert text.startswith("Lubang <besar> & dalam ")


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE r [<!ENTITY a "b">]><service_requests><request>&a;</request></service_requests>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1/x"><service_requests/>',
        "<service_requests><request>",
        "<html><body></body></html>",
        '<?xml version="1.0" encoding="x-none"?><service_requests/>',
        "<errors><error><code>400</code></error></errors>",
        "",
    ],
)
def test_hostile_xml_and_pages_for_people_are_a_sentence(body: str) -> None:
    class Page(Archive):
        def written(self, path: str, fields: dict[str, str]) -> tuple[int, str, bytes]:
            return 200, "text/xml", body.encode()

    with pytest.raises(CityErrors, match="XML"):
        read(Page([]))


@pytest.mark.parametrize("status", [404, 500, 403])
def test_a_server_that_never_answers_with_requests_is_a_sentence(status: int) -> None:
    moments = Archive([], nothing=status)
    with pytest.raises(CityErrors, match=str(status)):
        read(moments)


def test_a_server_that_is_not_there_is_a_sentence() -> None:
    with (
        patch.object(import_open311, "RETRIES", urllib3.Retry(0)),
        pytest.raises(CityErrors, match="cannot be reached"),
    ):
        list(Reader("http://127.0.0.1:9/open311/v2").rows(SINCE, NOW))


def test_over_http_an_import_reads_all_and_keeps_the_address(world: World) -> None:
    rows = [
        {**row, **spot("D1-W1"), "service_code": "pothole", "status": "open",
         "description": "Hole", "address": f"Main street {number}"}
        for number, row in enumerate(requests(25))
    ]  # fmt: skip
    archive = Archive(rows, limit=10, nothing=404)
    mapping = checked(importing.GEOREPORT, city())
    with open311_server.server(archive):
        http = urllib3.PoolManager(cert_reqs="CERT_NONE", assert_hostname=False)
        reader = Reader(f"https://127.0.0.1:{addresses.PORT}/v2", http)
        with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
            outcome = importing.run(city(), reader.rows(SINCE, NOW), mapping, world.now)
    assert (outcome.imported, outcome.findings) == (25, [])
    (entry, *_) = timeline_rows.whole_timeline()
    name = report_texts.text_name(1, "landmark")
    report = json.loads(entry[0])["report"]
    words = report_texts.named_texts(JURISDICTION, report, [name])
    assert words[name]["text"].startswith("Main street")


@pytest.mark.skipif(not CAPTURED.exists(), reason="the captured answers are not here")
def test_a_captured_answer_of_chicago_is_read_whole() -> None:
    rows = json.loads(CAPTURED.read_text())
    archive = Archive(rows, limit=20)
    reader = Reader("https://old.example.org", Direct(archive))  # type: ignore[arg-type]
    since = min(datetime.fromisoformat(row["requested_datetime"]) for row in rows)
    found = list(reader.rows(since.astimezone(UTC) - timedelta(days=1), NOW))
    assert len(found) == len({row["service_request_id"] for row in rows})
    assert reader.not_read == []
