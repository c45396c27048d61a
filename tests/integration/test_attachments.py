"""Photos in GeoReport's forms arrive, or the client is told: files of any type, and addresses."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from urllib3.filepost import encode_multipart_formdata

from chalicelib import clock
from chalicelib.domain.photos import READY, REFUSED
from chalicelib.storage import photo_tickets
from chalicelib.storage.transactions import Unavailable
from tests.integration.test_photos import expiries
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Context, Edge, application, event_of
from tests.support import aws, photo_files
from tests.support.open311_server import NAME, reply, says, server
from tests.support.world import JURISDICTION, spot

V2 = "/open311/v2"
FORM = "application/x-www-form-urlencoded"
JPEG = photo_files.jpeg()
PICTURE = f"https://{NAME}/photo/12.0.full.jpeg?74e3362b"
TYPES = ["image/jpeg", "image/jpg", "image/pjpeg", "application/octet-stream", "", "text/plain"]


class Client:
    """A system with a key, which sends bytes as they are."""

    def __init__(self, edge: Edge) -> None:  # noqa: F811
        from chalicelib.services.identity import api_keys

        self.edge = edge
        _, self.key = api_keys.issue(JURISDICTION, "tests", 1000, edge.now)
        place = spot("D1-W1")
        self.good = {"api_key": self.key, "service_code": "pothole", "description": "A hole",
                     "lat": str(place["lat"]), "long": str(place["long"])}  # fmt: skip

    def post(self, raw: bytes, media: str, path: str = "requests") -> tuple[int, Any]:
        """(status, JSON) of a POST, and the calls are in the recorder."""
        event = event_of(
            "POST", f"{V2}/{path}.json", None, {}, {"Content-Type": media}, "192.0.2.7"
        )
        body = {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
        self.edge.recorder.clear()
        answer = application()({**event, **body}, Context())
        return answer["statusCode"], json.loads(answer["body"])

    def parts(self, files: list[Any], path: str = "requests", **more: str) -> tuple[int, Any]:
        """A POST of a multipart form with these files."""
        fields = [*{**self.good, **more}.items(), *(("media", file) for file in files)]
        return self.post(*encode_multipart_formdata(fields), path)

    def report(self, answer: tuple[int, Any]) -> str:
        """The id of a request that was filed."""
        status, rows = answer
        assert status == 200, rows
        return str(rows[0]["service_request_id"])

    def wrote(self) -> list[Any]:
        """What the last request changed, but for counts."""
        return self.edge.recorder.writes

    def pictures(self, report: str) -> list[dict[str, Any]]:
        """The pictures of a report once the photo function has worked."""
        from chalicelib.services.photos import jobs

        with photo_files.quick():
            for photo in self.edge.head(report).pictures:
                job = {"kind": "photo", "task": "develop", "photo": photo, "report": report,
                       "jurisdiction": JURISDICTION, "rev": 1}  # fmt: skip
                jobs.handle(job, self.edge.now, last=True)
        return list(self.edge.head(report).pictures.values())

    def update(self, report: str, **more: Any) -> dict[str, str]:
        """The fields of an update."""
        return {"service_request_id": report, "update_id": "7", "status": "OPEN",
                "updated_datetime": "2026-11-02T01:00:00Z", **more}  # fmt: skip


@pytest.fixture(name="client")
def client_fixture(edge: Edge) -> Iterator[Client]:  # noqa: F811
    """The client."""
    return Client(edge)


@pytest.mark.parametrize("media", TYPES)
def test_a_photo_arrives_whatever_type_its_part_names(client: Client, media: str) -> None:
    file = ("a", JPEG, media) if media else ("a", JPEG, "")
    report = client.report(client.parts([file]))
    assert [one["state"] for one in client.pictures(report)] == [READY]


def test_a_part_without_a_type_is_a_photo_by_its_bytes(client: Client) -> None:
    fields = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in client.good.items()
    )
    file = b'--b\r\nContent-Disposition: form-data; name="media"; filename="a"\r\n\r\n'
    raw = fields.encode() + file + JPEG + b"\r\n--b--\r\n"
    report = client.report(client.post(raw, "multipart/form-data; boundary=b"))
    assert [one["state"] for one in client.pictures(report)] == [READY]


def test_a_file_that_is_no_photo_is_named_and_nothing_is_written(client: Client) -> None:
    status, errors = client.parts([("a.pdf", b"%PDF-1.7" + bytes(500), "application/pdf")])
    assert (status, errors[0]["description"]) == (
        400, "media has a file that is no photo (JPEG, PNG, WebP, HEIC or AVIF)",
    )  # fmt: skip
    assert client.wrote() == []
    assert client.parts([("", b"", "application/octet-stream")])[0] == 200


def test_a_hundred_and_fifty_tiny_photos_are_refused_before_any_write(client: Client) -> None:
    tiny = [(f"{n}.jpg", JPEG[:40] + bytes([n]), "image/jpeg") for n in range(150)]
    status, errors = client.parts(tiny)
    assert (status, errors[0]["description"]) == (400, "media has more than 6 photos")
    assert client.wrote() == []


@pytest.mark.parametrize(
    "wrong", [{"lat": "1.5"}, {"service_code": "nothing"}, {"lat": "91"}, {"api_key": "tk_x"}]
)
def test_a_form_that_is_refused_leaves_no_photo(client: Client, wrong: dict[str, str]) -> None:
    status, _ = client.parts([("a.jpg", JPEG, "image/jpeg")], **wrong)
    assert status in (400, 403, 404)
    assert client.wrote() == []


def test_a_picture_at_an_address_is_fetched_and_officials_see_the_address(client: Client) -> None:
    with server(lambda asked, handler: reply(handler, 200, JPEG)) as outside:
        report = client.report(client.parts([], media_url=PICTURE))
        assert outside.asked == []
        assert [one["state"] for one in client.pictures(report)] == [READY]
    (asked,) = outside.asked
    assert (asked.method, asked.path, asked.body) == ("GET", "/photo/12.0.full.jpeg", b"")
    assert "authorization" not in asked.headers
    # A signed address (S3) holds for the name without a port only.
    assert asked.headers["host"] == NAME
    events = client.edge.get(f"/v1/reports/{report}/case", client.edge.staff("officer1")).body
    assert events["timeline"][0]["words"]["media_url"] == PICTURE
    assert PICTURE not in client.edge.get(f"/v1/reports/{report}/timeline").text
    assert PICTURE not in json.dumps([row for row in aws.rows("reports") if "#P#" in row["pk"]])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (says(404, "gone"), "not_fetched"),
        (says(302, "", Location="https://169.254.169.254/"), "not_fetched"),
        (says(500, "later"), "not_fetched"),
        (says(200, "<html></html>"), "not_a_photo"),
        (says(200, JPEG + bytes(10 * 1024 * 1024)), "too_large"),
    ],
    ids=["gone", "redirect", "broken", "page", "huge"],
)
def test_a_picture_that_cannot_be_fetched_is_refused_and_is_no_fault(
    client: Client, answer: Any, reason: str
) -> None:
    with server(answer):
        report = client.report(client.parts([], media_url=PICTURE))
        assert [one["state"] for one in client.pictures(report)] == [REFUSED]
    assert reason in json.dumps(aws.rows("timeline"))
    assert not [row for row in aws.rows("control") if "DEAD" in row["pk"]]


def test_a_picture_at_a_signed_address_is_fetched_exactly_there(client: Client) -> None:
    """S3's addresses with a session are long; others end with a slash."""
    signed = f"https://{NAME}/photos/12/?X-Amz-Security-Token={'Iq%2B' * 300}"
    with server(lambda asked, handler: reply(handler, 200, JPEG)) as outside:
        report = client.report(client.parts([], media_url=signed))
        assert [one["state"] for one in client.pictures(report)] == [READY]
    assert outside.asked[0].path == "/photos/12/"


