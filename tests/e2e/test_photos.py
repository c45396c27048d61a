"""A photo from upload to moderation: a form that S3 enforces, pictures, one use in a report."""

import io
import itertools
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from PIL import Image

from infra.local.stack import LocalStack
from tests.support import photo_files

KEYS = itertools.count()
JPEG = photo_files.jpeg(photo_files.scene(1600, 1200))
MEBIBYTE = 1024 * 1024
PLACE = {"service": "banjir", "lat": -6.1754, "long": 106.8272}


class Phone:
    """Somebody who asks: a citizen's device, or an official with a token."""

    def __init__(self, stack: LocalStack, official: str | None = None) -> None:
        self.stack = stack
        self.url = stack.url
        if official:
            self.token = f"Bearer {stack.token(official)}"
        else:
            self.token = (
                f"Device {urllib3.request('POST', f'{self.url}/v1/devices').json()['token']}"
            )

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """(status, body) of a write with a key of its own."""
        headers = {"Authorization": self.token, "Idempotency-Key": f"photo-{next(KEYS)}"}
        answer = urllib3.request("POST", self.url + path, json=body, headers=headers)
        return answer.status, answer.json()

    def get(self, path: str) -> dict[str, Any]:
        """The body of an answer."""
        answer = urllib3.request("GET", self.url + path, headers={"Authorization": self.token})
        body: dict[str, Any] = answer.json()
        return body

    def ticket(self, kind: str = "image/jpeg") -> dict[str, Any]:
        """A ticket for a photo."""
        status, body = self.post("/v1/photos", {"content_type": kind})
        assert status == 201
        return body

    def photo(self, data: bytes = JPEG) -> str:
        """A photo that is uploaded and processed."""
        ticket = self.ticket()
        assert upload(ticket, data) == 204
        self.stack.drain()
        return str(ticket["photo"])

    def file(self, *photos: str) -> tuple[int, dict[str, Any]]:
        """File a report with photos."""
        return self.post("/v1/reports", {**PLACE, "photos": list(photos)})


@pytest.fixture
def phone(stack: LocalStack) -> Phone:
    """A new device."""
    return Phone(stack)


def upload(ticket: dict[str, Any], data: bytes = JPEG, **changed: str) -> int:
    """Post a form as a browser does; the status."""
    form = {**ticket["upload"]["fields"], **changed, "file": ("a.jpg", data, "image/jpeg")}
    return urllib3.request("POST", ticket["upload"]["url"], fields=form, retries=False).status


def picture(address: str) -> Image.Image:
    """The picture under a signed address."""
    answer = urllib3.request("GET", address)
    assert answer.status == 200, answer.data[:300]
    assert answer.headers["Content-Type"] == "image/webp"
    return Image.open(io.BytesIO(answer.data))


def test_an_uploaded_photo_is_used_once(stack: LocalStack, phone: Phone) -> None:
    """It is made into two pictures that a signed address shows, and serves no second report."""
    ticket = phone.ticket()
    assert phone.file(ticket["photo"])[1]["type"].endswith("photo_missing")
    assert upload(ticket) == 204
    stack.drain()
    mine = phone.get(f"/v1/photos/{ticket['photo']}")
    assert mine["state"] == "ready"
    assert picture(mine["pictures"]["large"]["url"]).size == (1280, 960)
    status, receipt = phone.file(ticket["photo"])
    assert status == 201
    shown = phone.get(f"/v1/reports/{receipt['id']}")
    assert shown["photos"] == 1
    (one,) = shown["pictures"]
    assert (one["kind"], one["state"], one["width"], one["height"]) == (
        "before",
        "ready",
        1600,
        1200,
    )
    for name, size in (("small", (320, 240)), ("large", (1280, 960))):
        assert (one[name]["width"], one[name]["height"]) == size
        assert picture(one[name]["url"]).size == size
    assert phone.file(ticket["photo"])[1]["type"].endswith("photo_used")
    assert Phone(stack).get(f"/v1/photos/{ticket['photo']}")["status"] == 404


