"""All views in one place, folded from what each applied group brought about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from exchange.engine import Engine
from exchange.events import (
    AnyEvent,
    DepthChanged,
    FundingFixed,
    IndexPriced,
    InterestFixed,
    Marked,
    OrderChanged,
    PositionChanged,
    SymbolStateChanged,
    Traded,
)
from exchange.views.candles import Candles
from exchange.views.depth import Depth
from exchange.views.marks import Marks
from exchange.views.orders import Orders
from exchange.views.tickers import Tickers
from exchange.views.top_traders import Top
from exchange.views.trades import Trades
from matching.instrument import Instrument
from matching.types import Side
from risk.marking import IMPACT_LEVELS, premium_between_e12
from risk.parameters import PerpParameters

PREMIUM_MS: Final = 5_000  # As often as funding looks at it (P8).


class Board:
    """The read side of the venue. `seq` and `time_ms` are those of the last event seen.

    `terms` are the parameters of the perpetuals whose premium is to be followed.
    """

    def __init__(
        self, instruments: Mapping[str, Instrument], terms: Iterable[PerpParameters] = ()
    ) -> None:
        symbols = list(instruments)
        self._terms = {each.symbol: each for each in terms}
        self._sampled = 0  # The number of the last moment at which premiums were looked at.
        self.instruments = instruments
        self.candles = Candles(symbols)
        perps = [symbol for symbol, each in instruments.items() if each.kind != "spot"]
        # Of marks and indexes in 10^-8, premiums in 10^-12, open interest in lots, how many
        # accounts are long and short, and of the top traders the accounts and their lots; the
        # kinds are those of the history's candles.
        self.price_candles = {
            "mark": Candles(perps),
            "index": Candles(perps),
            "premium": Candles(perps),
            "interest": Candles(perps),
            "longs": Candles(perps),
            "shorts": Candles(perps),
            **{f"top_{what}": Candles(perps) for what in Top._fields},
        }
        self.depth = Depth(symbols)
        self.tickers = Tickers(self.candles, self.depth)
        self.trades = Trades(symbols)
        self.marks = Marks(symbols)
        self.orders = Orders()
        self.states = dict.fromkeys(symbols, "trading")
        self.rates_e12: dict[str, int] = {}  # By asset: what an hour of borrowing costs.
        self.seq = 0
        self.time_ms = 0
        self._folds: dict[type, Callable[[Any], None]] = {
            DepthChanged: self.depth.fold,
            Traded: self._traded,
            OrderChanged: self.orders.fold,
            PositionChanged: self._positioned,
            Marked: self._marked,
            IndexPriced: self.marks.fold_index,
            FundingFixed: self.marks.fold_funding,
            InterestFixed: self._interest_fixed,
            SymbolStateChanged: self._state_changed,
        }

    def restore(self, engine: Engine) -> None:
        """Start from an engine that a snapshot brought back: books, positions, prices, states.

        Candles, trades and funding rates of the past are laid down with `preload`.
        """
        risk, trading = engine.risk, engine.trading
        self.seq, self.time_ms = engine.seq, engine.time_ms
        for symbol, book in engine.books.items():
            bids = book.levels(Side.BUY, len(book.orders))
            asks = book.levels(Side.SELL, len(book.orders))
            self.depth.restore(symbol, trading.depths[symbol].last_id, bids, asks)
            self.states[symbol] = trading.states[symbol].name.lower()
        for account in risk.accounts.values():
            for symbol, held in account.positions.items():
                self.marks.restore_position(account.id, symbol, held.lots)
        for symbol, index in risk.indexes.items():
            if index.index_e8 is not None:
                self.marks.fold_index(
                    IndexPriced(engine.seq, engine.time_ms, symbol, index.index_e8)
                )
        for symbol, perp in risk.marks.items():
            index_e8 = risk.indexes[perp.index_symbol].index_e8
            if perp.mark_e8 is not None and index_e8 is not None:
                self.marks.fold_mark(
                    Marked(
                        engine.seq,
                        engine.time_ms,
                        symbol,
                        index_e8,
                        perp.mark_e8,
                        perp.predicted_e12,
                        perp.next_funding_ms,
                    )
                )

    def resume(self) -> None:
        """Behind the past that was laid down: what is held as the engine had it.

        The past ends with the minute before, and need not know every kind of candle.
        """
        interest = self.price_candles["interest"]
        for symbol in interest.symbols:
            if self.marks.open_lots(symbol) or interest.last_ticks(symbol) is not None:
                self._sample_holders(symbol, self.time_ms)

    def on_group(self, groups: Sequence[list[AnyEvent]]) -> None:
        """Fold the events of an applied group: a list for each command, in their order."""
        folds = self._folds
        for events in groups:
            for event in events:
                fold = folds.get(type(event))
                if fold is not None:
                    fold(event)
        if groups and groups[-1]:
            last = groups[-1][-1]
            self.seq, self.time_ms = last.seq, last.time_ms
            self._sample(last.time_ms)
            for candles in (self.candles, *self.price_candles.values()):
                candles.advance(last.time_ms)

    def _traded(self, event: Traded) -> None:
        self.candles.fold(event)
        self.trades.fold(event)

    def _positioned(self, event: PositionChanged) -> None:
        self.marks.fold_position(event)
        self._sample_holders(event.symbol, event.time_ms)

    def _sample_holders(self, symbol: str, time_ms: int) -> None:
        """What is held of a perpetual, all its kinds at once: they have the same moments."""
        longs, shorts = self.marks.holders(symbol)
        top = self.marks.top_traders(symbol)
        for kind, count in (
            ("interest", self.marks.open_lots(symbol)),
            ("longs", longs),
            ("shorts", shorts),
            ("top_longs", top.longs),
            ("top_shorts", top.shorts),
            ("top_long_lots", top.long_lots),
            ("top_short_lots", top.short_lots),
        ):
            self.price_candles[kind].fold_price(symbol, time_ms, count)

    def _marked(self, event: Marked) -> None:
        self.marks.fold_mark(event)
        self.price_candles["mark"].fold_price(event.symbol, event.time_ms, event.mark_e8)
        self.price_candles["index"].fold_price(event.symbol, event.time_ms, event.index_e8)

    def _sample(self, time_ms: int) -> None:
        """What funding samples of each book (P8), as far as the public sees it."""
        step = time_ms // PREMIUM_MS
        if step == self._sampled:
            return
        self._sampled = step
        for symbol, terms in self._terms.items():
            mark, book = self.marks.mark(symbol), self.depth.snapshot(symbol, IMPACT_LEVELS)
            if mark is not None and book.bids and book.asks:
                premium_e12 = premium_between_e12(
                    self.instruments[symbol], terms, (book.bids, book.asks), mark.index_e8
                )
                self.price_candles["premium"].fold_price(symbol, step * PREMIUM_MS, premium_e12)

    def _interest_fixed(self, event: InterestFixed) -> None:
        self.rates_e12 = event.rates_e12

    def _state_changed(self, event: SymbolStateChanged) -> None:
        self.states[event.symbol] = event.state
