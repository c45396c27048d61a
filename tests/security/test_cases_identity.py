"""Cases 62 to 69: who gets in, through the real routes; unit tests test the verifier alone."""

import base64
import dataclasses
import hashlib
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.services.city import staff
from chalicelib.settings import settings
from tests.security.edge import Edge, new_report
from tests.security.tokens import POOL, Mint, ec_key, raw, rsa_key
from tests.support.world import ISSUER, JURISDICTION, STAFF

ROOT = Path(__file__).parents[2]
HEADER = {"alg": "ES256", "kid": "e1", "typ": "JWT"}
OFFICER = "subject-officer1"


def confused(mint: Mint) -> str:
    """An HMAC with the issuer's public key as its secret: algorithm confusion."""
    public = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = mint.claims(iss=POOL, aud=None, client_id="app", token_use="access", sub=OFFICER)
    unsigned = raw({"alg": "HS256", "kid": "r1", "typ": "JWT"}, claims).rsplit(".", 1)[0]
    signature = hmac.new(public, unsigned.encode(), hashlib.sha256).digest()
    return unsigned + "." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def at(mint: Mint, **offsets: int) -> str:
    """A token with some claims so many seconds from now."""
    moment = mint.claims()["iat"] + 60
    return mint.token(sub=OFFICER, **{name: moment + by for name, by in offsets.items()})


FORGED: dict[str, Callable[[Mint], str]] = {
    "alg none": lambda m: raw({**HEADER, "alg": "none"}, m.claims(sub=OFFICER)),
    "alg nOnE": lambda m: raw({**HEADER, "alg": "nOnE"}, m.claims(sub=OFFICER)),
    "HS256 with the public key": confused,
    "another key under the same kid": lambda m: m.token(key=ec_key("evil"), sub=OFFICER),
    "a kid that is a path": lambda m: m.token(header={"kid": "../../dev/null"}, sub=OFFICER),
    "a kid that is SQL": lambda m: m.token(header={"kid": "e1' OR '1'='1"}, sub=OFFICER),
    "an unknown kid": lambda m: m.token(header={"kid": "e2"}, sub=OFFICER),
    "a key of its own": lambda m: m.token(header={"jwk": {"kty": "EC"}}, sub=OFFICER),
    "a key elsewhere": lambda m: m.token(header={"jku": "https://evil.test"}, sub=OFFICER),
    "a certificate elsewhere": lambda m: m.token(header={"x5u": "https://evil.test"}, sub=OFFICER),
    "a critical extension": lambda m: m.token(header={"crit": ["exp"]}, sub=OFFICER),
    "no expiry": lambda m: m.token(exp=None, sub=OFFICER),
    "expired": lambda m: at(m, exp=-31),
    "not yet valid": lambda m: at(m, nbf=31),
    "issued in the future": lambda m: at(m, iat=31),
    "another issuer": lambda m: m.token(iss="https://evil.test", sub=OFFICER),
    "the issuer with a slash": lambda m: m.token(iss=ISSUER + "/", sub=OFFICER),
    "another issuer's key": lambda m: m.token(iss=POOL, sub=OFFICER),
    "another audience": lambda m: m.token(aud="other", sub=OFFICER),
    "an audience with a prefix": lambda m: m.token(aud="tanggap.evil.test", sub=OFFICER),
    "no audience": lambda m: m.token(aud=None, sub=OFFICER),
    "an ID token": lambda m: m.token(at_hash="x", sub=OFFICER),
    "no subject": lambda m: m.token(sub=None),
    "two megabytes": lambda m: m.token(pad="x" * 2_000_000, sub=OFFICER),
    "nine kilobytes": lambda m: m.token(pad="x" * 6_500, sub=OFFICER),
    "a.b.c": lambda _: "a.b.c",
    "two dots": lambda _: "..",
    "a changed payload": lambda m: _changed(m.token(sub="person-1")),
}


def _changed(token: str) -> str:
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{header}.{raw({}, {**claims, 'sub': OFFICER}).split('.')[1]}.{signature}"


@pytest.mark.parametrize("name", FORGED)
def test_case_62_a_forged_or_foreign_token_is_401(edge: Edge, name: str) -> None:
    bearer = f"Bearer {FORGED[name](edge.mint)}"
    answers = {edge.ask("GET", "/v1/queue", who="Bearer x.y.z").text}
    for reply in (
        edge.get("/v1/queue", bearer),
        edge.get("/v1/health", bearer),
        edge.post("/v1/reports", new_report(), bearer),
    ):
        if reply.status == 431:  # as API Gateway refuses headers over 10 KB
            continue
        assert (reply.status, reply.slug) == (401, "invalid_token")
        assert reply.headers["www-authenticate"].startswith("Bearer")
        answers.add(reply.text)
    assert len(answers) == 1


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Basic YTpi", "Device", "Device x", "Bearer a b", "x" * 500]
)
def test_case_62_other_authorizations_are_401_on_public_routes_too(edge: Edge, given: str) -> None:
    reply = edge.get("/v1/health", given)
    assert (reply.status, reply.slug) == (401, "invalid_token")


