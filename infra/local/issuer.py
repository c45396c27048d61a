"""The development token issuer: an OIDC provider that gives a token to anybody who asks.

    /dev/.well-known/openid-configuration      /dev/jwks.json      /dev/token?subject=...

It is not part of the app and cannot be loaded on Lambda. The app verifies its tokens like those of
any issuer, because the local stack names it in TANGGAP_ISSUERS.
"""

import base64
import hashlib
import json
import os
import urllib.parse
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
    raise RuntimeError("the development issuer must never run on Lambda")

# A fixed name without a port: staff records refer to it, and the port may change.
ISSUER = "http://127.0.0.1:8000/dev"
AUDIENCE = "tanggap"
ALGORITHM = "ES256"
VALID_FOR = timedelta(hours=12)
PREFIX = "/dev/"


class Issuer:
    """Signs tokens with the key kept in ``folder``, made there (0600) if there is none."""

    def __init__(self, folder: Path, base_url: str, now: Callable[[], datetime]) -> None:
        self._place = f"{base_url}/dev"
        self._now = now
        self._key = _key(folder / "issuer.pem")
        numbers = self._key.public_key().public_numbers()
        x, y = (_b64(part.to_bytes(32, "big")) for part in (numbers.x, numbers.y))
        thumb = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
        self._kid = _b64(hashlib.sha256(thumb.encode()).digest())
        self.jwks = {
            "keys": [
                {
                    "kty": "EC",
                    "crv": "P-256",
                    "x": x,
                    "y": y,
                    "kid": self._kid,
                    "alg": ALGORITHM,
                    "use": "sig",
                }
            ]
        }

    def settings(self) -> dict[str, Any]:
        """The entry of this issuer in TANGGAP_ISSUERS."""
        return {
            "issuer": ISSUER,
            "jwks_uri": f"{self._place}/jwks.json",
            "algorithms": [ALGORITHM],
            "audience": AUDIENCE,
        }

    def token(self, subject: str, valid_for: timedelta = VALID_FOR) -> str:
        """A signed access token for ``subject``, by the city's clock."""
        issued = self._now()
        claims = {
            "iss": ISSUER,
            "sub": subject,
            "aud": AUDIENCE,
            "client_id": "local",
            "iat": int(issued.timestamp()),
            "exp": int((issued + valid_for).timestamp()),
        }
        return jwt.encode(
            claims, self._key, algorithm=ALGORITHM, headers={"kid": self._kid, "typ": "at+jwt"}
        )

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        """The WSGI application behind ``/dev/``."""
        status, document = self._answer(environ)
        body = json.dumps(document, indent=1).encode()
        start_response(
            status,
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
        return [body]

    def _answer(self, environ: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        path = environ["PATH_INFO"]
        if path == f"{PREFIX}jwks.json":
            return "200 OK", self.jwks
        if path == f"{PREFIX}.well-known/openid-configuration":
            return "200 OK", self._configuration()
        if path == f"{PREFIX}token":
            subject = _asked(environ)
            if subject is None:
                return "400 Bad Request", {"error": "invalid_request", "need": "subject"}
            lifetime = int(VALID_FOR.total_seconds())
            token = self.token(subject)
            return "200 OK", {"access_token": token, "token_type": "Bearer", "expires_in": lifetime}
        return "404 Not Found", {"error": "not_found"}

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": ISSUER,
            "jwks_uri": f"{self._place}/jwks.json",
            "token_endpoint": f"{self._place}/token",
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
        }


def _asked(environ: dict[str, Any]) -> str | None:
    text = environ.get("QUERY_STRING", "")
    if environ["REQUEST_METHOD"] == "POST":
        text += "&" + environ["wsgi.input"].read(65_536).decode("utf-8", "replace")
    subjects = urllib.parse.parse_qs(text).get("subject", [])
    return subjects[0] if len(subjects) == 1 and 0 < len(subjects[0]) <= 255 else None


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds no EC key; delete it to get a new one")
    return key


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
