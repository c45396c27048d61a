"""How much each report counts in a month's scorecards, fixed once the month is over.

Tests: tests/integration/test_filers.py
"""

import gzip
import json

from chalicelib.domain.scorecards.contributions import Contribution
from chalicelib.domain.scorecards.measures import uncapped
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.domain.scorecards.weighing import FIRST, weights
from chalicelib.domain.sla.custody import WHOLE
from chalicelib.domain.timeline_types import ScoreRow
from chalicelib.storage import files, report_filers


class Weights:
    """How much each report counts: less than 1 if its filer filed very many in its month."""

    def __init__(self, jurisdiction: str, settings: Settings) -> None:
        self._place, self._settings = jurisdiction, settings
        self._uncapped = uncapped()
        self._filers: dict[str, dict[str, str]] = {}
        self._weights: dict[str, dict[str, int]] = {}

    def filers(self, month: str) -> dict[str, str]:
        """{report: filer} of a month."""
        if month not in self._filers:
            self._filers[month] = report_filers.filers(self._place, month)
        return self._filers[month]

    def month(self, month: str) -> dict[str, int]:
        """{report: millionths} of a month's reports, as they were fixed, else as they are now."""
        if month not in self._weights:
            fixed = files.get(self._key(month)) if self._settings.weighing > FIRST else None
            self._weights[month] = json.loads(gzip.decompress(fixed)) if fixed else self._now(month)
        return self._weights[month]

    def fix(self, month: str) -> None:
        """Fix the weights of a month that is over.

        Filers change later (a claim, an erasure). If weights changed with them, the reports whose
        weights change together would be known to be of one person.
        """
        key = self._key(month)
        if self._settings.weighing > FIRST and files.get(key) is None:
            body = json.dumps(self._now(month), sort_keys=True, separators=(",", ":"))
            files.put(key, gzip.compress(body.encode(), mtime=0), "application/gzip")

    def of(self, row: ScoreRow, contribution: Contribution) -> int:
        """Millionths of a whole report."""
        if contribution.measure in self._uncapped:
            return WHOLE
        return self.month(row["filed_month"]).get(row["report"], WHOLE)

    def _now(self, month: str) -> dict[str, int]:
        settings = self._settings
        weight_of = weights(self.filers(month), settings.reporter_cap, settings.weighing)
        return {report: weight for report, weight in weight_of.items() if weight < WHOLE}

    def _key(self, month: str) -> str:
        return f"scorecards/{self._place}/{month}/weights-{self._settings.weighing}.json.gz"
