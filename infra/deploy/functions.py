"""Every function that is deployed, one declaration each: what it may do, its limits, its alarm.

A new function needs an entry point in ``app.py`` and a row here (``tests/unit/test_functions.py``
compares). Policies, log groups, alarms and Chalice's configuration follow from the row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.deploy.names import QUEUES

CASEWORK = {"reports": "write", "timeline": "append", "people": "write", "control": "write",
            "city": "read"}  # fmt: skip
GET, PUT, DELETE = ("GetObject",), ("PutObject",), ("DeleteObject",)
# Deletes old versions too, so that erased data is gone for good.
FORGET = "DeleteObjectVersion"
CITY = {"cities": GET}
_GONE = (*DELETE, FORGET)
_MADE = (*GET, *PUT, *DELETE, FORGET, "PutObjectTagging", "DeleteObjectTagging")
# How many batches of a shard of the timeline's stream are projected at the same time, at most 10.
LANES = 2
# Memory at which Lambda gives a whole processor.
_WHOLE_CPU = 1769


@dataclass(frozen=True)
class Function:
    """One function. ``tables``: {table: read | write | append | bulk}; ``files``: {prefix of the
    bucket: S3 actions}; ``takes``: the queue that calls it; ``sends``: queues it writes to;
    ``delivers``: whether it sends messages to people, by every contact method;
    ``timeout``: seconds, ``memory``: MB (None: the default of .chalice/config.json);
    ``at_once``: how many batches of its queue run at the same time (None: as many as AWS starts);
    ``silent_after``: for a schedule, (seconds a period, periods) without a run before the alarm."""

    tables: Mapping[str, str]
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sends: tuple[str, ...] = ()
    takes: str | None = None
    publishes: bool = False
    signs: bool = False
    outside: bool = False
    delivers: bool = False
    timeout: int | None = None
    memory: int | None = None
    silent_after: tuple[int, int] | None = None
    at_once: int | None = None

    @property
    def scheduled(self) -> bool:
        """Whether a schedule calls it; then no two runs overlap."""
        return self.silent_after is not None

    def limits(self) -> dict[str, Any]:
        """Its own limits, as Chalice's configuration names them."""
        own = {"lambda_timeout": self.timeout, "lambda_memory_size": self.memory}
        return {name: value for name, value in own.items() if value is not None}


FUNCTIONS: dict[str, Function] = {
    "api_handler": Function(
        {**CASEWORK, "figures": "write"},
        {**CITY, "scorecards": GET, "open-data": GET, "record": GET, "photos": GET,
         "quarantine": (*GET, *PUT)},
        signs=True,
    ),
    "project_timeline": Function(
        {"figures": "write", "control": "write", "reports": "read", "city": "read"},
        CITY, sends=QUEUES, publishes=True,
    ),
    "relay_outbox": Function(
        {"control": "write", "city": "read", "figures": "read"},
        CITY, sends=QUEUES, publishes=True, silent_after=(300, 3),
    ),
    "sweep_clocks": Function(CASEWORK, CITY, timeout=240, silent_after=(900, 2)),
    "warn_units": Function(
        {"reports": "read", "control": "write", "city": "read"},
        CITY, timeout=240, silent_after=(3600, 3),
    ),
    "keep_scorecards": Function(
        {"figures": "bulk", "people": "write", "control": "write", "reports": "read",
         "city": "read"},
        {**CITY, "scorecards": (*GET, *PUT, "PutObjectRetention")},
        timeout=900, memory=_WHOLE_CPU, silent_after=(3600, 2),
    ),
    # The only function that may delete locked files, and only rows of scorecards.
    "hide_rows": Function(
        {"figures": "write", "control": "write", "city": "read"},
        {**CITY, "scorecards": (*GET, *PUT, "PutObjectRetention", FORGET,
                                "BypassGovernanceRetention")},
        timeout=900, memory=_WHOLE_CPU, silent_after=(3600, 2),
    ),
    "erase_expired": Function(
        {**CASEWORK, "figures": "read"},
        {**CITY, "quarantine": _GONE, "evidence": _GONE, "photos": _GONE, "masters": _GONE},
        signs=True, timeout=900, memory=_WHOLE_CPU, silent_after=(3600, 3),
    ),
    "write_open_data": Function(
        {"figures": "read", "people": "read", "reports": "read", "control": "write",
         "city": "write"},
        {**CITY, "open-data": (*GET, *PUT, FORGET, "AbortMultipartUpload")},
        timeout=900, memory=_WHOLE_CPU, silent_after=(3600, 3),
    ),
    "seal_record": Function(
        {"figures": "write", "control": "write", "city": "read"},
        {"record": (*GET, *PUT, "PutObjectRetention")},
        timeout=900, memory=_WHOLE_CPU, silent_after=(3600, 3),
    ),
    "follow_forwards": Function(
        CASEWORK, CITY, outside=True, timeout=300, silent_after=(3600, 2),
    ),
    "forward_reports": Function(
        CASEWORK, CITY, takes="forwards", signs=True, outside=True, timeout=60,
    ),
    # Its time is less than a lease of ``storage.leases``.
    "send_webhooks": Function(
        {"reports": "read", "timeline": "read", "people": "read", "control": "write",
         "city": "read"},
        CITY, takes="webhooks", sends=("webhooks", "webhooks-dead"), outside=True, timeout=30,
        at_once=10,
    ),
    "send_messages": Function(CASEWORK, CITY, takes="messages", signs=True, delivers=True),
    "process_photos": Function(
        CASEWORK,
        {**CITY, "quarantine": (*GET, *DELETE, FORGET),
         "evidence": (*PUT, *DELETE, FORGET),
         "photos": _MADE, "masters": _MADE},
        takes="photos", timeout=60, memory=_WHOLE_CPU,
    ),
}  # fmt: skip
