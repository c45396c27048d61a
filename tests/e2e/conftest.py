"""The whole local system for tests over HTTP: free ports, its own data, driven by the test."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from infra.local.schedules import Clock
from infra.local.stack import LocalStack

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A running system with the demo city, on a Monday at eight in Jakarta.

    Nothing happens behind the requests until ``stack.drain()`` or ``stack.tick(moment)``. It ends
    with this package, because other tests have AWS by moto in the same process.
    """
    folder = tmp_path_factory.mktemp("stack")
    with LocalStack(folder, clock=Clock(START, factor=0), drivers="manual") as running:
        yield running
