"""Passing a report on to the Open311 server of the unit that has it.

Nothing goes out twice if it can be helped: whatever is not known to have failed is looked for
there before it is sent again, by the mark that its description ends with.
"""

from datetime import datetime, timedelta

from chalicelib import observability
from chalicelib.domain.city.city import City, Open311Server
from chalicelib.domain.open311 import forwarding
from chalicelib.domain.open311.forwarding import FAILED, FORWARDED, SENT, TRYING
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report, facts
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
# Longer than the function may run, shorter than the first wait for another attempt.
UNDER_WAY = timedelta(seconds=25)
_ASIDE = timedelta(minutes=30)


class _Taken(Exception):
    """The server gave a number that another report has."""


def pass_on(
    jurisdiction: str, report: str, unit: str, turn: int, now: datetime, *, last: bool
) -> None:
    """Send a report to its unit's server, once; at the ``last`` try a failure is told officials.

    Raises ``Failed`` where it should be tried again.
    """
    city = cities.current(jurisdiction, now)
    chosen = forwarding.server_of(city, unit)
    head, texts = reports.with_texts(jurisdiction, report, DESCRIPTION, LANDMARK)
    if head is None or chosen is None or not forwarding.concerns(head, unit, city):
        return  # It has gone elsewhere meanwhile.
    known = forwards.get_forward(jurisdiction, unit, report, turn)
    if known and known["state"] == SENT:
        return
    description = texts.get(DESCRIPTION, "")
    if forwarding.came_from_outside(description):
        _give_up(head, unit, turn, "circle", now)
        return
    if servers.disabled(jurisdiction, unit):
        _give_up(head, unit, turn, "disabled", now)
        return
    began = known["at"] if known and known["state"] == TRYING else None
    _claim(head, unit, turn, known, began, now)
    try:
        server = servers.server(jurisdiction, unit, chosen)
        request = _known_there(server, head, unit, turn, chosen, began, now) if began else None
        token = None
        if request is None:
            landmark = texts.get(LANDMARK, "")
            fields = _fields(head, turn, description, landmark, chosen)
            body, name = georeport.form(server, fields), servers.webhook(jurisdiction, unit)
            signature = {SIGNATURE: signing.sign_body(name, body, now)}
            request, token = georeport.post(server, body, signature)
        _settle(head, unit, turn, request, token, now)
    except Declined as refusal:
        _give_up(head, unit, turn, f"declined_{refusal.status}", now)
        return
    except _Taken:
        _give_up(head, unit, turn, "wrong_id", now)
        return
    except Failed as failure:
        servers.failed(city, unit, failure.reason, now)
        if last:
            _give_up(head, unit, turn, failure.reason, now)
        raise
    servers.worked(jurisdiction, unit)


def _claim(
    head: Report,
    unit: str,
    turn: int,
    known: dict[str, str] | None,
    began: str | None,
    now: datetime,
) -> None:
    """Begin an attempt, unless another run is in the middle of one."""
    if began and known and now - parse(known["tried"]) < UNDER_WAY:
        raise Failed("under_way")
    doc = {"state": TRYING, "at": began or iso(now), "tried": iso(now)}
    if not forwards.claim(head.jurisdiction, unit, head.id, turn, doc, known):
        raise Failed("under_way")


def _known_there(
    server: Server,
    head: Report,
    unit: str,
    turn: int,
    chosen: Open311Server,
    began: str,
    now: datetime,
) -> str | None:
    """The number of the request that an earlier attempt left there without our hearing of it."""
    code, _ = forwarding.code_there(head.service, chosen)
    since, until = parse(began) - _ASIDE, now + _ASIDE
    try:
        found = georeport.find(server, forwarding.mark(head.id, turn), code, since, until)
    except Declined:
        return None  # It takes no such questions.
    taken = found and forwards.get_followed(head.jurisdiction, unit, found)
    return None if taken else found


def _fields(
    head: Report, turn: int, description: str, landmark: str, chosen: Open311Server
) -> list[tuple[str, str]]:
    place = head.jurisdiction
    link = "" if head.private else urls.in_city(place, f"/open311/v2/requests/{head.id}.xml")
    picture = None if head.private else facts(head)["picture"]
    picture = photo_views.permanent_address(place, head.id, picture) if picture else None
    return forwarding.fields(head, turn, description, landmark, link, picture, chosen)


def _settle(
    head: Report, unit: str, turn: int, request: str | None, token: str | None, now: datetime
) -> None:
    """Remember that it is there, follow it, and say so on the report's timeline: all or nothing."""
    place = head.jurisdiction
    followed = request or (f"{forwards.TOKEN}{token}" if token else None)
    row = {"state": SENT, "at": iso(now), "request": request, "token": token}
    actor = system(place)

    def change(seen: Seen, city: City) -> Addition:
        writes: list[Write] = [forwards.put_forward(place, unit, head.id, turn, row)]
        if followed:
            if forwards.get_followed(place, unit, followed) is not None:
                raise _Taken
            doc = {"report": head.id, "since": iso(now), "turn": turn, "n": 0}
            writes.append(forwards.put_followed(place, unit, followed, doc))
        after = forwarding.taken(seen.report, unit, request, now)
        data = {**after.outside, **({"token": token} if token else {})}
        return Addition(after, {}, writes, data)

    op = keyed_operation(actor, FORWARDED, f"{head.id}:{unit}:{turn}", "")
    add(actor, op, head.id, FORWARDED, change, now)
    control.forget_dead(place, DEAD, _dead_name(head, unit, turn))


def _dead_name(head: Report, unit: str, turn: int) -> str:
    return f"{unit}:{head.id}:{turn}"


def _note(head: Report, unit: str, turn: int, doc: dict[str, str]) -> None:
    commit([forwards.put_forward(head.jurisdiction, unit, head.id, turn, doc)])


def _give_up(head: Report, unit: str, turn: int, reason: str, now: datetime) -> None:
    """Tell officials, and keep it among the dead letters: somebody must look, or send it again."""
    place = head.jurisdiction
    observability.count("ForwardsFailed")
    note = {"report": head.id, "unit": unit, "round": turn, "error": reason, "at": iso(now)}
    control.put_dead(place, DEAD, _dead_name(head, unit, turn), note)
    known = forwards.get_forward(place, unit, head.id, turn) or {"at": iso(now)}
    _note(head, unit, turn, {**known, "state": FAILED, "reason": reason})
    actor = system(place)

    def change(seen: Seen, city: City) -> Addition:
        return Addition(seen.report, {}, [], {"unit": unit, "reason": reason})

    op = keyed_operation(actor, FORWARD_FAILED, f"{head.id}:{unit}:{turn}", "")
    add(actor, op, head.id, FORWARD_FAILED, change, now)
