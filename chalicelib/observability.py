"""Logs (JSON lines) and metrics, without personal data.

Never logged: bodies, queries, headers, addresses, and messages of exceptions, which may contain
text from people. The type of an error and its traceback are enough to find the fault.
"""

import os
import traceback
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "tanggap"
MAX_FRAMES = 12

# A deployment sets INFO (infra/deploy), which logs the steps of every report.
logger = Logger(service=NAMESPACE, level=os.environ.get("POWERTOOLS_LOG_LEVEL", "WARNING"))
metrics = Metrics(namespace=NAMESPACE, service=NAMESPACE)


def register(app: Any) -> None:
    """Make every entry point of ``app`` (a Chalice application) log its ids and emit its metrics.

    Call it in app.py: on Lambda, handlers declared in a blueprint do not run the middleware.
    """
    app.register_middleware(_observed, "all")


def count(name: str, value: float = 1) -> None:
    """Add ``value`` to the metric ``name`` of this invocation."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def note(step: str, **ids: Any) -> None:
    """Log one step in the processing of a report, with ids and codes only.

    The line has the correlation id of the request; ``report`` and ``version`` link it to the event
    and its messages.
    """
    logger.info(step, extra=ids)


def unhandled(error: BaseException, operation: str, metric: str = "UnhandledErrors") -> None:
    """Log an unexpected exception: its type, the AWS error code if any, and its traceback.

    Also adds one to ``metric``.
    """
    # The error of AWS may be the cause of one of our exceptions, or of PynamoDB's.
    cause: Any = error.__cause__
    errors = (error, cause, getattr(cause, "cause", None))
    answers = (getattr(error_or_cause, "response", None) for error_or_cause in errors)
    answer = next((answer for answer in answers if answer), None)
    code = answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    logger.error(
        "unhandled error",
        extra={
            "operation": operation,
            "error": type(error).__name__,
            "aws_code": code,
            "trace": [f"{short(f.filename)}:{f.lineno} {f.name}" for f in frames],
        },
    )
    count(metric)


def short(filename: str) -> str:
    """A file's name with its folder."""
    return "/".join(filename.replace("\\", "/").split("/")[-2:])


def _observed(event: Any, get_response: Callable[[Any], Any]) -> Any:
    # As Chalice's ConvertToMiddleware does, without importing Chalice below the routes, and
    # without Powertools' warning for each invocation that has no metric to emit.
    context = getattr(event, "lambda_context", None) or getattr(event, "context", None)
    original = getattr(event, "to_original_event", None)
    handler = get_response
    try:
        if not hasattr(context, "function_name"):
            return handler(event)
        path = correlation_paths.API_GATEWAY_REST if original else None

        @logger.inject_lambda_context(correlation_id_path=path, clear_state=True)
        def run(_event: Any, _context: Any) -> Any:
            return handler(event)

        return run(original() if original else event.to_dict(), context)
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()
