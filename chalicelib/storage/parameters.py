"""Secrets for other systems, as SecureString parameters of SSM."""

from chalicelib.storage import aws


def read(name: str) -> str | None:
    """The value of a parameter; ``None`` if it is not stored."""
    client = aws.client("ssm")
    with aws.answering():
        try:
            answer = client.get_parameter(Name=name, WithDecryption=True)
        except client.exceptions.ParameterNotFound:
            return None
    return str(answer["Parameter"]["Value"])


def put(name: str, value: str) -> None:
    """Store the value of a parameter."""
    with aws.answering():
        aws.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
