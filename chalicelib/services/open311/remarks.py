"""Reading an update that another system sends: a remark about a request of its own.

Tests: tests/integration/test_updates.py
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.city.city import City
from chalicelib.domain.input.text import mended
from chalicelib.domain.open311 import georeport, updates
from chalicelib.domain.open311.georeport import InvalidArgument
from chalicelib.services.open311.attachments import Attachments

LONGEST = 4000
_REQUIRED = ("service_request_id", "status", "updated_datetime", "description")


@dataclass(frozen=True)
class Remark:
    """An update from outside: its own id there, the report, the status, when it was written, the
    text, the contact of the person who wrote it, its pictures and its further attributes."""

    update: str
    report: str
    status: str
    written: datetime
    text: str
    contact: dict[str, str]
    pictures: Attachments
    further: str = ""


def read(
    get: Callable[[str], str | None], city: City, pictures: Attachments, wordless: bool
) -> Remark:
    """The remark in a form; ``wordless`` if its text was sent empty on purpose.

    Raises ``ExceptionGroup`` with an ``InvalidArgument`` for each wrong argument.
    """
    # Older clients send their own id of an update under another name.
    update = get("update_id") or get("update_id_ext")
    text = get("description") or ""
    text = "" if georeport.is_nothing(text) else mended(text).strip()
    values = {**{name: get(name) for name in _REQUIRED}, "description": text}
    faults = [InvalidArgument(name, "is required") for name in _REQUIRED if not values[name]]
    word = get("status") or ""
    known = word in updates.rules()["words"]
    if pictures or (wordless and known and word != updates.UNCHANGED.upper()):
        # A photo or a new state says enough.
        faults = [fault for fault in faults if fault.field != "description"]
    if update is None:
        faults.append(InvalidArgument("update_id", "is required"))
    if word and not known:
        faults.append(InvalidArgument("status", "is none of the extension's, in upper case"))
    if len(text) > LONGEST:
        faults.append(InvalidArgument("description", f"is longer than {LONGEST} characters"))
    written = None
    try:
        written = georeport.moment(get("updated_datetime") or "", city.zone, "updated_datetime")
    except InvalidArgument as invalid:
        if get("updated_datetime") is not None:
            faults.append(invalid)
    if faults or update is None or written is None:
        raise ExceptionGroup("unfit", faults)
    texts = {name: get(name) or "" for name in ("email", "phone")}
    contact = {name: text for name, text in texts.items() if not georeport.is_nothing(text)}
    report = get("service_request_id") or ""
    return Remark(update, report, word, written, text, contact, pictures)
