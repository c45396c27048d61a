"""The local stack's commands.

python -m infra.local run                                   serve until Ctrl-C
python -m infra.local token --role officer --district 31.71.01
python -m infra.local mail                                  the messages that would have been sent
python -m infra.local reset                                 delete everything it keeps
"""

import argparse
import json
import logging
import runpy
import signal
import sys
import threading
import time
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.emulator.emulator import LOOPBACK, StackError, erase
from infra.emulator.session import DATA, aws, running
from infra.local import mailbox
from infra.local.schedules import Clock
from infra.local.stack import LocalStack

# Where front ends in development are usually served: CRA and Next, Vite and its preview, webpack.
DEV_ORIGINS = tuple(
    f"http://{host}:{port}" for port in (3000, 4173, 5173, 8080) for host in ("localhost", LOOPBACK)
)


def _run(arguments: argparse.Namespace) -> int:
    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    clock = None if arguments.speed == 1 else Clock(factor=arguments.speed)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    began = time.monotonic()
    with LocalStack(
        arguments.data,
        arguments.port,
        clock,
        aws_port=arguments.aws_port,
        host=arguments.host,
        tell=lambda text: _progress(began, text),
        origins=(*DEV_ORIGINS, *arguments.origin),
    ) as stack:
        print(_welcome(stack), flush=True)
        stopping.wait()
        print("stopping", flush=True)
    return 0


def _progress(began: float, text: str) -> None:
    print(f"{time.monotonic() - began:5.1f} s  {text}", flush=True)


def _welcome(stack: LocalStack) -> str:
    from chalicelib.services.city import staff
    from chalicelib.settings import settings

    record = staff.find(settings().jurisdiction, "officer")
    districts = [d for grant in (record or {"grants": []})["grants"] for d in grant["districts"]]
    district = next((code for code in districts if code != "*"), "")
    official = f"make -s token ROLE=officer DISTRICT={district}"
    return f"""
Tanggap answers at {stack.url} (data in {stack.folder}, Ctrl-C stops it).

Open in a browser:
  {stack.url}/        what this is and where to go
  {stack.url}/docs    the API, to read and try

In another terminal, in this folder:
  curl {stack.url}/v1/services
  {official}
  curl "{stack.url}/v1/queue" -H "Authorization: Bearer $({official})"
  make token CITIZEN=siti    a token of a citizen who signed in
  make mail                  the e-mail and text messages that would have been sent
  make demo                  weeks of a flood in minutes, in a system of its own

docs/tour.md has a tour to paste. A front end in development may call the API from
{", ".join(origin for origin in settings().allow_origins if origin != stack.url)}
"""


def _token(arguments: argparse.Namespace) -> int:
    from chalicelib.settings import settings
    from infra.local import officials

    subject = arguments.citizen
    if subject is None:
        with aws(arguments.data):
            subject = officials.subject(
                arguments.jurisdiction or settings().jurisdiction,
                arguments.role,
                arguments.district,
                arguments.unit,
                now=datetime.now(UTC),
            )
    print(_signed(arguments.data, subject))
    return 0


def _signed(folder: Path, subject: str) -> str:
    from chalicelib import clock
    from infra.local.issuer import Issuer

    note = running(folder)
    if note is None:
        return Issuer(folder, "http://127.0.0.1:8000", clock.now).token(subject)
    # A running stack has its own clock, and checks tokens by it.
    options = urllib.parse.urlencode({"subject": subject})
    with urllib.request.urlopen(f"{note['url']}/dev/token?{options}", timeout=10) as answer:  # nosec B310
        return str(json.load(answer)["access_token"])


def _mail(arguments: argparse.Namespace) -> int:
    until = time.monotonic() + arguments.wait
    while not (letters := mailbox.messages(arguments.data, arguments.to)):
        if time.monotonic() >= until:
            break
        time.sleep(0.2)
    for letter in letters[-arguments.last :]:
        print(mailbox.as_text(letter))
    print(f"{len(letters)} in all")
    return 0


def _reset(arguments: argparse.Namespace) -> int:
    existed = arguments.data.exists()
    erase(arguments.data)
    print(f"deleted {arguments.data}" if existed else f"nothing in {arguments.data}")
    return 0


def _with(arguments: argparse.Namespace) -> int:
    sys.argv = [arguments.module, *arguments.words]
    with aws(arguments.data):
        runpy.run_module(arguments.module, run_name="__main__", alter_sys=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m infra.local", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the data")
    commands = parser.add_subparsers(required=True)

    def command(name: str, act: Any, about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about)
        added.set_defaults(act=act)
        return added

    run = command("run", _run, "serve until Ctrl-C")
    run.add_argument("--port", type=int, default=8000)
    run.add_argument("--aws-port", type=int, default=4566)
    run.add_argument("--host", default=LOOPBACK, help=f"only {LOOPBACK} is accepted")
    run.add_argument("--speed", type=float, default=1.0, help="business seconds in a second")
    run.add_argument("--origin", action="append", default=[], help="a further web origin")
    token = command("token", _token, "print an access token of an official or a citizen")
    who = token.add_mutually_exclusive_group(required=True)
    who.add_argument("--role")
    who.add_argument("--citizen", metavar="NAME", help="somebody signed in without a staff record")
    token.add_argument("--district")
    token.add_argument("--unit")
    token.add_argument("--jurisdiction")
    mail = command("mail", _mail, "show the e-mail and SMS that would have been sent")
    mail.add_argument("--to")
    mail.add_argument("--last", type=int, default=20)
    mail.add_argument("--wait", type=float, default=0, help="seconds to wait for a first letter")
    command("reset", _reset, "delete everything that the local stack keeps")
    other = command("with", _with, "run another command against the local AWS")
    other.add_argument("module")
    other.add_argument("words", nargs=argparse.REMAINDER)
    return parser


def main(words: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    arguments = _parser().parse_args(words)
    try:
        return int(arguments.act(arguments))
    except StackError as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
