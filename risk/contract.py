# cython: overflowcheck=True
"""The arithmetic of one perpetual contract, linear or inverse, in integers that stay exact.

A linear contract is `lot_minor` of its base and settles in its quote.  An inverse one is
`lot_minor` of its quote and settles in its base, so a price divides where it multiplied before.
To compare without dividing, every sum is told as a value in the quote at the mark, in 10^-16:
settled money counts x 10^8 where it is quote, and x the mark where it is coin.  Both sides of a
comparison carry the same factor, so the answer is that of the exact fractions (P1, P3).
"""

from __future__ import annotations

from matching.instrument import Instrument
from risk.money import E8, E12, ceil_div, half_even_div
from risk.parameters import Bracket, PerpParameters


class Contract:
    """What one perpetual's lots are worth, need and cost; it holds nothing that changes."""

    __slots__ = (
        "brackets",
        "cross_wallet",
        "instrument",
        "inverse",
        "lot_minor",
        "price_max_e8",
        "settle",
        "symbol",
        "tick_e8",
    )

    def __init__(self, instrument: Instrument, parameters: PerpParameters) -> None:
        self.symbol = instrument.symbol
        self.instrument = instrument
        self.settle = instrument.settle
        self.inverse = instrument.kind == "inverse"
        # The wallet that cross positions stand on: one for all linear contracts, one a coin.
        self.cross_wallet = f"perp:{self.settle}" if self.inverse else "perp"
        self.lot_minor = instrument.face_minor  # Of the base, or (inverse) of the quote.
        self.tick_e8 = instrument.tick_e8
        self.price_max_e8 = instrument.ticks_max * instrument.tick_e8
        self.brackets = parameters.brackets

    # -- money and values ----------------------------------------------------------------------

    def factor(self, mark_e8: int) -> int:
        """What one minor unit of settled money is worth in the quote, in 10^-16."""
        return mark_e8 if self.inverse else E8

    def floor_minor(self, value_e16: int, mark_e8: int) -> int:
        """A value in minor units of the settle asset, rounded down."""
        return value_e16 // self.factor(mark_e8)

    def ceil_minor(self, value_e16: int, mark_e8: int) -> int:
        """A value in minor units of the settle asset, rounded up."""
        return ceil_div(value_e16, self.factor(mark_e8))

    def notional_e16(self, lots: int, mark_e8: int) -> int:
        """The size of a position at a mark; never negative."""
        return abs(lots) * self.lot_minor * (E8 if self.inverse else mark_e8)

    def unrealised_e16(self, lots: int, cost_minor: int, mark_e8: int) -> int:
        """Profit that is not realised yet, value - cost (A5, P1)."""
        if self.inverse:
            return -lots * self.lot_minor * E8 - cost_minor * mark_e8
        return lots * self.lot_minor * mark_e8 - cost_minor * E8

    # -- trades --------------------------------------------------------------------------------

    def amount_minor(self, lots: int, price_ticks: int) -> int:
        """What that many lots come to in the settle asset at a price, without a sign.

        Exact for a linear contract (A2); of an inverse one the coins, half-even, once a trade, so
        that both sides book the same number (A3, V35).
        """
        assert lots >= 0
        if self.inverse:
            return half_even_div(lots * self.lot_minor * E8, price_ticks * self.tick_e8)
        return self.instrument.notional_minor(price_ticks, lots)

    def order_minor(self, lots: int, price_ticks: int) -> int:
        """What an order for that many lots is reckoned at, at its price, rounded up (P4)."""
        if self.inverse:
            return ceil_div(lots * self.lot_minor * E8, price_ticks * self.tick_e8)
        return self.instrument.notional_minor(price_ticks, lots)

    def cost_minor(self, fill_lots: int, amount_minor: int) -> int:
        """The signed cost a fill of signed lots adds: what a buyer of a linear contract pays, and
        minus the coins that a buyer of an inverse one is long of (A5)."""
        return amount_minor if (fill_lots > 0) is not self.inverse else -amount_minor

    def entry_e8(self, lots: int, cost_minor: int) -> int:
        """The average entry price, for display; 0 when flat.  Inverse: the harmonic mean (P1)."""
        if not lots or not cost_minor:
            return 0
        if self.inverse:
            return half_even_div(abs(lots) * self.lot_minor * E8, abs(cost_minor))
        return half_even_div(abs(cost_minor) * E8, abs(lots) * self.lot_minor)

    # -- requirements --------------------------------------------------------------------------

    def bracket_of(self, notional_e16: int, mark_e8: int) -> int:
        """The index of the bracket a notional lies in; a cap belongs to the bracket below (P3).

        What exceeds the last cap counts to the last bracket.
        """
        factor = self.factor(mark_e8)
        last = len(self.brackets) - 1
        for index in range(last):
            if notional_e16 <= self.brackets[index].cap_minor * factor:
                return index
        return last

    def bracket(self, lots: int, mark_e8: int) -> Bracket:
        """The bracket of a position at a mark."""
        return self.brackets[self.bracket_of(self.notional_e16(lots, mark_e8), mark_e8)]

    def maintenance_e28(self, lots: int, mark_e8: int) -> int:
        """The maintenance margin, notional x mmr - cum, exactly, in 10^-28 of the quote (P3)."""
        notional = self.notional_e16(lots, mark_e8)
        bracket = self.brackets[self.bracket_of(notional, mark_e8)]
        cum_e28 = bracket.cum_e20 * self.factor(mark_e8)
        return notional * bracket.mmr_e12 - cum_e28

    def step_down_lots(self, lots: int, mark_e8: int) -> int:
        """How many lots a partial liquidation closes: down to the cap of the bracket below (P13.4).

        All of them in the first bracket.
        """
        held = abs(lots)
        index = self.bracket_of(self.notional_e16(lots, mark_e8), mark_e8)
        if index == 0:
            return held
        cap_e16 = self.brackets[index - 1].cap_minor * self.factor(mark_e8)
        return held - cap_e16 // self.notional_e16(1, mark_e8)

    def cap_minor(self, leverage: int) -> int:
        """The largest notional a leverage is allowed at, inclusive; 0 where it never is (P3)."""
        for each in reversed(self.brackets):  # Caps rise as leverage falls.
            if each.leverage >= leverage:
                return each.cap_minor
        return 0

    def leverage_allows(self, leverage: int, notional_e16: int, mark_e8: int) -> bool:
        """Whether a notional, at the larger of mark and order price, fits a leverage (P3)."""
        return notional_e16 <= self.cap_minor(leverage) * self.factor(mark_e8)

    # -- settlement ----------------------------------------------------------------------------

    def flow_minor(self, lots: int, mark_e8: int, rate_e12: int) -> int:
        """What a position receives at a funding, or pays when negative, rounded down (P10, A4)."""
        if self.inverse:
            return -lots * self.lot_minor * E8 * rate_e12 // (mark_e8 * E12)
        return -lots * self.lot_minor * mark_e8 * rate_e12 // (E8 * E12)
