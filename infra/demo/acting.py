"""Takes the model's steps through the API: finds the actor, makes the body, retries once."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.timestamps import shifted
from infra.demo import model, photos
from infra.demo.case import Case, Rules, fields, said
from infra.demo.client import Actor, Connection, Reply, Request
from infra.demo.counts import Counts
from infra.demo.courier import Courier
from infra.demo.model import PERSON_SHARE, Step
from infra.demo.officials import Officials, Place

_STARS = (1, 2, 3, 4, 4, 5, 5, 5)
_AUDIT = {
    True: ("Belum diperbaiki saat diperiksa", "Alasan penutupan tidak benar"),
    False: ("Sudah baik saat diperiksa", "Penutupan beralasan"),
}


@dataclass(frozen=True)
class Prepared:
    """Who takes a step, and the fields of its action."""

    actor: Actor
    body: dict[str, Any]


class Acting:
    """The people of the demo.

    ``seed`` is part of their idempotency keys.
    """

    def __init__(
        self,
        courier: Courier,
        storage: Connection,
        officials: Officials,
        rules: Rules,
        counts: Counts,
        seed: int,
    ) -> None:
        self._courier = courier
        self._storage = storage
        self._officials = officials
        self._rules = rules
        self._counts = counts
        self._seed = seed

    def device(self) -> Actor:
        """A new citizen's device."""
        reply = self._courier.send(Request("POST", "/v1/devices"))
        if not reply.accepted:
            raise RuntimeError(f"no device: {reply.body}")
        return Actor("device", reply.body["token"])

    def key(self, number: int, about: str) -> str:
        """The idempotency key of an action of row ``number``."""
        return f"demo-{self._seed}-{number}-{about}"

    def take(self, case: Case, step: Step, original: Case | None, now: datetime) -> bool:
        """Take a step of the course. Returns whether it was accepted."""
        prepared = self.prepare(case, step, original, now)
        return prepared is not None and self.send(case, step, prepared)

    def prepare(
        self, case: Case, step: Step, original: Case | None, now: datetime
    ) -> Prepared | None:
        """Choose who takes the step, and with which fields; upload its photo if it needs one.

        ``None`` if nobody can take it.
        """
        actor = self._who(case, step)
        body = self._body(case, step, actor, original, now)
        if actor is None or body is None:
            self._counts.nobody += 1
            return None
        return Prepared(actor, body)

    def send(self, case: Case, step: Step, prepared: Prepared) -> bool:
        """Send a step that was prepared. Returns whether it was accepted."""
        actor, body = prepared.actor, prepared.body
        if step.action == "rate":
            return self._rate(case)
        if step.who == "reporter":
            # A citizen reads the report first; an official uses the last version that they saw.
            case.version = self._courier.get(f"/v1/reports/{case.id}").body["version"]
        reply = self._act(case, step, actor, body)
        if reply.problem == "stale_version" and not reply.accepted:
            before = case.situation
            case.learn(self._courier.get(f"/v1/reports/{case.id}").body)
            if case.situation == before:
                reply = self._act(case, step, actor, body)
            else:
                self._counts.given_up += 1
        return reply.accepted

    def aside(self, case: Case, step: Step, now: datetime) -> None:
        """Take a step outside the course: support, a comment, a withdrawal."""
        if step.action == "withdraw":
            self.take(case, step, None, now)
            return
        path, body = f"/v1/reports/{case.id}/{step.action}", None
        actor: Actor | None = case.reporter
        if step.action == "support":
            # Neighbours do not support a report that they see is closed.
            if self._courier.get(f"/v1/reports/{case.id}").body["status"] == "closed":
                return
            actor = self.device()
        else:
            path += "s"
            body = {"text": said(case, f"comment/{step.who}"), "audience": "public"}
            if step.who == "official":
                actor = self._officials.officer("officer", case.place, case.rng)
        if actor is None:
            self._counts.nobody += 1
            return
        request = Request("POST", path, actor, self._next_key(case, step.action), body)
        self._counts.action(step.action, self._courier.send(request))

    def audit(self, sham: Callable[[str], bool], now: datetime) -> None:
        """The verifiers' audit of last month's sample, district by district."""
        last = shifted(now.strftime("%Y%m"), -1)
        for district in self._officials.districts():
            rng = random.Random(f"{self._seed}:audit:{last}:{district}")
            verifier = self._officials.verifier(Place("", district, "*"), rng)
            if verifier is None:
                continue
            path = f"/v1/audits?month={last}&district={district}&limit=200"
            sample = self._courier.send(Request("GET", path, verifier)).body.get("sample", [])
            for closing in sample:
                report = closing["report"]
                dismissed = closing["resolution"] != "unverified"
                fails = sham(report) or (dismissed and rng.random() < model.DISMISSAL_FAILS)
                seen = self._courier.get(f"/v1/reports/{report}").body["version"]
                body = {"action": "audit", "version": seen, "reason": rng.choice(_AUDIT[fails])}
                body["result"] = "fail" if fails else "pass"
                key = self.key(0, f"audit-{report}")
                to = f"/v1/reports/{report}/actions"
                self._counts.action(
                    "audit", self._courier.send(Request("POST", to, verifier, key, body))
                )

    def _who(self, case: Case, step: Step) -> Actor | None:
        if step.who == "reporter":
            return case.reporter
        if step.who == "verifier":
            return self._officials.verifier(case.place, case.rng)
        if step.who == "worker":
            return self._officials.worker(case.place, case.rng, case.holder)
        return self._officials.officer(step.who, case.place, case.rng)

    def _body(
        self,
        case: Case,
        step: Step,
        actor: Actor | None,
        original: Case | None,
        now: datetime,
    ) -> dict[str, Any] | None:
        body = fields(case, step.action, now, self._rules)
        if body is None or actor is None:
            return None
        if step.action == "merge":
            return {"into": original.id} if original else None
        if step.action == "assign":
            person = None
            if case.rng.random() < PERSON_SHARE:
                person = self._officials.person(case.place, case.rng)
            return {**body, "person": person} if person else {**body, "unit": case.place.unit}
        if step.action == "finish":
            key = self._next_key(case, "photo")
            photo = self.photo(actor, key, repaired=True)
            return {**body, "photos": [photo]} if photo else None
        return body

    def _act(self, case: Case, step: Step, actor: Actor, body: dict[str, Any]) -> Reply:
        body_sent = {"action": step.action, "version": case.version, **body}
        path = f"/v1/reports/{case.id}/actions"
        reply = self._courier.send(
            Request("POST", path, actor, self._next_key(case, step.action), body_sent)
        )
        self._counts.action(step.action, reply)
        if reply.accepted:
            case.learn(reply.body)
            case.refused = step.action == "refuse" or (case.refused and case.state != "closed")
        return reply

    def photo(self, actor: Actor, key: str, *, repaired: bool) -> str | None:
        """Upload a photo, which the photo function processes later. Returns its id or ``None``."""
        body_sent = {"content_type": photos.TYPE}
        reply = self._courier.send(Request("POST", "/v1/photos", actor, key, body_sent))
        if not reply.accepted:
            self._counts.action("photo", reply)
            return None
        picture = photos.draw(random.Random(key), repaired=repaired)
        status = photos.upload(self._storage, reply.body["upload"], picture)
        if status not in (200, 201, 204):
            raise RuntimeError(f"the photo's upload was answered with {status}")
        self._counts.photos += 1
        return str(reply.body["photo"])

    def _rate(self, case: Case) -> bool:
        body = {"rating": case.rng.choice(_STARS), "text": said(case, "rate")}
        request = Request(
            "POST",
            f"/v1/reports/{case.id}/rating",
            case.reporter,
            self._next_key(case, "rate"),
            body,
        )
        self._counts.action("rate", self._courier.send(request))
        return False

    def _next_key(self, case: Case, about: str) -> str:
        case.keys += 1
        return self.key(case.number, f"{case.keys}-{about}")
