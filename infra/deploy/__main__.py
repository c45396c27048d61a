"""``python -m infra.deploy``: pack, deploy and remove a stage.

package [--stage S]             templates and zips in build/<stage>, and build/package.json
deploy  [--stage S] NAME=VALUE  pack and deploy; the values are the stacks'
                                parameters
with    [--stage S] MODULE ...  run a module on a deployed stage (infra.city, infra.ops.dead, …)
destroy [--stage S]             delete the application; the data stay

Credentials are found as by the AWS CLI: its variables, profiles, single sign-on.
"""

import argparse
import os
import sys

from infra.deploy.names import STAGES
from infra.deploy.runtime import RuntimeMissing, UnfitWheel

_NOBODY = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none",
           "AWS_SECRET_ACCESS_KEY": "none"}  # fmt: skip


def main(words: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    options = _parser().parse_args(words)
    try:
        return _package(options) if options.command == "package" else _on_aws(options)
    except (RuntimeMissing, UnfitWheel) as error:
        print(error, file=sys.stderr)
        return 1


def _package(options: argparse.Namespace) -> int:
    # Packing makes clients and calls nothing, so any credentials will do.
    os.environ.update({name: os.environ.get(name, value) for name, value in _NOBODY.items()})
    if options.unmeasured:
        from infra.deploy.package import package

        package(options.stage)
        return 0
    from infra.deploy import report

    return report.main(options.stage)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m infra.deploy")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("package", "deploy", "with", "destroy"):
        command = commands.add_parser(name)
        command.add_argument("--stage", choices=STAGES, default="prod")
        if name == "package":
            command.add_argument("--unmeasured", action="store_true", help="no cold starts")
        if name == "deploy":
            command.add_argument("--no-budget", action="store_true")
            command.add_argument("values", nargs="*", metavar="NAME=VALUE")
        if name == "with":
            command.add_argument("module")
            command.add_argument("words", nargs=argparse.REMAINDER)
    return parser


def _on_aws(options: argparse.Namespace) -> int:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    if not boto3.session.Session().region_name:
        print("no region: set AWS_REGION, as in AWS_REGION=ap-southeast-3", file=sys.stderr)
        return 1
    os.environ.setdefault("AWS_DEFAULT_REGION", boto3.session.Session().region_name or "")
    from infra.deploy import stacks

    try:
        if options.command == "destroy":
            stacks.destroy(options.stage)
        elif options.command == "with":
            # In a new process, because loaded modules have already read their settings.
            env = {**os.environ, **stacks.environment(options.stage)}
            python = [sys.executable, "-m", options.module, *options.words]
            os.execve(sys.executable, python, env)  # nosec B606
        else:
            return _deploy(options)
    except (stacks.DeployError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _deploy(options: argparse.Namespace) -> int:
    from infra.deploy import stacks
    from infra.deploy.package import package

    if wrong := [value for value in options.values if "=" not in value]:
        print(f"not NAME=VALUE: {' '.join(wrong)}", file=sys.stderr)
        return 1
    chosen = dict(value.split("=", 1) for value in options.values)
    if wrong := stacks.unknown(options.stage, chosen):
        print(f"no parameter is called {', '.join(wrong)} (docs/deploy.md)", file=sys.stderr)
        return 1
    made = package(options.stage)
    deployed = stacks.deploy(made, chosen)
    if not options.no_budget:
        stacks.budget(made, chosen)
    print(f"\nAPI    {deployed.url}\nfiles  {deployed.files_url}")
    print("AWS has mailed AlarmEmail a link to confirm, if this was the first time.")
    print(f"A city: make ops STAGE={options.stage} DO='infra.city load DIR --deployed'")
    return 0


if __name__ == "__main__":
    sys.exit(main())
