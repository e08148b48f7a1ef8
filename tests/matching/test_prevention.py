"""Tests of what self-trade prevention takes: each mode, for orders of unequal size."""

import pytest

from matching.prevention import losses
from matching.types import SelfTrade


@pytest.mark.parametrize(
    ("mode", "lost"),
    [
        (SelfTrade.EXPIRE_TAKER, (0, 4)),
        (SelfTrade.EXPIRE_MAKER, (9, 0)),
        (SelfTrade.EXPIRE_BOTH, (9, 4)),
        (SelfTrade.DECREMENT, (3, 3)),
    ],
)
def test_s8_each_mode_takes_its_part(mode: SelfTrade, lost: tuple[int, int]) -> None:
    # The maker has 9 open and shows 3 of them; the taker wants 4.
    assert losses(mode, 3, 9, 4) == lost
