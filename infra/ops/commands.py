"""``python -m infra.ops``: a deployment's dead letters, copies and erasures (docs/operations.md).

dead                 show dead letters: notes, and messages in the dead-letter queues
redrive QUEUE        put dead letters back: messages, photos, forwards, webhooks, or failures
backup DIR           copy every table and file of the stage into a new folder of DIR
restore DIR/COPY     restore a copy into an empty stage, recompute the projections, and repeat the
                     erasures made since the copy
erase CITY WHO       erase a person (the reporter of the report WHO, or the uid WHO);
                     with --copies DIR, note it in the list beside the copies
erasures DIR         update the list of erasures beside the copies
erase-again SINCE    repeat the erasures made since a moment (ISO 8601), after PITR;
                     with --copies DIR also those in the list there

retention CITY       show the data that are over their time, by class; with --run erase them

keys …               API keys of Open311 clients: issue NAME, list, revoke ID
forwarding …         units with an Open311 server of their own: list, key, check, secret, enable
webhooks …           systems that are sent public events: list, secret, retire, token, ping,
                     resume, enable, replay, skip
open-data            write the open data's files now
proof URL REPORT     check a report from public answers alone, as anybody can; URL is the API's
verify               check the record: heads, events, texts and tallies must say the same
rebuild              recompute every projection from the timeline; prints what differed
backfill             write every head again in its current form

copy CITY REPORT     all data about the person who filed a report, for a request on paper
exposed CITY KIND ID  what a leaked key (its id), person (uid) or official (reference) could read:
                     ids and counts; --since MOMENT, --limit N, --after NEXT: the next page

On a stage: ``make ops STAGE=prod DO='infra.ops redrive photos'``.
"""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from chalicelib.services.platform.record_answer_types import Exposed
from infra.ops import failures

QUEUES = ("messages", "photos", "forwards", "webhooks", "failures")


def main(words: list[str] | None = None) -> int:
    """Run one command; its exit status. What goes wrong is a sentence."""
    words = sys.argv[1:] if words is None else words
    return failures.in_words(partial(_main, words))


def _main(words: list[str]) -> int:
    apart = _apart()
    if words and words[0] in apart:
        return apart[words[0]](words[1:])
    parser = argparse.ArgumentParser("python -m infra.ops", **_described(__doc__))
    commands = parser.add_subparsers(dest="command", required=True)
    for name in apart:
        commands.add_parser(name)
    commands.add_parser("dead")
    commands.add_parser("redrive").add_argument("queue", choices=QUEUES)
    for name in ("backup", "restore"):
        commands.add_parser(name).add_argument("folder", type=Path)
    erase = commands.add_parser("erase")
    erase.add_argument("city")
    erase.add_argument("who")
    erase.add_argument("--copies", type=Path)
    copy = commands.add_parser("copy")
    copy.add_argument("city")
    copy.add_argument("report")
    commands.add_parser("erasures").add_argument("folder", type=Path)
    again = commands.add_parser("erase-again")
    again.add_argument("since")
    again.add_argument("--copies", type=Path)
    retention = commands.add_parser("retention")
    retention.add_argument("city")
    retention.add_argument("--run", action="store_true", help="erase it, as the schedule does")
    _exposed(commands.add_parser("exposed"))
    return _run(parser.parse_args(words))


def _apart() -> dict[str, Callable[[list[str]], int]]:
    """Commands in modules of their own, which parse their own arguments."""
    from infra.ops import backfill, forwarding, keys, open_data, proof, rebuild, verify, webhooks

    return {
        "keys": keys.main,
        "forwarding": forwarding.main,
        "webhooks": webhooks.main,
        "open-data": _without_words("open-data", open_data),
        "proof": proof.main,
        "verify": _without_words("verify", verify),
        "rebuild": _without_words("rebuild", rebuild),
        "backfill": _without_words("backfill", backfill),
    }


def _without_words(name: str, module: Any) -> Callable[[list[str]], int]:
    """A command that takes no words; with ``--help`` or a mistake it does nothing."""

    def command(words: list[str]) -> int:
        argparse.ArgumentParser(
            f"python -m infra.ops {name}", **_described(module.__doc__)
        ).parse_args(words)
        return int(module.main())

    return command


def _described(text: str | None) -> dict[str, Any]:
    return {"description": text, "formatter_class": argparse.RawDescriptionHelpFormatter}


def _exposed(command: argparse.ArgumentParser) -> None:
    command.add_argument("city")
    command.add_argument("kind", choices=("key", "person", "official"))
    command.add_argument("id")
    command.add_argument("--since", help="ISO 8601; default: 90 days ago")
    command.add_argument("--after", default="", help="the cursor of the previous page")
    command.add_argument("--limit", type=int, default=200)


def _could_read(options: argparse.Namespace) -> Exposed:
    from chalicelib import clock
    from chalicelib.domain.timestamps import parse
    from chalicelib.services.people import exposure

    now, limit = clock.now(), max(1, min(options.limit, 1000))
    if options.kind == "key":
        return exposure.of_key(options.city, options.id, options.after, limit)
    if options.kind == "person":
        return exposure.of_person(options.city, options.id, options.after, limit)
    since = parse(options.since) if options.since else now - timedelta(days=90)
    return exposure.of_official(options.city, options.id, since, options.after, limit, now)


def _over_its_time(options: argparse.Namespace) -> dict[str, Any]:
    from chalicelib import clock
    from chalicelib.services.city import cities
    from chalicelib.services.people import retention

    now = clock.now()
    city = cities.current(options.city, now)
    return retention.erase_expired(city, now) if options.run else retention.preview(city, now)


def _run(options: argparse.Namespace) -> int:
    if options.command == "dead":
        from infra.ops import dead

        return dead.main()
    if options.command == "redrive":
        from infra.ops import redrive

        print(json.dumps(redrive.redrive(options.queue), indent=2))
    elif options.command == "erase":
        from chalicelib import clock
        from chalicelib.services.people import erasure
        from infra.ops import backups

        erased = erasure.erase(options.city, options.who, clock.now())
        if options.copies:
            backups.keep_erasures(options.copies)
        print(json.dumps({"erased": erased}, indent=2))
    elif options.command == "copy":
        from chalicelib.services.people import data_copy

        for item in data_copy.of_report(options.city, options.report):
            print(json.dumps(item, ensure_ascii=False))
    elif options.command == "retention":
        print(json.dumps(_over_its_time(options), indent=2))
    elif options.command == "exposed":
        print(json.dumps(_could_read(options), indent=2))
    elif options.command == "erasures":
        from infra.ops import backups

        print(json.dumps({"erasures": backups.keep_erasures(options.folder)}, indent=2))
    elif options.command == "erase-again":
        from chalicelib.domain.timestamps import parse
        from infra.ops import backups

        again = backups.erase_again(parse(options.since), backups.listed(options.copies))
        print(json.dumps({"erased": again}, indent=2))
    else:
        from infra.ops import backups, restores

        act = backups.backup if options.command == "backup" else restores.restore
        print(json.dumps(act(options.folder), indent=2))
    return 0
