"""What an event tells citizens, by rules/alerts.json: the reporter, reporters of merged reports,
followers.

An action's row in ``citizens`` gives the kind of message for each of ``RELATIONS`` (``null``: they
are not told), or is ``null``: nobody is told, on purpose. ``when`` narrows it: ``words`` (an
official, or a unit's own system, said something in public), ``claimed`` (the device changed),
``for_somebody`` (an official filed it), ``former`` (the contact was corrected, and the one before
is to be told).
"""

from functools import cache
from typing import Any

from chalicelib import rules
from chalicelib.domain.report import hidden_in, secret_in

RELATIONS = ("reporter", "duplicate", "follower")
# What needs an answer; all that remains for who wants to hear of nothing else.
ASKING = frozenset({"ask", "question"})
# A warning about the report's safety, whatever else somebody wants to hear.
ALWAYS = frozenset({"claimed", "recontacted"})
# Of these hears whom the contact reached before it was corrected, of the last nobody else.
FORMER = ("claimed", "recontacted")
TOLD = "told"


@cache
def table() -> dict[str, dict[str, str | None] | None]:
    """The table: {action: {"reporter": kind, "duplicate": kind, "follower": kind, "when"}}."""
    found: dict[str, dict[str, str | None] | None] = rules.load("alerts")["citizens"]
    return found


def kinds() -> frozenset[str]:
    """The kinds of message that a citizen may get."""
    rows = [row for row in table().values() if row]
    return frozenset(kind for row in rows for who in RELATIONS if (kind := row.get(who)))


def message(event: dict[str, Any], base: dict[str, Any]) -> dict[str, Any] | None:
    """The one outbox row of an event for citizens: ``tell`` says which kind each relation gets.

    Of a secret or private report nobody but its reporter hears, who is not surveyed about a secret
    one. Nobody is told of what they did themselves.
    """
    row, after = table().get(event["action"]), event["after"]
    if row is None or not _applies(row.get("when"), event):
        return None
    tell = {who: kind for who in RELATIONS if (kind := row.get(who))}
    if hidden_in(after):
        tell = {who: kind for who, kind in tell.items() if who == "reporter"}
    own = event["actor"]["kind"] == "citizen" and event["data"].get("by") != "duplicate"
    former = bool(event["data"].get("former"))
    silent = not (after["contactable"] or former) or (own and tell.get("reporter") not in ALWAYS)
    if silent or (secret_in(after) and tell.get("reporter") == "ask"):
        tell.pop("reporter", None)
    if not tell:
        return None
    names = (event["jurisdiction"], event["report"], str(event["version"]), event["action"], TOLD)
    secret = {"protected": secret_in(after)}
    return {**base, **secret, "kind": TOLD, "tell": tell, "dedupe": ":".join(names)}


def _applies(when: str | None, event: dict[str, Any]) -> bool:
    if when == "words":
        public = any(one["audience"] == "public" for one in event["words"])
        return public and event["actor"]["kind"] != "citizen"
    if when == "for_somebody":
        # Whoever files knows of it. What is secret is in no link.
        return event["actor"]["kind"] == "staff" and not secret_in(event["after"])
    if when == "former":
        return bool(event["data"].get("former"))
    if when == "claimed":
        return "claims" in event["set"]
    return True
