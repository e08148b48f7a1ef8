"""How near each position is to being deleveraged, told without looking at every holder each time.

Where a side has few holders the rank is exact. Of a crowd so many are looked at, evenly spread
over all of them, and at most once in a second of exchange time: a reader who asks for a rank, or
is told of a position at every fill, must not cost what grows with everybody's positions.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from risk.account import Account
from risk.adl import QUANTILES, adl_rank, leg_score
from risk.ratio import Ratio
from risk.state import RiskState

EXACT_MAX: Final = 8
SAMPLE_MAX: Final = 500
STANDS_MS: Final = 1_000


class Ranks:
    """The ranks of positions: 5 for the first fifth of a side to be deleveraged, 1 for the last."""

    def __init__(self, risk: RiskState) -> None:
        self._risk = risk
        self._samples: dict[tuple[str, bool], tuple[int, list[Ratio]]] = {}

    def rank(self, account: Account, leg: str) -> int:
        """The rank of a position the account holds (P14)."""
        held = account.positions[leg]
        side = (held.symbol, held.lots > 0)
        if self._risk.holders.count(*side) <= EXACT_MAX:
            return adl_rank(self._risk, account, leg)
        own = leg_score(self._risk, account, leg)
        scores = self._scores(side)
        if own is None or not scores:
            return 1
        ahead = len(scores) - bisect_right(scores, own)
        return max(1, QUANTILES - ahead * QUANTILES // len(scores))

    def _scores(self, side: tuple[str, bool]) -> list[Ratio]:
        """Scores of a sample of a side, lowest first."""
        found = self._samples.get(side)
        if found is not None and self._risk.time_ms - found[0] < STANDS_MS:
            return found[1]
        sample = self._risk.holders.sample(*side, SAMPLE_MAX)
        scores = [leg_score(self._risk, self._risk.accounts[who], leg) for who, leg in sample]
        known = sorted(score for score in scores if score is not None)
        self._samples[side] = (self._risk.time_ms, known)
        return known
