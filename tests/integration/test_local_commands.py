"""What `make run` and `make token` tell a newcomer."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.settings import settings
from infra.emulator.emulator import StackError
from infra.local import __main__ as commands
from infra.local import officials
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Edge
from tests.support.world import JURISDICTION


def token_of(edge: Edge, role: str, **where: Any) -> str:  # noqa: F811
    return officials.subject(JURISDICTION, role, now=edge.now, **where)


@pytest.mark.parametrize(
    ("role", "where", "said"),
    [
        ("oficer", {}, ("unknown ROLE 'oficer'", "  officer", "  verifier")),
        ("", {}, ("no ROLE is given", "  officer")),
        ("officer", {"district": "D99"}, ("unknown DISTRICT 'D99'", "  D1  ", "  D2  ")),
        ("officer", {"unit": "nobody"}, ("unknown UNIT 'nobody'", "  u-d1  ")),
    ],
)
def test_a_wrong_word_to_make_token_lists_the_valid_ones(
    edge: Edge,  # noqa: F811
    role: str,
    where: dict[str, str],
    said: tuple[str, ...],
) -> None:
    with pytest.raises(StackError) as refused:
        token_of(edge, role, **where)
    for words in said:
        assert words in str(refused.value)


def test_an_unknown_official_is_an_error_that_lists_the_known_ones(edge: Edge) -> None:  # noqa: F811
    with pytest.raises(StackError, match="no official is officer of u-d1 in D2") as refused:
        token_of(edge, "officer", district="D2", unit="u-d1")
    assert "\n  " in str(refused.value)


def test_a_city_that_is_not_loaded_is_an_error(edge: Edge) -> None:  # noqa: F811
    with pytest.raises(StackError, match="no city nowhere is loaded"):
        officials.subject("nowhere", "officer", now=edge.now)


def test_the_right_words_find_the_official(edge: Edge) -> None:  # noqa: F811
    assert token_of(edge, "officer", district="D1")
    assert token_of(edge, "city_admin", district="D2")


def test_make_run_says_what_can_be_opened(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("TANGGAP_ALLOW_ORIGIN", f"http://127.0.0.1:8000,{commands.DEV_ORIGINS[0]}")
    settings.cache_clear()
    stack: Any = SimpleNamespace(url="http://127.0.0.1:8000", folder=Path(".local"))
    said = commands._welcome(stack)
    for place in ("/", "/docs", "/v1/services"):
        assert f"{stack.url}{place}" in said
        assert edge.ask("GET", place).status == 200
    assert "make -s token ROLE=officer DISTRICT=" in said
    assert "make demo" in said
    assert commands.DEV_ORIGINS[0] in said
