"""How often each report is drawn in each draw of a month, from SHAKE-256.

The numbers of all draws stand in one long integer, a lane of 64 bits for each draw, the first draw
lowest. So one multiplication and one addition count a report in every draw.

Tests: tests/unit/test_score_ranges.py
"""

import hashlib
import struct
from collections.abc import Sequence

from chalicelib.domain.scorecards.engines import Draws
from chalicelib.domain.sla.custody import WHOLE

_LANE, _TWO_BYTES = 8, 65_536


class Lanes:
    """The draws of a month. ``seed``: ``city|month``."""

    def __init__(self, seed: str, rule: Draws) -> None:
        self._seed = seed
        self.draws = rule.draws
        self._times = bytes(n for n, many in enumerate(rule.counts) for _ in range(many))

    def of(self, report: str) -> int:
        """The lanes of a report: how often each draw has it."""
        times = self._bytes(report, self.draws).translate(self._times)
        lanes = bytearray(_LANE * self.draws)
        lanes[::_LANE] = times
        return int.from_bytes(lanes, "little")

    def numbers(self, lanes: int) -> Sequence[int]:
        """The number in each lane."""
        return struct.unpack(f"<{self.draws}Q", lanes.to_bytes(_LANE * self.draws, "little"))

    def below(self, name: str, times: int, bounds: Sequence[int]) -> list[int]:
        """For each draw: how often a random part of 1 lies below a bound (in millionths), over
        ``times`` random parts and all bounds."""
        parts = struct.unpack(
            f">{times * self.draws}H", self._bytes(f"={name}", 2 * times * self.draws)
        )
        # A part is a number of two bytes; it is below a bound if it is less than this.
        limits = [-(-bound * _TWO_BYTES // WHOLE) for bound in bounds]
        return [
            sum(part < limit for part in parts[first : first + times] for limit in limits)
            for first in range(0, times * self.draws, times)
        ] if times else [0] * self.draws  # fmt: skip

    def _bytes(self, name: str, many: int) -> bytes:
        return hashlib.shake_256(f"{self._seed}|{name}".encode()).digest(many)
