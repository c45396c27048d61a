"""Drills, without random choices: every right of every pair of grants, a stale version of every
action.

I12 a right holds only where its own grant holds, counted by rules of our own
I14 every alert reaches somebody, if anybody on a higher rung can be reached
I6  an action on a version that something has overtaken is refused as stale, whatever the action
"""

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from chalicelib.domain.principal import Grant, Principal
from chalicelib.domain.report import Report
from chalicelib.domain.workflow import permissions as workflow_permissions
from chalicelib.domain.workflow import table
from chalicelib.errors import Problem
from chalicelib.services.city import staff
from chalicelib.services.notifications import alerts, outbox
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.projections import timeline_events
from chalicelib.services.reports import actions
from chalicelib.storage import city as city_store
from chalicelib.storage import reports, timeline_rows
from tests.faults.checkers import CANARY
from tests.faults.clients import Clients, Record
from tests.faults.scheduler import Replay
from tests.faults.state import State
from tests.faults.world import World
from tests.support import warm_city
from tests.support.world import JURISDICTION, STAFF, citizen, official

_ROLES = ("officer", "verifier", "city_admin", "auditor")
_PLACES = ("D1", "D2", "*")
_SERVICES = ("pothole", "*")
_MAIL = {"protocol": "email", "endpoint": "duty@example.org"}
_OPERATIONS = ("getCase", "readContact", "commentReport", "moderatePhoto", "followReport")


def of_grants() -> Iterator[str]:
    """What is wrong with the rights of every record of two grants over a report of district D1."""
    head = _filed()
    single = [
        Grant(role, frozenset({place}), frozenset({service}), frozenset(permissions))
        for role in _ROLES
        for place in _PLACES
        for service in _SERVICES
        for permissions in ((), ("contact",))
    ]
    for pair in itertools.combinations(single, 2):
        who = Principal("staff", JURISDICTION, uid="s_drill", unit="u-prov", grants=pair)
        here = [
            one for one in pair if one.districts & {"D1", "*"} and one.services & {"pothole", "*"}
        ]
        roles = {one.role for one in here}
        wanted: dict[str, Any] = {
            name: bool(roles & set(workflow_permissions.operations()[name])) for name in _OPERATIONS
        }
        reads = any(one.permissions and one.role != "auditor" for one in here)
        wanted |= {"contact": reads, "contact by place": reads}
        wanted["standing"] = bool(roles)
        found: dict[str, Any] = {
            name: workflow_permissions.permitted(who, name, head) for name in _OPERATIONS
        }
        found["contact"] = workflow_permissions.may(who, "contact", head)
        found["contact by place"] = who.may("contact", head.district, head.service)
        found["standing"] = bool(table.standing(who, head, is_reporter=False))
        wrong = sorted(name for name in wanted if wanted[name] != found[name])
        if wrong:
            yield f"seed rights\nI12 {', '.join(wrong)} with {list(map(_told, pair))}\nschedule: -"


def of_versions() -> Iterator[str]:
    """Which actions take a version that an assignment has overtaken."""
    for action in table.table()["actions"]:
        head = _filed()
        boss = official("officer1")
        _done(boss, head, {"action": "assign", "version": 1, "person": "s_worker1"})
        given = {"action": action, "version": 1, **_fields(action)}
        said = _said(boss, head, given)
        if said != "stale_version":
            yield f"seed stale {action}\nI6 a stale {action} was answered {said}\nschedule: -"


def of_recipients() -> Iterator[str]:
    """Which alerts reach nobody where only one official of the city has an address."""
    for ref in ("dispatcher", "head1"):
        _filed()
        _reachable(f"s_{ref}")
        with World(Replay([]), seed="drill") as world:
            world.run([("relay", _published)])
            sent = [one.fields for one in world.sent if "TopicArn" in one.fields]
        if not sent:
            yield f"seed {ref}\nI14 nothing was published\nschedule: -"
        for fields in sent:
            document = json.loads(json.loads(fields["Message"])["sqs"])
            if f"s_{ref}" not in {one for one, _ in alerts.recipients(document)}:
                yield f"seed {ref}\nI14 {document['dedupe']} reached nobody\nschedule: -"
        _reachable("")


def _published() -> None:
    for text, _ in timeline_rows.whole_timeline():
        timeline_events.apply(json.loads(text))
    outbox.drain()


def _reachable(ref: str) -> None:
    records = [dict(record) for record in STAFF]
    for one in records:
        if one["ref"] == ref:
            grants = [{**grant, "districts": ["*"]} for grant in one["grants"]]
            one.update(unit="u-prov", grants=grants, endpoints=[_MAIL])
    city_store.put_staff(JURISDICTION, records)
    staff.forget()


def _filed() -> Report:
    with World(Replay([]), seed="drill") as world:
        warm_city.reset()
        clients = Clients(world, Record())
        lat, long = warm_city.SPOTS["D1-W1"]
        body = {"service": "pothole", "lat": lat, "long": long, "description": f"{CANARY} hole"}
        world.run([("before", clients.file(citizen("ani"), "first", body))])
        found = reports.get(JURISDICTION, next(iter(State([]).heads)))
    assert found is not None
    return found


def _done(who: Principal, head: Report, body: dict[str, Any]) -> None:
    op = keyed_operation(who, "actOnReport", f"drill {body}", "-")
    actions.act(who, op, head.id, body, head.filed_at + timedelta(minutes=1))


def _said(who: Principal, head: Report, body: dict[str, Any]) -> str:
    try:
        _done(who, head, body)
    except Problem as problem:
        return problem.slug
    return "done"


def _fields(action: str) -> dict[str, Any]:
    if action == "reject":
        return {"reason_code": "spam", "text": f"{CANARY} no"}
    return {}


def _told(grant: Grant) -> str:
    parts = (grant.districts, grant.services, grant.permissions)
    return " ".join([grant.role, *(next(iter(part), "-") for part in parts)])
