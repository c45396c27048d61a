"""Editors read the schemas of a city folder from any server: ``/v1/schemas``."""

import json

from chalicelib import rules
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Edge


def test_the_list_names_every_schema_with_its_place(edge: Edge) -> None:  # noqa: F811
    rows = edge.get("/v1/schemas").body["schemas"]
    names = [row["name"] for row in rows]
    assert names == [f"{name}.json" for name in rules.names("schemas")]
    assert {"city.json", "services.json", "messages.json", "common.json"} <= set(names)
    for row in rows:
        reply = edge.get(row["path"])
        assert reply.headers["content-type"] == "application/schema+json"
        assert reply.body["title"] == row["title"]
        file = rules.FOLDER / "schemas" / row["name"]
        assert reply.body == json.loads(file.read_text("utf-8"))


def test_a_schema_can_be_cached_and_validated(edge: Edge) -> None:  # noqa: F811
    for path in ("/v1/schemas", "/v1/schemas/city.json"):
        first = edge.get(path)
        assert first.headers["cache-control"] == "public, max-age=300"
        again = edge.ask("GET", path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status, again.text) == (304, "")


def test_an_unknown_schema_is_not_found(edge: Edge) -> None:  # noqa: F811
    for name in ("city", "none.json", "..", "wards.geojson", "city.json.json"):
        assert edge.get(f"/v1/schemas/{name}").slug == "not_found"
