"""``make package``: make two templates and two zips for CloudFormation from the sources.

    build/<stage>/data.json         the data stack
    build/<stage>/app.json          the application stack
    build/<stage>/deployment.zip    the code: pruned, precompiled, reproducible
    build/<stage>/photos.zip        the layer of the photo function

Lambda's /var/task is read-only: without precompiled files Python would compile at every cold start,
which doubles its time (``infra.deploy.coldstart`` measures it).
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.deploy import application, data, runtime, watching
from infra.deploy.functions import FUNCTIONS
from infra.deploy.names import Doc, environment, log_group
from infra.deploy.policies import policy

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
# The services that the code uses, and the data that botocore needs.
SERVICES = ("dynamodb", "s3", "sesv2", "sns", "sqs", "ssm")
_ENDPOINTS = frozenset({*SERVICES, "email", "streams.dynamodb", "sts"})
_BOTOCORE = re.compile(
    rf"botocore/data/(?!({'|'.join(SERVICES)})/|[^/]+\.json$).*|botocore/data/.*(examples|paginators|waiters)-?.*"
)
_POWERTOOLS = re.compile(
    r"aws_lambda_powertools/(event_handler|utilities/(parser|feature_flags|idempotency|kafka|streaming"
    r"|data_masking|parameters|circuit_breaker|auth_alpha|validation))/.*"
)
# Never used by our code: other viewers of the API's description, stubs, build notes, and the
# compiler part of cffi (cryptography needs only its compiled part).
_NEEDLESS = re.compile(
    r"offapi/(scalar|redoc|swagger_preset)\.js|.*\.pyi|.*/tests/.*|.*/py\.typed|(.*/)?\.gitignore|.*\.so\.debug|boto3/(data|examples)/(?!s3/).*"
    r"|[^/]+\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json)|bin/.*|cffi/.*|pycparser/.*"
)
_CLI = "from chalice.cli import main; main()"
_EARLIEST = (1980, 1, 1, 0, 0, 0)
# Every version with the digests of its files: ``make lock`` writes them.
_LIBRARIES, _PHOTO_LIBRARIES = "requirements.lock", "requirements-photos.lock"


@dataclass(frozen=True)
class Packaged:
    """The paths of the made files."""

    stage: str
    folder: Path

    @property
    def data(self) -> Path:
        """The data stack's template."""
        return self.folder / "data.json"

    @property
    def app(self) -> Path:
        """The application stack's template."""
        return self.folder / "app.json"

    @property
    def budget(self) -> Path:
        """The budget's template."""
        return self.folder / "budget.json"

    @property
    def code(self) -> Path:
        """The code."""
        return self.folder / "deployment.zip"

    @property
    def layer(self) -> Path:
        """The photo function's libraries."""
        return self.folder / "photos.zip"


def package(stage: str, architecture: str = "arm64", folder: Path | None = None) -> Packaged:
    """Make everything again. Raises ``subprocess.CalledProcessError`` with the tool's output,
    ``RuntimeMissing`` or ``UnfitWheel``."""
    runtime.interpreter()
    made = Packaged(stage, folder or BUILD / stage)
    shutil.rmtree(made.folder, ignore_errors=True)
    made.folder.mkdir(parents=True)
    project = _staged(made, stage, architecture)
    _chalice(made, project, stage)
    packed = json.loads((made.folder / "chalice" / "sam.json").read_text())
    template = application.finish(packed, stage)
    made.app.write_text(json.dumps(template, indent=1, sort_keys=True))
    made.data.write_text(json.dumps(data.template(stage), indent=1, sort_keys=True))
    made.budget.write_text(json.dumps(watching.budget(stage), indent=1, sort_keys=True))
    _code(made)
    _layer(made, architecture)
    shutil.rmtree(made.folder / "chalice")
    shutil.rmtree(project)
    return made


def _staged(made: Packaged, stage: str, architecture: str) -> Path:
    """The project as Chalice gets it: the shipped files, and a policy for each function."""
    project = made.folder / "project"
    project.mkdir()
    shutil.copy(ROOT / "app.py", project)
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "chalicelib", project / "chalicelib", ignore=skip)
    # Chalice would install libraries by version only. pip installs the locked files here, and
    # Chalice takes them from this folder and adds its own runtime part.
    _install(_LIBRARIES, architecture, project / "vendor")
    (project / "requirements.txt").write_text("")
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    config["lambda_architecture"] = architecture
    config.pop("environment_variables", None)
    chosen = config["stages"][stage]
    chosen.pop("environment_variables", None)
    chosen["api_gateway_endpoint_type"] = "REGIONAL"
    folder = project / ".chalice"
    folder.mkdir()
    chosen["lambda_functions"] = {}
    for function, declared in FUNCTIONS.items():
        name = f"policy-{function}.json"
        rights = policy(stage, function, log_group(stage, function))
        (folder / name).write_text(json.dumps(rights))
        own = {**declared.limits(), "iam_policy_file": name, "autogen_policy": False}
        chosen["lambda_functions"][function] = own
    (folder / "config.json").write_text(json.dumps(config))
    return project


