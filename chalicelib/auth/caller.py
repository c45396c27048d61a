"""Who is asking: a device token, an OIDC access token verified here, or nobody.

    no Authorization  -> public
    Device <token>    -> citizen "d_…"          (signed by services.signing)
    Bearer <JWT>      -> staff by its record, else citizen "p_…"
    anything else     -> 401

Issuers, algorithms and audiences are settings. Roles come from the staff record, never from a
token, so that a withdrawn role is gone at once. All failures look alike, except that a key server
has not answered for too long (503).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache

from chalicelib.auth.jwks import KeySets
from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.services.city import staff
from chalicelib.services.platform import signing

_DEVICE = re.compile(r"[0-9a-f]{16}")
_SCHEME = re.compile(r"(Bearer|Device) +([!-~]+)", re.IGNORECASE)


@cache
def key_sets() -> KeySets:
    """The issuers' keys, cached for the life of the process."""
    return KeySets()


def authenticate(headers: Mapping[str, str], jurisdiction: str, now: datetime) -> Principal:
    """The principal of a request with ``headers`` (any case) to ``jurisdiction`` at ``now``.

    Raises ``Problem``: ``invalid_token`` (401), or ``unavailable`` (503) if an issuer's keys are
    not available.
    """
    header = _authorization(headers)
    if header is None:
        return Principal("public", jurisdiction)
    match = _SCHEME.fullmatch(header)
    if match is None:
        raise Problem("invalid_token")
    if match[1].lower() == "device":
        return _device(match[2], jurisdiction, now)
    return _bearer(match[2], jurisdiction, now)


def person_uid(issuer: str, subject: str) -> str:
    """The pseudonym of a signed-in person, the same as long as the pseudonym key lasts."""
    return "p_" + signing.mac("person", f"{issuer}|{subject}", signing.pseudonym_key())[:20]


def _authorization(headers: Mapping[str, str]) -> str | None:
    for name, value in headers.items():
        if name.lower() == "authorization":
            return value
    return None


def _device(token: str, jurisdiction: str, now: datetime) -> Principal:
    device = signing.unsign("device", token, now).get("d")
    if not isinstance(device, str) or not _DEVICE.fullmatch(device):
        raise Problem("invalid_token")
    return Principal("citizen", jurisdiction, uid=f"d_{device}")


def _bearer(token: str, jurisdiction: str, now: datetime) -> Principal:
    # Importing PyJWT and cryptography takes as long as half a cold start; most requests need none.
    from chalicelib.auth import oidc

    issuer, subject = oidc.verify(token, key_sets(), now)
    official = staff.by_subject(jurisdiction, issuer, subject, now)
    if official is not None:
        return official
    return Principal("citizen", jurisdiction, uid=person_uid(issuer, subject))
