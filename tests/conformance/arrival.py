"""Whether what a client sent arrived: read back by anybody, and by an official.

A client's script prints ``sent <JSON>`` for each form it posted, and ``read <JSON>`` for each
request as it was shown it.
"""

import io
import json
import time
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import urllib3
from PIL import Image

from tests.support import photo_files

T = TypeVar("T")
CONTACT = ("email", "phone", "first_name", "last_name")
_NEAR = 1e-6


@dataclass(frozen=True)
class Sent:
    """A form as it was sent: the id that it got, its fields by the standard's names, its
    attributes, the photo in it, and by which channel."""

    id: str
    fields: dict[str, Any]
    answers: dict[str, Any] = field(default_factory=dict)
    photo: Path | None = None
    channel: str = "api"

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Sent":
        """From a script's line."""
        return cls(**{**said, "photo": Path(said["photo"]) if said.get("photo") else None})


@dataclass(frozen=True)
class Reader:
    """Reads a city's answers: by Open311 as anybody, by the API as an official."""

    url: str
    official: str

    def requests(self, path: str, form: str = "json") -> list[dict[str, Any]]:
        """The requests of an answer of Open311; XML as JSON would have it, but all are texts."""
        name, _, query = path.partition("?")
        answer = urllib3.request("GET", f"{self.url}/open311/v2/{name}.{form}?{query}")
        assert answer.status == 200, answer.data
        if form == "json":
            rows: list[dict[str, Any]] = answer.json()
            return rows
        root = ElementTree.fromstring(answer.data)
        return [{part.tag: part.text for part in row} for row in root]

    def status(self, path: str) -> int:
        """The status of an answer to anybody."""
        return urllib3.request("GET", f"{self.url}/{path}").status

    def inside(self, path: str, method: str = "GET") -> dict[str, Any]:
        """What the API answers an official."""
        headers = {"Authorization": self.official, "Idempotency-Key": str(uuid.uuid4())}
        answer = urllib3.request(method, f"{self.url}/v1/reports/{path}", headers=headers)
        assert answer.status == 200, answer.data
        body: dict[str, Any] = answer.json()
        return body


def lines(said: str, word: str) -> list[Any]:
    """The JSON of a script's lines that begin with a word."""
    return [json.loads(line[len(word) :]) for line in said.splitlines() if line.startswith(word)]


def check(reader: Reader, sent: Sent) -> None:
    """Everything of a form is where it belongs: public, for officials only, or nowhere."""
    waited_for(
        lambda: [row["service_request_id"] for row in reader.requests("requests?page_size=200")],
        lambda ids: ids.count(sent.id) == 1,
    )
    (public,) = reader.requests(f"requests/{sent.id}")
    if sent.photo:
        (public,) = waited_for(
            lambda: reader.requests(f"requests/{sent.id}"), lambda rows: rows[0]["media_url"]
        )
        shows(public["media_url"], sent.photo)
    same(public, sent)
    (in_xml,) = reader.requests(f"requests/{sent.id}", "xml")
    same(in_xml, sent)
    check_inside(reader, sent)


def same(request: dict[str, Any], sent: Sent) -> None:
    """A request, as somebody reads it, says what was sent."""
    assert request["service_request_id"] == sent.id
    assert request["service_code"] == sent.fields["service_code"]
    assert request["description"] == sent.fields["description"]
    assert abs(float(request["lat"]) - float(sent.fields["lat"])) < _NEAR
    assert abs(float(request["long"]) - float(sent.fields["long"])) < _NEAR
    assert request["status"] == "open"


def check_inside(reader: Reader, sent: Sent) -> None:
    """What officials see is what was sent, and what is theirs alone nobody else sees."""
    _is_seen_by_officials(reader, sent)
    _is_private(reader, sent)


def _is_seen_by_officials(reader: Reader, sent: Sent) -> None:
    case = reader.inside(f"{sent.id}/case")
    assert case["channel"] == sent.channel
    assert case["description"] == sent.fields["description"]
    assert case["service"]["code"] == sent.fields["service_code"]
    assert case["address"] == sent.fields.get("address_string")
    assert case["answers"] == {name: _answer(given) for name, given in sent.answers.items()}
    assert case["photos"] == (1 if sent.photo else 0), case["photos"]
    if sent.photo:
        shows(case["pictures"][0]["large"]["url"], sent.photo, "WEBP")
    kept = reader.inside(f"{sent.id}/contact", "POST")["contact"]
    names = [sent.fields[name] for name in CONTACT[2:] if name in sent.fields]
    assert kept.get("email") == sent.fields.get("email")
    assert kept.get("phone") == sent.fields.get("phone")
    assert kept.get("name") == (" ".join(names) or None)
    words = [event.get("words", {}) for event in case["timeline"]]
    links = [word["media_url"] for word in words if "media_url" in word]
    assert links == [sent.fields[name] for name in ("media_url",) if name in sent.fields]


def _answer(given: Any) -> Any:
    """An answer to a service's question as it is kept: keys in order, numbers as texts."""
    return sorted(given) if isinstance(given, list) else str(given)


def _is_private(reader: Reader, sent: Sent) -> None:
    paths = [f"open311/v2/requests/{sent.id}.{form}" for form in ("json", "xml")]
    paths += [f"v1/reports/{sent.id}", f"v1/reports/{sent.id}/timeline"]
    private = [sent.fields[name] for name in (*CONTACT, "address_string", "media_url")
               if name in sent.fields]  # fmt: skip
    for path in paths:
        text = urllib3.request("GET", f"{reader.url}/{path}").data.decode()
        assert not [word for word in private if word in text], path


def shows(address: str, photo: Path, kind: str = "JPEG") -> None:
    """What is at the address is the photo: a picture of its size and of its colours, by Open311 in
    a format that every client can show."""
    answer = urllib3.request("GET", address)
    assert answer.status == 200, answer.data[:300]
    assert answer.headers["Content-Type"] == f"image/{kind.lower()}"
    with Image.open(io.BytesIO(answer.data)) as shown, Image.open(photo) as original:
        assert shown.format == kind
        assert shown.size == original.size
        for here, there in zip(colours(shown), colours(original), strict=True):
            assert max(abs(one - other) for one, other in zip(here, there, strict=True)) < 12


def colours(image: Image.Image) -> list[tuple[int, int, int]]:
    """The mean colours of the picture's quarters."""
    small = image.convert("RGB").resize((2, 2), Image.Resampling.BOX)
    pixels = [small.getpixel((x, y)) for x in (0, 1) for y in (0, 1)]
    return [(int(red), int(green), int(blue)) for red, green, blue in pixels]  # type: ignore[misc]


def photo(folder: Path, seed: int) -> Path:
    """A photo of its own for each seed, of a size that needs no smaller picture."""
    path = folder / f"photo-{seed}.jpg"
    path.write_bytes(photo_files.jpeg(photo_files.scene(640 + 16 * seed, 480, seed)))
    return path


def waited_for(look: Callable[[], T], good: Callable[[T], Any]) -> T:
    """What ``look`` gives as soon as it is good: the lists and photos follow a POST."""
    for _ in range(300):
        if good(seen := look()):
            return seen
        time.sleep(0.1)
    raise AssertionError(f"it never arrived: {seen}")
