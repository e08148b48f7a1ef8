"""The opening of a market: its tape, its first moment and prices, and whether it trades yet."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from exchange.clock import wall_ms
from exchange.commands import AnyCommand, FeedPrices
from exchange.config import Config, ConfigError, venue_of
from exchange.engine import Engine
from exchange.market.prices import FOR_EVER_MS, STALE_MS
from exchange.market.tape import Tape
from exchange.market.tape_file import TapeError
from risk.parameters import Venue

UNNAMED: Final = "BTC"  # What a tape is of, where its file's name begins with no asset's.

log = logging.getLogger(__name__)


def tapes_of(config: Config) -> dict[str, Tape]:
    """The tape by its asset: the one that the file's name begins with. ConfigError for a bad one.

    Of several assets whose names fit it is the longest.
    """
    if config.market.prices != "tape":
        return {}
    path = Path(config.market.tape)
    assets = sorted((each.asset for each in venue_of(config, 0).assets), key=len)
    named = [asset for asset in assets if path.name.upper().startswith(asset)]
    asset = named[-1] if named else UNNAMED
    try:
        tape = Tape(path)
    except TapeError as error:
        raise ConfigError(str(error)) from error
    log.info("%s is played from %s", asset, path)
    return {asset: tape}


def first_ms(config: Config, tapes: Mapping[str, Tape]) -> int:
    """A new venue's first moment: the one configured, or where its tape begins, or now."""
    if config.market.start_ms:
        return config.market.start_ms
    if tapes:
        return min(tape.first_ms for tape in tapes.values())
    return wall_ms()


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
