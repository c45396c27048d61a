"""Statements that the policies of queues, topics and buckets share."""

from typing import Any

from infra.deploy.names import Doc


def tls_only(action: str, resource: Any) -> Doc:
    """Refuse access without TLS."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def policy(statements: list[Doc]) -> Doc:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": statements}
