"""Schema and loader agree on files with one spoilt value."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.city.findings import CityErrors
from infra.city.load import prepare
from tests.support.city_folder import Files, both, files, service, target, write
from tests.unit.test_city_schemas import validator

VALUES = [None, True, 0, -1, 2.5, 10**9, 1e999, "", " ", "x", "a b", [], {}, ["x", "x"], [{}], [1]]
# Findings that only a schema has. (A row of overrides is not JSON.)
WORDS = ("must be a list", "must be an object", "must be true or false", "is not known here",
         "must be a text", "must be a whole number", "must be a number")  # fmt: skip


def whole() -> Files:
    """A folder without faults that has every file and nearly every field."""
    made = files()
    hotline = [{"name": both("Help"), "number": "+62 21 500", "hours": both("always")}]
    made["city.json"] |= {
        "numbers": hotline, "country": "ID", "retention": {"contact_days": 60, "closed_days": 400},
        "$schema": "../city.json", "about": 1,
    }  # fmt: skip
    made["city.json"]["limits"]["flags"] = [{"n": 5, "seconds": 60}]
    made["services.json"]["services"].append(
        service(
            "lamp", unit="lights", description=both("A lamp"), public=False, public_decimals=4,
            reception="batch", numbers=hotline, staff_only=True, active=True, keywords=["lamp"],
            acknowledge=target(1.5), protected=False,
        )
    )  # fmt: skip
    server = {
        "endpoint": "https://open311.example.org/v2", "jurisdiction_id": "x", "format": "xml",
        "updates": True, "private": False,
        "services": {"lamp": {"code": "1", "attributes": {"KIND": "lamp"}}},
    }  # fmt: skip
    made["units.json"]["units"].append(
        {"code": "lights", "name": both("L"), "kind": "agency", "districts": ["*"],
         "open311": server}
    )  # fmt: skip
    made["staff.json"]["staff"][0] |= {
        "home_district": "D1", "active": True, "issuer": "https://x.example",
        "endpoints": [{"protocol": "sms", "endpoint": "+62123456789", "events": ["new"]}],
    }  # fmt: skip
    made["staff.json"]["staff"][0]["grants"][0]["permissions"] = ["abuse"]
    made["scoring.json"] |= {"old_factor": 2.5, "unaudited_pass_rate": 0.5}
    rung = {"share": 1.0, "tell": ["holder", "auditor"], "priority": "high"}
    made["escalation.json"] = {"per_hour": 3, "ladders": {"*": [rung], "all": [rung]}}
    made["webhooks.json"] = {
        "webhooks": [
            {"code": "lapor", "name": "L", "url": "https://lapor.example.org", "events": ["file"],
             "services": ["hole"], "districts": ["D1"], "states": {"submitted": "a", "*": "b"},
             "categories": {"hole": "1"}, "outside_id": "data.id", "since": "2026-12-01",
             "token_header": "X-Key"}
        ]
    }  # fmt: skip
    made["patterns.json"] = {
        "patterns": [
            {"kind": "phone", "starts": ["02"], "digits": [9, 12], "first": 3, "groups": [[3, 7]],
             "finds": ["021 5551234"], "passes": ["nothing"]},
            {"kind": "identity", "shape": "AA 99 99 99 A", "finds": ["QQ 12 34 56 C"]},
        ]
    }  # fmt: skip
    made["successors.json"] = {
        "areas": {"W9": ["W1", "W2"]}, "units": {"old": "lights"}, "services": {"gone": ["lamp"]},
    }  # fmt: skip
    return made


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for step, each in inner if isinstance(value, dict | list) else ():
        yield (*path, step)
        if isinstance(each, dict | list):
            yield from places(each, (*path, step))


GOOD = whole()
CHECKED = sorted(set(GOOD) - {"wards.geojson", "overrides.csv"})
PLACES = [
    (name, path)
    for name in CHECKED
    for path in places(GOOD[name])
    if not {"about", "$schema", "where"} & set(path)
]


def spoilt(name: str, path: tuple[Any, ...], how: str, value: Any) -> Files:
    """The folder with one value of a file replaced or dropped, or with a field or item more."""
    made = copy.deepcopy(GOOD)
    holder = made[name]
    for step in path[:-1]:
        holder = holder[step]
    if how == "replace":
        holder[path[-1]] = value
    elif how == "drop":
        del holder[path[-1]]
    elif isinstance(holder, dict):
        holder["colour"] = value
    else:
        holder.append(value)
    return made


def agree(folder: Path, name: str, made: Files) -> None:
    """The loader refuses what the schema refuses, and finds nothing of the schema's kind else."""
    refused = not validator(name).is_valid(made[name])
    try:
        prepare(write(folder, made))
    except CityErrors as errors:
        found = errors.findings
    else:
        found = []
    here = [line for line in found if line.startswith(f"{name}:")]
    assert here or not refused, (name, found)
    if not refused:
        assert not [line for line in here if any(word in line for word in WORDS)], here


def test_the_whole_folder_has_no_fault(tmp_path: Path) -> None:
    prepare(write(tmp_path / "town", GOOD))
    for name in CHECKED:
        assert validator(name).is_valid(GOOD[name]), name


@given(
    st.sampled_from(PLACES), st.sampled_from(["replace", "drop", "add"]), st.sampled_from(VALUES)
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_schema_and_loader_agree_on_a_spoilt_file(
    tmp_path_factory: Any, place: tuple[str, tuple[Any, ...]], how: str, value: Any
) -> None:
    name, path = place
    made = spoilt(name, path, how, value)
    made[name] = json.loads(json.dumps(made[name]).replace("Infinity", "1e999"))
    agree(tmp_path_factory.mktemp("city") / "town", name, made)