def _chalice(made: Packaged, project: Path, stage: str) -> None:
    merge = made.folder / "merge.json"
    merge.write_text(json.dumps(application.template(stage)))
    nobody = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none",
              "AWS_SECRET_ACCESS_KEY": "none"}  # fmt: skip
    words = ["-c", _CLI, "package", "--stage", stage, "--merge-template", str(merge),
             str(made.folder / "chalice")]  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TANGGAP_")}
    _run(words, project, {**kept, **nobody, **environment(stage)})
    merge.unlink()


def _run(
    words: list[str],
    folder: Path,
    env: dict[str, str] | None = None,
    python: str = sys.executable,
) -> None:
    done = subprocess.run([python, *words], cwd=folder, env=env, text=True,
                          capture_output=True, check=False)  # fmt: skip
    if done.returncode:
        sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
        done.check_returncode()


def _code(made: Packaged) -> None:
    tree = made.folder / "code"
    with zipfile.ZipFile(made.folder / "chalice" / "deployment.zip") as packed:
        names = [name for name in packed.namelist() if not needless(name)]
        packed.extractall(tree, names)
    for path in tree.rglob("*.pyc"):
        path.unlink()
    _trim(tree / "botocore" / "data")
    _compile(tree)
    _zip(tree, made.code)
    shutil.rmtree(tree)


def _trim(data: Path) -> None:
    """Remove data that botocore would read at each start without need: the endpoints of four
    hundred other services, and the documentation of DynamoDB's operations."""
    endpoints = json.loads((data / "endpoints.json").read_text())
    for partition in endpoints["partitions"]:
        every = partition["services"]
        partition["services"] = {name: every[name] for name in every if name in _ENDPOINTS}
    (data / "endpoints.json").write_text(json.dumps(endpoints, separators=(",", ":")))
    for packed in data.glob("dynamodb/*/*.json.gz"):
        # Presigned forms need S3's documentation, so it stays.
        model = _undocumented(json.loads(gzip.decompress(packed.read_bytes())))
        packed.with_suffix("").write_text(json.dumps(model, separators=(",", ":")))
        packed.unlink()


def _undocumented(model: Any) -> Any:
    if isinstance(model, dict):
        kept = (
            (key, item)
            for key, item in model.items()
            if not (key == "documentation" and isinstance(item, str))
        )
        return {key: _undocumented(value) for key, value in kept}
    return [_undocumented(item) for item in model] if isinstance(model, list) else model


def needless(name: str) -> bool:
    """Whether a file of Chalice's package is not needed in ours."""
    return any(pattern.fullmatch(name) for pattern in (_BOTOCORE, _POWERTOOLS, _NEEDLESS))


def _compile(tree: Path) -> None:
    words = ["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash",
             "-s", str(tree), "."]  # fmt: skip
    # By Lambda's Python: another version's files would be compiled again at each cold start.
    _run(words, tree, {**os.environ, "PYTHONHASHSEED": "0"}, runtime.interpreter())


def _install(lock: str, architecture: str, target: Path) -> None:
    """Install exactly the files of a lock file, for Lambda's platform; pip refuses others."""
    _run(
        [
            "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-compile",
            "--require-hashes", *runtime.pip_options(architecture),
            "--requirement", str(ROOT / lock), "--target", str(target),
        ],
        ROOT,
    )  # fmt: skip
    runtime.check_wheels(target, architecture)


def _layer(made: Packaged, architecture: str) -> None:
    tree = made.folder / "layer"
    _install(_PHOTO_LIBRARIES, architecture, tree / "python")
    _compile(tree)
    _zip(tree, made.layer)
    shutil.rmtree(tree)


def _zip(tree: Path, target: Path) -> None:
    """Make a reproducible zip: sorted, with one date and one mode."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        files = {
            path.relative_to(tree).as_posix(): path for path in tree.rglob("*") if path.is_file()
        }
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())


def sizes(archive: Path) -> dict[str, Any]:
    """{"zipped", "unzipped", "files", "sha256"} of an archive."""
    with zipfile.ZipFile(archive) as packed:
        entries = packed.infolist()
    return {
        "zipped": archive.stat().st_size,
        "unzipped": sum(entry.file_size for entry in entries),
        "files": len(entries),
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
    }


def load(path: Path) -> Doc:
    """Read a made template."""
    template: Doc = json.loads(path.read_text())
    return template
