"""Webhooks as data: what a folder may say, what is sent to whom, and the guide for receivers."""

import copy
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain import webhooks
from chalicelib.domain.city.city import City
from chalicelib.domain.city.hook import Hook, read_hook
from chalicelib.outside import webhooks as outside
from infra.city.findings import CityErrors
from infra.city.load import prepare
from tests.support.city_folder import files, write

DOCS = Path(__file__).parents[2] / "docs"
GOOD = {
    "code": "lapor", "name": "LAPOR!", "url": "https://lapor.example.org/hook",
    "events": ["file", "finish"], "services": ["hole"], "districts": ["*"],
    "states": {"submitted": "Belum", "closed": "Selesai", "rejected": "Ditolak", "*": "Proses"},
    "categories": {"hole": "12", "*": "99"}, "outside_id": "data.id", "since": "2026-12-01",
    "token_header": "Authorization",
}  # fmt: skip
HOOK = Hook("lapor", "https://lapor.example.org/hook")


def loaded(folder: Path, **changed: Any) -> list[str]:
    """What is wrong with a folder whose hook has these changes (``None``: without the field)."""
    hook = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    try:
        prepare(write(folder, {**files(), "webhooks.json": {"webhooks": [hook]}}))
    except CityErrors as errors:
        return errors.findings
    return []


def test_a_hook_of_the_folder_is_one_of_the_city(tmp_path: Path) -> None:
    made = prepare(write(tmp_path / "town", {**files(), "webhooks.json": {"webhooks": [GOOD]}}))
    city = City.from_json(made.bundle)
    assert city.hooks["lapor"] == Hook(
        "lapor", "https://lapor.example.org/hook", frozenset({"file", "finish"}),
        frozenset({"hole"}), None, GOOD["states"], GOOD["categories"], ("data", "id"),
        "2026-11-30T17:00:00.000Z", "Authorization",
    )  # fmt: skip


