"""``python -m infra.ops``: a deployment's dead letters, copies and erasures (docs/operations.md).

dead                 what was given up: notes, and messages in the dead-letter queues
redrive QUEUE        put what was given up back: messages, photos, forwards, or failures
backup DIR           every table and file of the stage, as files in DIR
restore DIR          all of it into a stage that is still empty; then what follows is counted anew
erase CITY REPORT    forget whoever filed a report: contact, words, pictures, in all their reports

On a stage: ``make ops STAGE=prod DO='infra.ops redrive photos'``.
"""

import argparse
import json
import sys
from pathlib import Path

QUEUES = ("messages", "photos", "forwards", "failures")


def main(words: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    parser = argparse.ArgumentParser("python -m infra.ops")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("dead")
    commands.add_parser("redrive").add_argument("queue", choices=QUEUES)
    for name in ("backup", "restore"):
        commands.add_parser(name).add_argument("folder", type=Path)
    erase = commands.add_parser("erase")
    erase.add_argument("city")
    erase.add_argument("report")
    asked = parser.parse_args(words)
    from chalicelib.errors import Problem

    try:
        return _run(asked)
    except Problem as problem:
        print(problem.document()["detail"], file=sys.stderr)
    except (RuntimeError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
    return 1


def _run(asked: argparse.Namespace) -> int:
    if asked.command == "dead":
        from infra import dead

        return dead.main()
    if asked.command == "redrive":
        from infra import redriving

        print(json.dumps(redriving.redrive(asked.queue), indent=2))
    elif asked.command == "erase":
        from chalicelib import clock
        from chalicelib.services import erasing

        reports = erasing.erase(asked.city, asked.report, clock.now())
        print(json.dumps({"erased": reports}, indent=2))
    else:
        from infra import copies

        act = copies.backup if asked.command == "backup" else copies.restore
        print(json.dumps(act(asked.folder), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
