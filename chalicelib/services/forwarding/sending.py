"""Forwards a report to the Open311 server of the unit that has it.

To avoid sending twice, a report whose earlier attempt has no known result is first searched on the
server, by the mark at the end of its description.

Tests: tests/integration/test_forwarding.py
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib import observability
from chalicelib.domain.city.city import City
from chalicelib.domain.city.unit import Open311Server
from chalicelib.domain.open311 import forwarding
from chalicelib.domain.open311.forwarding import FAILED, FORWARDED, SENT, TRYING
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import facts
from chalicelib.domain.row_types import Followed, Forwarding
from chalicelib.domain.timestamps import iso, parse
from chalicelib.outside import georeport
from chalicelib.outside.fetch import Failed
from chalicelib.outside.georeport import Declined, Server
from chalicelib.services.city import cities
from chalicelib.services.forwarding import servers
from chalicelib.services.photos import photo_views
from chalicelib.services.platform import signing, urls
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.reports.presenters import DESCRIPTION, LANDMARK
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import control, forwards, reports
from chalicelib.storage.transactions import Write, commit

FORWARD_FAILED = "forward_failed"
SIGNATURE = "Tanggap-Signature"
DEAD = "forwards"
# Longer than the function's time limit, shorter than the first wait before a retry.
UNDER_WAY = timedelta(seconds=25)
_ASIDE = timedelta(minutes=30)


class _NumberTaken(Exception):
    """The server answered with a number that another report already has."""


class _Mark(NamedTuple):
    """How to find the request of an earlier attempt: by the end of its description, and service."""

    text: str
    service: str


def forward(
    jurisdiction: str, report: str, unit: str, round_number: int, now: datetime, *, last: bool
) -> None:
    """Send a report to its unit's server, once. If the ``last`` try fails, officials are told.

    ``round_number`` counts how often the report came to that unit. Raises ``Failed`` if it should
    be tried again.
    """
    city = cities.current(jurisdiction, now)
    configuration = forwarding.server_of(city, unit)
    head, texts = reports.with_texts(jurisdiction, report, DESCRIPTION, LANDMARK)
    if head is None or configuration is None or not forwarding.concerns(head, unit, city):
        return  # The report went to another unit in between.
    attempt = forwards.get_forward(jurisdiction, unit, report, round_number)
    if attempt and attempt["state"] == SENT:
        return
    description = texts.get(DESCRIPTION, "")
    if forwarding.came_from_outside(description):
        _give_up(head, unit, round_number, "circle", now)
        return
    if servers.is_disabled(jurisdiction, unit):
        _give_up(head, unit, round_number, "disabled", now)
        return
    began = attempt["at"] if attempt and attempt["state"] == TRYING else None
    _claim(head, unit, round_number, attempt, began, now)
    mark = _Mark(forwarding.mark(head.id, round_number),
                 forwarding.code_there(head.service, configuration)[0])  # fmt: skip
    try:
        server = servers.server(jurisdiction, unit, configuration)
        request = _find_there(server, head, unit, mark, began, now) if began else None
        token = None
        if request is None:
            landmark = texts.get(LANDMARK, "")
            fields = _fields(head, round_number, description, landmark, configuration)
            body, name = georeport.form(server, fields), servers.webhook(jurisdiction, unit)
            signature = {SIGNATURE: signing.sign_body(name, body, now)}
            request, token = georeport.post(server, body, signature)
        _record_sent(head, unit, round_number, request, token, now)
    except Declined as refusal:
        _give_up(head, unit, round_number, f"declined_{refusal.status}", now)
        return
    except _NumberTaken:
        _give_up(head, unit, round_number, "wrong_id", now)
        return
    except Failed as failure:
        servers.record_failure(city, unit, failure.reason, now)
        if last:
            _give_up(head, unit, round_number, failure.reason, now)
        raise
    servers.record_success(jurisdiction, unit)


def _claim(
    head: Report,
    unit: str,
    round_number: int,
    attempt: Forwarding | None,
    began: str | None,
    now: datetime,
) -> None:
    """Begin an attempt. Raises ``Failed`` if another run is in the middle of one."""
    if began and attempt and now - parse(attempt["tried"]) < UNDER_WAY:
        raise Failed("under_way")
    doc: Forwarding = {"state": TRYING, "at": began or iso(now), "tried": iso(now)}
    if not forwards.claim(head.jurisdiction, unit, head.id, round_number, doc, attempt):
        raise Failed("under_way")


def _find_there(
    server: Server, head: Report, unit: str, mark: _Mark, began: str, now: datetime
) -> str | None:
    """The number of the request that an earlier attempt created, if its answer was lost."""
    since, until = parse(began) - _ASIDE, now + _ASIDE
    try:
        request = georeport.find(server, mark.text, mark.service, since, until)
    except Declined:
        return None  # The server cannot search.
    followed = request and forwards.get_followed(head.jurisdiction, unit, request)
    return None if followed else request


def _fields(
    head: Report, round_number: int, description: str, landmark: str, configuration: Open311Server
) -> list[tuple[str, str]]:
    jurisdiction = head.jurisdiction
    link = "" if head.private else urls.in_city(jurisdiction, f"/open311/v2/requests/{head.id}.xml")
    picture = None if head.private else facts(head)["picture"]
    picture = photo_views.permanent_address(jurisdiction, head.id, picture) if picture else None
    shown = forwarding.Shown(description, landmark, link, picture)
    return forwarding.fields(head, round_number, shown, configuration)


def _record_sent(
    head: Report,
    unit: str,
    round_number: int,
    request: str | None,
    token: str | None,
    now: datetime,
) -> None:
    """Record that the report was sent, follow the request, and add the event: all or nothing."""
    jurisdiction = head.jurisdiction
    followed = request or (f"{forwards.TOKEN}{token}" if token else None)
    row: Forwarding = {"state": SENT, "at": iso(now), "request": request, "token": token}
    actor = system(jurisdiction)

    def change(seen: Seen, city: City) -> Addition:
        writes: list[Write] = [forwards.put_forward(jurisdiction, unit, head.id, round_number, row)]
        if followed:
            if forwards.get_followed(jurisdiction, unit, followed) is not None:
                raise _NumberTaken
            doc: Followed = {"report": head.id, "since": iso(now), "turn": round_number, "n": 0}
            writes.append(forwards.put_followed(jurisdiction, unit, followed, doc))
        after = forwarding.taken(seen.report, unit, request, now)
        data = forwarding.event_data(after)
        if token:
            data["token"] = token
        return Addition(after, {}, writes, data)

    op = keyed_operation(actor, FORWARDED, f"{head.id}:{unit}:{round_number}", "")
    add(actor, op, head.id, FORWARDED, change, now)
    control.forget_dead(jurisdiction, DEAD, _dead_name(head, unit, round_number))


def _dead_name(head: Report, unit: str, round_number: int) -> str:
    return f"{unit}:{head.id}:{round_number}"


def _put_state(head: Report, unit: str, round_number: int, doc: Forwarding) -> None:
    commit([forwards.put_forward(head.jurisdiction, unit, head.id, round_number, doc)])


def _give_up(head: Report, unit: str, round_number: int, reason: str, now: datetime) -> None:
    """Record the failure as an event for officials and as a dead letter to look at or resend."""
    jurisdiction = head.jurisdiction
    observability.count("ForwardsFailed")
    note = {"report": head.id, "unit": unit, "round": round_number, "error": reason, "at": iso(now)}
    control.put_dead(jurisdiction, DEAD, _dead_name(head, unit, round_number), note)
    attempt = forwards.get_forward(jurisdiction, unit, head.id, round_number)
    failed: Forwarding = {"at": iso(now), "state": FAILED, "reason": reason}
    if attempt:
        failed = {**attempt, "state": FAILED, "reason": reason}
    _put_state(head, unit, round_number, failed)
    actor = system(jurisdiction)

    def change(seen: Seen, city: City) -> Addition:
        return Addition(seen.report, {}, [], {"unit": unit, "reason": reason})

    op = keyed_operation(actor, FORWARD_FAILED, f"{head.id}:{unit}:{round_number}", "")
    add(actor, op, head.id, FORWARD_FAILED, change, now)
