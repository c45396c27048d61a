"""The test city in an empty AWS."""

import pytest

from tests.support.world import World


@pytest.fixture
def world(aws: None) -> World:
    """A world of its own for each test."""
    return World()
