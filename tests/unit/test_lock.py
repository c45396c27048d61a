"""What ships is locked: every version with digests, the pins of the lists, no host named."""

import re

import pytest

from infra.deploy import lock

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name: str) -> dict[str, str]:
    text = (lock.ROOT / name).read_text("utf-8")
    return {normal(one): version for one, version in re.findall(rf"(?m)^({NAME})==(\S+)", text)}


@pytest.mark.parametrize(("name", "source"), lock.LOCKS.items())
def test_every_pin_that_ships_is_locked_at_its_version(name: str, source: str) -> None:
    asked = lock.needed(source).splitlines()
    assert asked
    for line in asked:
        wanted = re.match(rf"({NAME})(?:\[.*?\])?(==|>=)?([^\s;]*)", line)
        assert wanted is not None, line
        version = locked(name).get(normal(wanted[1]))
        assert version is not None, f"{line}: run make lock"
        assert wanted[2] != "==" or version == wanted[3], f"{line}: run make lock"


@pytest.mark.parametrize("name", lock.LOCKS)
def test_every_library_has_digests_and_no_host_is_named(name: str) -> None:
    text = (lock.ROOT / name).read_text("utf-8")
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", text)[1:]
    assert entries
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.split()[0]
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|@ file", text)