def test_case_62_a_device_token_of_another_making_is_401(edge: Edge) -> None:
    from chalicelib.services.platform import signing

    genuine = edge.device()
    kid, payload, signature = genuine.removeprefix("Device ").split(".")
    cursor = signing.sign("cursor", {"d": "0" * 16}, None)
    link = signing.sign("answer", {"d": "0" * 16}, None)
    for token in (f"{kid}.{payload}.{signature[::-1]}", f"k2.{payload}.{signature}", cursor, link):
        assert edge.get("/v1/me", f"Device {token}").status == 401
    assert edge.get("/v1/me", genuine).body["kind"] == "citizen"


def test_case_62_a_good_token_gets_in(edge: Edge) -> None:
    assert edge.get("/v1/queue", edge.staff("officer1")).status == 200
    assert edge.get("/v1/me", f"Bearer {edge.mint.token()}").body["kind"] == "citizen"


def test_case_63_an_access_token_without_audience_is_judged_by_client_and_use(edge: Edge) -> None:
    assert edge.get("/v1/me", f"Bearer {edge.mint.pool()}").body["kind"] == "citizen"
    for wrong in (
        {"token_use": "id"}, {"token_use": None}, {"client_id": "other"}, {"client_id": None},
        {"token_use": "id", "client_id": None, "aud": "app"},
    ):  # fmt: skip
        assert edge.get("/v1/me", f"Bearer {edge.mint.pool(**wrong)}").status == 401


def test_case_63_a_subject_is_an_officials_at_the_recorded_issuer_alone(edge: Edge) -> None:
    bearer = f"Bearer {edge.mint.pool(sub=OFFICER)}"
    assert edge.get("/v1/me", bearer).body["kind"] == "citizen"
    assert edge.get("/v1/queue", bearer).status == 403


def test_case_64_a_storm_of_unknown_kids_makes_one_fetch_in_five_minutes(edge: Edge) -> None:
    edge.get("/v1/me", edge.staff("officer1"))
    edge.advance(minutes=6)
    for number in range(50):
        bearer = f"Bearer {edge.mint.token(header={'kid': f'k{number}'})}"
        assert edge.get("/v1/me", bearer).status == 401
    assert len(edge.server.asked) == 2
    assert edge.get("/v1/me", edge.staff("officer1")).status == 200


def test_case_64_keys_that_cannot_be_had_let_nobody_in(edge: Edge) -> None:
    import app
    from tests.security.edge import Context, event_of

    def status(who: str | None) -> int:
        event = event_of("GET", "/v1/me", None, {}, {"Authorization": who} if who else {}, "::1")
        answer: dict[str, Any] = app.app(event, Context())
        return int(answer["statusCode"])

    me = edge.device()
    assert status(edge.staff("officer1")) == 200
    edge.server.away = True
    edge.advance(hours=23)
    assert status(edge.staff("officer1")) == 200
    edge.advance(hours=1, seconds=1)
    assert status(edge.staff("officer1")) == 503
    assert status(f"Bearer {edge.mint.token(key=ec_key('evil'))}") == 503
    # Citizens can still work: their tokens need no issuer.
    assert status(me) == 200
    assert edge.file(me).status == 201


def test_case_65_a_role_that_was_taken_away_is_gone_within_half_a_minute(edge: Edge) -> None:
    from chalicelib.storage import city

    officer = edge.staff("officer1")
    assert edge.get("/v1/queue", officer).status == 200
    record = next(one for one in STAFF if one["ref"] == "s_officer1")
    city.put_staff(JURISDICTION, [{**record, "active": False}])
    edge.advance(seconds=31)
    assert edge.get("/v1/queue", officer).status == 403
    city.put_staff(JURISDICTION, [{**record, "grants": []}])
    edge.advance(seconds=31)
    assert edge.get("/v1/queue", officer).status == 403
    assert edge.get("/v1/me", officer).body["grants"] == []
    moved = [{"role": "officer", "districts": ["D2"], "services": ["*"]}]
    city.put_staff(JURISDICTION, [{**record, "grants": moved}])
    edge.advance(seconds=31)
    assert edge.get("/v1/queue", officer, district="D1").status == 404
    assert edge.get("/v1/queue", officer, district="D2").status == 200


