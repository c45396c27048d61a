"""What goes wrong in a command, as a sentence for an administrator instead of a traceback.

Tests: tests/integration/test_failures_in_words.py
"""

import os
import sys
from collections.abc import Callable


def in_words(run: Callable[[], int]) -> int:
    """The exit status of a command. A fault of the input, of the environment or of AWS is printed
    as one sentence and gives 1; with ``TANGGAP_TRACEBACK`` set it is raised."""
    from botocore.exceptions import BotoCoreError, ClientError
    from pynamodb.exceptions import PynamoDBException

    from chalicelib.errors import Problem

    try:
        return run()
    except Problem as problem:
        _raise_if_wished()
        document = problem.document()
        field = document.get("field")
        print(f"{document['detail']}{f' ({field})' if field else ''}", file=sys.stderr)
    except (BotoCoreError, ClientError, PynamoDBException) as error:
        _raise_if_wished()
        print(f"AWS, or the local stack, refused or did not answer: {error}", file=sys.stderr)
    except OSError as error:
        _raise_if_wished()
        name = f"{error.filename}: " if error.filename else ""
        print(f"{name}{error.strerror or error}", file=sys.stderr)
    except UnicodeDecodeError as error:
        _raise_if_wished()
        print(f"the input is not in {error.encoding}: {error.reason}", file=sys.stderr)
    except (RuntimeError, ValueError) as error:
        _raise_if_wished()
        print(error, file=sys.stderr)
    except LookupError as error:
        # A missing key is a fault of the code; a plain LookupError has a sentence.
        if type(error) is not LookupError or os.environ.get("TANGGAP_TRACEBACK"):
            raise
        print(error, file=sys.stderr)
    return 1


def _raise_if_wished() -> None:
    if os.environ.get("TANGGAP_TRACEBACK"):
        raise
