"""Which outside servers we may connect to: by https, at port 443, at a public address.

A name is checked when it is registered (``check``) and again at each request (``targets``). The
request connects to one of the checked addresses, so a name whose address changes in between is
harmless (OWASP: Server Side Request Forgery Prevention).
"""

import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from chalicelib.settings import settings

LONGEST = 500
# Of a picture, with its query: signed addresses are long.
LONGEST_PICTURE = 2000
PORT = 443
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label has a letter: 127.1 and 0x7f000001 are addresses to some resolvers.
_NAME = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z])(?!0x){_LABEL}")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")
# Of pictures: names as cameras and people give them.
_PICTURE_PATH = re.compile(r"(?:/[A-Za-z0-9._~%,+=@()-]+)*/?")
_QUERY = re.compile(r"[A-Za-z0-9._~%,+=@()&:;/-]*")
# The only IPv6 addresses that the internet routes. Others contain IPv4 ones or are of a site.
_ROUTED = ipaddress.ip_network("2000::/3")
_INSIDE = ("localhost", "local", "internal", "localdomain", "home.arpa", "onion", "test", "invalid")


class UnsafeAddress(ValueError):
    """An address that we do not connect to; its text says why."""


@dataclass(frozen=True)
class Endpoint:
    """A server's base URL: ``name`` and ``port``, and the ``path`` before all others."""

    scheme: str
    name: str
    port: int
    path: str


def check_picture(url: str) -> tuple[Endpoint, str]:
    """(server, path with query) of a picture's URL, checked by its form only. Raises
    ``UnsafeAddress``."""
    base, mark, query = url.partition("?")
    if len(url) > LONGEST_PICTURE or not _QUERY.fullmatch(query):
        raise UnsafeAddress("must end with a plain path and query")
    endpoint = check(base, _PICTURE_PATH)
    return endpoint, f"{urlsplit(base).path or '/'}{mark}{query}"


def check(url: str, path: re.Pattern[str] = _PATH) -> Endpoint:
    """The endpoint of a base URL, checked by its form only. Raises ``UnsafeAddress``."""
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
    if parts.query or parts.fragment or not path.fullmatch(parts.path) or ".." in parts.path:
        raise UnsafeAddress("must end with a plain path")
    name = (parts.hostname or "").lower()
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise UnsafeAddress("must name a server, not a number")
    if name.endswith(tuple(f".{suffix}" for suffix in _INSIDE)):
        raise UnsafeAddress("names a server inside")
    return Endpoint("https", name, PORT, parts.path.rstrip("/"))


def targets(endpoint: Endpoint) -> list[str]:
    """The IP addresses of an endpoint's name, IPv4 first; all of them must be public.

    Raises ``UnsafeAddress`` or ``OSError``.
    """
    addresses = sorted(resolve(endpoint.name), key=lambda address: ":" in address)
    if endpoint.scheme != "https":
        return addresses
    if not addresses or not all(is_public(address) for address in addresses):
        raise UnsafeAddress("leads to an address that is not public")
    return addresses


def resolve(name: str) -> set[str]:
    """The IP addresses of a name."""
    answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return {str(answer[4][0]) for answer in answers}


def is_public(address: str) -> bool:
    """Whether an IP address is a public address of the internet."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _ROUTED or ip.sixtofour or ip.teredo):
        return False
    return ip.is_global and not ip.is_multicast


def _is_local(url: str) -> bool:
    """Whether this is a local server for development (``TANGGAP_OUTSIDE_LOCAL``); not on Lambda."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        return False
    return any(url == base or url.startswith(f"{base}/") for base in settings().outside_local)
