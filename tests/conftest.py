"""What every test may ask for, and the AWS that must be named before anything is imported."""

import gc
import os
from typing import Any

from hypothesis import HealthCheck, settings

from tests.support.aws import ENVIRONMENT, aws_fixture

os.environ.update(ENVIRONMENT)

# moto, Hypothesis and Schemathesis keep a million objects, and each look through all of them takes
# seconds: look less often.
gc.set_threshold(20_000, 20, 50)

# Shared machines are slow at times, and a test's speed is nobody's verdict here.
settings.register_profile(
    "tanggap", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tanggap")

__all__ = ["aws_fixture"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show what a passing test has to say (``record_property("summary", text)``), by any worker."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(f"\n{text}")
