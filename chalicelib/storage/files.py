"""Files of the deployment's one private bucket. Every function may raise ``Unavailable``."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from typing import IO, Any

from botocore.exceptions import ClientError

from chalicelib import clock
from chalicelib.settings import settings
from chalicelib.storage.aws import answering, client
from chalicelib.storage.transactions import Unavailable

UNUSED = "unused"
ADDRESS_SECONDS, ADDRESS_KEPT = 900, 300
# The CDN serves these, and by itself it would keep a file for a day: a correction or an erasure
# must show sooner.
_SERVED, _SERVED_SECONDS = "open-data/", 300
_VERSION_MARKERS = {"NextKeyMarker": "KeyMarker", "NextVersionIdMarker": "VersionIdMarker"}
_KEY_MARKERS = {"NextContinuationToken": "ContinuationToken"}  # pragma: allowlist secret


def put(
    key: str, body: bytes, content_type: str, *, unused: bool = False, locked: bool = False
) -> None:
    """Store ``body`` under ``key``.

    ``unused``: tag the object so that it expires within days. ``locked``: keep this version for as
    long as the deployment says (S3 Object Lock).
    """
    options: dict[str, Any] = _caching(key)
    if unused:
        options["Tagging"] = f"{UNUSED}=yes"
    if locked and settings().lock_days:
        until = clock.wall() + timedelta(days=settings().lock_days)
        options |= {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    with answering():
        client("s3").put_object(
            Bucket=settings().bucket, Key=key, Body=body, ContentType=content_type, **options
        )


def replace(key: str, body: bytes, content_type: str, *, locked: bool) -> None:
    """Store ``body`` under ``key`` and delete every older version of it, locked ones too.

    Only the function that makes rows anonymous has this right (infra/deploy/policies.py).
    """
    put(key, body, content_type, locked=locked)
    bucket = settings().bucket
    with answering():
        for page in _pages("list_object_versions", key, _VERSION_MARKERS):
            for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                if version["Key"] == key and not version["IsLatest"]:
                    client("s3").delete_object(
                        Bucket=bucket,
                        Key=key,
                        VersionId=version["VersionId"],
                        BypassGovernanceRetention=True,
                    )


def put_file(key: str, file: IO[bytes], content_type: str, name: str) -> None:
    """Store an open file under ``key``; a browser saves it as ``name``."""
    # Imported here: only the function that writes open data needs it.
    from s3transfer.manager import TransferManager

    arguments = {
        **_caching(key),
        "ContentType": content_type,
        "ContentDisposition": f'attachment; filename="{name}"',
    }
    with answering(), TransferManager(client("s3")) as transfers:
        transfers.upload(file, settings().bucket, key, extra_args=arguments).result()


def _caching(key: str) -> dict[str, str]:
    served = key.startswith(_SERVED)
    return {"CacheControl": f"public, max-age={_SERVED_SECONDS}"} if served else {}


def mark_used(key: str) -> None:
    """Remove the ``unused`` tag from an object, because it is used."""
    with answering():
        try:
            client("s3").delete_object_tagging(Bucket=settings().bucket, Key=key)
        except ClientError as error:
            if not _missing(error):
                raise


def delete(keys: list[str]) -> None:
    """Delete at most a thousand objects. Missing ones are no error."""
    if not keys:
        return
    request = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
    with answering():
        answer = client("s3").delete_objects(Bucket=settings().bucket, Delete=request)
    if answer.get("Errors"):
        raise Unavailable


def delete_all(prefix: str) -> None:
    """Delete everything under ``prefix`` permanently: every version and every delete marker."""
    _delete_versions(prefix, old_only=False)


def delete_old(prefix: str) -> None:
    """Delete all but the newest version of each object under ``prefix`` permanently."""
    _delete_versions(prefix, old_only=True)


def _delete_versions(prefix: str, *, old_only: bool) -> None:
    with answering():
        for page in _pages("list_object_versions", prefix, _VERSION_MARKERS):
            rows = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            versions = [
                {"Key": row["Key"], "VersionId": row["VersionId"]}
                for row in rows
                if not (old_only and row["IsLatest"])
            ]
            if not versions:
                continue
            request = {"Objects": versions, "Quiet": True}
            answer = client("s3").delete_objects(Bucket=settings().bucket, Delete=request)
            if answer.get("Errors"):
                raise Unavailable


def replaced(prefix: str) -> list[str]:
    """The keys under ``prefix`` with several contents, or with a delete marker."""
    contents: dict[str, set[str]] = defaultdict(set)
    with answering():
        for page in _pages("list_object_versions", prefix, _VERSION_MARKERS):
            for row in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                contents[row["Key"]].add(row.get("ETag", "deleted"))
    return [
        key
        for key, versions in sorted(contents.items())
        if len(versions) > 1 or "deleted" in versions
    ]


def _pages(name: str, prefix: str, markers: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every page of a list. ``markers``: {field of a page: parameter of the next call}.

    Written by hand, because botocore's paginators are removed from the deployed package.
    """
    options: dict[str, Any] = {}
    while True:
        page = getattr(client("s3"), name)(Bucket=settings().bucket, Prefix=prefix, **options)
        yield page
        if not page.get("IsTruncated"):
            return
        options = {
            parameter: page[field] for field, parameter in markers.items() if page.get(field)
        }


def keys(prefix: str) -> Iterator[str]:
    """The keys under ``prefix``: for administration, not for a request path."""
    with answering():
        for page in _pages("list_objects_v2", prefix, _KEY_MARKERS):
            for row in page.get("Contents", ()):
                yield row["Key"]


def copy(key: str, to: str) -> None:
    """Copy an object within the bucket, if it is there."""
    source = {"Bucket": settings().bucket, "Key": key}
    with answering():
        try:
            client("s3").copy_object(Bucket=settings().bucket, Key=to, CopySource=source)
        except ClientError as error:
            if not _missing(error):
                raise


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


@lru_cache(maxsize=8192)
def _address(bucket: str, key: str, window: int) -> str:
    parameters = {
        "Bucket": bucket,
        "Key": key,
        "ResponseCacheControl": f"private, max-age={ADDRESS_KEPT}",
    }
    address: str = client("s3").generate_presigned_url(
        "get_object", Params=parameters, ExpiresIn=ADDRESS_SECONDS
    )
    return address


def address(key: str) -> str:
    """A signed URL of ``key``, valid for ten to fifteen minutes.

    It stays the same for five minutes, so that a phone can use its cached copy.
    """
    return _address(settings().bucket, key, int(clock.wall().timestamp()) // ADDRESS_KEPT)


def upload_form(
    key: str, content_type: str, smallest: int, largest: int, seconds: int
) -> dict[str, Any]:
    """A presigned POST for exactly this key and type, and for sizes between the limits (bytes)."""
    form: dict[str, Any] = client("s3").generate_presigned_post(
        settings().bucket,
        key,
        Fields={"Content-Type": content_type},
        Conditions=[{"Content-Type": content_type}, ["content-length-range", smallest, largest]],
        ExpiresIn=seconds,
    )
    return form


def _missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}
