"""The settings of a deployment, read once from the environment (docs/operations.md).

They contain no secrets: signing keys are in SSM under ``secret_parameter``. The address of an
emulator is not among them; the AWS SDK reads its own endpoint variables.
"""

import json
import os
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Settings:
    """The names of a deployment's resources, and its switches."""

    stage: str
    table_prefix: str
    bucket: str
    alerts_topic: str
    messages_queue: str
    photos_queue: str
    forwards_queue: str
    webhooks_queue: str
    timeline_stream: str
    jurisdiction: str
    secret_parameter: str
    outside_parameters: str
    outside_local: tuple[str, ...]
    public_url: str
    test_url: str
    allow_origins: tuple[str, ...]
    mail_from: str
    keep_originals: bool
    lock_days: int
    issuers: tuple[dict[str, Any], ...]

    def table(self, name: str) -> str:
        """The deployed name of table ``name``."""
        return f"{self.table_prefix}-{name}"


def origins(text: str) -> tuple[str, ...]:
    """The web origins in a comma-separated list."""
    return tuple(origin.strip() for origin in text.split(",") if origin.strip())


# How often a queue delivers a message before it becomes a dead letter.
RECEIVED_AT_MOST = 5
# The same for webhooks, which state their attempts themselves (rules/webhooks.json): these and some
# more, for runs that were killed.
WEBHOOK_RECEIVED_AT_MOST = 14


@cache
def settings() -> Settings:
    """The settings of this process; after ``settings.cache_clear()`` they are read again."""
    env = os.environ.get
    prefix = env("TANGGAP_TABLE_PREFIX", "tanggap")
    return Settings(
        stage=env("TANGGAP_STAGE", "local"),
        table_prefix=prefix,
        bucket=env("TANGGAP_BUCKET", f"{prefix}-files"),
        alerts_topic=env(
            "TANGGAP_ALERTS_TOPIC", "arn:aws:sns:us-east-1:000000000000:official-alerts"
        ),
        messages_queue=env("TANGGAP_MESSAGES_QUEUE", f"{prefix}-messages"),
        photos_queue=env("TANGGAP_PHOTOS_QUEUE", f"{prefix}-photos"),
        forwards_queue=env("TANGGAP_FORWARDS_QUEUE", f"{prefix}-forwards"),
        webhooks_queue=env("TANGGAP_WEBHOOKS_QUEUE", f"{prefix}-webhooks"),
        timeline_stream=env(
            "TANGGAP_TIMELINE_STREAM",
            f"arn:aws:dynamodb:us-east-1:000000000000:table/{prefix}-timeline/stream/latest",
        ),
        jurisdiction=env("TANGGAP_JURISDICTION", "demo"),
        secret_parameter=env("TANGGAP_SECRET_PARAMETER", f"/{prefix}/signing-keys"),
        outside_parameters=env("TANGGAP_OUTSIDE_PARAMETERS", f"/{prefix}/outside"),
        outside_local=tuple(env("TANGGAP_OUTSIDE_LOCAL", "").split()),
        public_url=env("TANGGAP_PUBLIC_URL", "http://127.0.0.1:8000"),
        test_url=env("TANGGAP_TEST_URL", ""),
        allow_origins=origins(env("TANGGAP_ALLOW_ORIGIN", "http://127.0.0.1:8000")),
        mail_from=env("TANGGAP_MAIL_FROM", "tanggap@example.org"),
        keep_originals=env("TANGGAP_KEEP_ORIGINALS", "no") == "yes",
        lock_days=int(env("TANGGAP_LOCK_DAYS", "0")),
        issuers=tuple(json.loads(env("TANGGAP_ISSUERS", "[]"))),
    )
