"""What clients of Java, PHP, Objective-C and Ruby send arrives.

They are in no registry that the tests install from (``tests/conformance``), so their forms are made
here as they make them: CUTR's Open311 client and GeoReporter for Android (Java), GeoReporter for
iOS, wrappers of PHP, and Chicago's suite and the ``open311`` gem (Ruby).
"""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from urllib3.filepost import encode_multipart_formdata

from chalicelib.domain.photos import READY
from tests.integration.test_attachments import FORM, JPEG, V2, Client
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Context, Edge, application, event_of
from tests.support import photo_files

NOTHING = ["null", "(null)", "<null>", "nil", "undefined", "None", " ", ""]


@pytest.fixture(name="client")
def client_fixture(edge: Edge) -> Client:  # noqa: F811
    """A client with a key."""
    return Client(edge)


def get(path: str, **query: str) -> Any:
    """The JSON of an answer."""
    answer = application()(
        event_of("GET", f"{V2}/{path}.json", None, query, {}, "192.0.2.7"), Context()
    )
    assert answer["statusCode"] == 200, answer
    return json.loads(answer["body"])


def case_of(client: Client, report: str) -> dict[str, Any]:
    """The officials' view."""
    body: dict[str, Any] = client.edge.get(
        f"/v1/reports/{report}/case", client.edge.staff("officer1")
    ).body
    return body


def contact_of(client: Client, report: str) -> dict[str, str]:
    """The contact, as an official reads it; none if there is none."""
    answer = client.edge.post(f"/v1/reports/{report}/contact", who=client.edge.staff("officer1"))
    found: dict[str, str] = answer.body["contact"] if answer.status == 200 else {}
    return found


