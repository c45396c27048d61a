"""Every refusal is a ``Problem``: an RFC 9457 document. Its kinds are data in rules/problems.json.

    Problem
      400 malformed …        the request cannot be read
      401 / 403 / 404        no right, or the caller must not know that it exists
      409 stale_version …    the present state forbids it
      413 / 415 / 422        too large, wrong media type, wrong content
      429 / 503              not now

``raise Problem("outside_area", field="lat", ward="Menteng", distance_m=812)``: the keywords fill
the text's ``{placeholders}`` and become members of the document. Never pass text from people.
"""

from functools import cache
from typing import Any

from chalicelib import rules


@cache
def kinds() -> dict[str, dict[str, Any]]:
    """All kinds of problem: slug -> {status, title: {en, id}, detail: {en, id}}."""
    loaded: dict[str, dict[str, Any]] = rules.load("problems")
    return loaded


class Problem(Exception):
    """A refusal that a client can act on. ``slug`` must be a row of rules/problems.json."""

    def __init__(
        self,
        slug: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(slug)
        self.slug = slug
        self.kind = kinds()[slug]
        self.status: int = self.kind["status"]
        self.field = field
        self.headers = headers or {}
        self.members = members

    def document(self, language: str = "en") -> dict[str, Any]:
        """The RFC 9457 body in ``language`` ("en" or "id")."""
        title, detail = (self.kind[part].get(language, self.kind[part]["en"]) for part in _TEXTS)
        body: dict[str, Any] = {
            "type": f"urn:tanggap:problem:{self.slug}",
            "title": title,
            "status": self.status,
            "detail": detail.format(**{"field": self.field or "", **self.members}),
        }
        if self.field:
            body["field"] = self.field
        return {**self.members, **body}


_TEXTS = ("title", "detail")
