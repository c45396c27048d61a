"""Which citizens an event informs, by rules/alerts.json.

They are the reporter, the reporters of merged reports, and the followers. An action's row in
``citizens`` gives the kind of message for each of ``RELATIONS`` (``null``: none), or is ``null``:
nobody is informed, on purpose. ``when`` narrows it: ``words`` (an official, or a unit's own system,
said something in public), ``claimed`` (the device changed), ``for_somebody`` (an official filed
it), ``former`` (the contact was corrected, and the contact before is informed too).

Tests: tests/integration/test_citizen_messages.py
"""

from functools import cache

from chalicelib import rules
from chalicelib.domain.message_types import CitizenMessage
from chalicelib.domain.report_facts import hidden_in, secret_in
from chalicelib.domain.timeline_types import Event
from chalicelib.domain.workflow import table as workflow

RELATIONS = ("reporter", "duplicate", "follower")
# Messages that need an answer; they also go to people who chose "asked".
ASKING = frozenset({"ask", "doubted", "question"})
# Warnings about the safety of the report; they also go to people who chose no messages.
ALWAYS = frozenset({"claimed", "recontacted"})
# These also go to the contact before a correction; the last one goes to nobody else.
FORMER = ("claimed", "recontacted")
# The row of a remark that makes the reporter be asked: it has the action "comment".
DOUBT = "doubt"
TOLD = "told"


@cache
def table() -> dict[str, dict[str, str | None] | None]:
    """The table: {action: {"reporter": kind, "duplicate": kind, "follower": kind, "when"}}."""
    return {**rules.load("alerts")["citizens"], **workflow.alerts("citizens")}


def kinds() -> frozenset[str]:
    """The kinds of message that a citizen may get."""
    rows = [row for row in table().values() if row]
    return frozenset(kind for row in rows for who in RELATIONS if (kind := row.get(who)))


def message(event: Event) -> CitizenMessage | None:
    """The outbox row of an event for citizens: ``tell`` gives the kind for each relation;
    ``asked`` is the duplicate whose filer is asked in place of the reporter.

    Only the reporter hears of a secret or private report, without a survey if it is secret. Nobody
    is informed of their own action.
    """
    data, after = event["data"], event["after"]
    row = table().get(DOUBT if data.get("asks") else event["action"])
    if row is None or not _applies(row.get("when"), event):
        return None
    tell = {who: kind for who in RELATIONS if (kind := row.get(who))}
    if hidden_in(after):
        tell = {who: kind for who, kind in tell.items() if who == "reporter"}
    # A person known only by a contact is told what was done in their name.
    others = data.get("asks") or data.get("by") in ("duplicate", "contact")
    own = event["actor"]["kind"] == "citizen" and not others
    former = bool(data.get("former"))
    # The remark was about a duplicate: its own filer is asked.
    asked = data.get("duplicate") if data.get("asks") else None
    silent = not (after["contactable"] or former or asked) or (
        own and tell.get("reporter") not in ALWAYS
    )
    if silent or (secret_in(after) and tell.get("reporter") == "ask"):
        tell.pop("reporter", None)
    if not tell:
        return None
    names = (event["jurisdiction"], event["report"], str(event["version"]), event["action"], TOLD)
    message: CitizenMessage = {
        "jurisdiction": event["jurisdiction"],
        "report": event["report"],
        "version": event["version"],
        "rules": event["rules"],
        "event": event["action"],
        "at": event["at"],
        "protected": secret_in(after),
        "kind": TOLD,
        "tell": tell,
        "dedupe": ":".join(names),
    }
    if asked:
        message["asked"] = asked
    return message


def _applies(when: str | None, event: Event) -> bool:
    if when == "words":
        public = any(word["audience"] == "public" for word in event["words"])
        return public and event["actor"]["kind"] != "citizen"
    if when == "for_somebody":
        # Citizens who file know of it. A secret report must not be in a link.
        return event["actor"]["kind"] == "staff" and not secret_in(event["after"])
    if when == "former":
        return bool(event["data"].get("former"))
    if when == "claimed":
        return "claims" in event["set"]
    return True
