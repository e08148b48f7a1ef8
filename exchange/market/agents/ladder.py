"""The ladder: orders on fixed price lines that mostly rest, dense near the market, sparse far off.

A line always carries the same lots, so nothing needs to be remembered. An order is moved when the
price comes too close to it, or leaves a hole before it; it is taken from where it is not needed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from exchange.commands import AnyCommand
from exchange.market.agents.quoting import Hand, Moves, Quoting, is_thin
from exchange.market.draws import uniform
from exchange.market.sight import E8, value_to_lots
from matching.instrument import Instrument
from matching.limits import ORDERS_PER_ACCOUNT_SYMBOL_MAX, PRICE_TICKS_MAX
from matching.types import Order, Side

STALE_MAX: Final = 24  # More lines overrun at once are cancelled together, and laid anew.
ADVANCES_PER_S: Final = 8  # Lines laid or drawn nearer in a second, per instrument.


ADMITTED_SPARE_E4: Final = 200  # Of the price: how far within the venue's bounds lines end.
E4: Final = 10_000


class Band(NamedTuple):
    """So many lines, so many gaps apart, with so many times a near line's lots."""

    lines: int
    gaps: int
    times: int


FINE: Final = (Band(30, 1, 1), Band(30, 3, 2), Band(39, 12, 5))
# Where steps are long, prices run over many lines between two: the same depth on fewer near ones.
COARSER: Final = (Band(30, 3, 2), Band(30, 4, 3), Band(39, 10, 4))
COARSE: Final = (Band(30, 4, 3), Band(30, 6, 4), Band(39, 8, 3))
COARSER_FROM_MS: Final = 5_000
COARSE_FROM_MS: Final = 30_000
LINES: Final = sum(band.lines for band in FINE)
assert all(sum(band.lines for band in each) == LINES for each in (COARSER, COARSE))
# One side may have a touch beside its lines, and moving an order takes a place for a moment.
assert 2 * LINES + 1 < ORDERS_PER_ACCOUNT_SYMBOL_MAX


class Touch(NamedTuple):
    """A quote at the best price, in the stead of the front."""

    ticks: int
    lots: int


class Place(NamedTuple):
    """Where one side of a ladder belongs."""

    side: Side
    centre: int  # Ticks, as all here.
    spread: int
    bands: tuple[Band, ...]
    touch: Touch | None
    bound: int  # The nearest price at which it may quote.

    @property
    def away(self) -> int:
        """The sign of the way that leads from the market."""
        return -1 if self.side is Side.BUY else 1

    def far(self, ticks: int) -> int:
        """How far from the centre a price lies; below nothing where the market has passed it."""
        return self.away * (ticks - self.centre)


def bands_for(step_ms: int) -> tuple[Band, ...]:
    """The bands of a ladder that is looked after so often."""
    if step_ms < COARSER_FROM_MS:
        return FINE
    return COARSER if step_ms < COARSE_FROM_MS else COARSE


