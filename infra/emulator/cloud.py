"""An emulated AWS in a process of its own, for whole deployments: CloudFormation, IAM, Lambda.

    with Cloud(folder, python) as cloud:    # boto3 finds it through AWS_ENDPOINT_URL
        stacks.deploy(...)
        cloud.api(api_id, "api")        the address of a deployed API

Every call is signed, and checked against the policies of its signer. A function runs its own zip in
a process with its own role. Used by tests of deployments; ``make run`` does not need it.
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3

from infra.emulator.emulator import LOOPBACK, StackError, listen

# The credentials of the account's owner in the emulator.
OWNER = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
REGION = "us-east-1"
_PATIENCE = 60
# Functions run with Lambda's Python, for which their zips are made, not with the emulator's.
_START = """
import os
from ministack.app import main
from ministack.core import lambda_runtime as runtime

runtime._detect_runtime_binary = lambda name: (os.environ["LAMBDA_PYTHON"],
                                               runtime._PYTHON_WORKER_SCRIPT)
main()
"""


class Cloud:
    """One emulated account, its files in ``folder``; nothing of it is kept.

    ``python``: the interpreter that runs the functions, of the version for which they are packed.
    """

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self.folder = folder
        self.python = python
        self.endpoint = ""
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        listener = listen(0)
        port = listener.getsockname()[1]
        listener.close()
        self.endpoint = f"http://{LOOPBACK}:{port}"
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("TANGGAP_")
        }
        environment = {
            **kept,
            **OWNER,
            "LAMBDA_PYTHON": self.python,
            "AUTH": "true",
            "BIND_HOST": LOOPBACK,
            "MINISTACK_HOST": LOOPBACK,
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": "0",
            "STATE_DIR": str(self.folder / "state"),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "LOG_LEVEL": os.environ.get("CLOUD_LOG_LEVEL", "WARNING"),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        self._log = (self.folder / "log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START],
            env=environment,
            cwd=self.folder,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        own = {**OWNER, "AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": REGION,
               "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}  # fmt: skip
        self._before = {name: os.environ.get(name) for name in own}
        os.environ.update(own)
        # The default session keeps the credentials that it found first.
        boto3.setup_default_session()
        try:
            self._wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        for name, before in self._before.items():
            os.environ.pop(name, None)
            if before is not None:
                os.environ[name] = before
        boto3.setup_default_session()

    def log(self) -> str:
        """The emulator's log."""
        return (self.folder / "log").read_text(errors="replace")

    def api(self, api: str, stage: str) -> str:
        """The address of a deployed API."""
        return f"{self.endpoint}/restapis/{api}/{stage}/_user_request_"

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=5).close()  # nosec B310
            except (OSError, urllib.error.URLError):
                time.sleep(0.2)
                continue
            return
        raise StackError(f"the emulated account did not start: {self.log()[-2000:]}")


def emulated(template: dict[str, Any]) -> dict[str, Any]:
    """A template for the emulator. These are the only differences from the one for AWS:

    * no statements that refuse plain HTTP: the emulator has no TLS
    * no association of the firewall with the API: the emulator does not know this resource
    * mail may be sent from any identity: the emulator checks SES only for "*"
    """
    template["Resources"].pop("FirewallOfApi", None)
    for resource in template["Resources"].values():
        for policy in resource.get("Properties", {}).get("Policies", ()):
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement.get("Sid") == "Mails":
                    statement["Resource"] = "*"
    for resource in template["Resources"].values():
        document = resource.get("Properties", {}).get("PolicyDocument")
        if isinstance(document, dict):
            kept = [
                statement
                for statement in document["Statement"]
                if statement.get("Sid") != "TlsOnly"
            ]
            document["Statement"] = kept
    emptied = [
        name
        for name, resource in template["Resources"].items()
        if resource.get("Properties", {}).get("PolicyDocument", {}).get("Statement") == []
    ]
    for name in emptied:
        del template["Resources"][name]
    return template
