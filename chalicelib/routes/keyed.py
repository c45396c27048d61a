"""What routes that write have in common: the operation of a call, and the answer of an outcome."""

from chalicelib.http.router import Answer, Call
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome
from chalicelib.services.platform.idempotency import keyed_operation as scoped


def operation(call: Call) -> KeyedOperation:
    """The operation that the call's idempotency key stands for."""
    return scoped(call.principal, call.operation, call.key or "", call.body_hash)


def answer(outcome: Outcome, status: int = 200) -> Answer:
    """The outcome as an answer, marked when it is a replay."""
    headers = {"Idempotent-Replayed": "true"} if outcome.replayed else {}
    return Answer(outcome.answer, status, headers)
