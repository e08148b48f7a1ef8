"""Index and mark as they stand: what feeds and books said last, refreshed on the grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matching.book import Book
from matching.instrument import Instrument
from matching.types import Side
from risk.funding import PremiumAverage, funding_rate_e12, impact_price, premium_e12
from risk.index import Constituent, book_price_e8, index_price_e8
from risk.mark import (
    BasisWindow,
    contract_price_e8,
    funding_price_e8,
    mark_price_e8,
    order_bounds_e8,
)
from risk.money import E12, ceil_div
from risk.parameters import PerpParameters, Venue

Sides = Sequence[Sequence[tuple[int, int]]]  # Bids and asks: (price_ticks, lots), best first.
IMPACT_LEVELS = 100  # Levels looked at for an impact price; what is missing costs the band price.


class IndexState:
    """The index of one pair: its feeds, its book, and the price they make."""

    def __init__(self, instrument: Instrument, venue: Venue) -> None:
        self._instrument = instrument
        self._venue = venue
        self._feeds: dict[str, tuple[int, int]] = {}  # feed: (price_e8, when it was fresh)
        self.price_max_e8 = instrument.ticks_max * instrument.tick_e8  # A feed's above is no price.
        self.index_e8: int | None = None
        self.fresh = False  # Without a fresh constituent the last index stands, frozen (P6).

    def print(self, feed: str, price_e8: int, fresh_ms: int) -> None:
        """A feed's price, which counts as fresh at that moment (it may lie ahead)."""
        self._feeds[feed] = (price_e8, fresh_ms)

    def override(self, price_e8: int, now_ms: int) -> None:
        """An administrator's price takes the place of what the feeds said."""
        fresh_ms = max([now_ms, *(fresh for _, fresh in self._feeds.values())])
        for feed in self._venue.feeds:
            self._feeds[feed] = (price_e8, fresh_ms)

    def refresh(self, now_ms: int, bid_ticks: int, ask_ticks: int) -> bool:
        """Compute the index at a grid point; whether it changed."""
        venue = self._venue
        constituents = [
            Constituent(price_e8, venue.feed_weight, fresh_ms)
            for price_e8, fresh_ms in self._feeds.values()
        ]
        mid_e8 = book_price_e8(bid_ticks, ask_ticks, self._instrument.tick_e8)
        if mid_e8 is not None:
            constituents.append(Constituent(mid_e8, venue.book_weight, now_ms))
        outlier_e12 = venue.outlier_e12 if venue.index_rule == "outlier_mean" else 0
        price_e8 = index_price_e8(constituents, now_ms, venue.stale_ms, outlier_e12)
        self.fresh = price_e8 is not None
        if price_e8 is None or price_e8 == self.index_e8:
            return False
        self.index_e8 = price_e8
        return True

    def steady_until(self, now_ms: int, latest_ms: int) -> int:
        """How long, at most to `latest_ms`, those feeds stay fresh that are."""
        ends_ms = [fresh_ms + self._venue.stale_ms for _, fresh_ms in self._feeds.values()]
        return min([latest_ms, *(end_ms for end_ms in ends_ms if end_ms >= now_ms)])

    def state(self) -> list[Any]:
        """For a snapshot."""
        return [sorted(self._feeds.items()), self.index_e8, self.fresh]

    def restore(self, state: list[Any]) -> None:
        """Take back what `state` gave."""
        self._feeds = {feed: (price[0], price[1]) for feed, price in state[0]}
        self.index_e8, self.fresh = state[1], state[2]


def premium_between_e12(
    instrument: Instrument, parameters: PerpParameters, sides: Sides, index_e8: int
) -> int:
    """The premium that a book shows (P8), by its bids and its asks, best first."""
    bid, ask = (
        impact_price(
            levels,
            parameters.impact_notional_minor,
            instrument.tick_e8,
            instrument.face_minor,
            index_e8 * (E12 + band * parameters.mark_band_e12) // E12,
            inverse=instrument.kind == "inverse",
        )
        for levels, band in zip(sides, (-1, 1), strict=True)
    )
    return premium_e12(bid, ask, index_e8)


