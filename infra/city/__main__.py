"""Cities as data: check a folder, load it, print a ranking, import history, draw shapes.

python -m infra.city check infra/cities/demo
python -m infra.city load infra/cities/jakarta --boundaries ../shared/data/jakarta
python -m infra.city scorecard 2017-02
python -m infra.city import-reports old.csv --mapping mapping.json
python -m infra.city shapes infra/cities/demo/points.json > infra/cities/demo/wards.geojson
"""

import argparse
import json
import re
import sys
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from infra.city import reach, voronoi
from infra.city.findings import CityErrors
from infra.city.load import Loaded, load_folder, prepare
from infra.ops import failures

# After this many seconds every container uses the new version (cities.FRESH, plus one).
_SETTLED = 31


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 1 if the folder has faults, which are printed."""
    options = _parser().parse_args(arguments)
    return failures.in_words(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    try:
        if options.command == "shapes":
            print(voronoi.document(json.loads(options.points.read_text(encoding="utf-8"))))
        elif options.command == "scorecard":
            return _scorecard(options)
        elif options.command in ("import-reports", "imports", "undo-import"):
            return _import(options)
        elif options.command == "check":
            made = prepare(options.folder, options.boundaries, jurisdiction=options.jurisdiction)
            warned = [f"warning: {line}" for line in made.warnings]
            warned += [f"reaches nobody: {line}" for line in reach.nobody(made)]
            print("\n".join([*made.summary(), *warned, "nothing is wrong"]))
        else:
            _show(_load(options))
    except CityErrors as errors:
        print(f"{len(errors.findings)} fault(s); nothing was loaded", file=sys.stderr)
        print("\n".join(f"  {line}" for line in errors.findings), file=sys.stderr)
        return 1
    return 0


def _load(options: argparse.Namespace) -> Loaded:
    if options.deployed:
        return load_folder(
            options.folder,
            options.boundaries,
            jurisdiction=options.jurisdiction,
            issuer=options.issuer,
            settle=lambda: time.sleep(_SETTLED),
        )
    from chalicelib.settings import settings
    from infra.emulator.session import aws

    with aws():
        # The local issuer's address contains the stack's port, so it is not in the folder.
        local = next((issuer["issuer"] for issuer in settings().issuers), None)
        return load_folder(
            options.folder,
            options.boundaries,
            jurisdiction=options.jurisdiction,
            issuer=options.issuer or local,
        )


def _import(options: argparse.Namespace) -> int:
    """Import into the AWS account of the environment, or into the local stack."""
    from infra.emulator.session import DATA, aws

    with nullcontext() if options.deployed else aws(options.data or DATA):
        from chalicelib import clock
        from chalicelib.services.city import cities
        from chalicelib.settings import settings
        from infra.city import importing

        name = options.jurisdiction or settings().jurisdiction
        city = cities.current(name, clock.now())
        if options.command == "imports":
            return importing.listed(city)
        act = importing.undo if options.command == "undo-import" else importing.command
        return act(options, city)


def _scorecard(options: argparse.Namespace) -> int:
    """Print the ranking from the AWS account, the local stack or the demo's data."""
    from infra.city.scorecard import rankings
    from infra.emulator.session import DATA, DEMO, aws

    folders = (
        [options.data] if options.data else [folder for folder in (DATA, DEMO) if folder.exists()]
    )
    local = [partial(aws, folder) for folder in folders]
    for open_aws in [nullcontext] if options.deployed else local:
        with open_aws():
            if texts := rankings(options.month, options.jurisdiction):
                print("\n\n".join(texts))
                return 0
    print(f"no scorecards of {options.month}", file=sys.stderr)
    return 1


def _show(done: Loaded) -> None:
    print(f"{done.jurisdiction}, version {done.version}")
    print(", ".join(f"{name} {n}" for name, n in done.counts.items()))
    for report, what in done.moves.moved:
        print(f"moved {report}: {what}")
    for report, person in done.moves.freed:
        print(f"given back to its unit {report}: {person} has left")
    for report, doubt in done.moves.doubts:
        print(f"for a person to look at {report}: {doubt}")
    for code in done.hooks_gone:
        print(
            f"webhook {code} is removed: its system is told nothing more, not even what is erased "
            "here. If it has ended, ask its people to delete their copies"
        )
    print("endpoints: " + ", ".join(f"{n} {what}" for what, n in done.endpoints.items()))
    print("loaded" if done.new else "unchanged: this version was loaded already")


def _month(text: str) -> str:
    if not re.fullmatch(r"\d{4}-?(0[1-9]|1[0-2])", text):
        raise argparse.ArgumentTypeError("must be a month such as 2017-02")
    return text.replace("-", "")


def _parser() -> argparse.ArgumentParser:
    about = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m infra.city", description=about)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("check", "name everything that is wrong with a folder"),
        ("load", "check a folder and publish it"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("folder", type=Path)
        command.add_argument("--boundaries", type=Path, help="where the GeoJSON files lie")
        command.add_argument("--jurisdiction", help="another name for the city")
        if name == "load":
            command.add_argument("--issuer", help="who signs the officials' tokens")
            command.add_argument(
                "--deployed",
                action="store_true",
                help="into the AWS account of the environment, not the local stack",
            )
    scorecard = commands.add_parser("scorecard", help="print a month's ranking with intervals")
    scorecard.add_argument("month", type=_month, help="such as 2017-02")
    scorecard.add_argument("--jurisdiction", help="the city, if not the settings' own")
    scorecard.add_argument("--data", type=Path, help="a local stack's folder")
    scorecard.add_argument(
        "--deployed", action="store_true", help="from the AWS account of the environment"
    )
    reports = commands.add_parser("import-reports", help="import an old system's history")
    reports.add_argument("reports", help="a CSV file, or the base of an Open311 endpoint")
    reports.add_argument("--mapping", type=Path, help="docs/import.md")
    reports.add_argument("--since", default="2010-01-01", help="from which day of an endpoint")
    reports.add_argument("--findings", type=Path, default=Path("build/import-findings.csv"))
    reports.add_argument(
        "--notify-units", action="store_true", help="tell each unit once how many open ones came"
    )
    undo = commands.add_parser("undo-import", help="take an import's reports out again")
    undo.add_argument("run", help="the id of the import")
    listed = commands.add_parser("imports", help="list the newest imports")
    for command in (reports, undo):
        command.add_argument("--dry-run", action="store_true", help="count, and change nothing")
    for command in (reports, undo, listed):
        command.add_argument("--jurisdiction", help="the city, if not the settings' own")
        command.add_argument("--data", type=Path, help="a local stack's folder")
        command.add_argument("--deployed", action="store_true", help="into the AWS account")
    shapes = commands.add_parser("shapes", help="draw approximate wards around points")
    shapes.add_argument("points", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
