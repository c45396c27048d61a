"""What stands in the photos' queue: the bucket's events, and jobs that reports' events leave.

{"Records": [{"s3": …}]}                                      an upload has arrived
{"kind": "photo", "task": "develop", "photo", "report", …}    a report waits for an upload
{"kind": "photo", "task": "used" | "draw" | "hide", …}        ``domain.photos.jobs``
"""

import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from chalicelib.domain.photos import DEVELOP, DRAW, HIDE, USED
from chalicelib.services.photos import duplicates, processing

_QUARANTINED = re.compile(r"quarantine/([a-z0-9][a-z0-9._-]{0,62})/([0-9A-HJKMNP-TV-Z]{26})")


def handle(message: dict[str, Any], now: datetime, *, last: bool) -> None:
    """Do what a message asks for; at the ``last`` try a failure is noted and told, then raised.

    The bucket's own test event is nothing. Raises ``ValueError`` for what no message of ours says.
    """
    if message.get("kind") == "photo":
        _job(message, now, last=last)
        return
    for record in message.get("Records", ()):
        # Keys in bucket events are URL-encoded.
        key = _QUARANTINED.fullmatch(unquote_plus(record["s3"]["object"]["key"]))
        if key:
            _develop(key[1], key[2], now, last=last)


def _job(message: dict[str, Any], now: datetime, *, last: bool) -> None:
    place, report, photo = message["jurisdiction"], message["report"], message["photo"]
    task, rev = message["task"], message["rev"]
    if task == DEVELOP:
        _develop(place, photo, now, last=last)
    elif task == USED:
        duplicates.register_use(place, report, photo, now)
    elif task == HIDE:
        processing.hide(place, report, photo, rev)
    elif task == DRAW:
        try:
            processing.redraw(place, report, photo, rev, now)
        except Exception as error:
            if last:
                processing.give_up(place, report, photo, rev, now, error)
            raise
    else:
        raise ValueError(f"a job for photos that is unknown: {task}")


def _develop(place: str, photo: str, now: datetime, *, last: bool) -> None:
    try:
        processing.develop(place, photo, now)
    except Exception as error:
        if last:
            processing.refuse(place, photo, now, error)
        raise
