"""Only valid tokens of the city's issuers for this product open anything."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from chalicelib import settings
from chalicelib.auth import caller, jwks
from chalicelib.auth.jwks import KeySets
from chalicelib.domain.principal import Grant, Principal
from chalicelib.errors import Problem
from chalicelib.services.city import staff
from chalicelib.services.platform import signing
from chalicelib.storage import signing_keys

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
POOL = "https://pool.example/a"
OIDC = "https://id.example"
ISSUERS = [
    {
        "issuer": POOL,
        "jwks_uri": "https://pool.example/keys",
        "algorithms": ["RS256"],
        "client_id": "app",
        "token_use": "access",
    },
    {
        "issuer": OIDC,
        "jwks_uri": "https://id.example/keys",
        "algorithms": ["ES256"],
        "audience": "tanggap",
    },
]
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
OTHER_EC = ec.generate_private_key(ec.SECP256R1())
Tokens = Callable[..., str]


def published() -> dict[str, list[dict[str, Any]]]:
    return {
        "https://pool.example/keys": [
            json.loads(RSAAlgorithm.to_jwk(RSA.public_key())) | {"kid": "r1", "alg": "RS256"}
        ],
        "https://id.example/keys": [
            json.loads(ECAlgorithm.to_jwk(EC.public_key())) | {"kid": "e1", "use": "sig"}
        ],
    }


class Server:
    """The key servers of both issuers; it counts requests and can be down."""

    def __init__(self) -> None:
        self.sets = published()
        self.asked: list[str] = []
        self.away = False

    def __call__(self, uri: str) -> bytes:
        self.asked.append(uri)
        if self.away:
            raise OSError("away")
        return json.dumps({"keys": self.sets[uri]}).encode()


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()
    sets = KeySets(made)
    monkeypatch.setenv("TANGGAP_ISSUERS", json.dumps(ISSUERS))
    settings.settings.cache_clear()
    monkeypatch.setattr(caller, "key_sets", lambda: sets)
    monkeypatch.setattr(staff, "by_subject", lambda *_: None)
    held = {"current": "k1", "keys": {"k1": base64.b64encode(b"1" * 32).decode()}}
    monkeypatch.setattr(signing_keys, "keys", lambda: held)
    yield made
    monkeypatch.undo()
    settings.settings.cache_clear()


def claims(**changed: Any) -> dict[str, Any]:
    moment = int(NOW.timestamp())
    made = {
        "iss": OIDC,
        "sub": "person-1",
        "aud": "tanggap",
        "scope": "openid",
        "iat": moment - 60,
        "exp": moment + 600,
        **changed,
    }
    return {name: value for name, value in made.items() if value is not None}


def token(
    key: Any = EC, algorithm: str = "ES256", header: dict[str, Any] | None = None, **changed: Any
) -> str:
    return jwt.encode(claims(**changed), key, algorithm, headers={"kid": "e1", **(header or {})})


def pool_token(**changed: Any) -> str:
    access = {"iss": POOL, "aud": None, "client_id": "app", "token_use": "access", **changed}
    return token(RSA, "RS256", {"kid": "r1"}, **access)


def raw_token(header: Any, payload: Any, signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def enter(authorization: str, now: datetime = NOW) -> Principal:
    return caller.authenticate({"authorization": authorization}, "demo", now)


def refused(authorization: str, now: datetime = NOW) -> str:
    with pytest.raises(Problem) as caught:
        enter(authorization, now)
    assert caught.value.document()["detail"] or caught.value.slug == "unavailable"
    return caught.value.slug


def test_a_request_without_credentials_is_public() -> None:
    assert caller.authenticate({}, "demo", NOW) == Principal("public", "demo")


def test_a_device_token_makes_a_citizen_of_a_device() -> None:
    device = signing.sign("device", {"d": "0123456789abcdef"}, None)
    assert enter(f"Device {device}") == Principal("citizen", "demo", uid="d_0123456789abcdef")
    assert caller.authenticate({"AUTHORIZATION": f"device {device}"}, "x", NOW).kind == "citizen"


@pytest.mark.parametrize("payload", [{}, {"d": 1}, {"d": "0123"}, {"d": "0123456789ABCDEF"}])
def test_a_device_token_with_other_content_is_refused(payload: dict[str, Any]) -> None:
    assert refused("Device " + signing.sign("device", payload, None)) == "invalid_token"


def test_a_signed_in_person_is_a_citizen_with_a_lasting_pseudonym() -> None:
    person = enter("Bearer " + token())
    assert person.kind == "citizen"
    assert person.uid == caller.person_uid(OIDC, "person-1")
    assert person.uid is not None
    assert person.uid.startswith("p_")
    assert "person-1" not in person.uid
    assert enter("Bearer " + pool_token()).uid != person.uid


def test_case_65_roles_come_from_the_staff_record_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    grant = Grant("officer", frozenset({"*"}), frozenset({"*"}))
    official = Principal("staff", "demo", uid="s_1", grants=(grant,))
    records = {("demo", OIDC, "person-1"): official}
    monkeypatch.setattr(staff, "by_subject", lambda j, i, s, _now: records.get((j, i, s)))
    bearer = "Bearer " + token(groups=["city_admin"], roles=["city_admin"])
    assert enter(bearer).roles() == {"officer"}
    records.clear()
    assert enter(bearer).roles() == {"citizen"}


@pytest.mark.parametrize("groups", ["admin", ["admin"], [["admin"]], "admin ", "\u0430dmin"])
def test_case_66_no_form_of_a_group_claim_gives_a_role(groups: Any) -> None:
    assert enter("Bearer " + token(groups=groups, roles=groups)).roles() == {"citizen"}


def forged() -> dict[str, str]:
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    moment = int(NOW.timestamp())
    head, none = {"alg": "ES256", "kid": "e1"}, {"kid": "e1"}
    body = claims()
    signed = raw_token({"alg": "HS256", "kid": "r1"}, claims(iss=POOL)).rstrip(".")
    mac = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
    weak = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    own = json.loads(ECAlgorithm.to_jwk(OTHER_EC.public_key()))
    return {
        "alg none": raw_token({"alg": "none", **none}, body),
        "alg nOnE": raw_token({"alg": "nOnE", **none}, body, b"x"),
        "hs256 with the public key": f"{signed}.{weak}",
        "another key of the same kid": token(OTHER_EC),
        "another issuer's key": token(RSA, "RS256", {"kid": "r1"}),
        "jwk in the header": token(OTHER_EC, header={"jwk": own}),
        "jku in the header": token(header={"jku": "https://evil.example/keys"}),
        "x5u in the header": token(header={"x5u": "https://evil.example/x"}),
        "crit in the header": token(header={"crit": ["exp"], "exp": 1}),
        "kid with a path": token(header={"kid": "../../dev/null"}),
        "kid with SQL": token(header={"kid": "' OR 1=1 --"}),
        "kid of another type": raw_token({"alg": "ES256", "kid": ["e1"]}, body, b"x"),
        "no kid": raw_token({"alg": "ES256"}, body, b"x"),
        "typ of something else": token(header={"typ": "logout+jwt"}),
        "no exp": token(exp=None),
        "no iat": token(iat=None),
        "no sub": token(sub=None),
        "no iss": token(iss=None),
        "expired": token(exp=moment - 31),
        "exp as text": raw_token(head, claims(exp="9999999999"), b"x" * 64),
        "not yet": token(nbf=moment + 31),
        "made in the future": token(iat=moment + 31),
        "wrong iss": token(iss="https://evil.example"),
        "iss with a slash": token(iss=OIDC + "/"),
        "wrong aud": token(aud="other"),
        "aud prefix": token(aud=["tanggap2", "tangga"]),
        "no aud": token(aud=None),
        "sub with a space": token(sub="a b"),
        "id token by at_hash": token(at_hash="x"),
        "id token as it is": token(scope=None, nonce="n", auth_time=moment),
        "id token without a mark": token(scope=None),
        "id token with a scope": token(nonce="n"),
        "id token of Keycloak": token(typ="ID", azp="tanggap", nonce="n"),
        "refresh token of Keycloak": token(typ="Refresh", azp="tanggap"),
        "id token of Cognito": token(scope=None, token_use="id"),
        "id token by c_hash": token(c_hash="x", header={"typ": "at+jwt"}),
        "unsigned": raw_token(head, body),
        "2 MB": "a" * 2_000_000,
        "8 KB and one": token(pad="x" * 8_192),
        "a.b.c": "a.b.c",
        "one part": "abc",
        "five parts": "a.b.c.d.e",
        "header not an object": raw_token([], body, b"x"),
        "payload not an object": raw_token(head, [], b"x"),
        "deep header": "W1tb" * 500 + ".W10.eA",
    }


@pytest.mark.parametrize("name", sorted(forged()))
def test_case_62_forged_and_foreign_tokens_are_refused_alike(name: str) -> None:
    with pytest.raises(Problem) as caught:
        enter("Bearer " + forged()[name])
    first = Problem("invalid_token").document()
    assert (caught.value.status, caught.value.document()) == (401, first)


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a b", "Digest x", "bearer\ta.b.c", "é"],
)
def test_other_schemes_and_empty_ones_are_refused(given: str) -> None:
    assert refused(given) == "invalid_token"


@pytest.mark.parametrize(
    "changed",
    [
        {"token_use": "id"},
        {"token_use": None},
        {"client_id": "other"},
        {"client_id": None},
        {"client_id": None, "aud": "app"},
        {"client_id": None, "aud": "app", "token_use": "id"},
    ],
)
def test_case_63_only_access_tokens_of_our_client_count(changed: dict[str, Any]) -> None:
    assert enter("Bearer " + pool_token()).kind == "citizen"
    assert refused("Bearer " + pool_token(**changed)) == "invalid_token"


@pytest.mark.parametrize(
    ("header", "changed"),
    [
        ({"typ": "at+jwt"}, {"scope": None}),
        ({"typ": "application/at+jwt"}, {"scope": None, "auth_time": 1, "acr": "1"}),
        ({}, {"scope": None, "typ": "Bearer", "azp": "app", "nonce": "n"}),
        ({}, {"scope": None, "scp": "reports"}),
        ({}, {"scope": None, "token_use": "access"}),
    ],
)
def test_access_tokens_of_every_kind_of_issuer_open(
    header: dict[str, Any], changed: dict[str, Any]
) -> None:
    """RFC 9068, Keycloak, Entra and Cognito mark an access token in different ways."""
    assert enter("Bearer " + token(header=header, **changed)).kind == "citizen"


@pytest.mark.parametrize("setting", ["audience", "client_id"])
def test_an_id_token_is_never_an_access_token(
    monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """Even if the settings name the client that is its audience."""
    issuer = {**ISSUERS[1], "audience": None, setting: "tanggap"}
    monkeypatch.setenv("TANGGAP_ISSUERS", json.dumps([issuer]))
    settings.settings.cache_clear()
    both = {"azp": "tanggap", "client_id": "tanggap"}
    for marks in ({"nonce": "n"}, {"auth_time": 1}, {"at_hash": "x"}, {}):
        told = token(scope=None, **both, **marks)
        assert refused("Bearer " + told) == "invalid_token"
    keycloak = {"azp": "tanggap", "typ": "Bearer", "scope": "openid"}
    assert enter("Bearer " + token(**keycloak)).kind == "citizen"
    assert refused("Bearer " + token(**{**keycloak, "typ": "ID"})) == "invalid_token"


def test_the_leeway_is_thirty_seconds_of_the_city_clock() -> None:
    bearer = "Bearer " + token()
    assert enter(bearer, NOW + timedelta(seconds=629)).kind == "citizen"
    assert refused(bearer, NOW + timedelta(seconds=630)) == "invalid_token"
    assert enter(bearer, NOW - timedelta(seconds=90)).kind == "citizen"
    assert refused(bearer, NOW - timedelta(seconds=91)) == "invalid_token"


def test_an_issuer_without_audience_or_client_admits_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = [{**ISSUERS[1], "audience": None}]
    monkeypatch.setenv("TANGGAP_ISSUERS", json.dumps(bare))
    settings.settings.cache_clear()
    assert refused("Bearer " + token()) == "invalid_token"


def test_an_issuer_cannot_be_set_to_a_shared_secret(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    monkeypatch.setenv("TANGGAP_ISSUERS", json.dumps([{**ISSUERS[1], "algorithms": ["HS256"]}]))
    settings.settings.cache_clear()
    server.sets["https://id.example/keys"] = [{"kid": "h1", "kty": "oct", "k": "c2VjcmV0" * 8}]
    secret = token("secret" * 8, "HS256", {"kid": "h1"})
    assert refused("Bearer " + secret) == "invalid_token"


def test_case_64_a_storm_of_unknown_kids_makes_one_fetch_in_five_minutes(server: Server) -> None:
    enter("Bearer " + token())
    for i in range(50):
        moment = NOW + timedelta(seconds=301 + i)
        assert refused("Bearer " + token(header={"kid": f"x{i}"}), moment) == "invalid_token"
    assert len(server.asked) == 2


def test_case_64_a_new_key_is_found_at_the_next_fetch(server: Server) -> None:
    enter("Bearer " + token())
    fresh = json.loads(ECAlgorithm.to_jwk(OTHER_EC.public_key())) | {"kid": "e2"}
    server.sets["https://id.example/keys"].append(fresh)
    rotated = "Bearer " + token(OTHER_EC, header={"kid": "e2"})
    assert refused(rotated, NOW + timedelta(seconds=299)) == "invalid_token"
    assert enter(rotated, NOW + timedelta(seconds=301)).kind == "citizen"


def test_case_64_the_last_good_set_serves_a_day_and_then_nobody_gets_in(server: Server) -> None:
    enter("Bearer " + token())
    server.away = True
    for hours, outcome in ((2, None), (23, None), (25, "unavailable")):
        moment = NOW + timedelta(hours=hours)
        stamp = int(moment.timestamp())
        bearer = "Bearer " + token(iat=stamp, exp=stamp + 60)
        if outcome is None:
            assert enter(bearer, moment).kind == "citizen"
        else:
            assert refused(bearer, moment) == outcome
    assert len(server.asked) == 4


def test_case_64_without_any_set_the_answer_is_503_and_a_fetch_every_ten_seconds(
    server: Server,
) -> None:
    server.away = True
    for second in range(11):
        assert refused("Bearer " + token(), NOW + timedelta(seconds=second)) == "unavailable"
    assert len(server.asked) == 1
    server.away = False
    assert enter("Bearer " + token(), NOW + timedelta(seconds=11)).kind == "citizen"


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"keys":[]}', b'{"keys":[{}]}', b"[" * 9_999])
def test_a_broken_key_set_does_not_replace_the_good_one(raw: bytes) -> None:
    answers = [json.dumps({"keys": published()["https://id.example/keys"]}).encode(), raw]
    sets = KeySets(lambda _uri: answers.pop(0))
    assert sets.get("u", "e1", NOW)
    assert sets.get("u", "e1", NOW + timedelta(hours=2))
    assert not answers


@pytest.mark.parametrize(
    "uri", ["http://id.example/keys", "file:///etc/passwd", "ftp://id.example/k", "keys"]
)
def test_keys_come_over_https_or_from_this_machine(uri: str) -> None:
    with pytest.raises(OSError, match="https"):
        jwks.fetched(uri)


class _Keys(BaseHTTPRequestHandler):
    """A key server with an address for each way to misbehave."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/keys")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * (jwks.MAX_BYTES + 1) if self.path == "/huge" else b"{}")

    def log_message(self, *_arguments: object) -> None:
        return


def test_a_key_server_may_not_redirect_nor_send_too_much() -> None:
    with HTTPServer(("127.0.0.1", 0), _Keys) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{web.server_port}"
        try:
            assert jwks.fetched(f"{base}/keys?a=1") == b"{}"
            for path in ("/moved", "/huge"):
                with pytest.raises(OSError, match="no key set"):
                    jwks.fetched(base + path)
        finally:
            web.shutdown()
            thread.join()
    with pytest.raises(ConnectionError):
        jwks.fetched(f"{base}/keys")
