"""GeoReport's times, windows and formats: many are read, one is written."""

import email
import email.policy
import json
import re
import string
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.filepost import encode_multipart_formdata

from chalicelib.domain.open311 import updates
from chalicelib.domain.open311.georeport import SPAN, InvalidArgument, format_time, moment, window
from chalicelib.domain.workflow.table import table
from chalicelib.http import georeport_formats, georeport_forms
from tests.support.world import blob, city

JAKARTA = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 28, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-19 00:00:00-06:00", "2026-11-19T06:00:00Z"),
        ("2026-11-19T23:59:59.999999-06:00", "2026-11-20T05:59:59Z"),
        ("2026-01-01T00:00:00 07:00", "2025-12-31T17:00:00Z"),
        ("2026-01-01T00:00:00+0700", "2025-12-31T17:00:00Z"),
        ("2026-01-01", "2025-12-31T17:00:00Z"),
        ("2026-01-01T10:00", "2026-01-01T03:00:00Z"),
        ("1994-11-05T13:15:30z", "1994-11-05T13:15:30Z"),
    ],
)
def test_every_way_to_write_a_date_is_read(text: str, wanted: str) -> None:
    assert format_time(moment(text, JAKARTA)) == wanted


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026", "2026-13-01", "2026-01-01T25:00", "1e9", "2026-01-01T00:00:00+99:99",
     "0000-01-01", "２０２６-01-01x"],
)  # fmt: skip
def test_a_text_that_is_not_a_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        moment(text, JAKARTA)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))
def test_a_written_date_is_read_as_the_same_second(when: datetime) -> None:
    assert moment(format_time(when), JAKARTA) == when.astimezone(UTC).replace(microsecond=0)


@given(st.none() | st.integers(-400, 400), st.none() | st.integers(-400, 400))
def test_a_window_is_at_most_ninety_days(first: int | None, last: int | None) -> None:
    start = NOW + timedelta(days=first) if first is not None else None
    end = NOW + timedelta(days=last) if last is not None else None
    wrong = start and end and not timedelta() <= end - start <= SPAN
    if wrong:
        with pytest.raises(InvalidArgument):
            window(start, end, NOW)
        return
    low, high = window(start, end, NOW)
    assert timedelta() <= high - low <= SPAN
    assert low == start or start is None
    assert high == end or end is None


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=20),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(["x", "y"]), _VALUES, max_size=2), max_size=3))
def test_any_answer_is_xml_and_json_that_can_be_read(rows: list[dict[str, Any]]) -> None:
    root = ElementTree.fromstring(georeport_formats.rendered("service_requests", rows, "xml"))
    assert [one.tag for one in root] == ["request"] * len(rows)
    assert json.loads(georeport_formats.rendered("service_requests", rows, "json")) == rows
    for row, shown in zip(rows, root, strict=True):
        for name, value in row.items():
            if isinstance(value, str):
                kept = re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", value)
                # A parser makes every end of line a line feed (XML 1.0, 2.11).
                ends = kept.replace("\r\n", "\n").replace("\r", "\n")
                assert (shown.findtext(name) or "") == ends


def test_every_state_and_resolution_has_a_status_of_the_extension() -> None:
    words = {one.lower() for one in updates.rules()["words"]}
    states = set(table()["states"]) - {"closed"}
    assert states == set(updates.rules()["states"])
    assert set(table()["resolutions"]) == set(updates.rules()["resolutions"])
    for kind in ("states", "resolutions"):
        assert set(updates.rules()[kind].values()) <= words
    assert set(updates.told().values()) <= {*words, "state"}
    assert set(updates.rules()["received"]) <= set(updates.rules()["words"])


def test_a_point_in_each_ward_lies_in_that_ward() -> None:
    from chalicelib.domain.city.boundaries import Boundaries

    index = Boundaries.from_bytes(blob())
    for ward in city().areas_of_level(-1):
        point = index.point_in(ward.code)
        assert point is not None
        assert index.ward_at(*point) == ward.code
    assert index.point_in("nowhere") is None


def test_xml_is_the_same_to_the_byte_for_what_people_write() -> None:
    rows = [
        {
            "service_request_id": "01J", "status": "open", "media_url": None, "lat": -6.1754,
            "description": 'Hole <1 m> & "deep" – über', "keywords": ["a", "b"], "address": "",
            "extended_attributes": {"agree": True, "notes": [], "count": 0},
        }
    ]  # fmt: skip
    assert georeport_formats.rendered("service_requests", rows, "xml") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<service_requests><request><service_request_id>01J</service_request_id>"
        "<status>open</status><media_url/><lat>-6.1754</lat>"
        '<description>Hole &lt;1 m&gt; &amp; "deep" – über</description>'
        "<keywords><keyword>a</keyword><keyword>b</keyword></keywords><address/>"
        "<extended_attributes><agree>true</agree><notes/><count>0</count></extended_attributes>"
        "</request></service_requests>"
    )


_NAMES = st.text(string.ascii_letters + string.digits + "_[]. ()", min_size=1, max_size=12)
_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_PARTS = st.one_of(
    st.tuples(_NAMES, _WORDS),
    st.tuples(_NAMES, st.tuples(_NAMES, st.binary(max_size=60), st.just("image/jpeg"))),
)


@given(st.lists(_PARTS, min_size=1, max_size=5))
def test_a_form_of_parts_is_read_as_the_library_of_mail_reads_it(parts: list[Any]) -> None:
    raw, kind = encode_multipart_formdata(parts, boundary="b0undary")
    given: dict[str, list[str]] = {}
    files = georeport_forms.multipart_files(raw, kind, given)
    head = f"Content-Type: {kind}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    wanted, pictures = {}, []
    for part in email.message_from_bytes(head + raw, policy=email.policy.HTTP).iter_parts():
        body = part.get_payload(decode=True)
        if part.get_filename() is not None:
            pictures.append((part.get_content_type(), body))
        else:
            name = part.get_param("name", header="content-disposition")
            wanted.setdefault(name, []).append(body.decode("utf-8", "replace").rstrip("\r\n"))
    assert given == wanted
    assert [(one.media, one.data) for one in files] == pictures


def _part(head: str, body: bytes = b"abc") -> list[Any]:
    given: dict[str, list[str]] = {}
    raw = b"--x\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n--x--\r\n"
    files = georeport_forms.multipart_files(raw, "multipart/form-data; boundary=x", given)
    return [given, [(one.media, one.data) for one in files]]


def test_forms_as_old_clients_send_them_are_read() -> None:
    head = 'Content-Disposition: form-data; name="a"'
    assert _part(head) == [{"a": ["abc"]}, []]
    assert _part(f"{head}\r\nContent-Transfer-Encoding: base64", b"YWJj") == [{"a": ["abc"]}, []]
    assert _part(f"{head}\r\nContent-Transfer-Encoding: quoted-printable", b"a=62c")[0] == {
        "a": ["abc"]
    }
    assert _part(f"{head}\r\nContent-Transfer-Encoding: 8bit") == [{"a": ["abc"]}, []]
    assert _part(f'{head}; filename=""')[1] == [("text/plain", b"abc")]
    assert _part(f"{head}; filename*=utf-8''a%C3%A9.jpg\r\nContent-Type: image/jpeg") == [
        {}, [("image/jpeg", b"abc")],
    ]  # fmt: skip


def test_a_form_of_thousands_of_parts_is_refused() -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    for raw in (part * 1001 + b"--x--\r\n", part, b"no parts"):
        with pytest.raises(georeport_forms.UnreadableForm):
            georeport_forms.multipart_files(raw, "multipart/form-data; boundary=x", {})
