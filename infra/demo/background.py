"""Records the inputs of the background functions, to run each function on them again."""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

from infra.local.events import Context

Handler = Callable[[dict[str, Any], Any], Any]


class Background:
    """Wraps every function of ``app`` that is not HTTP and records its inputs."""

    def __init__(self, app: Any) -> None:
        self._handlers: dict[str, Handler] = app.handler_map
        self._own = {str(config.name): self._handlers[config.name] for config in app.event_sources}
        self.inputs: list[tuple[str, dict[str, Any]]] = []
        for name, handler in self._own.items():
            self._handlers[name] = self._noting(name, handler)

    def again(self) -> dict[str, int]:
        """Run every function on all its inputs again. Returns the number of runs of each.

        Raises ``RuntimeError`` if one reports a failure.
        """
        runs: Counter[str] = Counter()
        for name, event in self.inputs:
            answer = self._own[name](copy.deepcopy(event), Context(name))
            if isinstance(answer, dict) and answer.get("batchItemFailures"):
                raise RuntimeError(f"{name} failed when run again: {answer}")
            runs[name] += 1
        return dict(sorted(runs.items()))

    def remove(self) -> None:
        """Remove the wrappers."""
        self._handlers.update(self._own)

    def _noting(self, name: str, handler: Handler) -> Handler:
        def noting(event: dict[str, Any], context: Any) -> Any:
            self.inputs.append((name, copy.deepcopy(event)))
            return handler(event, context)

        return noting
