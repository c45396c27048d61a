"""Pictures in a form of GeoReport: its files, and the addresses of pictures that others keep.

The type of a file is read from its bytes, not from the type that the client names. A picture at an
address is fetched later, by the function that processes photos (``services.photos.fetching``).
Officials see every address, as an inside text of the event.

Tests: tests/integration/test_attachments.py
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib import ids
from chalicelib.domain.open311.georeport import InvalidArgument, is_nothing
from chalicelib.domain.principal import Principal
from chalicelib.domain.row_types import Ticket
from chalicelib.domain.timestamps import iso
from chalicelib.imaging import sniff
from chalicelib.outside import addresses
from chalicelib.services.photos import fetching, tickets
from chalicelib.services.photos.storage_keys import quarantined
from chalicelib.storage import files, photo_tickets
from chalicelib.storage.transactions import commit

# The name of the inside text with the addresses.
WORD = "media_url"
_WEB = re.compile(r"https?://[^\s\x00-\x20\x7f]+", re.IGNORECASE)


@dataclass(frozen=True)
class Attachments:
    """The pictures of a form: ``files`` as (media type, bytes), and ``links``."""

    files: tuple[tuple[str, bytes], ...] = ()
    links: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.files) + len(self.links)

    @property
    def text(self) -> str:
        """The addresses, as officials read them."""
        return "\n".join(self.links)


NO_PICTURES = Attachments()


def read(uploads: list[bytes], arguments: Mapping[str, list[str]]) -> Attachments:
    """The pictures of a form; empty files and addresses are left out.

    Raises ``InvalidArgument``: for a file that is no photo, for what is no address, and for more
    than ``tickets.MOST`` in all. Nothing is written.
    """
    urls = [url.strip() for url in arguments.get("media_url", ()) if not is_nothing(url)]
    links = tuple(dict.fromkeys(urls))
    data = [upload for upload in dict.fromkeys(uploads) if upload]
    if len(data) + len(links) > tickets.MOST:
        field = "media" if data else "media_url"
        raise InvalidArgument(field, f"has more than {tickets.MOST} photos")
    if any(len(link) > addresses.LONGEST_PICTURE for link in links):
        why = f"is longer than {addresses.LONGEST_PICTURE} characters"
        raise InvalidArgument("media_url", why)
    if not all(_WEB.fullmatch(link) for link in links):
        raise InvalidArgument("media_url", "is no web address")
    photos = []
    for upload in data:
        media = sniff.media_of(upload)
        if media is None:
            raise InvalidArgument(
                "media", "has a file that is no photo (JPEG, PNG, WebP, HEIC or AVIF)"
            )
        photos.append((media, upload))
    return Attachments(tuple(photos), links)


def store(actor: Principal, attachments: Attachments, now: datetime) -> list[str]:
    """Tickets for the photos, which are processed like any upload. Returns their ids."""
    photos = []
    for media, data in attachments.files:
        photo = _ticket(actor, {"state": "issued", "type": media}, now)
        files.put(quarantined(actor.jurisdiction, photo), data, media)
        photos.append(photo)
    for link in attachments.links:
        if fetching.is_fetchable(link):
            photos.append(_ticket(actor, {"state": "issued", "url": link}, now))
    return photos


def _ticket(actor: Principal, about: Ticket, now: datetime) -> str:
    photo = ids.new_ulid(now)
    doc: Ticket = {**about, "owner": actor.uid, "issued": iso(now)}
    commit([photo_tickets.put_photo(actor.jurisdiction, photo, doc, seen=None)])
    return photo