class Ladder:
    """One instrument's lines, and the moves that bring orders onto them."""

    def __init__(
        self, seed: int, instrument: Instrument, quoting: Quoting, start_e8: int, quote_e8: int
    ) -> None:
        self._seed = seed
        self._instrument = instrument
        self._line_value = quoting.line
        self._quote_e8 = quote_e8
        # In ticks; it stays, or every line would move with the price.
        self.gap = max(2, round(start_e8 * quoting.gap_e6 / 1e6 / instrument.tick_e8))
        self._line_lots = lru_cache(maxsize=4_096)(self._lots_on_line)

    def lines(
        self, side: Side, centre: int, spread: int, bands: tuple[Band, ...] = FINE
    ) -> dict[int, int]:
        """The prices of one side in ticks, nearest first, and the lots on each."""
        away = -1 if side is Side.BUY else 1
        last = centre + away * (spread // 2 + self.gap * bands[0].gaps * 3 // 4)
        farthest = self._farthest(side, centre)
        found: dict[int, int] = {}
        for lines, gaps, times in bands:
            step = self.gap * gaps
            first = last // step * step if away < 0 else -(-last // step) * step
            for at in range(lines):
                ticks = first + away * at * step
                if ticks < self.gap or away * (ticks - farthest) > 0:
                    break
                found[ticks] = self._line_lots(ticks, times)
            last = first + away * lines * step
        return found

    def move(self, hand: Hand, places: list[Place], opening: bool, most: int, moves: Moves) -> None:
        """Both sides' moves, at most so many nearer ones unless it is the opening."""
        overrun = sum(_overrun(hand, place) for place in places)
        if overrun > STALE_MAX:
            hand.clear(moves.retreats)
            opening = False
        advances: list[AnyCommand] = []
        for place in places:
            self._fit(hand, place, moves, advances)
        moves.advances.extend(advances if opening else advances[:most])

    def _fit(self, hand: Hand, place: Place, moves: Moves, advances: list[AnyCommand]) -> None:
        """One side's moves, the nearest lines first."""
        free = self.lines(place.side, place.centre, place.spread, place.bands)
        while free and not self._is_within(place, nearest := next(iter(free))):
            del free[nearest]
        standing: list[int] = []
        strays: list[Order] = []
        for order in hand.orders(place.side):
            lots = free.pop(order.price_ticks, 0)
            if not lots:
                strays.append(order)
                continue
            standing.append(order.price_ticks)
            if is_thin(order, lots):
                hand.move(order, order.price_ticks, lots, moves.retreats, advances)
        if place.touch is not None:
            _touch(hand, place.touch, place.side, strays, moves)
        keeps: list[Order] = []
        for order in strays:
            if not self._is_too_near(place, order.price_ticks):
                keeps.append(order)
            elif free:
                # The market came closer: the nearest orders go to the farthest lines.
                ticks, lots = free.popitem()
                hand.move(order, ticks, lots, moves.retreats, advances)
                standing.append(ticks)
            else:
                hand.cancel(order, moves.retreats)
        for order in keeps[LINES - len(standing) :]:
            hand.cancel(order, moves.retreats)
        self._fill(hand, place, free, standing, keeps[: LINES - len(standing)], advances)

    def _fill(
        self,
        hand: Hand,
        place: Place,
        free: dict[int, int],
        standing: list[int],
        keeps: list[Order],
        advances: list[AnyCommand],
    ) -> None:
        """Lay the lines that there is room for; into a hole before all others draw the farthest.

        `standing` are the prices of orders on lines, `keeps` the orders that stand on none.
        """
        standing = standing + [order.price_ticks for order in keeps]
        lines = list(free.items())
        room = LINES - len(standing)
        for ticks, lots in lines[:room]:
            hand.place(place.side, ticks, lots, advances)
        if not keeps:
            return
        nearest = min(place.far(ticks) for ticks in standing)
        for ticks, lots in lines[room:]:
            if not keeps or not self._is_hole(place, ticks, nearest):
                break
            hand.move(keeps.pop(), ticks, lots, advances, advances)

    def _is_within(self, place: Place, ticks: int) -> bool:
        return place.away * (ticks - place.bound) >= 0

    def _is_too_near(self, place: Place, ticks: int) -> bool:
        """Whether the market has all but reached an order."""
        least = place.spread // 2 + self.gap * place.bands[0].gaps // 4
        return place.far(ticks) <= least or not self._is_within(place, ticks)

    def _is_hole(self, place: Place, ticks: int, nearest: int) -> bool:
        """Whether a free line lies well before the nearest order, and well behind the front."""
        well = place.spread // 2 + self.gap * place.bands[0].gaps * 5 // 4
        return well <= place.far(ticks) < nearest

    def _farthest(self, side: Side, centre: int) -> int:
        """The last price that the venue admits on a side, with something to spare."""
        if side is Side.BUY:
            return centre * (self._instrument.bid_down_e4 + ADMITTED_SPARE_E4) // E4
        up_e4 = self._instrument.ask_up_e4
        return centre * (up_e4 - ADMITTED_SPARE_E4) // E4 if up_e4 else PRICE_TICKS_MAX

    def _lots_on_line(self, ticks: int, times: int) -> int:
        """The lots of a line: always the same for the same price and band."""
        price_e8 = ticks * self._instrument.tick_e8
        part = 0.5 + uniform(self._seed, f"{self._instrument.symbol} line", ticks)
        value_e8 = round(self._line_value * times * part * E8) * E8 // self._quote_e8
        return max(1, value_to_lots(self._instrument, price_e8, value_e8))


def _overrun(hand: Hand, place: Place) -> int:
    """How many orders of a side the market has passed."""
    passed = 0
    for order in hand.orders(place.side):
        if place.far(order.price_ticks) >= 0:
            break
        passed += 1
    return passed


def _touch(hand: Hand, touch: Touch, side: Side, strays: list[Order], moves: Moves) -> None:
    """Keep one quote at the best price: the nearest order that stands on no line."""
    if not strays:
        hand.place(side, touch.ticks, touch.lots, moves.fronts)
        return
    order = strays.pop(0)
    if order.price_ticks != touch.ticks or is_thin(order, touch.lots):
        hand.move(order, touch.ticks, touch.lots, moves.retreats, moves.fronts)
