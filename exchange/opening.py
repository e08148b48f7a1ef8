"""The opening of a market: the first prices of a new venue, and whether trading has begun."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.commands import AnyCommand, FeedPrices
from exchange.engine import Engine
from exchange.market.prices import FOR_EVER_MS, STALE_MS
from risk.parameters import Venue


class OpeningPrices:
    """A source that prints every asset's opening price at the venue's first moment, once.

    So a new venue has prices before its feed comes round. `prices_e8` is by base asset.
    """

    def __init__(self, venue: Venue, prices_e8: Mapping[str, int]) -> None:
        self._feed = venue.feeds[0]
        self._prices_e8 = dict(prices_e8)
        self._stale_ms = FOR_EVER_MS if venue.prices == "fixed" else STALE_MS
        self._due_ms: int | None = venue.start_ms

    def next_due_ms(self) -> int | None:
        """The first moment, and never again."""
        return self._due_ms

    def commands(self, now_ms: int, engine: Engine) -> list[AnyCommand]:
        """All prices in one print."""
        self._due_ms = None
        return [
            FeedPrices(feed=self._feed, prices_e8=self._prices_e8, stale_ms=self._stale_ms),
        ]


def is_trading(engine: Engine, *, agents: bool) -> bool:
    """Has every perpetual its mark, and with agents every book its two sides?"""
    if any(perp.mark_e8 is None for perp in engine.risk.marks.values()):
        return False
    books = engine.books.values() if agents else ()
    return all(book.best_bid_ticks and book.best_ask_ticks for book in books)
