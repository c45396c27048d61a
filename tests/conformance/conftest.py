"""One running city for all clients."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

from infra.local.stack import LocalStack
from tests.conformance import arrival
from tests.conformance.arrival import Reader, Sent

OFFICIAL = "dispatcher-1"
FIELDS = {
    "service_code": "banjir", "lat": "-6.1754", "long": "106.8272",
    "description": 'Banjir & "lumpur" <di jalan> — 洪水\nsetinggi lutut',
    "address_string": "Jl. Awal 1", "first_name": "Awal", "last_name": "Mula",
    "email": "awal@example.org", "phone": "+628123450000",
}  # fmt: skip


@dataclass(frozen=True)
class Running:
    """A city that has requests: ``url`` of the server, an Open311 key, a request that has arrived
    with its photo, and the photo."""

    url: str
    key: str
    sent: Sent
    photo: Path
    reader: Reader

    def open311(self, photo: Path) -> tuple[str, str, str, str]:
        """What the clients of Open311 are started with; the photo is the one to send."""
        return f"{self.url}/open311/v2", self.key, self.sent.id, str(photo)


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The product as ``make run`` serves it.

    It ends with this package: its schedules run by the machine's clock, and would otherwise run
    in the AWS of other tests.
    """
    folder = tmp_path_factory.mktemp("conformance")
    with LocalStack(folder / "stack") as stack:
        from chalicelib import clock
        from chalicelib.services.identity import api_keys

        _, key = api_keys.issue("demo", "conformance", 1000, clock.now())
        photo = arrival.photo(folder, 1)
        reader = Reader(stack.url, f"Bearer {stack.token(OFFICIAL)}")
        form = {"api_key": key, **FIELDS, "media": ("a.jpg", photo.read_bytes(), "image/jpeg")}
        for number in range(2):
            # Older requests than the one that is looked for.
            _filed(stack.url, {**FIELDS, "api_key": key, "description": f"Banjir {number}"})
        sent = Sent(_filed(stack.url, form), FIELDS, photo=photo)
        arrival.check(reader, sent)
        yield Running(stack.url, key, sent, photo, reader)


def _filed(url: str, form: dict[str, object]) -> str:
    made = urllib3.request("POST", f"{url}/open311/v2/requests.json", fields=form)  # type: ignore[arg-type]
    assert made.status == 200, made.data
    return str(made.json()[0]["service_request_id"])
