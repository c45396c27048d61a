"""What one report, look and poll take, while a month is replayed on the local stack.

Requests go through the application object as Lambda calls it; the background functions that follow
run in the same process. DynamoDB's units are computed by its own rules from the sizes of requests
and answers: a write in a transaction costs twice; each index that holds the item costs one more
unit, and two where the index's key contains the state, since the old entry is deleted as well.

Units are counted, so every run gives the same. CPU is measured apart: this thread's and that of
the processes that decode photos.
"""

import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any

# Units for each index by its key: two where the key contains the state.
_INDEXES = {"gpk": 1, "upk": 1, "qpk": 2, "dpk": 2, "spk": 2}


@dataclass
class Units:
    """What was used: DynamoDB's units, calls to AWS, S3's puts and gets, messages, bytes sent."""

    reads: float = 0.0
    writes: float = 0.0
    calls: int = 0
    puts: int = 0
    gets: int = 0
    messages: int = 0
    bytes_out: int = 0

    def over(self, times: int) -> dict[str, float]:
        """The average of so many times."""
        return {name: round(value / times, 6) for name, value in vars(self).items()}


class Meter:
    """Counts units, and measures CPU seconds, while ``running``."""

    def __init__(self) -> None:
        self.units = Units()
        self.cpu = 0.0

    @contextmanager
    def running(self) -> Iterator[Units]:
        """Count what the block does."""
        from chalicelib.storage import aws, tables

        self.units = Units()
        clients = [tables.client(), *(aws.client(name) for name in ("s3", "sns", "sqs"))]
        for client in clients:
            client.meta.events.register("before-parameter-build", self._before_call)
            client.meta.events.register("after-call", self._after_call)
        events = tables.client().meta.events
        events.register("read-lean.dynamodb.Query", self._after_fast_query)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.thread_time()
        try:
            yield self.units
        finally:
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            children = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.cpu = time.thread_time() - start + children
            events.unregister("read-lean.dynamodb.Query", self._after_fast_query)
            for client in clients:
                client.meta.events.unregister("before-parameter-build", self._before_call)
                client.meta.events.unregister("after-call", self._after_call)

    def _before_call(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name == "TransactWriteItems":
            self.units.writes += sum(_written(write) for write in params["TransactItems"])
        elif model.name == "BatchWriteItem":
            for requests in params["RequestItems"].values():
                self.units.writes += sum(ceil(_size(request) / 1024) for request in requests)

    def _after_fast_query(self, parsed: dict[str, Any], **_: Any) -> None:
        # ``chalicelib.storage.fast_query`` does not call through the SDK's client.
        self.units.calls += 1
        self.units.reads += max(1, ceil(_size(parsed.get("Items", [])) / 4096)) / 2

    def _after_call(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        # Counted here, because signing an address for a browser is no call.
        service = model.service_model.service_name
        self.units.calls += 1
        if service == "s3":
            put = model.name.startswith(("Put", "Copy", "Delete", "Create", "Upload"))
            self.units.puts += put
            self.units.gets += not put
        elif service in ("sns", "sqs"):
            self.units.messages += 1
        elif model.name in ("Query", "BatchGetItem"):
            items = parsed.get("Items") or parsed.get("Responses") or []
            self.units.reads += max(1, ceil(_size(items) / 4096)) / 2
        elif model.name == "GetItem":
            self.units.reads += max(1, ceil(_size(parsed.get("Item", {})) / 4096))


def _written(write: dict[str, Any]) -> int:
    item = write.get("Put", {}).get("Item", {})
    indexes = sum(extra for key, extra in _INDEXES.items() if key in item)
    return 2 * ceil(_size(write) / 1024) + indexes


def _size(item: Any) -> int:
    return len(json.dumps(item, separators=(",", ":"), default=str))


def counted(
    meter: Meter, times: int, action: Callable[[int], Any]
) -> tuple[dict[str, float], float]:
    """The units and the CPU seconds of one ``action(number)``: the average of so many times."""
    with meter.running() as units:
        for number in range(times):
            units.bytes_out += len(json.dumps(action(number) or "", default=str))
    return units.over(times), round(meter.cpu / times, 6)
