"""``python -m infra.ops webhooks``: other systems that are sent public events (docs/webhooks.md).

list                    the webhooks: whether each is off, what waits, what was not taken
secret HOOK             make its secret and print it once; again: a newer one beside it
retire HOOK             end the older secrets, when the other system has the newest
token HOOK              store the access token that it wants (read from standard input)
ping HOOK               send it a test event
resume HOOK             send all that waits now, without waiting for the next attempt
enable HOOK             the same for a hook that is off
replay HOOK REPORT      send a report's events again; --from VERSION
skip HOOK REPORT        leave out the event that it does not take, and go on with the next
"""

import argparse
import getpass
import json
import sys
from collections.abc import Callable
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.city.hook import Hook

# While receivers change; the parameter and the header have room for them.
_MOST_SECRETS = 4
_BUSY = "its events are being sent at this moment; try again"
_Command = Callable[[City, Hook, argparse.Namespace], int]


def main(words: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    from chalicelib import clock
    from chalicelib.errors import Problem
    from chalicelib.services.city import cities
    from chalicelib.settings import settings

    parser = argparse.ArgumentParser(
        "python -m infra.ops webhooks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--jurisdiction", default=settings().jurisdiction, help="the city (default: %(default)s)"
    )
    parser.add_argument(
        "--from", dest="first", type=int, default=1, metavar="VERSION",
        help="of replay: the first event to send again (default: all of the report)",
    )  # fmt: skip
    parser.add_argument("command", choices=("list", *_COMMANDS), help="see above")
    parser.add_argument("hook", nargs="?", default="", help="its code in webhooks.json")
    parser.add_argument("report", nargs="?", default="", help="of replay and skip: its id")
    options = parser.parse_args(words)
    if options.command != "list" and not options.hook:
        parser.error(f"{options.command} needs a HOOK")
    if options.command in ("replay", "skip") and not options.report:
        parser.error(f"{options.command} needs a HOOK and a REPORT")
    try:
        city = cities.current(options.jurisdiction, clock.now())
    except Problem:
        print(f"{options.jurisdiction!r} is no city that is loaded", file=sys.stderr)
        return 1
    if options.command == "list":
        listed = [_listed(city, hook) for hook in city.hooks.values()]
        print(json.dumps(listed, indent=2, ensure_ascii=False))
        if not listed:
            print(f"{city.jurisdiction} has no webhooks (docs/webhooks.md)", file=sys.stderr)
        return 0
    hook = city.hooks.get(options.hook)
    if hook is None:
        known = ", ".join(city.hooks) or "it has none (docs/webhooks.md)"
        print(f"{options.hook!r} is no webhook of {city.jurisdiction}: {known}", file=sys.stderr)
        return 1
    return _COMMANDS[options.command](city, hook, options)


def _listed(city: City, hook: Hook) -> dict[str, Any]:
    from chalicelib.services.webhooks import hooks
    from chalicelib.storage import webhooks as store

    state = store.state(city.jurisdiction, hook.code)
    reports, behind, dead, oldest = hooks.lag(city, hook)
    return {
        "hook": hook.code,
        "url": hook.url,
        "secrets": len(store.secrets(city.jurisdiction, hook.code)),
        **{name: value for name, value in state.items() if name not in ("url", "off")},
        "off": state.get("off") if hooks.is_off(state, hook) else None,
        "reports": reports,
        "behind": behind,
        "dead": dead,
        "waits_since": oldest["since"] if oldest else None,
        "why": oldest["reason"] if oldest else None,
    }


def _secret(city: City, hook: Hook, options: argparse.Namespace) -> int:
    from chalicelib import ids
    from chalicelib.outside import webhooks as outside
    from chalicelib.storage import webhooks as store

    former = store.secrets(city.jurisdiction, hook.code)
    if len(former) >= _MOST_SECRETS:
        print(
            f"{len(former)} secrets sign already; when the other system has the newest: "
            f"retire {hook.code}",
            file=sys.stderr,
        )
        return 1
    # Which of them the other system uses is not known here, so all go on signing.
    made = outside.secret(ids.token_bytes(outside.SECRET_BYTES))
    store.put_secrets(city.jurisdiction, hook.code, [made, *former])
    print(made)
    if former:
        print(f"the older secret signs too, until: retire {hook.code}", file=sys.stderr)
    return 0


def _retire(city: City, hook: Hook, options: argparse.Namespace) -> int:
    from chalicelib.storage import webhooks as store

    secrets = store.secrets(city.jurisdiction, hook.code)
    if len(secrets) < 2:
        print("there is no older secret", file=sys.stderr)
        return 1
    store.put_secrets(city.jurisdiction, hook.code, secrets[:1])
    return 0


def _token(city: City, hook: Hook, options: argparse.Namespace) -> int:
    from chalicelib.storage import webhooks as store

    if not hook.token_header:
        print(f"{hook.code} has no token_header (webhooks.json)", file=sys.stderr)
        return 1
    asks = sys.stdin.isatty()
    token = (getpass.getpass("Token: ") if asks else sys.stdin.readline()).strip()
    if not token or not token.isascii() or not token.isprintable():
        print("a token must have printable ASCII characters only", file=sys.stderr)
        return 1
    store.put_token(city.jurisdiction, hook.code, token)
    return 0


def _ping(city: City, hook: Hook, options: argparse.Namespace) -> int:
    from chalicelib import clock
    from chalicelib.outside.fetch import Failed
    from chalicelib.services.webhooks import hooks

    try:
        status, outside_id = hooks.ping(city, hook, clock.now())
    except Failed as failure:
        print(f"{hook.url}: {_words(failure.reason, hook)}", file=sys.stderr)
        return 1
    print(json.dumps({"status": status, "outside_id": outside_id}))
    return 0 if 200 <= status < 300 else 1


def _words(reason: str, hook: Hook) -> str:
    """The reason of a failure in words."""
    return {
        "no_secret": f"it has no secret yet: webhooks secret {hook.code}",
        "bad_secret": f"its secret was not stored whole: webhooks secret {hook.code}, then retire",
        "no_token": f"its access token is not stored yet: webhooks token {hook.code}",
        "address_refused": "its name leads to an address that is not public",
        "no_answer": "no answer: the name is unknown, or the connection failed",
        "too_slow": "no whole answer within five seconds",
        "too_large": "an answer of more than 64 KiB",
        "tls": "its certificate is not valid for the name",
        "redirect": "it answers with a redirect: write the address to which it leads",
    }.get(reason, reason)


def _said_off(city: City, hook: Hook) -> bool:
    """Whether the hook is off, so that nothing can be sent; says how to enable it."""
    from chalicelib.services.webhooks import hooks
    from chalicelib.storage import webhooks as store

    state = store.state(city.jurisdiction, hook.code)
    if not hooks.is_off(state, hook):
        return False
    print(
        f"{hook.code} has been off since {state['off']}, because it answered 410; "
        f"if that was a mistake: webhooks enable {hook.code}",
        file=sys.stderr,
    )
    return True


def _resume(city: City, hook: Hook, options: argparse.Namespace) -> int:
    from chalicelib.services.webhooks import hooks

    if _said_off(city, hook):
        return 1
    print(f"{hooks.resume(city, hook)} reports are sent")
    return 0


def _enable(city: City, hook: Hook, options: argparse.Namespace) -> int:
    from chalicelib.services.webhooks import hooks

    print(f"{hooks.enable(city, hook)} reports are sent")
    return 0


def _replay(city: City, hook: Hook, options: argparse.Namespace) -> int:
    from chalicelib.services.webhooks import hooks
    from chalicelib.storage import reports

    head = reports.get(city.jurisdiction, options.report)
    if head is None:
        print(f"{options.report!r} is no report of {city.jurisdiction}", file=sys.stderr)
        return 1
    if not 1 <= options.first <= head.version:
        print(f"--from: its events are 1 to {head.version}", file=sys.stderr)
        return 1
    if _said_off(city, hook):
        return 1
    if not hooks.replay(city, hook, head.id, options.first, head.version):
        print(_BUSY, file=sys.stderr)
        return 1
    return 0


def _skip(city: City, hook: Hook, options: argparse.Namespace) -> int:
    from chalicelib.domain import webhooks
    from chalicelib.services.webhooks import hooks
    from chalicelib.storage import reports

    head = reports.get(city.jurisdiction, options.report)
    event = hooks.waiting_event(city, hook, head.id) if head else None
    if head is None or event is None:
        print("no event of it waits", file=sys.stderr)
        return 1
    shown = f"event {event['version']} ({event['action']})"
    if webhooks.removes(event):
        print(f"{shown} says what the other system must delete, so it stays", file=sys.stderr)
        return 1
    if not hooks.skip(city, hook, event, head.version):
        print(_BUSY, file=sys.stderr)
        return 1
    print(f"{shown} is left out")
    return 0


_COMMANDS: dict[str, _Command] = {
    "secret": _secret,
    "retire": _retire,
    "token": _token,
    "ping": _ping,
    "resume": _resume,
    "enable": _enable,
    "replay": _replay,
    "skip": _skip,
}

if __name__ == "__main__":
    sys.exit(main())
