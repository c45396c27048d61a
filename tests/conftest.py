"""Fixtures for every test, and the AWS settings that must exist before anything is imported."""

import gc
import os
from typing import Any

from hypothesis import HealthCheck, settings

from tests.support.aws import ENVIRONMENT, aws_fixture

os.environ.update(ENVIRONMENT)

# moto, Hypothesis and Schemathesis keep a million objects, and each garbage
# collection of all of them takes seconds: collect less often.
gc.set_threshold(20_000, 20, 50)

# Shared machines are slow at times, and no test here judges speed.
settings.register_profile(
    "tanggap", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tanggap")

__all__ = ["aws_fixture"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show what a passing test reports (``record_property("summary", text)``), by any worker."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(f"\n{text}")
