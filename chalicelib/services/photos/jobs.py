"""Messages of the photo queue: events of the bucket, and jobs that a report's events leave.

{"Records": [{"s3": …}]}                                      an upload has arrived
{"kind": "photo", "task": "develop", "photo", "report", …}    a report waits for an upload
{"kind": "photo", "task": "used" | "draw" | "hide", …}        ``domain.photos.jobs``

Tests: tests/integration/test_photos.py
"""

import re
from datetime import datetime
from typing import Any, cast
from urllib.parse import unquote_plus

from chalicelib import ids
from chalicelib.domain.message_types import PhotoMessage
from chalicelib.domain.photos import DEVELOP, DRAW, HIDE, USED
from chalicelib.services.photos import duplicates, processing

_QUARANTINED = re.compile(rf"quarantine/([a-z0-9][a-z0-9._-]{{0,62}})/({ids.PATTERN})")


def handle(message: dict[str, Any], now: datetime, *, last: bool) -> None:
    """Do the job of a message. On a failure of the ``last`` try, record it, tell the report, and
    raise.

    The bucket's test event is ignored. Raises ``ValueError`` for an unknown task.
    """
    if message.get("kind") == "photo":
        _job(cast(PhotoMessage, message), now, last=last)
        return
    for record in message.get("Records", ()):
        # Keys in bucket events are URL-encoded.
        key = _QUARANTINED.fullmatch(unquote_plus(record["s3"]["object"]["key"]))
        if key:
            _develop(key[1], key[2], now, last=last)


def _job(message: PhotoMessage, now: datetime, *, last: bool) -> None:
    jurisdiction, report, photo = message["jurisdiction"], message["report"], message["photo"]
    task, rev = message["task"], message["rev"]
    if task == DEVELOP:
        _develop(jurisdiction, photo, now, last=last)
    elif task == USED:
        duplicates.register_use(jurisdiction, report, photo, now)
    elif task == HIDE:
        processing.hide(jurisdiction, report, photo, rev)
    elif task == DRAW:
        try:
            processing.redraw(jurisdiction, report, photo, rev, now)
        except Exception as error:
            if last:
                processing.give_up(jurisdiction, report, photo, rev, now, error)
            raise
    else:
        raise ValueError(f"unknown photo task: {task}")


def _develop(jurisdiction: str, photo: str, now: datetime, *, last: bool) -> None:
    try:
        processing.develop(jurisdiction, photo, now)
    except Exception as error:
        if last:
            processing.refuse(jurisdiction, photo, now, error)
        raise
