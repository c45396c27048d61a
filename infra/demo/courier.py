"""Sends the demo's requests with the actor's token, and keeps them to send them again."""

from collections.abc import Callable

from infra.demo.client import Actor, Connection, Reply, Request
from infra.demo.officials import Tokens


class Courier:
    """Sends requests over one connection; keeps those with a key, with their answers."""

    def __init__(self, connection: Connection, tokens: Tokens) -> None:
        self._connection = connection
        self._tokens = tokens
        self.kept: list[tuple[Request, Reply]] = []

    def send(self, request: Request) -> Reply:
        """Send it. Raises ``RuntimeError`` for a status of 500 and above."""
        reply = self.again(request)
        if reply.status >= 500:
            raise RuntimeError(f"{request.method} {request.path}: {reply.status} {reply.body}")
        if request.key is not None:
            self.kept.append((request, reply))
        return reply

    def again(self, request: Request) -> Reply:
        """Send it without keeping it."""
        return self._connection.send(request, self._tokens.of(request.actor))

    def get(self, path: str, actor: Actor | None = None) -> Reply:
        """Read something: what is public, or what ``actor`` may see."""
        return self.send(Request("GET", path, actor))


def heads(courier: Courier, ids: list[str]) -> dict[str, dict[str, object]]:
    """The public view of each report by id, without the signatures of its picture addresses."""
    reports = {}
    for report in ids:
        body = courier.get(f"/v1/reports/{report}").body
        for picture in body["pictures"]:
            for size in ("small", "large"):
                picture[size] = picture[size] and picture[size]["url"].partition("?")[0]
        reports[report] = body
    return reports


def replay(courier: Courier, progress: Callable[[int], None] = lambda _: None) -> dict[str, int]:
    """Send every kept request again with its key. Returns counts.

    ``created`` and ``different`` must be 0: a request that did something again, or an answer that
    is not the first one. A request that was refused may now be refused for another reason.
    """
    counts = {"replayed": 0, "refused_again": 0, "created": 0, "different": 0}
    for number, (request, first) in enumerate(courier.kept):
        reply = courier.again(request)
        if not reply.accepted and not first.accepted:
            counts["refused_again"] += 1
        elif not reply.replayed:
            counts["created"] += 1
        elif _answer(reply) != _answer(first):
            counts["different"] += 1
        else:
            counts["replayed"] += 1
        progress(number + 1)
    return counts


def _answer(reply: Reply) -> dict[str, object]:
    # The upload form of a photo is signed again; the photo is the same.
    return {name: value for name, value in reply.body.items() if name != "upload"}