def test_a_city_based_on_another_does_not_send_its_reports_to_the_others_systems(
    tmp_path: Path,
) -> None:
    write(tmp_path / "base", {**files(), "webhooks.json": {"webhooks": [GOOD]}})
    made = prepare(write(tmp_path / "own", {"city.json": {"base": "../base"}}))
    assert "webhooks" not in made.bundle


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"url": "http://lapor.example.org"}, "webhooks[0].url: must begin with https://"),
        ({"url": "https://10.0.0.1/hook"}, "webhooks[0].url: must name a server, not a number"),
        ({"url": "https://queue.internal/"}, "webhooks[0].url: names a server inside"),
        ({"url": None}, "webhooks[0].url: is missing"),
        (
            {"states": {"submited": "x", "*": "y"}},
            "webhooks[0].states.submited: is no state and no resolution: did you mean 'submitted'?",
        ),
        (
            {"states": {"submitted": "Belum", "closed": "Selesai"}},
            "webhooks[0].states: has no word for assigned, in_progress, coordinated, scheduled, "
            "needs_info, work_done, and no * for all others",
        ),
        (
            {"states": {name: "x" for name in webhooks.words_for()[0] if name != "closed"}},
            "webhooks[0].states: has no word for closed, and no * for all others",
        ),
        (
            {
                "states": {name: "x" for name in webhooks.words_for()[0] if name != "closed"}
                | {"verified": "ok", "rejected": "no"}
            },
            "webhooks[0].states: has no word for unverified, duplicate, not_ours, withdrawn, "
            "and no * for all others",
        ),
        ({"states": {"*": ""}}, "webhooks[0].states.*: must be a text"),
        ({"events": ["finnish"]}, "'finnish' is no public event: did you mean 'finish'?"),
        ({"events": ["contact_read"]}, "'contact_read' is no public event"),
        ({"events": []}, "webhooks[0].events: must name at least one event"),
        ({"services": ["hoel"]}, "webhooks[0].services: names an unknown service 'hoel'"),
        ({"services": ["violence"]}, "whose reports are protected and never sent"),
        ({"districts": ["D9"]}, "webhooks[0].districts: names an unknown district 'D9'"),
        ({"categories": {"hoel": "1"}}, "is no service of services.json: did you mean 'hole'?"),
        ({"outside_id": "data/id"}, "must be names of fields with dots between them"),
        ({"token_header": "Host"}, "must not be Host, which has another meaning"),
        ({"token_header": "webhook-id"}, "must not be webhook-id, which has another meaning"),
        ({"token_header": "X y"}, "must be the name of a header, such as Authorization"),
        ({"since": "1 December"}, "webhooks[0].since: must be a date such as 2026-12-01"),
        ({"since": "0001-01-01"}, "webhooks[0].since: must be a day after 1970"),
        ({"secret": "x"}, "webhooks[0].secret: is not known here"),
    ],
)
def test_a_fault_of_a_hook_says_what_to_write_instead(
    tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    found = loaded(tmp_path / "town", **changed)
    assert [line for line in found if says in line], found


def test_two_hooks_of_one_code_are_a_fault(tmp_path: Path) -> None:
    folder = write(tmp_path / "town", {**files(), "webhooks.json": {"webhooks": [GOOD, GOOD]}})
    with pytest.raises(CityErrors, match="'lapor' is used twice"):
        prepare(folder)


def test_a_closed_report_has_the_word_of_its_resolution() -> None:
    hook = read_hook({**GOOD, "outside_id": ["data", "id"]})
    states = [
        ("submitted", None),
        ("assigned", None),
        ("closed", "rejected"),
        ("closed", "verified"),
    ]
    words = [webhooks.their_state(hook, state, resolution) for state, resolution in states]
    assert words == ["Belum", "Proses", "Ditolak", "Selesai"]
    assert webhooks.their_state(HOOK, "submitted", None) is None
    assert (webhooks.their_category(hook, "hole"), webhooks.their_category(hook, "x")) == (
        "12",
        "99",
    )


@pytest.mark.parametrize(
    ("answer", "their_id"),
    [
        ({"data": {"id": "L-7"}}, "L-7"), ({"data": {"id": 7}}, "7"),
        ({"data": {"id": " 7 "}}, "7"), ({"data": {"id": ""}}, None),
        ({"data": {"id": True}}, None), ({"data": {"id": None}}, None),
        ({"data": {"id": {"x": 1}}}, None), ({"data": []}, None), ([], None), (None, None),
        ({"data": {"id": "x" * 201}}, None), ({"data": {"id": "a\nb"}}, None),
    ],
)  # fmt: skip
def test_their_id_is_a_short_text_or_a_number(answer: Any, their_id: str | None) -> None:
    hook = read_hook({**GOOD, "outside_id": ["data", "id"]})
    assert webhooks.their_id(hook, answer) == their_id
    assert webhooks.their_id(HOOK, answer) is None


def event(action: str, before: dict[str, Any] | None = None, **after: Any) -> Any:
    """An event with these facts; ``before`` differs from the facts after it."""
    facts = {"service": "hole", "district": "D1", "protected": False, **after}
    was = None if before is None else {**facts, **before}
    return {"action": action, "at": "2026-12-02", "before": was, "after": facts}


@pytest.mark.parametrize(
    ("what", "told", "kind"),
    [
        (event("file"), False, "event"),
        (event("file", private=True), False, None),
        (event("support", {}), True, None),
        (event("contact_read", {}), True, None),
        (event("import", history=True), False, None),
        (event("take", {}, protected=True), True, "gone"),
        (event("take", {}, protected=True), False, None),
        (event("comment", {"protected": True}, protected=True), False, None),
        (event("import_undone", {}, secret=True), True, "gone"),
        (event("opened", {"private": True}), False, "shown"),
        (event("return", {"secret": True}), False, "shown"),
        (event("reclassify", {"service": "lamp"}), False, "event"),
        (event("reclassify", {"service": "hole"}, service="lamp"), True, "event"),
        (event("start", {}, service="lamp"), True, None),
        (event("erased", {}, service="lamp"), True, "event"),
        (event("erased", {}, service="lamp"), False, None),
    ],
)
def test_what_an_event_says_to_a_hook(what: Any, told: bool, kind: str | None) -> None:
    hook = Hook("lapor", "https://lapor.example.org", services=frozenset({"hole"}))
    assert webhooks.kind(what, hook, told=told) == kind


def test_a_hook_that_names_a_quiet_event_gets_it() -> None:
    support = event("support", {})
    named = Hook("lapor", "https://lapor.example.org", events=frozenset({"support"}))
    assert webhooks.kind(support, named, told=True) == "event"
    assert webhooks.kind(event("file"), named, told=False) is None


def samples(language: str) -> str:
    """The sample in the receivers' guide."""
    text = (DOCS / "webhooks.md").read_text("utf-8")
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
    return str(code)


def signed(age: int = 0, secret: str = outside.secret(b"k" * 32)) -> tuple[dict[str, str], bytes]:
    """The headers and body of a delivery."""
    body, stamp = '{"type":"ping","data":{"x":"é"}}'.encode(), int(time.time()) - age
    other = outside.secret(b"o" * 32)
    signature = outside.signature("r-1", body, [other, secret], stamp)
    return {
        "webhook-id": "r-1", "webhook-timestamp": str(stamp), "webhook-signature": signature
    }, body  # fmt: skip


def test_the_python_sample_of_the_guide_verifies_what_is_sent() -> None:
    names: dict[str, Any] = {}
    exec(samples("python"), names)
    verify, secret = names["verify"], outside.secret(b"k" * 32)
    headers, body = signed()
    assert verify(secret, headers, body)
    assert not verify(secret, headers, body + b" ")
    assert not verify(outside.secret(b"x" * 32), headers, body)
    assert not verify(secret, {**headers, "webhook-id": "r-2"}, body)
    assert not verify(secret, *signed(age=400))


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_node_sample_of_the_guide_verifies_what_is_sent(tmp_path: Path) -> None:
    headers, body = signed()
    script = tmp_path / "verify.js"
    calls = [
        (outside.secret(b"k" * 32), headers, body.decode()),
        (outside.secret(b"k" * 32), headers, body.decode() + " "),
        (outside.secret(b"x" * 32), headers, body.decode()),
    ]
    lines = [f"console.log(verify({a!r}, {b!r}, Buffer.from({c!r})))" for a, b, c in calls]
    script.write_text(samples("js") + "\n".join(lines), "utf-8")
    done = subprocess.run(["node", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["true", "false", "false"]


def test_the_guide_names_every_event_that_removes_something() -> None:
    text = (DOCS / "webhooks.md").read_text("utf-8")
    row = next(line for line in text.splitlines() if "report.erased" in line)
    assert {name.removeprefix("report.") for name in re.findall(r"report\.\w+", row)} == set(
        copy.copy(webhooks._rules()["removing"])
    )
