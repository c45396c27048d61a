"""Everything that is public, read before and after a report becomes protected."""

import gzip
import re
import zipfile
from datetime import timedelta
from io import BytesIO
from typing import Any

from chalicelib.domain.timestamps import shifted
from chalicelib.services.open_data import publishing
from chalicelib.services.scorecards import anonymising, lifecycle
from chalicelib.settings import settings
from chalicelib.storage import files
from tests.security.edge import ADDRESS, Context, Edge, application, event_of
from tests.support.world import city

WORDS = "Katasangatrahasia"
MONTH = "202611"
# The query of each public address; other addresses are asked without one.
BOX = "106.80,-6.20,106.84,-6.19"
ASKED: dict[str, list[dict[str, Any]]] = {
    "/v1/map/reports": [{"bbox": BOX}, {"bbox": BOX, "status": "closed"}],
    "/v1/map/nearby": [{"lat": -6.195, "long": 106.805}],
    "/v1/map/cells": [{"bbox": BOX, "z": 16}],
    "/v1/scorecards/{month}/{area}/rows": [
        {"measure": name} for name in ("on_time", "acknowledged_on_time", "received", "backlog")
    ],
    "/open311/v2/requests.json": [{}, {"extensions": "true"}],
}


def walk(edge: Edge, known: dict[str, list[str]], cursor: str) -> dict[str, str]:
    """{address: text} of every GET that anybody may ask."""
    found: dict[str, str] = {}
    for route, views in sorted(application().routes.items()):
        if "GET" not in views or route.startswith("/docs"):
            continue
        paths = [route]
        for name in re.findall(r"{(\w+)}", route):
            paths = [
                one.replace(f"{{{name}}}", value) for one in paths for value in known.get(name, [])
            ]
        for path in paths:
            for query in [*ASKED.get(route, [{}]), *([{"since": cursor}] * path.count("changes"))]:
                asked = {name: str(value) for name, value in query.items()}
                event = event_of("GET", path, None, dict(asked), {}, ADDRESS)
                answer = application()(event, Context())
                # Clients that watch the map need the id of the report to remove it.
                text = re.sub(r'"remove":\[[^]]*\]', "", str(answer["body"]))
                found[f"{path} {query}"] = text + str(answer["headers"])
    return found


def shelf() -> str:
    """Every public file, as one text."""
    texts = []
    for prefix in ("open-data/", "scorecards/"):
        for key in files.keys(prefix):
            body = files.get(key) or b""
            if key.endswith(".gz"):
                body = gzip.decompress(body)
            if key.endswith(".zip"):
                with zipfile.ZipFile(BytesIO(body)) as packed:
                    body = b"".join(packed.read(name) for name in packed.namelist())
            texts.append(body.decode("utf-8", "replace"))
    return "\n".join(texts)


def test_what_becomes_protected_is_in_no_public_answer_and_no_file(edge: Edge) -> None:
    first, second = edge.device(), edge.device()
    officer = edge.staff("officer1")
    photo = edge.photo(first, processed=True)
    filed = edge.file(first, service="litter", description=WORDS, photos=[photo]).body
    report, code = filed["id"], filed["code"]
    cursor = edge.get("/v1/changes").body["cursor"]
    edge.advance(minutes=5)
    duplicate = edge.file(second, service="litter").body["id"]
    assert edge.act(officer, duplicate, "merge", into=report).status == 200
    assert edge.act(officer, report, "assign", person="s_worker1", note="x").status == 200
    edge.project()
    edge.now = city().bounds(MONTH)[1] - timedelta(hours=1)
    lifecycle.update_all(edge.now)
    edge.now = city().day(shifted(MONTH, 1), 16)
    lifecycle.update_all(edge.now)
    publishing.publish(edge.now)
    known = {
        "id": [report, duplicate], "code": [code], "month": [MONTH],
        "area": ["TV", "D1", "D1-W1", "u-d1"], "token": [f"t{report}"], "request": [report],
        "name": [f"{report}-{photo}.webp", f"{report}-{photo}.jpg",
                 f"{report}.json", f"t{report}.json"],
        "report": [report], "photo": [photo],
    }  # fmt: skip
    marks = (report, code, WORDS)

    def leaks() -> set[str]:
        fresh = edge.get("/v1/changes").body["cursor"]
        told = walk(edge, known, fresh)
        return {
            at for at, text in told.items() for mark in marks if mark in text and mark not in at
        } | {at for at, text in told.items() if WORDS in text or code in text}

    before = leaks()
    assert any("/v1/reports/" in one for one in before)
    assert any("rows" in one for one in before)
    assert any("open311" in one for one in before)
    assert report in shelf()
    assert cursor
    change = {"service": "violence", "reason": "Rahasia."}
    assert edge.act(edge.staff("worker1"), report, "protect", **change).status == 200
    edge.project()
    assert leaks() == set()
    assert edge.act(edge.staff("safe"), report, "take").status == 200
    edge.project()
    assert leaks() == set()
    edge.advance(hours=2)
    publishing.publish(edge.now)
    lifecycle.update_all(edge.now)
    anonymising.anonymise_hidden(edge.now)
    assert not [mark for mark in marks if mark in shelf()]
    assert settings().bucket