class PerpState:
    """The mark and the funding of one perpetual."""

    def __init__(self, instrument: Instrument, parameters: PerpParameters, venue: Venue) -> None:
        self.instrument = instrument
        self.parameters = parameters
        self._quote = venue.quote
        self._contract_leg = venue.contract_leg
        self.index_e8: int | None = None
        self.mark_e8: int | None = None
        self._band: tuple[int, int] | None = None  # Of order prices, until index or basis change.
        self.last_rate_e12 = 0
        self.premium = PremiumAverage()
        self.predicted_e12 = self.rate_e12()
        self.basis = BasisWindow(venue.basis_samples)
        interval = parameters.interval_ms
        self.next_funding_ms = (venue.start_ms // interval + 1) * interval

    @property
    def index_symbol(self) -> str:
        """The pair whose index this contract follows: that of its base in the venue's quote.

        The quote of an inverse contract counts as the venue's.
        """
        return f"{self.instrument.base}-{self._quote}"

    def sample(self, book: Book, times: int = 1) -> None:
        """Take a premium and a basis sample (P7, P8), `times` over where nothing changed in
        between; a one-sided book gives none."""
        index_e8 = self.index_e8
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        if index_e8 is None or not bid or not ask:
            return
        tick_e8 = self.instrument.tick_e8
        self._band = None
        self.basis.add(bid * tick_e8, ask * tick_e8, index_e8, times)
        sides = book.levels(Side.BUY, IMPACT_LEVELS), book.levels(Side.SELL, IMPACT_LEVELS)
        self.premium.add(
            premium_between_e12(self.instrument, self.parameters, sides, index_e8), times
        )
        self.predicted_e12 = self.rate_e12()

    def basis_repeats(self, book: Book) -> bool:
        """Whether another sample would leave the basis as it is. O(the window)."""
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        if self.index_e8 is None or not bid or not ask:
            return True  # There is no sample.
        tick_e8 = self.instrument.tick_e8
        return self.basis.is_full_of(bid * tick_e8, ask * tick_e8, self.index_e8)

    def rate_e12(self) -> int:
        """The funding rate if the interval ended now (P9)."""
        parameters = self.parameters
        return funding_rate_e12(
            self.premium.average_e12(),
            interest_e12=parameters.interest_e12,
            clamp_e12=parameters.clamp_e12,
            cap_k_e12=parameters.cap_k_e12,
            mmr_e12=parameters.brackets[0].mmr_e12,
            interval_ms=parameters.interval_ms,
        )

    def refresh(self, now_ms: int, index_e8: int, book: Book, last_ticks: int | None) -> bool:
        """Compute the mark at a grid point (P7); whether index or mark changed."""
        mark_e8 = self.mark_at(now_ms, index_e8, book, last_ticks)
        if (index_e8, mark_e8) == (self.index_e8, self.mark_e8):
            return False
        self.index_e8, self.mark_e8 = index_e8, mark_e8
        self._band = None
        return True

    def mark_at(self, now_ms: int, index_e8: int, book: Book, last_ticks: int | None) -> int:
        """The mark of a moment (P7), nothing changed."""
        interval = self.parameters.interval_ms
        left_ms = min(max(0, self.next_funding_ms - now_ms), interval)
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        return mark_price_e8(
            index_e8,
            funding_price_e8(index_e8, self.last_rate_e12, left_ms, interval),
            self.basis.price_e8(index_e8),
            self._contract_e8(bid, ask, last_ticks),
            self.parameters.mark_band_e12,
        )

    def _contract_e8(self, bid: int, ask: int, last_ticks: int | None) -> int | None:
        """The contract's own part of the mark, as the venue chose: the median or the last (P7)."""
        tick_e8 = self.instrument.tick_e8
        last_e8 = last_ticks * tick_e8 if last_ticks else None
        if self._contract_leg == "last":
            return last_e8
        return contract_price_e8(
            bid * tick_e8 if bid else None, ask * tick_e8 if ask else None, last_e8
        )

    def clear_samples(self) -> None:
        """Forget basis and premium, as an administrator's price demands."""
        self._band = None
        self.basis.clear()
        self.premium.clear()
        self.predicted_e12 = self.rate_e12()

    def fix_funding(self) -> int:
        """The interval ends: its rate, and a new interval begins (P9)."""
        rate_e12 = self.rate_e12()
        self.premium.clear()
        self.last_rate_e12 = rate_e12
        self.predicted_e12 = rate_e12
        self.next_funding_ms += self.parameters.interval_ms
        return rate_e12

    def band_ticks(self, side: Side) -> int:
        """The worst price an order of that side may name (S12); 0 before the first index."""
        if self.index_e8 is None:
            return 0
        if self._band is None:
            parameters, tick_e8 = self.parameters, self.instrument.tick_e8
            buy_e8, sell_e8 = order_bounds_e8(
                self.index_e8,
                self.basis.mean_e8(),
                parameters.entry_band_e12,
                parameters.entry_limit_e12,
            )
            self._band = max(1, buy_e8 // tick_e8), max(1, ceil_div(sell_e8, tick_e8))
        return self._band[0] if side is Side.BUY else self._band[1]

    def state(self) -> list[Any]:
        """For a snapshot."""
        return [
            self.index_e8,
            self.mark_e8,
            self.last_rate_e12,
            self.predicted_e12,
            self.next_funding_ms,
            self.premium.state(),
            self.basis.state(),
        ]

    def restore(self, state: list[Any]) -> None:
        """Take back what `state` gave."""
        self.index_e8, self.mark_e8 = state[0], state[1]
        self._band = None
        self.last_rate_e12, self.predicted_e12, self.next_funding_ms = state[2:5]
        self.premium.restore((state[5][0], state[5][1]))
        self.basis.restore(list(state[6]))
