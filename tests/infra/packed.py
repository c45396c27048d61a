"""What ``make package`` makes, made once for all workers of a test run."""

import fcntl
from copy import deepcopy
from functools import cache
from pathlib import Path

import boto3
import pytest

from infra.deploy.names import Doc
from infra.deploy.package import Packaged, load, package


def packed(factory: pytest.TempPathFactory, stage: str, architecture: str = "arm64") -> Packaged:
    """A stage, packed for a processor: by the first worker that needs it."""
    base = factory.getbasetemp()
    root = base.parent if base.name.startswith("popen-") else base
    folder = root / f"packed-{stage}-{architecture}"
    with (root / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "app.json").exists() or not (folder / "photos.zip").exists():
            package(stage, architecture, folder)
    return Packaged(stage, folder)


@cache
def _loaded(path: Path) -> Doc:
    return load(path)


def application(made: Packaged) -> Doc:
    """The template of the application stack."""
    return _loaded(made.app)


def data(made: Packaged) -> Doc:
    """The template of the data stack."""
    return _loaded(made.data)


def of_type(template: Doc, kind: str) -> dict[str, Doc]:
    """{id: properties} of a template's resources of a type."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == f"AWS::{kind}"
    }


def translated(template: Doc, values: dict[str, str]) -> Doc:
    """The template that CloudFormation makes of one with SAM's resources: what AWS really gets."""
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    template = deepcopy(template)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for place in ("CodeUri", "ContentUri"):
            if str(properties.get(place, "")).startswith("./"):
                properties[place] = f"s3://artifacts/{properties[place][2:]}"
    session = boto3.session.Session(region_name="us-east-1")
    translator = Translator({}, Parser(), boto_session=session)
    found: Doc = translator.translate(template, values)
    return found
