"""Prices from a tape: recorded candles or trades drive the index, and other assets follow it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from exchange.market.prices import Print, WalkPrices, next_on_grid
from exchange.market.regimes import character
from exchange.market.tape_file import MINUTE_MS, Row, TapeFile

WINDOW_ROWS: Final = 2_048
STALE_BARS_E1: Final = 15  # A candle's print stands for one and a half candles,
TRADES_STALE_MS: Final = 90_000  # a trade's for a minute and a half.
TRADES_STEP_MS: Final = 1_000  # Trades are looked at once a second.
DEFAULT_ASSET: Final = "BTC"  # Whose prices a file holds that does not say.
END_OF_TIME_MS: Final = 1 << 62
SIXTIETHS: Final = (0, 15, 30, 59)  # When a candle's four prices are played.


class Tape:
    """One asset's recorded prices, as a step function of time.

    A candle plays open, low, high, close if it rose, else open, high, low, close, at 0, 15, 30 and
    59 sixtieths of it. Where rows are missing the last price stands.
    """

    def __init__(self, path: Path | str) -> None:
        self.file = TapeFile(path)
        self.first_ms = self.file.first.time_ms
        self._times: list[int] = []
        self._prices_e8: list[int] = []
        self._until_ms = -1  # The window tells all moments before this.
        self.last_ms = self._moment(self._played(self.file.last)[-1][0])

    @property
    def stale_ms(self) -> int:
        """How long a print stands."""
        if not self.file.is_bars:
            return TRADES_STALE_MS
        return self.file.row_ms * STALE_BARS_E1 // 10

    def price_at(self, now_ms: int) -> int | None:
        """The last price played at or before a moment, in 10^-8; None before the first."""
        if now_ms < self.first_ms:
            return None
        self._show(now_ms)
        return self._prices_e8[bisect_right(self._times, now_ms) - 1]

    def next_ms(self, after_ms: int) -> int | None:
        """The next moment at which to look for a price; None after the last.

        Trades are looked at once a second, so a moment may be up to a second after its trade.
        """
        if after_ms < self.first_ms:
            return self._moment(self.first_ms)
        if after_ms >= self.last_ms:
            return None
        self._show(after_ms)
        return self._moment(self._times[bisect_right(self._times, after_ms)])

    def bars(self, start_ms: int, end_ms: int) -> list[Row]:
        """The candles that open in [start, end)."""
        assert self.file.is_bars
        found = []
        for row in self.file.rows(start_ms):
            if row.time_ms >= end_ms:
                break
            if row.time_ms >= start_ms:
                found.append(row)
        return found

    def _moment(self, time_ms: int) -> int:
        if self.file.is_bars:
            return time_ms
        return -(-time_ms // TRADES_STEP_MS) * TRADES_STEP_MS

    def _show(self, now_ms: int) -> None:
        """Bring the window to a moment: the row at or before it, and many after."""
        if self._times and self._times[0] <= now_ms < self._until_ms:
            return
        rows = list(islice(self.file.rows(now_ms), WINDOW_ROWS))
        played = [moment for row in rows for moment in self._played(row)]
        self._times = [time_ms for time_ms, _ in played]
        self._prices_e8 = [price_e8 for _, price_e8 in played]
        self._until_ms = self._times[-1] if len(rows) == WINDOW_ROWS else END_OF_TIME_MS

    def _played(self, row: Row) -> list[tuple[int, int]]:
        """When one row plays which prices."""
        if not self.file.is_bars:
            return [(row.time_ms, row.close_e8)]
        rose = row.close_e8 > row.open_e8
        middle = (row.low_e8, row.high_e8) if rose else (row.high_e8, row.low_e8)
        prices = (row.open_e8, *middle, row.close_e8)
        return [
            (row.time_ms + self.file.row_ms * part // 60, price_e8)
            for part, price_e8 in zip(SIXTIETHS, prices, strict=True)
        ]


class TapePrices:
    """Tapes for some assets; the others walk on their own and with the leading tape.

    The leading tape is the first. An asset that follows it takes the market's share of its return
    from the tape instead of from the seed. After its last row an asset with a tape walks on.
    """

    def __init__(self, tapes: Mapping[str, Tape], walk: WalkPrices) -> None:
        assert tapes
        self._tapes = dict(tapes)
        self._walk = walk
        self._leader = next(iter(tapes))

    def next_due_ms(self, after_ms: int) -> int:
        """The next price of a tape, the next step of the walk, or the next full minute."""
        played = [tape.next_ms(after_ms) for tape in self._tapes.values()]
        due = [moment for moment in played if moment is not None]
        return min(*due, self._walk.next_due_ms(after_ms), next_on_grid(after_ms, MINUTE_MS))

    def prints(self, now_ms: int, standing_e8: Mapping[str, int]) -> list[Print]:
        """One print of the tapes, and one of those that walk; either may have nothing to say."""
        taped, stale_ms = self._taped(now_ms, standing_e8)
        walked: dict[str, int] = {}
        if now_ms % self._walk.step_ms == 0:
            walked = self._walked(now_ms, standing_e8)
        made = [Print(taped, stale_ms), Print(walked, self._walk.stale_ms)]
        return [each for each in made if each.prices_e8]

    def moved(self, asset: str, now_ms: int, span_ms: int) -> float:
        """How far the tape moved; of an asset that follows, how far it was carried."""
        tape = self._tapes.get(asset)
        if tape is None:
            return self._carried(asset, now_ms, span_ms)
        before, now = tape.price_at(now_ms - span_ms), tape.price_at(now_ms)
        if before is None or now is None:
            return 0.0
        return now / before - 1

    def _taped(self, now_ms: int, standing_e8: Mapping[str, int]) -> tuple[dict[str, int], int]:
        """What the tapes say: at their moments, at each full minute, and where a print lacks."""
        prices: dict[str, int] = {}
        stale_ms = 0
        for asset, tape in self._tapes.items():
            if now_ms > tape.last_ms:
                continue
            is_moment = tape.next_ms(now_ms - 1) == now_ms
            if is_moment or now_ms % MINUTE_MS == 0 or asset not in standing_e8:
                price_e8 = tape.price_at(now_ms)
                prices[asset] = tape.file.first.open_e8 if price_e8 is None else price_e8
                stale_ms = max(stale_ms, tape.stale_ms)
        return prices, stale_ms

    def _walked(self, now_ms: int, standing_e8: Mapping[str, int]) -> dict[str, int]:
        """The next prints of the assets without a tape, and of those whose tape has ended."""
        step = now_ms // self._walk.step_ms
        prices: dict[str, int] = {}
        for asset, start_e8 in self._walk.start_e8.items():
            tape = self._tapes.get(asset)
            if tape is not None and now_ms <= tape.last_ms:
                continue
            last_e8 = standing_e8.get(asset)
            if last_e8 is None:
                prices[asset] = start_e8
            elif self._walk.is_turn(asset, step):
                span_ms = self._walk.steps_between(asset) * self._walk.step_ms
                carried = self._carried(asset, now_ms, span_ms)
                moved = carried + self._walk.own_return(asset, step)
                prices[asset] = self._walk.next_e8(asset, last_e8, moved)
        return prices

    def _carried(self, asset: str, now_ms: int, span_ms: int) -> float:
        """The leading tape's return over a span, in proportion to how lively the asset is."""
        leader = self._tapes[self._leader]
        if now_ms - span_ms > leader.last_ms:
            return self._walk.market_return(asset, now_ms // self._walk.step_ms)
        walk, lead = character(asset), character(self._leader)
        share = walk.common * walk.sigma_e6 / lead.sigma_e6
        return share * self.moved(self._leader, now_ms, span_ms)


def open_tapes(text: str, assets: Iterable[str]) -> dict[str, Tape]:
    """The tapes of `--tape`: files parted by commas, each `FILE` or `ASSET=FILE`.

    Where the asset is left out it is the one that the file's name begins with (`eth-1m.csv`), or
    else bitcoin. TapeError for a file that cannot be played, ValueError for an unknown asset.
    """
    tapes: dict[str, Tape] = {}
    known = sorted(assets, key=len, reverse=True)  # Of two that fit, the longer is meant.
    for part in text.split(","):
        asset, told, file = part.strip().partition("=")
        if not told:
            file = asset
            name = Path(file).name.upper()
            asset = next((each for each in known if name.startswith(each)), DEFAULT_ASSET)
        if asset not in known:
            raise ValueError(f"{part.strip()}: no such asset; there are {', '.join(known)}")
        tapes[asset] = Tape(file)
    return tapes
