"""One all-or-nothing write, with errors that a caller can act on.

Refused      a condition did not hold; ``labels`` names which writes. Nothing was written.
Unavailable  contention or throttling outlasted the retries. Nothing was written.
Unknown      the connection broke or AWS failed: it may or may not have been written.
             Read back and compare the operation's id; never write again blindly.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.errors import Problem
from chalicelib.storage.tables import connection

ATTEMPTS = 5
_REFUSED = "ConditionalCheckFailed"
_CONTENTION = {
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "ThrottlingError",
    "ThrottlingException",
    "RequestLimitExceeded",
}
# What AWS answers if the deployment is wrong: rights, names, keys. No client can cause it.
_MISCONFIGURED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "KMSAccessDeniedException",
    "KMS.AccessDeniedException",
    "NoSuchBucket",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ResourceNotFoundException",
    "UnrecognizedClientException",
}


class Refused(Exception):
    """A condition did not hold; ``labels`` are the labels of the refused writes."""

    def __init__(self, labels: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(labels)))
        self.labels = labels


class Unavailable(Problem):
    """Not written, and a retry would not help now. An answer 503, unless a caller handles it."""

    def __init__(self) -> None:
        super().__init__("unavailable", headers={"Retry-After": "1"})


class Unknown(Problem):
    """The answer was lost; the write may have been applied."""

    def __init__(self) -> None:
        super().__init__("unavailable", headers={"Retry-After": "2"})


@dataclass(frozen=True)
class Put:
    """Write a whole item."""

    label: str
    item: Model
    condition: Condition | None = None


@dataclass(frozen=True)
class Update:
    """Change attributes of an item."""

    label: str
    item: Model
    actions: Sequence[Action] = field(default=())
    condition: Condition | None = None


@dataclass(frozen=True)
class Delete:
    """Remove an item."""

    label: str
    item: Model
    condition: Condition | None = None


Write = Put | Update | Delete


def commit(
    writes: Sequence[Write],
    *,
    pause: Callable[[float], None] | None = None,
    jitter: Callable[[], float] = random.random,
) -> None:
    """Write all or nothing (at most 100 items). Contention is retried with jittered pauses.

    The SDK does not retry a conflicting transaction, so this function does. Raises ``Refused``,
    ``Unavailable`` or ``Unknown``.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _commit(writes)
        except TransactWriteError as error:
            codes = _codes(error)
            refused = frozenset(
                write.label
                for write, code in zip(_in_reason_order(writes), codes, strict=False)
                if code == _REFUSED
            )
            if refused:
                raise Refused(refused) from error
            if not _contended(error, codes):
                raise Unknown from error
        except BotoCoreError as error:
            raise Unknown from error
        if attempt < ATTEMPTS - 1:
            (pause or time.sleep)(0.02 * 2**attempt * (0.5 + jitter()))
    raise Unavailable


def wait(attempt: int, jitter: Callable[[], float] = random.random) -> None:
    """Pause before retry number ``attempt`` (0: no pause) of a change that others make too.

    The pause is random, at most 0.15 s, so that competing writers do not meet again.
    """
    if attempt:
        time.sleep(min(0.1, 0.005 * 2 ** min(attempt, 6)) * (0.5 + jitter()))


def _commit(writes: Sequence[Write]) -> None:
    with TransactWrite(connection=connection()) as transaction:
        for write in writes:
            if isinstance(write, Put):
                transaction.save(write.item, condition=write.condition)
            elif isinstance(write, Delete):
                transaction.delete(write.item, condition=write.condition)
            else:
                transaction.update(
                    write.item, actions=list(write.actions), condition=write.condition
                )


def _in_reason_order(writes: Sequence[Write]) -> list[Write]:
    # PynamoDB sends deletes, then puts, then updates, in any order of the calls.
    order = {Delete: 0, Put: 1, Update: 2}
    return sorted(writes, key=lambda write: order[type(write)])


def _codes(error: TransactWriteError) -> list[str | None]:
    return [reason.code if reason else None for reason in error.cancellation_reasons]


def _contended(error: PynamoDBException, codes: list[str | None]) -> bool:
    # Not PynamoDB's cause_response_code: it fails on a time-out, which has no response.
    response = getattr(error.cause, "response", None) or {}
    stated = response.get("Error", {}).get("Code")
    return stated in _CONTENTION or any(code in _CONTENTION for code in codes)


def read(action: Callable[[], Any]) -> Any:
    """Run a read; errors of AWS become ``Unavailable``."""
    try:
        return action()
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        raise Unavailable from error


def is_misconfigured(problem: Problem) -> bool:
    """Whether a refusal (503) comes from a deployment that AWS does not let work."""
    cause: Any = problem.__cause__
    response = getattr(cause, "response", None) or getattr(
        getattr(cause, "cause", None), "response", None
    )
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return code in _MISCONFIGURED