@pytest.mark.parametrize(
    "claim",
    [
        {"cognito:groups": ["admin", "officer"]}, {"groups": "officer"}, {"roles": ["officer"]},
        {"role": "city_admin"}, {"realm_access": {"roles": ["officer"]}}, {"kind": "staff"},
        {"scope": "officer"}, {"cognito:groups": "officer "}, {"permissions": ["contact"]},
    ],
)  # fmt: skip
def test_case_66_no_claim_gives_a_role(edge: Edge, claim: dict[str, Any]) -> None:
    bearer = f"Bearer {edge.mint.token(**claim)}"
    assert edge.get("/v1/me", bearer).body["kind"] == "citizen"
    assert edge.get("/v1/queue", bearer).status == 403


@pytest.mark.parametrize("role", ["officer ", "Officer", "оfficer", "officer,verifier", "*", ""])
def test_case_66_a_role_matches_as_it_is_written(edge: Edge, role: str) -> None:
    from chalicelib.storage import city

    record = next(one for one in STAFF if one["ref"] == "s_officer1")
    grants = [{"role": role, "districts": ["D1"], "services": ["*"]}]
    city.put_staff(JURISDICTION, [{**record, "grants": grants}])
    staff.forget()
    assert edge.get("/v1/queue", edge.staff("officer1")).status == 403


@pytest.mark.parametrize(
    "subject", [f"{OFFICER} ", OFFICER.upper(), f"{OFFICER}\n", "subject-оfficer1"]
)
def test_case_66_a_subject_matches_as_it_is_written(edge: Edge, subject: str) -> None:
    assert edge.get("/v1/queue", f"Bearer {edge.mint.token(sub=subject)}").status in (401, 403)


def test_case_67_the_development_issuer_does_not_load_on_lambda() -> None:
    environment = {**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "api"}
    finished = subprocess.run(
        [sys.executable, "-c", "import infra.local.issuer"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode != 0
    assert "must never run on Lambda" in finished.stderr


def test_case_67_what_ships_does_not_name_the_development_issuer() -> None:
    for path in (ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py")):
        text = path.read_text("utf-8")
        assert "infra" not in {line.split()[1].split(".")[0] for line in text.splitlines()
                               if line.startswith(("import ", "from "))}  # fmt: skip
        assert "/dev/token" not in text


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "id_token"])
def test_case_68_a_token_in_the_address_is_none(edge: Edge, name: str) -> None:
    token = edge.staff("officer1").removeprefix("Bearer ")
    reply = edge.get("/v1/queue", **{name: token})
    assert (reply.status, reply.slug) == (400, "unknown_parameter")
    assert token not in reply.text
    assert edge.get("/v1/queue").status == 401


ORIGIN = "http://127.0.0.1:8000"
OTHER_ORIGINS = (
    "https://evil.test", "null", "http://127.0.0.1:8000.evil.test", "http://127.0.0.1:80000",
    "https://127.0.0.1:8000", "http://127.0.0.1", "http://evil.test/http://127.0.0.1:8000",
    "HTTP://127.0.0.1:8000", "*",
)  # fmt: skip


@pytest.mark.parametrize("origin", OTHER_ORIGINS)
def test_case_69_another_origin_is_not_let_in(edge: Edge, origin: str) -> None:
    me = edge.device()
    for reply in (
        edge.ask("GET", "/v1/health", headers={"Origin": origin}),
        edge.ask("GET", "/v1/queue", headers={"Origin": origin}),
        edge.ask("GET", "/v1/nothing", headers={"Origin": origin}),
        edge.post("/v1/reports", {}, me, headers={"Origin": origin}),
    ):
        assert [name for name in reply.headers if name.startswith("access-control-")] == []
        assert "Origin" in reply.headers["vary"]


def test_case_69_the_one_origin_is_named_on_refusals_too(edge: Edge) -> None:
    for path, status in (("/v1/health", 200), ("/v1/queue", 401), ("/v1/nothing", 404)):
        reply = edge.ask("GET", path, headers={"Origin": ORIGIN})
        assert (reply.status, reply.headers["access-control-allow-origin"]) == (status, ORIGIN)
        assert "access-control-allow-credentials" not in reply.headers


def test_an_issuer_of_the_settings_must_pin_its_algorithm(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Algorithms that the settings do not name admit nobody, even well signed."""
    held = settings()
    loose = tuple({**issuer, "algorithms": ["RS256"]} for issuer in held.issuers)
    monkeypatch.setattr(
        "chalicelib.auth.oidc.settings", lambda: dataclasses.replace(held, issuers=loose)
    )
    assert edge.get("/v1/me", edge.staff("officer1")).status == 401
