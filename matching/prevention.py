"""What self-trade prevention takes from two orders of one account that would trade (S8)."""

from __future__ import annotations

from matching.types import SelfTrade


def losses(mode: SelfTrade, overlap: int, maker_lots: int, taker_lots: int) -> tuple[int, int]:
    """(maker's, taker's) lots lost of what each has open, by the taker's mode.

    `overlap` is what would have traded: both lose it to DECREMENT.
    """
    if mode is SelfTrade.DECREMENT:
        return overlap, overlap
    maker_stays, taker_stays = mode is SelfTrade.EXPIRE_TAKER, mode is SelfTrade.EXPIRE_MAKER
    return 0 if maker_stays else maker_lots, 0 if taker_stays else taker_lots
