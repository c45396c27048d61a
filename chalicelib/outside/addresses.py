"""Which servers outside may be spoken to: by https, at port 443, at an address that is public.

A name is judged when it is registered (``check``) and again whenever something is sent
(``targets``): whoever sends connects to one of the addresses that were judged, so that a name
that changes its mind in between leads nowhere (OWASP: Server Side Request Forgery Prevention).
"""

import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from chalicelib.settings import settings

LONGEST = 500
PORT = 443
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label has a letter: 127.1 and 0x7f000001 are addresses to some resolvers.
_NAME = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z])(?!0x){_LABEL}")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")
# RFC 6052: behind it lies whatever the network's translator reaches.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
_INSIDE = ("localhost", "local", "internal", "localdomain", "home.arpa", "onion", "test", "invalid")


class UnsafeAddress(ValueError):
    """An address that nothing is sent to; its text says why."""


@dataclass(frozen=True)
class Endpoint:
    """Where a URL leads: ``name`` and ``port``, and the path that all else is appended to."""

    scheme: str
    name: str
    port: int
    path: str


def check(url: str) -> Endpoint:
    """The place of a server's base URL, judged by its form alone. Raises ``UnsafeAddress``."""
    if len(url) > LONGEST:
        raise UnsafeAddress(f"is longer than {LONGEST} characters")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise UnsafeAddress("has characters that no address has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UnsafeAddress("is no address") from None
    if _is_local(url):
        return Endpoint(parts.scheme, parts.hostname or "", port or 80, parts.path.rstrip("/"))
    if parts.scheme != "https":
        raise UnsafeAddress("must begin with https://")
    if "@" in parts.netloc:
        raise UnsafeAddress("must not name a user")
    if port not in (None, PORT):
        raise UnsafeAddress(f"must use port {PORT}")
    if parts.query or parts.fragment or not _PATH.fullmatch(parts.path) or ".." in parts.path:
        raise UnsafeAddress("must end with a plain path")
    name = (parts.hostname or "").lower()
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise UnsafeAddress("must name a server, not a number")
    if name.endswith(tuple(f".{one}" for one in _INSIDE)):
        raise UnsafeAddress("names a server inside")
    return Endpoint("https", name, PORT, parts.path.rstrip("/"))


def targets(endpoint: Endpoint) -> list[str]:
    """The IP addresses of an endpoint's name, IPv4 first; all of them must be public.

    Raises ``UnsafeAddress`` or ``OSError``.
    """
    found = sorted(resolve(endpoint.name), key=lambda one: ":" in one)
    if endpoint.scheme != "https":
        return found
    if not found or not all(is_public(one) for one in found):
        raise UnsafeAddress("leads to an address that is not public")
    return found


def resolve(name: str) -> set[str]:
    """What the resolver says of a name."""
    answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return {str(answer[4][0]) for answer in answers}


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet and to no network inside it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and (
        found.ipv4_mapped or found.sixtofour or found.teredo or found in _TRANSLATED
    ):
        return False
    return found.is_global and not found.is_multicast


def _is_local(url: str) -> bool:
    """Whether development names this server (``TANGGAP_OUTSIDE_LOCAL``); on Lambda none is."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        return False
    return any(url == one or url.startswith(f"{one}/") for one in settings().outside_local)
