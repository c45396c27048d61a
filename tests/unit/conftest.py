"""Unit tests have no AWS: cities are not looked up, as if they could not be read."""

import pytest

from chalicelib.services.city import cities


@pytest.fixture(autouse=True)
def no_city_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal asks for the city's languages; without AWS that would wait for a connection."""
    monkeypatch.setattr(cities, "languages", lambda jurisdiction, now: ())
