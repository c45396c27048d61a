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

_GZIP = "application/gzip"


class Weights:
    """How much each report counts: less than 1 if its filer filed very many in its month."""

    def __init__(self, jurisdiction: str, settings: Settings) -> None:
        self._place, self._settings = jurisdiction, settings
        self._uncapped = uncapped()
        self._filers: dict[str, dict[str, str]] = {}
        self._weights: dict[str, dict[str, int]] = {}
        self._unfixed = set[str]()

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
            if fixed is None:
                self._unfixed.add(month)
        return self._weights[month]

    def fix(self, last: str) -> None:
        """Fix the weights of a month that is over, and of the months before that were used here: an
        older rule may have judged those.

        Filers change later (a claim, an erasure). If weights changed with them, the reports whose
        weights change together would be known to be of one person.
        """
        self.month(last)
        if self._settings.weighing > FIRST:
            for month in sorted(month for month in self._unfixed if month <= last):
                body = json.dumps(self._weights[month], sort_keys=True, separators=(",", ":"))
                files.put(self._key(month), gzip.compress(body.encode(), mtime=0), _GZIP)
                self._unfixed.remove(month)

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
