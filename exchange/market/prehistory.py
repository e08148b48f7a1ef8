"""What happened before the first moment: candles, trades and funding, made up from the seed.

A history is a pure function of (seed, first moment, start prices). Days are drawn backwards from
the start price; each is cut into shorter bars only when somebody asks, so all intervals agree to
the last lot and a start costs nothing. Where a tape has earlier minutes, they are the history, and
what is made up ends where they begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Final, NamedTuple

from exchange.market.bars import (
    HALF,
    HALVES_PER_PART,
    LOTS_PER_MINUTE_MIN,
    MINUTE_MS,
    TRADES_PER_MINUTE,
    Bar,
    PastTrade,
    join,
    margin_at,
    split,
    trades_of,
)
from exchange.market.draws import Draws, halves, stroke
from exchange.market.prices import DAY_MS, HOUR_MS, MARKET
from exchange.market.regimes import QUIET_DAY, STORMY_DAY, character, mood_at
from exchange.market.tape import Tape
from exchange.market.tape_file import Row
from exchange.venue import PAST_TRADES
from matching.instrument import Instrument

DAYS: Final = 1_010
TRADES: Final = PAST_TRADES
TRADE_MINUTES: Final = TRADES // TRADES_PER_MINUTE
FUNDINGS: Final = 900
LEVELS_MS: Final = (DAY_MS, 2 * HOUR_MS, HOUR_MS, 15 * MINUTE_MS, 5 * MINUTE_MS, MINUTE_MS)
MINUTES: Final = len(LEVELS_MS) - 1  # The finest level.
CANDLES_MAX: Final = 5_000  # Nobody makes two years of minutes by one question.
KEPT_CUTS_MAX: Final = 20_000  # Cut bars are kept; past so many all are dropped and cut anew.
FAR_TIMES: Final = 20  # No past price is more than twenty times away from the start price.
PULL_PER_DAY: Final = 0.004  # Going back, a price is drawn to the start price by that share.
GAP_LOOKED_BACK_MS: Final = HOUR_MS  # A tape's longer gap may begin before what is asked for.
QUOTE: Final = "USDT"  # What tapes and start prices are in.
E8: Final = 100_000_000
FUNDING_BASE_E12: Final = 100_000_000  # 0.01 % in eight hours (P9),
FUNDING_CLAMP_E12: Final = 500_000_000  # as long as the premium is within 0.05 % of it,
FUNDING_CAP_E12: Final = 3_000_000_000  # and never beyond 0.3 %.

# What changes hands in a minute, in units of USDT.
TURNOVER: Final = {"BTC": 60_000, "ETH": 40_000, "SOL": 20_000, "BNB": 12_000, "XRP": 12_000}
TURNOVER_OTHERS: Final = 4_000
TURNOVER_PERP_TIMES: Final = 2


class PastFunding(NamedTuple):
    """A funding rate from before the first moment."""

    due_ms: int
    rate_e12: int
    mark_e8: int


class Prehistory:
    """Candles, trades and funding of every instrument up to the minute of the first moment."""

    def __init__(
        self,
        seed: int,
        start_ms: int,
        instruments: Sequence[Instrument],
        start_prices_e8: Mapping[str, int],
        recorded: Mapping[str, Tape] | None = None,
    ) -> None:
        self.end_ms = start_ms // MINUTE_MS * MINUTE_MS
        self._start_ms = start_ms
        self._seed = seed
        self._instruments = {each.symbol: each for each in instruments}
        self._start_e8 = {**start_prices_e8, QUOTE: E8}
        self._recorded = {
            asset: tape for asset, tape in (recorded or {}).items() if self._has_minutes(tape)
        }
        self._roots: dict[str, list[list[Bar]]] = {}
        self._cuts: dict[tuple[str, int, int], list[Bar]] = {}

    def _has_minutes(self, tape: Tape) -> bool:
        """Whether a tape has minutes before the first moment; other candles are not cut."""
        first_ms = tape.first_ms
        on_minute = tape.file.is_bars and tape.file.row_ms == MINUTE_MS and not first_ms % MINUTE_MS
        return on_minute and first_ms < self.end_ms

    # -- what may be asked ---------------------------------------------------------------------

    def candles(
        self,
        symbol: str,
        interval_ms: int,
        start_ms: int,
        end_ms: int,
        limit: int = CANDLES_MAX,
    ) -> list[Bar]:
        """The first candles, at most `limit`, that open in [start, end): oldest first, no holes.

        A candle that the first moment cuts holds what lies before it. The interval is one of the
        wire's: whole minutes that divide a day.
        """
        assert interval_ms % MINUTE_MS == 0
        assert DAY_MS % interval_ms == 0
        start_ms = max(-(-start_ms // interval_ms) * interval_ms, self._begin_ms(symbol))
        end_ms = min(-(-end_ms // interval_ms) * interval_ms, self.end_ms)
        found: list[Bar] = []
        group: list[Bar] = []
        step_ms = next(ms for ms in LEVELS_MS if interval_ms % ms == 0)
        for bar in self._bars(symbol, step_ms, start_ms, end_ms):
            open_ms = bar.open_ms // interval_ms * interval_ms
            if group and group[0].open_ms < open_ms:
                found.append(join(group, group[0].open_ms // interval_ms * interval_ms))
                group = []
                if len(found) == limit:
                    return found
            group.append(bar)
        if group:
            found.append(join(group, group[0].open_ms // interval_ms * interval_ms))
        return found

    def trades(self, symbol: str) -> list[PastTrade]:
        """The last trades, oldest first, numbered from 1; they make up the last minutes."""
        made: list[PastTrade] = []
        start_ms = self.end_ms - TRADE_MINUTES * MINUTE_MS
        for bar in self._bars(symbol, MINUTE_MS, start_ms, self.end_ms):
            draws = Draws(self._seed, f"{symbol} trades", bar.open_ms // MINUTE_MS)
            made += trades_of(bar, len(made) + 1, draws)
        return made

    def funding(self, symbol: str, interval_ms: int) -> list[PastFunding]:
        """The last funding rates of a perpetual, oldest first, each at a multiple of the interval.

        They lean to one side for days, as the crowd does; the mark is the price at that moment.
        """
        after = -(-self._start_ms // interval_ms)
        fits = [ms for ms in LEVELS_MS if interval_ms % ms == 0]
        step_ms = fits[0] if fits else MINUTE_MS
        begin_ms = (after - FUNDINGS) * interval_ms // step_ms * step_ms
        bars = list(self._bars(symbol, step_ms, begin_ms, self.end_ms))
        opens = {bar.open_ms: bar.open for bar in bars}
        opens[self.end_ms] = bars[-1].close  # For a moment in the cut minute.
        instrument = self._instruments[symbol]
        made = []
        for due_ms in range((after - FUNDINGS) * interval_ms, after * interval_ms, interval_ms):
            rate_e12 = self._rate_e12(instrument.base, due_ms, interval_ms)
            mark_e8 = opens[min(due_ms // step_ms * step_ms, self.end_ms)] * instrument.tick_e8
            made.append(PastFunding(due_ms, rate_e12, mark_e8))
        return made

    # -- bars ----------------------------------------------------------------------------------

    def _made_up_until_ms(self, symbol: str) -> int:
        """Where the tape takes over from the seed: the end, for an instrument without a tape."""
        tape = self._tape(symbol)
        return tape.first_ms if tape else self.end_ms

    def _tape(self, symbol: str) -> Tape | None:
        """The tape of an instrument that is priced in the quote that tapes are in."""
        instrument = self._instruments[symbol]
        return self._recorded.get(instrument.base) if instrument.quote == QUOTE else None

    def _begin_ms(self, symbol: str) -> int:
        """The first midnight there is anything about."""
        return (self._made_up_until_ms(symbol) // DAY_MS - DAYS) * DAY_MS

    def _bars(self, symbol: str, step_ms: int, start_ms: int, end_ms: int) -> Iterator[Bar]:
        """Bars of `step_ms` (one of the levels), and shorter ones at the ragged end."""
        level = LEVELS_MS.index(step_ms)
        yield from self._level(symbol, level, start_ms, end_ms)
        for finer in range(level + 1, len(LEVELS_MS)):
            yield from _within(self._rooted(symbol)[finer], start_ms, end_ms)
        tape = self._tape(symbol)
        if tape and end_ms > tape.first_ms:
            yield from self._taped(symbol, tape, start_ms, end_ms)

    def _level(self, symbol: str, level: int, start_ms: int, end_ms: int) -> Iterator[Bar]:
        """The bars of one level: those cut from longer ones, then those that stand alone."""
        if level:
            long_ms = LEVELS_MS[level - 1]
            for bar in self._level(symbol, level - 1, start_ms // long_ms * long_ms, end_ms):
                yield from _within(self._cut(symbol, bar, level), start_ms, end_ms)
        yield from _within(self._rooted(symbol)[level], start_ms, end_ms)

    def _cut(self, symbol: str, bar: Bar, level: int) -> list[Bar]:
        """A bar's parts at the next finer level."""
        key = (symbol, level, bar.open_ms)
        found = self._cuts.get(key)
        if found is None:
            if len(self._cuts) >= KEPT_CUTS_MAX:
                self._cuts.clear()
            parts = LEVELS_MS[level - 1] // LEVELS_MS[level]
            chance = self._chance(symbol, bar, level, parts)
            found = self._cuts[key] = split(bar, LEVELS_MS[level], parts, level, chance)
        return found

    def _chance(self, symbol: str, bar: Bar, level: int, parts: int) -> list[int]:
        """What a cut is drawn from. A perpetual is cut as its base is, and follows it closely."""
        instrument = self._instruments[symbol]
        name = instrument.base if instrument.quote == QUOTE else symbol
        step = bar.open_ms // MINUTE_MS
        own = halves(self._seed, f"{name} cut {level}", step, parts * HALVES_PER_PART)
        market = halves(self._seed, f"{MARKET} cut {level}", step, parts)
        common = character(instrument.base).common
        alone = sqrt(1 - common * common)
        for part in range(parts):
            at = part * HALVES_PER_PART
            mixed = common * (market[part] - HALF // 2) + alone * (own[at] - HALF // 2)
            own[at] = HALF // 2 + round(mixed)
        return own

    def _taped(self, symbol: str, tape: Tape, start_ms: int, end_ms: int) -> Iterator[Bar]:
        """The tape's minutes; one that it lacks is flat."""
        instrument = self._instruments[symbol]
        rows = tape.bars(max(start_ms - GAP_LOOKED_BACK_MS, tape.first_ms), end_ms)
        after: Bar | None = None
        for row in rows:
            while after and after.open_ms < row.time_ms:
                if after.open_ms >= start_ms:
                    yield after
                after = _flat(after.open_ms + MINUTE_MS, after.close)
            draws = Draws(self._seed, f"{symbol} tape", row.time_ms // MINUTE_MS)
            bar = _recorded_bar(instrument, row, draws)
            if bar.open_ms >= start_ms:
                yield bar
            after = _flat(bar.open_ms + MINUTE_MS, bar.close)
        while after and after.open_ms < end_ms:
            if after.open_ms >= start_ms:
                yield after
            after = _flat(after.open_ms + MINUTE_MS, after.close)

    # -- roots ---------------------------------------------------------------------------------

    def _rooted(self, symbol: str) -> list[list[Bar]]:
        """By level, the bars that are cut from no longer one: whole days, and the last day's rest.

        They are drawn backwards in time from the start price.
        """
        found = self._roots.get(symbol)
        if found is None:
            end_ms = self._made_up_until_ms(symbol)
            pieces = _pieces(end_ms)
            ticks = self._ticks(symbol, pieces, end_ms)
            found = self._roots[symbol] = [[] for _ in LEVELS_MS]
            for at, (level, open_ms) in enumerate(pieces):
                bar = self._root(symbol, level, open_ms, ticks[at], ticks[at + 1])
                found[level].append(bar)
        return found

    def _ticks(self, symbol: str, pieces: Sequence[tuple[int, int]], end_ms: int) -> list[int]:
        """Prices at the pieces' ends, in ticks, oldest first."""
        instrument = self._instruments[symbol]
        prices_e8 = self._prices_e8(instrument.base, pieces, end_ms)
        if instrument.quote in self._start_e8 and instrument.quote != QUOTE:
            quotes_e8 = self._prices_e8(instrument.quote, pieces, end_ms)
            prices_e8 = [
                base * E8 // quote for base, quote in zip(prices_e8, quotes_e8, strict=True)
            ]
        return [max(1, round(price_e8 / instrument.tick_e8)) for price_e8 in prices_e8]

    def _prices_e8(self, asset: str, pieces: Sequence[tuple[int, int]], end_ms: int) -> list[int]:
        """An asset's prices at the pieces' ends, oldest first: a walk back from the newest."""
        start_e8 = self._start_e8[asset]
        tape = self._recorded.get(asset)
        if tape and end_ms == tape.first_ms:
            start_e8 = tape.file.first.open_e8
        price = start_e8
        back = [price]
        walk = character(asset)
        alone = sqrt(1 - walk.common * walk.common)
        for level, open_ms in reversed(pieces):
            step = open_ms // MINUTE_MS
            market = stroke(self._seed, f"{MARKET} past", step).normal
            own = stroke(self._seed, f"{asset} past", step).normal
            moved = self._deviation(asset, level, open_ms) * (walk.common * market + alone * own)
            pull = PULL_PER_DAY * LEVELS_MS[level] / DAY_MS * (start_e8 - price)
            price = round(price / (1 + moved) + pull)
            price = min(max(price, -(-start_e8 // FAR_TIMES)), start_e8 * FAR_TIMES)
            back.append(price)
        return back[::-1]

    def _deviation(self, asset: str, level: int, open_ms: int) -> float:
        """How far an asset may be expected to go in one piece of time."""
        mood = mood_at(self._seed, MARKET, open_ms // DAY_MS)
        lively = 0.6 if mood is QUIET_DAY else 1.5 if mood is STORMY_DAY else 0.9
        return character(asset).sigma_e6 / 1e6 * lively * sqrt(LEVELS_MS[level] / 1_000)

    def _root(self, symbol: str, level: int, open_ms: int, opened: int, closed: int) -> Bar:
        """One bar of its own, from its two ends."""
        instrument = self._instruments[symbol]
        name = instrument.base if instrument.quote == QUOTE else symbol
        drawn = stroke(self._seed, f"{name} bar", open_ms // MINUTE_MS)
        spread = self._deviation(instrument.base, level, open_ms) * max(opened, closed)
        high = max(opened, closed) + round(spread * (0.15 + 0.5 * drawn.first))
        low = max(1, min(opened, closed) - round(spread * (0.15 + 0.5 * drawn.second)))
        minutes = LEVELS_MS[level] // MINUTE_MS
        busy = (0.6 + 0.8 * drawn.third) * (0.8 + 0.4 * abs(closed - opened) / (spread + 1))
        quote_minor = round(busy * minutes * self._turnover_minor(instrument))
        lots = max(
            quote_minor // instrument.notional_minor((high + low) // 2, 1),
            minutes * LOTS_PER_MINUTE_MIN,
        )
        share = (drawn.first + drawn.third) / 2
        units = _units_within(low, high, lots, margin_at(level), share)
        trades = minutes * TRADES_PER_MINUTE
        return Bar(open_ms, opened, high, low, closed, lots, units, trades)

    def _turnover_minor(self, instrument: Instrument) -> int:
        """What changes hands in a minute, in minor units of the quote."""
        return turnover(instrument) * E8 * E8 // self._start_e8.get(instrument.quote, E8)

    def _rate_e12(self, base: str, due_ms: int, interval_ms: int) -> int:
        """A funding rate (P9) of a premium that leans to one side for days."""
        day = due_ms // DAY_MS
        days = sum(stroke(self._seed, f"{base} crowd", day - back).normal for back in range(5))
        now = stroke(self._seed, f"{base} premium", due_ms // MINUTE_MS).normal
        premium_e12 = round((0.6 + 0.8 * days + 0.8 * now) * 3e8)
        to_base = FUNDING_BASE_E12 - premium_e12
        rate_e12 = premium_e12 + min(max(to_base, -FUNDING_CLAMP_E12), FUNDING_CLAMP_E12)
        rate_e12 = min(max(rate_e12, -FUNDING_CAP_E12), FUNDING_CAP_E12)
        return rate_e12 * interval_ms // (8 * HOUR_MS)


def turnover(instrument: Instrument) -> int:
    """What changes hands in a minute, in units of USDT."""
    usual = TURNOVER.get(instrument.base, TURNOVER_OTHERS)
    return usual * TURNOVER_PERP_TIMES if instrument.kind == "linear" else usual


def _pieces(end_ms: int) -> list[tuple[int, int]]:
    """(level, open) of the bars that time is made of, oldest first, days as far as they go."""
    made = []
    at = (end_ms // DAY_MS - DAYS) * DAY_MS
    for level, ms in enumerate(LEVELS_MS):
        while at + ms <= end_ms:
            made.append((level, at))
            at += ms
    return made


def _within(bars: Sequence[Bar], start_ms: int, end_ms: int) -> Iterator[Bar]:
    return (bar for bar in bars if start_ms <= bar.open_ms < end_ms)


def _units_within(low: int, high: int, lots: int, margin: int, share: float) -> int:
    """Ticks x lots of a bar whose average keeps the margin, `share` of the way up."""
    room = margin * (high - low)
    bottom = -(-lots * (100 * low + room) // 100)
    top = lots * (100 * high - room) // 100
    return bottom + round((top - bottom) * share)


def _flat(open_ms: int, price: int) -> Bar:
    """A minute in which nothing moved."""
    lots = LOTS_PER_MINUTE_MIN
    return Bar(open_ms, price, price, price, price, lots, price * lots, TRADES_PER_MINUTE)


def _recorded_bar(instrument: Instrument, row: Row, draws: Draws) -> Bar:
    """A tape's minute in ticks and lots; its average price, which no tape tells, is drawn."""
    opened, high, low, closed = (
        max(1, round(price_e8 / instrument.tick_e8))
        for price_e8 in (row.open_e8, row.high_e8, row.low_e8, row.close_e8)
    )
    lots = max(row.quote_minor // instrument.notional_minor(closed, 1), LOTS_PER_MINUTE_MIN)
    units = _units_within(low, high, lots, margin_at(MINUTES), draws.uniform())
    return Bar(row.time_ms, opened, high, low, closed, lots, units, TRADES_PER_MINUTE)
