# cython: overflowcheck=True
"""A perpetual position: signed lots, signed cost, and the profit a fill realises (A5)."""

from __future__ import annotations

import msgspec

from risk.money import half_even_div


class FillEffect(msgspec.Struct, frozen=True, gc=False):
    """What one fill makes of a position."""

    lots: int
    cost_minor: int
    realised_minor: int
    closed_lots: int  # Never negative: how many lots the fill closed,
    opened_minor: int  # and what those that it opened came to, without a sign.


def fill_effect(lots: int, cost_minor: int, fill_lots: int, value_minor: int) -> FillEffect:
    """A position after a fill of signed lots that adds a signed value to the cost.

    A reducing fill releases its share of the cost, half-even, and all of it on a full close; what
    it realises enters wallet and cost alike, so wallet - cost is exact whatever the rounding
    (A5).  A fill beyond zero closes, then opens the rest at the fill's price (P2): the value of
    the closing part is its half-even share by lots, the opening part the rest (section 9).
    """
    assert fill_lots
    if lots == 0 or (lots > 0) == (fill_lots > 0):
        return FillEffect(lots + fill_lots, cost_minor + value_minor, 0, 0, abs(value_minor))
    closed = min(abs(fill_lots), abs(lots))
    closing_minor = released_cost(value_minor, closed, abs(fill_lots))
    opening_minor = value_minor - closing_minor
    released_minor = released_cost(cost_minor, closed, abs(lots))
    return FillEffect(
        lots=lots + fill_lots,
        cost_minor=cost_minor - released_minor + opening_minor,
        realised_minor=-closing_minor - released_minor,
        closed_lots=closed,
        opened_minor=abs(opening_minor),
    )


def released_cost(cost_minor: int, closed_lots: int, lots: int) -> int:
    """The share of a cost, or of a margin, that leaves with some of the lots, half-even (A5).

    On a full close it is all of it, so that successive closes release the exact total (V79).
    """
    assert 0 <= closed_lots <= lots
    assert lots > 0
    if closed_lots == lots:
        return cost_minor
    return half_even_div(cost_minor * closed_lots, lots)


def symbol_of(leg: str) -> str:
    """The contract a leg is of: legs are "SYMBOL", "SYMBOL/LONG" or "SYMBOL/SHORT" (P2)."""
    return leg.partition("/")[0]


class Position:
    """What an account holds of one perpetual: +lots long, -lots short, and what they cost.

    Sums over all accounts of `lots` are zero, and of `cost_minor` are all profit realised (I3).
    """

    __slots__ = ("cost_minor", "leg", "lots", "symbol")

    def __init__(self, leg: str, lots: int = 0, cost_minor: int = 0) -> None:
        self.leg = leg  # The symbol, or in hedge mode the symbol and its side.
        self.symbol = symbol_of(leg)
        self.lots = lots
        self.cost_minor = cost_minor

    def __repr__(self) -> str:
        return f"<Position {self.leg} {self.lots} lots for {self.cost_minor}>"
