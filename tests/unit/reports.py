"""A report of the test city in any condition, without any AWS."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.actions.context import Context
from chalicelib.domain.actions.perform import perform
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.sla import custody, deadlines
from chalicelib.domain.workflow.table import standing
from tests.support.world import JURISDICTION, START, city, spot

ID = "01J00000000000000000000000"


def report(**changed: Any) -> Report:
    """A report of D1-W1, a pothole unless ``service`` says otherwise, filed at ``START``."""
    service = city().services[changed.pop("service", "pothole")]
    district, ward = changed.pop("district", "D1"), changed.pop("ward", "D1-W1")
    filed = changed.pop("filed_at", START)
    promise = deadlines.promise(service, district, filed, city())
    where = spot(ward)
    fresh = Report(
        id=ID,
        code="AAAA-AAAA",
        jurisdiction=JURISDICTION,
        city_version=city().version,
        service=service.code,
        group=service.group,
        protected=service.protected,
        ward=ward,
        district=district,
        unit=city().unit_for(service.code, district),
        lat7=round(where["lat"] * 1e7),
        long7=round(where["long"] * 1e7),
        channel="api",
        language="id",
        filed_at=filed,
        changed_at=filed,
        clock_from=filed,
        acknowledge_due=promise.acknowledge_due,
        due_at=promise.due_at,
        city_acknowledge_due=promise.city_acknowledge_due,
        city_due_at=promise.city_due_at,
        filed_month=city().month(filed),
        reporter="d_reporter",
        contactable=True,
    )
    return custody.with_holder(replace(fresh, **changed), filed)


def moved(
    given: Report,
    actor: Principal,
    action: str,
    now: datetime = START,
    target: Report | None = None,
    **fields: Any,
) -> Report:
    """The report after an action; the reporter is ``d_reporter``."""
    found = standing(actor, given, is_reporter=actor.uid == given.reporter)
    return perform(action, given, actor, found, fields, Context(now, city(), target))
