"""A photo's way: a ticket, an upload whose size and type S3 enforces, one use in a report."""

import itertools
from typing import Any

import pytest
import urllib3

from infra.local.stack import LocalStack

KEYS = itertools.count()
JPEG = b"\xff\xd8\xff\xe0" + bytes(200)
MEBIBYTE = 1024 * 1024


class Phone:
    """A citizen's device."""

    def __init__(self, stack: LocalStack) -> None:
        self.url = stack.url
        answer = urllib3.request("POST", f"{self.url}/v1/devices")
        self.token = f"Device {answer.json()['token']}"

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """(status, body) of a write with a key of its own."""
        headers = {"Authorization": self.token, "Idempotency-Key": f"photo-{next(KEYS)}"}
        answer = urllib3.request("POST", self.url + path, json=body, headers=headers)
        return answer.status, answer.json()

    def ticket(self) -> dict[str, Any]:
        """A ticket for a JPEG."""
        status, body = self.post("/v1/photos", {"content_type": "image/jpeg"})
        assert status == 201
        return body

    def file(self, *photos: str) -> tuple[int, dict[str, Any]]:
        """File a report with photos."""
        place = {"service": "banjir", "lat": -6.1754, "long": 106.8272}
        return self.post("/v1/reports", {**place, "photos": list(photos)})


@pytest.fixture
def phone(stack: LocalStack) -> Phone:
    """A new device."""
    return Phone(stack)


def upload(ticket: dict[str, Any], data: bytes = JPEG, **changed: str) -> int:
    """Post a form as a browser does; the status."""
    form = {**ticket["upload"]["fields"], **changed, "file": ("a.jpg", data, "image/jpeg")}
    return urllib3.request("POST", ticket["upload"]["url"], fields=form, retries=False).status


def test_an_uploaded_photo_is_used_once(stack: LocalStack, phone: Phone) -> None:
    """It counts in the report, is noted in quarantine, and serves no second report."""
    ticket = phone.ticket()
    assert phone.file(ticket["photo"])[1]["type"].endswith("photo_missing")
    assert upload(ticket) == 204
    stack.drain()
    status, receipt = phone.file(ticket["photo"])
    assert status == 201
    shown = urllib3.request("GET", f"{stack.url}/v1/reports/{receipt['id']}").json()
    assert shown["photos"] == 1
    assert phone.file(ticket["photo"])[1]["type"].endswith("photo_used")


def test_nobody_uses_another_devices_photo(stack: LocalStack, phone: Phone) -> None:
    """Nor learns that it exists."""
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


def test_nothing_in_quarantine_is_served(phone: Phone) -> None:
    """The bucket answers nobody without a signature."""
    ticket = phone.ticket()
    assert upload(ticket) == 204
    place = f"{ticket['upload']['url'].rstrip('/')}/{ticket['upload']['fields']['key']}"
    assert urllib3.request("GET", place).status in (403, 404)
