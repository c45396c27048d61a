"""OIDC access tokens, verified in our own code, so that it does not depend on the environment.

PyJWT checks the signature, only with the algorithms in the issuer's settings. This module checks
the header, the claims and the time (by the business clock, not the machine's).
"""

import base64
import json
import math
import re
from datetime import datetime
from typing import Any

import jwt

from chalicelib.auth.jwks import KeySets
from chalicelib.errors import Problem
from chalicelib.settings import settings

LEEWAY = 30.0
MAX_TOKEN = 8_192
# Only public-key algorithms: with HMAC, a forger could use the public key as the shared secret.
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}) | frozenset(
    {"ES256", "ES384", "ES512", "EdDSA"}
)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,2048}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{1,1024}")
_KID = re.compile(r"[A-Za-z0-9+/=_-]{1,128}")
_SUBJECT = re.compile(r"[!-~]{1,255}")
# A header may not contain a key, point to one, or require extensions.
_REFUSED = ("crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc")
# Claims that only ID tokens have; and the header types of access tokens.
_ID_TOKEN_ONLY = ("at_hash", "c_hash", "s_hash")
_ACCESS_TYPES = ("at+jwt", "application/at+jwt")


def verify(token: str, key_sets: KeySets, now: datetime) -> tuple[str, str]:
    """(issuer, subject) of an access token from one of the issuers in the settings.

    Raises ``Problem``: ``invalid_token`` for any fault, ``unavailable`` without the issuer's keys.
    """
    if len(token) > MAX_TOKEN or not _TOKEN.fullmatch(token):
        raise Problem("invalid_token")
    header, claims = (_object(part) for part in token.split(".")[:2])
    issuer = _issuer(claims.get("iss"))
    algorithm, kid = _header(header, issuer)
    key = key_sets.get(issuer["jwks_uri"], kid, now)
    verified = _verified(token, key, algorithm)
    if not _in_time(verified, now.timestamp()) or not _meant_for_us(verified, issuer):
        raise Problem("invalid_token")
    if not _is_access_token(header, verified):
        raise Problem("invalid_token")
    subject = verified.get("sub")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise Problem("invalid_token")
    return issuer["issuer"], subject


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise Problem("invalid_token") from None
    if not isinstance(value, dict):
        raise Problem("invalid_token")
    return value


def _issuer(claimed: Any) -> dict[str, Any]:
    for known in settings().issuers:
        if known["issuer"] == claimed:
            return known
    raise Problem("invalid_token")


def _header(header: dict[str, Any], issuer: dict[str, Any]) -> tuple[str, str]:
    algorithm, kid, kind = (
        header.get("alg"),
        header.get("kid"),
        header.get("typ", "JWT"),
    )
    pinned = ALGORITHMS.intersection(issuer.get("algorithms", ()))
    if not isinstance(algorithm, str) or algorithm not in pinned:
        raise Problem("invalid_token")
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise Problem("invalid_token")
    if any(name in header for name in _REFUSED):
        raise Problem("invalid_token")
    if not isinstance(kind, str) or kind.lower() not in (
        "jwt",
        *_ACCESS_TYPES,
    ):
        raise Problem("invalid_token")
    return algorithm, kid


def _verified(token: str, key: dict[str, Any], algorithm: str) -> dict[str, Any]:
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        raise Problem("invalid_token")
    off = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
    options: Any = {f"verify_{claim}": False for claim in off}
    options["require"] = ["exp", "iat", "sub", "iss"]
    try:
        public = jwt.PyJWK(key, algorithm=algorithm)
        return jwt.decode(token, public, algorithms=[algorithm], options=options)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError):
        raise Problem("invalid_token") from None


def _in_time(claims: dict[str, Any], now: float) -> bool:
    expires, issued = _moment(claims["exp"]), _moment(claims["iat"])
    starts = _moment(claims["nbf"]) if "nbf" in claims else issued
    if expires is None or issued is None or starts is None:
        return False
    return now < expires + LEEWAY and max(issued, starts) <= now + LEEWAY


def _moment(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e12 and math.isfinite(value) else None


def _meant_for_us(claims: dict[str, Any], issuer: dict[str, Any]) -> bool:
    audience, client, use = (issuer.get(k) for k in ("audience", "client_id", "token_use"))
    if not audience and not client:
        return False
    if use and claims.get("token_use") != use:
        return False
    # Keycloak names the client in ``azp``.
    if client and claims.get("client_id", claims.get("azp")) != client:
        return False
    named = claims.get("aud")
    return not audience or audience in ([named] if isinstance(named, str) else _texts(named))


def _is_access_token(header: dict[str, Any], claims: dict[str, Any]) -> bool:
    """Whether a token is an access token, not an ID token.

    The audience does not distinguish them: an ID token's audience is the client. A stated kind
    decides: the header's ``at+jwt`` (RFC 9068), Cognito's ``token_use``, Keycloak's ``typ``.
    Without one, a scope is required, and no claim of an ID token is allowed.
    """
    use, kind = claims.get("token_use"), claims.get("typ")
    if any(name in claims for name in _ID_TOKEN_ONLY):
        return False
    if use not in (None, "access") or kind not in (None, "Bearer", "DPoP"):
        return False
    if use or kind or str(header.get("typ", "")).lower() in _ACCESS_TYPES:
        return True
    return ("scope" in claims or "scp" in claims) and "nonce" not in claims


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