def test_a_photo_that_is_filed_at_once_is_shown_as_soon_as_it_is_made(
    stack: LocalStack, phone: Phone
) -> None:
    """Before that it is listed without an address; a file that cannot be decoded is refused with a
    reason."""
    good, bad = phone.ticket(), phone.ticket()
    assert upload(good) == upload(bad, JPEG[: len(JPEG) // 2]) == 204
    report = phone.file(good["photo"], bad["photo"])[1]["id"]
    first = phone.get(f"/v1/reports/{report}")["pictures"]
    assert [(one["state"], one["small"]) for one in first] == [("pending", None)] * 2
    stack.drain()
    (one,) = phone.get(f"/v1/reports/{report}")["pictures"]
    assert (one["id"], one["state"]) == (good["photo"], "ready")
    events = phone.get(f"/v1/reports/{report}/timeline")["events"]
    told = {event["action"]: event.get("data", {}) for event in events}
    assert told["photo_refused"]["reason"] == "undecodable"
    assert phone.get(f"/v1/photos/{bad['photo']}")["reason"]["text"]["id"]


def test_nobody_uses_another_devices_photo(stack: LocalStack, phone: Phone) -> None:
    """The other device does not learn that the photo exists."""
    ticket = phone.ticket()
    assert upload(ticket) == 204
    status, body = Phone(stack).file(ticket["photo"])
    assert (status, body["type"]) == (422, "urn:tanggap:problem:unknown_photo")


@pytest.mark.parametrize(
    ("data", "changed", "status"),
    [
        (b"x" * 10, {}, 400),
        (b"x" * (10 * MEBIBYTE + 1), {}, 400),
        (JPEG, {"Content-Type": "text/html"}, 403),
        (JPEG, {"key": "public/evil.html"}, 403),
    ],
    ids=["too small", "too large", "another type", "another key"],
)
def test_s3_refuses_what_the_form_does_not_allow(
    phone: Phone, data: bytes, changed: dict[str, str], status: int
) -> None:
    """Size, type and key are fixed by the signed policy."""
    assert upload(phone.ticket(), data, **changed) == status


def test_s3_refuses_a_form_whose_time_is_over(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy's own expiry, signed as of five minutes ago."""
    from chalicelib.services.photos import tickets

    monkeypatch.setattr(tickets, "SECONDS", 1)
    ticket = phone.ticket()
    time.sleep(2)
    assert upload(ticket) == 403


def test_a_form_that_is_used_again_replaces_nothing(stack: LocalStack, phone: Phone) -> None:
    """S3 accepts a form until it expires; only the first upload is made into pictures."""
    ticket = phone.ticket()
    assert upload(ticket) == 204
    stack.drain()
    before = phone.get(f"/v1/photos/{ticket['photo']}")["pictures"]["small"]
    assert upload(ticket, photo_files.jpeg(photo_files.scene(900, 300, seed=5))) == 204
    stack.drain()
    after = phone.get(f"/v1/photos/{ticket['photo']}")["pictures"]["small"]
    assert (after["width"], after["height"]) == (before["width"], before["height"]) == (320, 240)
    assert picture(after["url"]).size == (320, 240)


def test_an_upload_of_another_type_than_declared_is_refused(
    stack: LocalStack, phone: Phone
) -> None:
    """S3 knows only what the uploader says of the type."""
    photo = phone.photo(photo_files.encoded(photo_files.scene(), "PNG"))
    assert phone.get(f"/v1/photos/{photo}")["reason"]["code"] == "type_mismatch"
    status, body = phone.file(photo)
    assert (status, body["type"], body["reason"]) == (
        422, "urn:tanggap:problem:photo_refused", "type_mismatch",
    )  # fmt: skip


def test_nothing_in_quarantine_is_served(phone: Phone) -> None:
    """The bucket answers nobody without a signature."""
    ticket = phone.ticket()
    assert upload(ticket) == 204
    place = f"{ticket['upload']['url'].rstrip('/')}/{ticket['upload']['fields']['key']}"
    assert urllib3.request("GET", place).status in (403, 404)


def test_nothing_is_served_without_its_signature(phone: Phone) -> None:
    """Neither a picture, nor the masters beside it."""
    mine = phone.get(f"/v1/photos/{phone.photo()}")
    address = urlsplit(mine["pictures"]["large"]["url"])
    plain = f"{address.scheme}://{address.netloc}{address.path}"
    assert urllib3.request("GET", plain).status in (403, 404)
    signed = mine["pictures"]["large"]["url"]
    other = signed.replace("/photos/", "/masters/").replace("/1280.webp", ".jpg")
    assert urllib3.request("GET", other).status in (403, 404)


def test_what_a_moderator_hides_or_blurs_is_gone_from_addresses_given_out_before(
    stack: LocalStack, phone: Phone
) -> None:
    """Seconds later no address shows it; the blurred picture has a new address."""
    from chalicelib.services.city import staff

    report = phone.file(phone.photo())[1]
    path = f"/v1/reports/{report['id']}"
    found = staff.find("demo", "officer", report["district"]["code"])
    assert found is not None
    officer = Phone(stack, str(found["subject"]))
    (before,) = phone.get(path)["pictures"]
    assert picture(before["large"]["url"]).size == (1280, 960)
    to = f"{path}/photos/{before['id']}"
    assert officer.post(to, {"action": "hide", "reason": "number_plate"})[0] == 200
    assert phone.get(path)["pictures"] == []
    stack.drain()
    for name in ("small", "large"):
        assert urllib3.request("GET", before[name]["url"]).status == 404
    blur = {"action": "blur", "reason": "number_plate",
            "rectangle": {"x": 400, "y": 400, "width": 200, "height": 100}}  # fmt: skip
    assert officer.post(to, blur)[0] == 200
    stack.drain()
    (after,) = phone.get(path)["pictures"]
    assert (after["state"], after["id"]) == ("ready", before["id"])
    assert picture(after["large"]["url"]).size == (1280, 960)
    assert urllib3.request("GET", before["large"]["url"]).status == 404
