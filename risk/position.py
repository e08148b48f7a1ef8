"""A linear perpetual position: signed lots, signed cost, and the profit a fill realises (A5)."""

from __future__ import annotations

from typing import NamedTuple

from risk.money import E8, MINOR_IN_E16, half_even_div


class FillEffect(NamedTuple):
    """What one fill makes of a position."""

    lots: int
    cost_minor: int
    realised_minor: int
    closed_lots: int  # Never negative: how many lots the fill closed.


def fill_effect(
    lots: int, cost_minor: int, fill_lots: int, price_ticks: int, unit_minor: int
) -> FillEffect:
    """A position after a fill of signed lots at a price; `unit_minor` is one tick x one lot.

    A reducing fill releases its share of the cost, half-even, and all of it on a full close; what
    it realises enters wallet and cost alike, so wallet - cost is exact whatever the rounding
    (A5).  A fill beyond zero closes, then opens the rest at the fill's price (P2).
    """
    assert fill_lots
    assert price_ticks > 0
    price_minor = price_ticks * unit_minor
    if lots == 0 or (lots > 0) == (fill_lots > 0):
        return FillEffect(lots + fill_lots, cost_minor + fill_lots * price_minor, 0, 0)
    if abs(fill_lots) < abs(lots):
        closing_lots = fill_lots
        released_minor = released_cost(cost_minor, abs(fill_lots), abs(lots))
    else:
        closing_lots = -lots
        released_minor = cost_minor
    realised_minor = -closing_lots * price_minor - released_minor
    opening_lots = fill_lots - closing_lots
    return FillEffect(
        lots=lots + fill_lots,
        cost_minor=cost_minor - released_minor + opening_lots * price_minor,
        realised_minor=realised_minor,
        closed_lots=abs(closing_lots),
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


def notional_e16(lots: int, lot_minor: int, price_e8: int) -> int:
    """The size of a position at a price, in 10^-16 of the quote, never negative."""
    return abs(lots) * lot_minor * price_e8


def unrealised_e16(lots: int, cost_minor: int, lot_minor: int, mark_e8: int) -> int:
    """Profit at a mark that is not realised yet: value - cost, exactly, 10^-16 of the quote."""
    return lots * lot_minor * mark_e8 - cost_minor * MINOR_IN_E16


def entry_e8(lots: int, cost_minor: int, lot_minor: int) -> int:
    """The average entry price, cost / size, half-even and for display only; 0 when flat."""
    if not lots:
        return 0
    # Size and cost point the same way: every price is positive, and no rounding takes it all.
    return half_even_div(abs(cost_minor) * E8, abs(lots) * lot_minor)


class Position:
    """What an account holds of one perpetual: +lots long, -lots short, and what they cost.

    Sums over all accounts of `lots` are zero, and of `cost_minor` are all profit realised (I3).
    """

    __slots__ = ("cost_minor", "leg", "lots", "symbol")

    def __init__(self, leg: str, lots: int = 0, cost_minor: int = 0) -> None:
        self.leg = leg  # The symbol, or in hedge mode the symbol and its side.
        self.symbol = leg.partition("/")[0]
        self.lots = lots
        self.cost_minor = cost_minor

    def fill(self, fill_lots: int, price_ticks: int, unit_minor: int) -> FillEffect:
        """Take a fill of signed lots, and tell what it realised."""
        effect = fill_effect(self.lots, self.cost_minor, fill_lots, price_ticks, unit_minor)
        self.lots, self.cost_minor = effect.lots, effect.cost_minor
        assert self.lots or not self.cost_minor, self  # Nothing held, nothing left of its cost.
        return effect

    def notional_e16(self, lot_minor: int, price_e8: int) -> int:
        """Its size at a price, in 10^-16 of the quote."""
        return notional_e16(self.lots, lot_minor, price_e8)

    def unrealised_e16(self, lot_minor: int, mark_e8: int) -> int:
        """Its profit at a mark, in 10^-16 of the quote."""
        return unrealised_e16(self.lots, self.cost_minor, lot_minor, mark_e8)

    def entry_e8(self, lot_minor: int) -> int:
        """Its average entry price, for display."""
        return entry_e8(self.lots, self.cost_minor, lot_minor)

    def __repr__(self) -> str:
        return f"<Position {self.leg} {self.lots} lots for {self.cost_minor}>"