def test_an_address_that_is_too_long_is_named_as_that(client: Client) -> None:
    status, errors = client.parts([], media_url=f"{PICTURE}{'a' * 2000}")
    assert (status, errors[0]["description"]) == (400, "media_url is longer than 2000 characters")


@pytest.mark.parametrize("address", ["http://example.org/a.jpg", "https://10.0.0.1/a.jpg"])
def test_an_address_that_is_not_fetched_is_kept_for_officials_and_the_answer_says_so(
    client: Client, address: str
) -> None:
    status, rows = client.parts([], media_url=address, locale="en")
    report = client.report((status, rows))
    assert rows[0]["service_notice"].endswith("officials see the address.")
    assert client.edge.head(report).pictures == {}
    case = client.edge.get(f"/v1/reports/{report}/case", client.edge.staff("officer1")).body
    assert case["timeline"][0]["words"]["media_url"] == address
    assert "officials" not in client.parts([], description="x")[1][0]["service_notice"]


def test_a_name_that_leads_inside_is_not_connected_to(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.outside import addresses

    monkeypatch.setattr(addresses, "resolve", lambda name: {"169.254.169.254"})
    report = client.report(client.parts([], media_url=PICTURE))
    assert [one["state"] for one in client.pictures(report)] == [REFUSED]


@pytest.mark.parametrize("kind", ["file", "address"])
def test_an_update_of_a_photo_alone_is_kept_with_its_photo(client: Client, kind: str) -> None:
    report = client.report(client.parts([]))
    with server(lambda asked, handler: reply(handler, 200, JPEG)):
        files = [("a", JPEG, "")] if kind == "file" else []
        links = {} if kind == "file" else {"media_url": PICTURE}
        fields = client.update(report, description="", **links)
        status, rows = client.parts(files, "servicerequestupdates", **fields)
        assert status == 200, rows
        again = client.parts(files, "servicerequestupdates", **fields)
        assert again == (status, rows)
        assert [(one["kind"], one["state"]) for one in client.pictures(report)] == [
            ("follow_up", READY)
        ]
    assert client.edge.head(report).comments == 1
    assert client.edge.project()["batchItemFailures"] == []


def test_updates_cannot_fill_a_report_with_photos_until_nobody_can_change_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head of a report is one row of 400 KB at most."""
    from chalicelib.services.open311 import updates

    assert updates.PICTURES_AT_MOST == 100
    monkeypatch.setattr(updates, "PICTURES_AT_MOST", 2)
    report = client.report(client.parts([]))
    for number in (1, 2):
        photo = [("a", JPEG + bytes([number]), "image/jpeg")]
        fields = client.update(report, description="Look", update_id=str(number))
        assert client.parts(photo, "servicerequestupdates", **fields)[0] == 200
    fields = client.update(report, description="Look", update_id="3")
    status, errors = client.parts([("a", JPEG, "")], "servicerequestupdates", **fields)
    assert (status, errors[0]["description"]) == (
        400, "media would give the request more than 2 photos; send the text alone",
    )  # fmt: skip
    assert client.wrote() == []
    assert client.parts([], "servicerequestupdates", **fields)[0] == 200
    head = client.edge.head(report)
    assert (len(head.pictures), head.comments) == (2, 3)


def test_an_update_of_two_thousand_and_one_characters_is_taken(client: Client) -> None:
    report = client.report(client.parts([]))
    for length, status in ((2001, 200), (4000, 200), (4001, 400)):
        fields = client.update(report, description="x" * length, update_id=str(length))
        assert client.parts([], "servicerequestupdates", **fields)[0] == status


@pytest.mark.parametrize(
    "boundary",
    ["----=_Part_7_1.2", "=_x", "a:b", "a(b)", "'()+_,-./:=?", '"a b"', "x ", "----WebKit",
     "Boundary+0x1; charset=utf-8"],
)  # fmt: skip
def test_a_boundary_is_read_as_clients_write_it(client: Client, boundary: str) -> None:
    mark = boundary.partition(";")[0].strip().strip('"')
    raw, _ = encode_multipart_formdata([*client.good.items(), ("media", ("a", JPEG, ""))], mark)
    report = client.report(client.post(raw, f"multipart/form-data; boundary={boundary}"))
    assert len(client.edge.head(report).pictures) == 1


@pytest.mark.parametrize("boundary", ["", '""', "é", "\x01", "a" * 300])
def test_a_boundary_that_is_none_is_named(client: Client, boundary: str) -> None:
    status, errors = client.post(b"--x--", f"multipart/form-data; boundary={boundary}")
    assert (status, "boundary" in errors[0]["description"]) == (400, True)


@pytest.mark.parametrize("charset", ["iso-8859-1", '"ISO-8859-1"', "latin1", "windows-1252"])
def test_a_latin_1_form_is_read_if_it_says_so(client: Client, charset: str) -> None:
    text = "&".join(f"{name}={quote(value)}" for name, value in client.good.items())
    raw = text.replace("A%20hole", "Caf%E9").encode()
    report = client.report(client.post(raw, f"{FORM}; charset={charset}"))
    assert client.edge.get(f"/v1/reports/{report}").body["description"] == "Café"
    fields = [(name, value.encode("latin-1")) for name, value in client.good.items()]
    raw, media = encode_multipart_formdata([*fields, ("address_string", "Café".encode("cp1252"))])
    assert client.post(raw, f"{media}; charset={charset}")[0] == 200


def test_a_form_in_another_encoding_is_refused_with_the_name_of_utf_8(client: Client) -> None:
    text = "&".join(f"{name}={quote(value)}" for name, value in client.good.items())
    for raw, media in (
        (f"{text}&first_name=Caf%E9".encode(), FORM),
        (f"{text}&first_name=Café".encode("latin-1"), FORM),
        (f"{text}&first_name=Café".encode("utf-16"), f"{FORM}; charset=utf-16"),
        encode_multipart_formdata([*client.good.items(), ("first_name", b"Caf\xe9")]),
    ):
        status, errors = client.post(raw, media)
        assert (status, "UTF-8" in errors[0]["description"]) == (400, True), errors


@pytest.mark.parametrize("number", ["nan", "1_0", "٤١", "４１", "inf", "0x10", "1e999"])
def test_what_is_no_plain_number_is_refused_wherever_a_number_is_read(
    client: Client, number: str
) -> None:
    for wrong in (
        {"lat": number},
        {"long": number},
        {"service_code": "flood", "attribute[depth]": number},
    ):
        assert client.parts([], **wrong)[0] == 400, wrong
    get = client.edge.get
    for path, query in (
        ("/v1/map/nearby", {"lat": number, "long": "106.8"}),
        ("/v1/map/nearby", {"lat": "-6.2", "long": "106.8", "radius": number}),
        ("/v1/map/reports", {"bbox": f"{number},-6.2,106.84,-6.19"}),
        ("/v1/map/cells", {"z": number}),
        ("/v1/map/reports", {"bbox": "106.8,-6.2,106.84,-6.19", "limit": number}),
    ):
        assert get(path, **query).status == 400, path
    body = {"service": "flood", **spot("D1-W1"), "answers": {"depth": number}}
    assert client.edge.post("/v1/reports", body, client.edge.device()).status == 422
    for name in ("lat", "long"):
        wrong = {**body, "answers": {"depth": 1}, name: number}
        assert client.edge.post("/v1/reports", wrong, client.edge.device()).status == 422


def test_a_hundred_and_fifty_one_ids_are_paged_and_not_refused(client: Client) -> None:
    reports = [client.report(client.parts([], description=f"Hole {n}")) for n in range(12)]
    others = [f"01J{number:023d}" for number in range(139)]
    ids = ",".join([*others, *reports, reports[0]])

    def listed(**query: str) -> list[str]:
        event = event_of(
            "GET",
            f"{V2}/requests.json",
            None,
            {"service_request_id": ids, **query},
            {},
            "192.0.2.7",
        )
        answer = application()(event, Context())
        assert answer["statusCode"] == 200, answer["body"]
        return [row["service_request_id"] for row in json.loads(answer["body"])]

    assert listed() == reports
    assert listed(page_size="145") + listed(page_size="145", page="2") == reports


def ticket(photo: str) -> dict[str, Any]:
    """The stored ticket of a photo."""
    stored = photo_tickets.photo(JURISDICTION, photo)
    assert stored
    return dict(stored[1])


def test_the_address_of_a_photo_that_no_report_uses_is_forgotten(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filing that broke off after the ticket was written leaves no address for ever."""
    from chalicelib.services.reports import intake

    def broken(*_: Any) -> Any:
        raise Unavailable

    monkeypatch.setattr(intake, "file_report", broken)
    assert client.parts([], media_url=PICTURE)[0] == 503
    monkeypatch.undo()
    ((photo, expiry),) = expiries().items()
    assert ticket(photo)["url"] == PICTURE
    kept = timedelta(seconds=expiry or 0) - timedelta(seconds=clock.wall().timestamp())
    assert timedelta(days=1) < kept <= timedelta(days=2)
    # A ticket of a report stays.
    report = client.report(client.parts([], media_url=PICTURE))
    assert [expiries()[used] for used in client.edge.head(report).pictures] == [None]
