"""``python -m infra.ops keys``: the API keys of Open311 clients of a city.

issue NAME [--per-minute N] [--statuses state]
                               a new key, shown only once; with --statuses state for a front end
                               whose updates repeat the present state (FixMyStreet)
statuses ID state|verdict      change that of a key; it keeps its requests, as a new key would not
list                           the keys: name, date, whether revoked
revoke ID                      make the key invalid
"""

import argparse
import json
import sys


def main(words: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    from chalicelib import clock
    from chalicelib.services.identity import api_keys
    from chalicelib.settings import settings

    parser = argparse.ArgumentParser("python -m infra.ops keys")
    parser.add_argument("--jurisdiction", default=settings().jurisdiction)
    commands = parser.add_subparsers(dest="command", required=True)
    issue = commands.add_parser("issue")
    issue.add_argument("name")
    issue.add_argument("--per-minute", type=int, default=api_keys.PER_MINUTE)
    kinds = (api_keys.VERDICT, api_keys.STATE)
    issue.add_argument("--statuses", choices=kinds, default=api_keys.VERDICT)
    change = commands.add_parser("statuses")
    change.add_argument("id")
    change.add_argument("kind", choices=kinds)
    commands.add_parser("list")
    commands.add_parser("revoke").add_argument("id")
    options = parser.parse_args(words)
    if options.command == "issue":
        key_id, key = api_keys.issue(
            options.jurisdiction, options.name, options.per_minute, clock.now(), options.statuses
        )
        print(f"{key}\n\nid {key_id}; it is not shown again", file=sys.stdout)
    elif options.command == "list":
        print(json.dumps(api_keys.list_keys(options.jurisdiction), indent=2, ensure_ascii=False))
    else:
        if options.command == "revoke":
            is_known = api_keys.revoke(options.jurisdiction, options.id, clock.now())
        else:
            is_known = api_keys.set_statuses(options.jurisdiction, options.id, options.kind)
        if not is_known:
            print(f"no key {options.id}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
