"""A release in the artifacts bucket: the zips, the template that names them, the API's version.

SAM makes a new version of the API's function, to which the alias ``live`` moves, only if the place
of its zip changes. A changed parameter or limit would never reach the published API. So the digest
of all that the version holds is stated (``AutoPublishCodeSha256``). Lambda refuses a version of a
function that is the same as the last one, which stops the whole deployment ("A version for this
Lambda function exists"). So the digest is in the function's description too, which a version holds.
"""

import hashlib
import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError

from infra.deploy.names import Doc

INLINE_LIMIT = 51_200
_AWS_ENDPOINT = re.compile(r"s3(?:\.[a-z0-9-]+)?\.(amazonaws\.com(?:\.cn)?)")


def upload(bucket: str, path: Path) -> str:
    """Upload a zip for CloudFormation, unless the same one is there. Returns its key."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    key = f"{path.stem}-{digest}.zip"
    client = boto3.client("s3")
    try:
        client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # 403: who may not list the bucket is not told that the file is missing.
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (403, 404):
            raise
        client.upload_file(str(path), bucket, key)
    return key


def pointing(template: Doc, bucket: str, code: str, layer: str) -> Doc:
    """The template with the places of the zips in it."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{bucket}/{code}"
        elif resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = f"s3://{bucket}/{layer}"
    return template


def effective(template: Doc, chosen: dict[str, str], previous: dict[str, str]) -> dict[str, str]:
    """The values that the template's parameters will have: chosen, else kept, else the default."""
    values: dict[str, str] = {}
    for name, about in template.get("Parameters", {}).items():
        if name in chosen:
            values[name] = chosen[name]
        elif name in previous:
            values[name] = previous[name]
        elif "Default" in about:
            values[name] = str(about["Default"])
    return values


def versioned(template: Doc, values: dict[str, str]) -> Doc:
    """The template, in which each published function has another version if its code, its
    properties or a parameter have changed."""
    template = deepcopy(template)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if "AutoPublishAlias" in properties:
            held = [properties, template.get("Globals"), values]
            text = json.dumps(held, sort_keys=True)
            digest = hashlib.sha256(text.encode()).hexdigest()
            properties["AutoPublishCodeSha256"] = digest
            properties["Description"] = f"release {digest[:16]}"
    return template


def body(template: Doc, name: str, bucket: str | None) -> dict[str, str]:
    """The template as CloudFormation takes it: in the call, or uploaded if it is large."""
    text = json.dumps(template, separators=(",", ":"))
    if len(text) <= INLINE_LIMIT or bucket is None:
        return {"TemplateBody": text}
    client = boto3.client("s3")
    key = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    client.put_object(Bucket=bucket, Key=key, Body=text.encode())
    return {"TemplateURL": address(client, bucket, key)}


def address(client: Any, bucket: str, key: str) -> str:
    """The URL of an object at its region's own endpoint. The global one does not know the regions
    that an account must enable first, such as Jakarta's."""
    endpoint = client.meta.endpoint_url
    if aws := _AWS_ENDPOINT.fullmatch(urlsplit(endpoint).hostname or ""):
        return f"https://{bucket}.s3.{client.meta.region_name}.{aws[1]}/{key}"
    return f"{endpoint}/{bucket}/{key}"  # An emulator.
