"""What one of each takes, counted while a month is replayed on the local stack.

Requests go through the application object as Lambda calls it; what follows from them is worked off
by the same functions. DynamoDB's units are counted by its own rules from the sizes of what is asked
and answered: twice in a transaction, one more for each index that a row is in, and two for those
whose key tells its state. CPU is that of this thread; photos' processes are added.
"""

import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any
from unittest.mock import patch

# An index whose key tells the state: an entry is taken out and put in.
_INDEXES = {"gpk": 1, "upk": 1, "qpk": 2, "dpk": 2, "spk": 2}


@dataclass
class Units:
    """What was used: DynamoDB's units and calls, S3's calls, CPU seconds, bytes out."""

    reads: float = 0.0
    writes: float = 0.0
    calls: int = 0
    puts: int = 0
    gets: int = 0
    messages: int = 0
    cpu: float = 0.0
    bytes_out: int = 0

    def over(self, times: int) -> dict[str, float]:
        """What one took."""
        return {name: round(value / times, 6) for name, value in vars(self).items()}


class Meter:
    """Counts while ``running``."""

    def __init__(self) -> None:
        self.units = Units()

    @contextmanager
    def running(self) -> Iterator[Units]:
        """Count what is done within it."""
        from chalicelib.storage import aws, fast_query, tables

        self.units = Units()
        held = [tables.client(), *(aws.client(one) for one in ("s3", "sns", "sqs"))]
        for client in held:
            client.meta.events.register("before-parameter-build", self._asked)
            client.meta.events.register("after-call", self._answered)
        query = fast_query.query

        def counted(asked: dict[str, Any]) -> Any:
            answer = query(asked)
            self.units.calls += 1
            self.units.reads += max(1, ceil(_size(answer.get("Items", [])) / 4096)) / 2
            return answer

        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.thread_time()
        try:
            with patch.object(fast_query, "query", counted):
                yield self.units
        finally:
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            children = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.units.cpu += time.thread_time() - start + children
            for client in held:
                client.meta.events.unregister("before-parameter-build", self._asked)
                client.meta.events.unregister("after-call", self._answered)

    def _asked(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        self.units.calls += 1
        if service == "s3":
            put = model.name.startswith(("Put", "Copy", "Delete", "Create", "Upload"))
            self.units.puts += put
            self.units.gets += not put
        elif service in ("sns", "sqs"):
            self.units.messages += 1
        elif model.name == "TransactWriteItems":
            self.units.writes += sum(_written(one) for one in params["TransactItems"])
        elif model.name == "BatchWriteItem":
            for items in params["RequestItems"].values():
                self.units.writes += sum(ceil(_size(one) / 1024) for one in items)

    def _answered(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in ("Query", "BatchGetItem"):
            found = parsed.get("Items") or parsed.get("Responses") or []
            self.units.reads += max(1, ceil(_size(found) / 4096)) / 2
        elif model.name == "GetItem":
            self.units.reads += max(1, ceil(_size(parsed.get("Item", {})) / 4096))


def _written(one: dict[str, Any]) -> int:
    item = one.get("Put", {}).get("Item", {})
    indexes = sum(extra for key, extra in _INDEXES.items() if key in item)
    return 2 * ceil(_size(one) / 1024) + indexes


def _size(item: Any) -> int:
    return len(json.dumps(item, separators=(",", ":"), default=str))


def counted(meter: Meter, times: int, action: Callable[[int], Any]) -> dict[str, float]:
    """What one of ``action(n)`` takes, over so many."""
    with meter.running() as units:
        for number in range(times):
            units.bytes_out += len(json.dumps(action(number) or "", default=str))
    return units.over(times)
