"""Administrators' commands: what goes wrong is a sentence, and never a traceback."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import urllib3
from botocore.exceptions import EndpointConnectionError

from infra.city import __main__ as city_command
from infra.city import import_open311
from infra.emulator import session
from infra.ops import commands, dead
from tests.support.world import World

MAPPING = {
    "source": "oldtown",
    "columns": {"created": "opened", "lat": "lat", "long": "lon", "service": "kind"},
    "statuses": {"": "open"},
    "services": {"*": "litter"},
}
HEADER, ROW = "opened,lat,lon,kind\n", "2024-03-05,-6.195,106.805,x\n"


class Here:
    """Instead of the local stack: the AWS of the test."""

    def __init__(self, *_: Any) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(name="files")
def fixture_files(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Files and addresses that an administrator may give by mistake."""
    monkeypatch.setattr(session, "aws", Here)
    monkeypatch.setattr(import_open311, "RETRIES", urllib3.Retry(0))
    texts: dict[str, bytes] = {
        "good.csv": (HEADER + ROW).encode(),
        "latin.csv": (HEADER + ROW.replace("x", "Stra\u00dfe")).encode("latin-1"),
        "empty.csv": b"",
        "mapping.json": json.dumps(MAPPING).encode(),
        "bad.json": json.dumps({**MAPPING, "statuses": {"": "done"}}).encode(),
        "broken.json": b"{",
    }
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    named = {name.replace(".", "_"): str(tmp_path / name) for name in texts}
    return {**named, "out": str(tmp_path / "findings.csv"), "gone": str(tmp_path / "gone")}


def importing(reports: str, *more: str, mapping: str = "{mapping_json}") -> list[str]:
    """The words of an import."""
    return ["import-reports", reports, "--mapping", mapping, "--jurisdiction", "testville",
            "--findings", "{out}", *more]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (importing("{gone}"), "No such file"),
        (importing("{latin_csv}"), '"encoding": "latin-1"'),
        (importing("{empty_csv}"), "is empty"),
        (importing("{good_csv}", mapping="{gone}"), "No such file"),
        (importing("{good_csv}", mapping="{broken_json}"), "is no JSON"),
        (importing("{good_csv}", mapping="{bad_json}"), "'done' is neither"),
        (["import-reports", "{good_csv}", "--jurisdiction", "testville"], "--mapping is needed"),
        (importing("http://127.0.0.1:9/v2"), "cannot be reached"),
        (importing("http://127.0.0.1:9/v2", "--since", "lately"), "no day such as"),
        (importing("{good_csv}", "--jurisdiction", "atlantis"), "jurisdiction_id"),
        (["check", "{gone}"], "city.json"),
        (["shapes", "{gone}"], "No such file"),
        (["shapes", "{broken_json}"], "line 1"),
    ],
    ids=str,
)  # fmt: skip
def test_a_mistake_with_a_city_is_a_sentence(
    files: dict[str, str], capsys: Any, words: list[str], sentence: str
) -> None:
    assert city_command.main([word.format(**files) for word in words]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "words",
    [
        ["retention", "atlantis"],
        ["copy", "atlantis", "01HR61ZRM08DQRXNPARJJ15WHK"],
        ["erase", "atlantis", "01HR61ZRM08DQRXNPARJJ15WHK"],
        ["restore", "{gone}"],
        ["erase-again", "lately"],
        ["exposed", "atlantis", "official", "s_x"],
        ["exposed", "testville", "official", "s_x", "--since", "lately"],
        ["keys", "revoke", "k_none"],
        ["redrive", "photos"],
    ],
    ids=" ".join,
)
def test_a_mistake_of_an_administrator_is_a_sentence(
    files: dict[str, str], capsys: Any, words: list[str]
) -> None:
    status = commands.main([word.format(**files) for word in words])
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    # Some commands answer an unknown city with nothing.
    assert (status == 1 and told.err.strip()) or status == 0


@pytest.mark.parametrize("name", ["open-data", "verify", "rebuild", "backfill"])
def test_asking_a_command_how_it_is_used_does_not_run_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, name: str
) -> None:
    module = import_module(f"infra.ops.{name.replace('-', '_')}")
    monkeypatch.setattr(module, "main", lambda: pytest.fail("it ran"))
    for word, status in (("--help", 0), ("--dry-run", 2)):
        with pytest.raises(SystemExit) as ended:
            commands.main([name, word])
        assert ended.value.code == status
    assert f"``python -m infra.ops {name}``" in capsys.readouterr().out


def test_the_list_of_commands_says_what_each_does(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        commands.main(["--help"])
    assert "check the record: heads, events, texts and tallies" in capsys.readouterr().out


def test_aws_that_does_not_answer_is_a_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def away() -> dict[str, Any]:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:4566")

    monkeypatch.setattr(dead, "look", away)
    assert commands.main(["dead"]) == 1
    assert "did not answer" in capsys.readouterr().err
