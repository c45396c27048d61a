"""Cities as data: check a city folder, load it, or draw the demo city's approximate shapes.

python -m infra.city check infra/cities/demo
python -m infra.city load infra/cities/jakarta --boundaries ../shared/data/jakarta
python -m infra.city shapes infra/cities/demo/points.json > infra/cities/demo/wards.geojson
"""

import argparse
import json
import sys
from pathlib import Path

from infra.city import voronoi
from infra.city.findings import CityErrors
from infra.city.load import Loaded, load_folder, prepare


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 1 where the folder has faults, which are listed."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "shapes":
            print(voronoi.document(json.loads(options.points.read_text(encoding="utf-8"))))
        elif options.command == "check":
            made = prepare(options.folder, options.boundaries, jurisdiction=options.jurisdiction)
            print("\n".join([*made.summary(), "nothing is wrong"]))
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
        )
    from chalicelib.settings import settings
    from infra.local.stack import aws

    with aws():
        # The local issuer's address has the stack's port, which the folder cannot know.
        local = next((one["issuer"] for one in settings().issuers), None)
        return load_folder(
            options.folder,
            options.boundaries,
            jurisdiction=options.jurisdiction,
            issuer=options.issuer or local,
        )


def _show(done: Loaded) -> None:
    print(f"{done.jurisdiction}, version {done.version}")
    print(", ".join(f"{name} {n}" for name, n in done.counts.items()))
    print("endpoints: " + ", ".join(f"{n} {what}" for what, n in done.endpoints.items()))
    print("loaded" if done.new else "unchanged: this version was loaded already")


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
    shapes = commands.add_parser("shapes", help="draw approximate wards around points")
    shapes.add_argument("points", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
