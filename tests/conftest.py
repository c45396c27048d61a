"""What every test may ask for, and the AWS that must be named before anything is imported."""

import os

from tests.aws import ENVIRONMENT, aws_fixture

os.environ.update(ENVIRONMENT)

__all__ = ["aws_fixture"]
