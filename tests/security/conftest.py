"""The city behind its front door, for every case of the threat model."""

import json
from collections.abc import Iterator

import pytest

from chalicelib.settings import settings
from tests.security.edge import Edge
from tests.security.tokens import ISSUERS
from tests.support.world import JURISDICTION


@pytest.fixture
def edge(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    """The test city in an empty AWS, without rate limits; everything sent to AWS is recorded."""
    monkeypatch.setenv("TANGGAP_ISSUERS", json.dumps(ISSUERS))
    monkeypatch.setenv("TANGGAP_JURISDICTION", JURISDICTION)
    settings.cache_clear()
    made = Edge(monkeypatch)
    made.recorder.start()
    try:
        yield made
    finally:
        made.recorder.stop()
        monkeypatch.undo()
        settings.cache_clear()
