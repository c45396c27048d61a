"""Photos that another system keeps, and gives the address of (``media_url`` of Open311).

They are fetched once, by the function that processes photos, under the rules for every outside
server (``outside.addresses``). Its failure is a refused photo, never a failure of the function: a
client must not be able to raise an alarm.

Tests: tests/integration/test_attachments.py
"""

from chalicelib import observability
from chalicelib.imaging import refusals, sniff
from chalicelib.imaging.refusals import PhotoRefused
from chalicelib.outside import addresses, fetch
from chalicelib.outside.addresses import UnsafeAddress
from chalicelib.services.photos.tickets import LARGEST

_TRIES = 2
# Trying again at once may help.
_PASSING = frozenset({"no_answer", "too_slow", "status_500", "status_502", "status_503"})


def is_fetchable(url: str) -> bool:
    """Whether the address has the form of one that we fetch from: https, a public name."""
    try:
        addresses.check_picture(url)
    except UnsafeAddress:
        return False
    return True


def fetched(url: str) -> tuple[bytes, str]:
    """(file, media type) of the photo at an address. Raises ``PhotoRefused``."""
    data = _data(url)
    media = sniff.media_of(data)
    if media is None:
        raise PhotoRefused(refusals.NOT_A_PHOTO)
    return data, media


def _data(url: str) -> bytes:
    for _ in range(_TRIES):
        try:
            return fetch.picture(url, LARGEST)
        except fetch.Failed as failure:
            observability.note("photo_not_fetched", reason=failure.reason)
            if failure.reason == "too_large":
                raise PhotoRefused(refusals.TOO_LARGE) from None
            if failure.reason not in _PASSING:
                break
    raise PhotoRefused(refusals.NOT_FETCHED)
