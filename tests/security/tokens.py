"""Identity providers of the tests: real keys, signed tokens, key sets that can go away."""

import base64
import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.support.world import ISSUER

AUDIENCE = "tanggap"
POOL = "https://pool.test/city"
ISSUERS = [
    {
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/keys",
        "algorithms": ["ES256"],
        "audience": AUDIENCE,
    },
    {
        "issuer": POOL,
        "jwks_uri": f"{POOL}/keys",
        "algorithms": ["RS256"],
        "client_id": "app",
        "token_use": "access",
    },
]


@cache
def ec_key(name: str = "city") -> ec.EllipticCurvePrivateKey:
    """A P-256 key of this name."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(name: str = "pool") -> rsa.RSAPrivateKey:
    """An RSA key of this name."""
    return rsa.generate_private_key(65537, 2048)


def published() -> dict[str, list[dict[str, Any]]]:
    """The key sets by address."""
    pool = json.loads(RSAAlgorithm.to_jwk(rsa_key().public_key()))
    city = json.loads(ECAlgorithm.to_jwk(ec_key().public_key()))
    return {
        f"{ISSUER}/keys": [city | {"kid": "e1", "use": "sig", "alg": "ES256"}],
        f"{POOL}/keys": [pool | {"kid": "r1", "use": "sig", "alg": "RS256"}],
    }


class KeyServer:
    """Answers for every issuer, counts requests, and can be down."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    def __call__(self, uri: str) -> bytes:
        """The key set at ``uri``."""
        self.asked.append(uri)
        if self.away:
            raise OSError("away")
        return json.dumps({"keys": published()[uri]}).encode()


class Mint:
    """Makes tokens at the time of ``now``."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Good claims of the city's issuer; ``None`` removes one."""
        moment = int(self._now().timestamp())
        made = {
            "iss": ISSUER,
            "sub": "person-1",
            "aud": AUDIENCE,
            "scope": "openid",
            "iat": moment - 60,
            "exp": moment + 600,
            **changed,
        }
        return {name: value for name, value in made.items() if value is not None}

    def token(
        self,
        *,
        key: Any = None,
        algorithm: str = "ES256",
        header: dict[str, Any] | None = None,
        **changed: Any,
    ) -> str:
        """A token of the city's issuer."""
        return jwt.encode(
            self.claims(**changed),
            ec_key() if key is None else key,
            algorithm,
            headers={"kid": "e1", **(header or {})},
        )

    def pool(self, **changed: Any) -> str:
        """An access token as Cognito makes them: no audience, but a client and a use."""
        access = {"iss": POOL, "aud": None, "client_id": "app", "token_use": "access", **changed}
        return self.token(key=rsa_key(), algorithm="RS256", header={"kid": "r1"}, **access)


def raw(header: Any, payload: Any, signature: bytes = b"") -> str:
    """A token of three parts, signed or not."""
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