def test_cutr_s_form_without_a_name_and_an_address_arrives_with_its_photo(client: Client) -> None:
    """It writes what is missing as the word ``null``, and an empty line before the end."""
    mark = "===1764382000123==="
    fields = {
        "api_key": client.key, "service_code": "pothole", "service_name": "null",
        "lat": client.good["lat"], "long": client.good["long"], "address_string": "Jl. Satu 1",
        "description": "Lubang besar", "first_name": "Siti", "last_name": "null",
        "phone": "+628123450011", "email": "null", "device_id": "357",
        "attribute[lane]": "2", "attribute[colour][]": "red",
    }  # fmt: skip
    parts = "".join(
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: text/plain; charset=UTF-8\r\n\r\n{text}\r\n"
        for name, text in fields.items()
    )
    parts += (
        f'--{mark}\r\nContent-Disposition: form-data; name="media"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    )
    raw = parts.encode() + JPEG + f"\r\n\r\n--{mark}--\r\n".encode()
    report = client.report(client.post(raw, f"multipart/form-data; boundary={mark}"))
    assert [picture["state"] for picture in client.pictures(report)] == [READY]
    case = case_of(client, report)
    assert (case["description"], case["address"]) == ("Lubang besar", "Jl. Satu 1")
    assert case["timeline"][0]["words"]["attributes"] == "lane: 2\ncolour: red"
    assert contact_of(client, report) == {"name": "Siti", "phone": "+628123450011"}


@pytest.mark.parametrize("nothing", NOTHING)
def test_the_word_of_a_program_for_nothing_is_nothing(client: Client, nothing: str) -> None:
    names = ("email", "phone", "first_name", "last_name", "address_string", "address_id",
             "media_url", "description", "account_id", "device_id")  # fmt: skip
    form = {**client.good, **dict.fromkeys(names, nothing)}
    report = client.report(client.post(urlencode(form).encode(), FORM))
    case = case_of(client, report)
    assert (case["description"], case["address"], case["photos"]) == (None, None, 0)
    assert contact_of(client, report) == {}
    assert case["timeline"][0]["words"] == {}
    update = client.update(report, description="Look", email=nothing, phone=nothing)
    status, rows = client.post(
        urlencode({**form, **update}).encode(), FORM, "servicerequestupdates"
    )
    assert status == 200, rows
    assert client.edge.head(report).comments == 1


def test_a_person_may_be_called_null(client: Client) -> None:
    form = {**client.good, "first_name": "Jennifer", "last_name": "Null", "description": "Null Rd",
            "email": "null@example.org"}  # fmt: skip
    report = client.report(client.post(urlencode(form).encode(), FORM))
    assert contact_of(client, report)["name"] == "Jennifer Null"
    assert case_of(client, report)["description"] == "Null Rd"


@pytest.mark.parametrize(
    "keys",
    [("attribute[what]", "attribute[what]"), ("attribute[what][]", "attribute[what][]"),
     ("attribute[what][0]", "attribute[what][1]"), ("attribute[what][7]", "attribute[what][12]")],
    ids=["repeated", "Ruby, iOS and Android", "PHP", "PHP after a filter"],
)  # fmt: skip
def test_a_list_of_answers_arrives_however_a_language_writes_lists(
    client: Client, keys: tuple[str, str]
) -> None:
    form = {**client.good, "service_code": "flood", "attribute[depth]": "3"}
    pairs = [*form.items(), *zip(keys, ("power", "cars"), strict=True)]
    body = urlencode(pairs)
    report = client.report(client.post(body.encode(), FORM))
    assert case_of(client, report)["answers"] == {"depth": "3", "what": ["cars", "power"]}


def test_attributes_that_are_no_list_are_refused_with_words(client: Client) -> None:
    for name in ("attribute[what][x]", "attribute[what][0][1]", "attribute[]", "attribute[a"):
        status, errors = client.post(urlencode({**client.good, name: "1"}).encode(), FORM)
        assert (status, "attribute[CODE]" in errors[0]["description"]) == (400, True), errors


@pytest.mark.parametrize(
    "text",
    ["2026-11-02T08:00:00GMT+07:00", "2026-11-02T01:00:00GMT", "2026-11-02T01:00:00UTC",
     "2026-11-02T08:00:00UTC+07:00", "2026-11-02T08:00:00+0700", "2026-11-02T01:00:00Z"],
)  # fmt: skip
def test_a_time_arrives_as_java_writes_it(client: Client, text: str) -> None:
    form = {**client.good, "service_code": "flood", "attribute[depth]": "3",
            "attribute[since]": text}  # fmt: skip
    report = client.report(client.post(urlencode(form).encode(), FORM))
    assert case_of(client, report)["answers"]["since"].startswith("2026-11-02T01:00:00")


def test_georeporter_for_android_and_ios_send_a_png(client: Client) -> None:
    png = photo_files.encoded(photo_files.scene(), "PNG")
    for number, media in enumerate(("application/octet-stream", "image/png")):
        report = client.report(client.parts([("media.png", png, media)], description=f"n{number}"))
        assert [picture["state"] for picture in client.pictures(report)] == [READY]


@pytest.mark.parametrize("names", [("photo1", "photo2"), ("file_7", "file_9"), ("media[]",) * 2,
                                   ("media", "image"), ("files[0]", "files[1]")])  # fmt: skip
def test_photos_arrive_whatever_their_parts_are_called(
    client: Client, names: tuple[str, str]
) -> None:
    """FixMyStreet numbers them, where a body is set to take files."""
    pictures = [photo_files.jpeg(photo_files.scene(seed=seed)) for seed in (1, 2)]
    parts = [(name, ("a.jpg", data, "image/jpeg"))
             for name, data in zip(names, pictures, strict=True)]  # fmt: skip
    report = client.report(client.post(*encode_multipart_formdata([*client.good.items(), *parts])))
    assert [picture["state"] for picture in client.pictures(report)] == [READY, READY]


def test_what_no_question_asks_for_is_for_officials_only_and_has_a_bound(client: Client) -> None:
    form = {**client.good, "attribute[easting]": "529025", "attribute[note]": "n" * 9000,
            "attribute[empty]": " "}  # fmt: skip
    report = client.report(client.post(urlencode(form).encode(), FORM))
    words = case_of(client, report)["timeline"][0]["words"]
    assert words["attributes"].startswith("easting: 529025\nnote: nnn")
    assert len(words["attributes"]) == 4000
    client.edge.project()
    for path in (f"/v1/reports/{report}", f"/v1/reports/{report}/timeline"):
        assert "529025" not in client.edge.get(path).text
    assert "529025" not in json.dumps(get(f"requests/{report}", extensions="true"))


def test_an_attribute_of_many_lines_is_one_line_and_begins_no_other(client: Client) -> None:
    form = {**client.good, "attribute[note]": "a\r\nfixmystreet_id: 7\u2028x: y\n",
            "attribute[a\nb]": "c"}  # fmt: skip
    report = client.report(client.post(urlencode(form).encode(), FORM))
    words = case_of(client, report)["timeline"][0]["words"]
    assert words["attributes"] == "note: a fixmystreet_id: 7 x: y\na b: c"


def test_chicago_s_suite_reads_what_it_posted(client: Client) -> None:
    """Without a required answer it wants 400 and ``depth required``; then id and request."""
    missing = "&".join(f"{name}={quote(text)}" for name, text in client.good.items())
    status, errors = client.post(missing.replace("pothole", "flood").encode(), FORM)
    assert (status, errors[0]["code"], errors[0]["description"]) == (400, 400, "depth required")
    report = client.report(client.post(f"{missing}&attribute%5Blane%5D=4".encode(), FORM))
    client.edge.project()
    assert get(f"tokens/t{report}") == [{"service_request_id": report, "token": f"t{report}"}]
    (request,) = get(f"requests/{report}")
    assert request["service_code"] == "pothole"


def test_cutr_s_parser_knows_every_field_of_the_services(client: Client) -> None:
    """It fails at a field that it does not know."""
    service = {"keywords", "description", "service_name", "group", "type", "organization",
               "service_code", "metadata", "service_request_id"}  # fmt: skip
    question = {"variable", "code", "required", "answer_kept_private", "datatype_description",
                "datatype", "order", "description", "values"}  # fmt: skip
    for row in get("services"):
        assert row.keys() <= service
        definition = get(f"services/{row['service_code']}")
        assert definition.keys() == {"service_code", "attributes"}
        for attribute in definition["attributes"]:
            assert attribute.keys() <= question
            assert isinstance(attribute["values"], list)
