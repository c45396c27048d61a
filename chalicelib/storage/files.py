"""Files of the deployment's one private bucket. Every function may raise ``Unavailable``."""

from typing import Any

from botocore.exceptions import ClientError

from chalicelib.settings import settings
from chalicelib.storage.aws import answering, client


def put(key: str, body: bytes, content_type: str) -> None:
    """Store ``body`` under ``key``."""
    with answering():
        client("s3").put_object(
            Bucket=settings().bucket, Key=key, Body=body, ContentType=content_type
        )


def get(key: str) -> bytes | None:
    """The bytes under ``key``, or ``None``."""
    with answering():
        try:
            answer = client("s3").get_object(Bucket=settings().bucket, Key=key)
        except ClientError as error:
            if _missing(error):
                return None
            raise
        body: bytes = answer["Body"].read()
        return body


def head(key: str) -> dict[str, Any] | None:
    """``{"size", "type", "etag"}`` of the object under ``key``, or ``None``."""
    with answering():
        try:
            answer = client("s3").head_object(Bucket=settings().bucket, Key=key)
        except ClientError as error:
            if _missing(error):
                return None
            raise
    return {
        "size": answer["ContentLength"],
        "type": answer["ContentType"],
        "etag": answer["ETag"].strip('"'),
    }


def upload_form(key: str, content_type: str, largest: int, seconds: int) -> dict[str, Any]:
    """A presigned POST that takes exactly this key and type, 100 bytes to ``largest``."""
    form: dict[str, Any] = client("s3").generate_presigned_post(
        settings().bucket,
        key,
        Fields={"Content-Type": content_type},
        Conditions=[{"Content-Type": content_type}, ["content-length-range", 100, largest]],
        ExpiresIn=seconds,
    )
    return form


def _missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}
