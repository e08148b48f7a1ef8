"""Market makers: a front of quotes that follows the price, and a ladder that mostly rests.

Each instrument has two accounts. The *front* quotes a few levels a side, tight around what the
instrument is worth, and moves them whenever that moves by more than their tolerance. The *ladder*
rests on fixed price lines. They must not trade with each other, and no self-trade prevention knows
that they are one: so all that retreats goes before all that comes nearer, and every quote is
post-only. Should one account come to hold much more than the other, the ladder quotes one side of
the front in its stead, until those who come to trade have evened the two out.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from exchange.market.agents.ladder import (
    ADVANCES_PER_S,
    COARSER_FROM_MS,
    FINE,
    Band,
    Ladder,
    Place,
    Touch,
    bands_for,
)
from exchange.market.agents.purses import Money, Purse
from exchange.market.agents.quoting import (
    COIN_MARGINED,
    MAKER_LEVERAGE,
    OTHERS,
    QUOTING,
    Hand,
    Moves,
    is_thin,
)
from exchange.market.draws import stroke
from exchange.market.prices import HOUR_MS
from exchange.market.sight import E8, Sight, lots_to_value, margin_wallet, take, value_to_lots
from matching.book import Book
from matching.instrument import Instrument
from matching.limits import PRICE_TICKS_MAX
from matching.types import Order, Side
from risk.account import SPOT, Account

FRONT_LEVELS: Final = 3  # Of a side; a single one where steps are long.
LASTING_MS: Final = 750  # A front of usual size lasts so long,
FRONT_TIMES_MAX: Final = 20  # and for longer steps it is up to so many times as large.
MONEY_TIMES: Final = 2  # An account is given twice what its orders on one side take.
BASIS_E6: Final = 45  # A contract is quoted about so far from its index, hour by hour,
PREMIUM_MAX_E6: Final = 1_800  # and up to so far with all that the makers hold of it,
PREMIUM_AT_TIMES: Final = 250  # which is so many near lines.
UNEVEN_TIMES: Final = (
    12  # Near lines by which the accounts may differ before one side is handed on.
)
POSITION_TIMES: Final = 2  # An account holds at most a contract's position of twice its money.
RESUME_E2: Final = 80  # What was given up at a bound is taken up again below 80 % of it.
LEVELS_SEEN: Final = 1_000  # Of a book that the price has passed.


class Best(NamedTuple):
    """The best prices to be quoted, the first two in ticks."""

    bid: int
    ask: int
    centre: int
    lots: int  # Of the best level.

    @property
    def spread(self) -> int:
        """Between the two."""
        return self.ask - self.bid

    def of(self, side: Side) -> int:
        """The best price of a side."""
        return self.bid if side is Side.BUY else self.ask


class Desk(NamedTuple):
    """Both accounts of a maker at one step."""

    front: Hand
    ladder: Hand

    def to_sell(self) -> Hand:
        """The account that holds more of the instrument."""
        return max(self, key=lambda hand: hand.excess_lots)

    def to_buy(self) -> Hand:
        """The account that holds less."""
        return min(self, key=lambda hand: hand.excess_lots)


class Maker:
    """The two accounts that quote one instrument."""

    def __init__(self, seed: int, instrument: Instrument, start_e8: int, quote_e8: int) -> None:
        """`start_e8` is the price it begins at, `quote_e8` what its quote is worth, both 10^-8."""
        self.instrument = instrument
        self.front_label = f"maker:{instrument.symbol}"
        self.ladder_label = f"depth:{instrument.symbol}"
        self._seed = seed
        self._start_e8 = start_e8
        self._quote_e8 = quote_e8
        self._quoting = QUOTING.get(instrument.base, OTHERS)
        if instrument.kind == "inverse":
            self._quoting = COIN_MARGINED
        self._ladder = Ladder(seed, instrument, self._quoting, start_e8, quote_e8)
        self._base_minor = {
            purse.label: sum(m.minor for m in purse.money if m.asset == instrument.base)
            for purse in self.purses()
        }
        self._value_cap_e8 = PREMIUM_AT_TIMES * self._quoting.line * E8

    def purses(self) -> list[Purse]:
        """Enough to fill both sides with something to spare."""
        ladder = self._ladder_value()
        # The front of a contract may come to hold as large a position as its ladder.
        share = 1 if self.instrument.kind != "spot" else 4
        front = max(self._quoting.front * 2 * FRONT_TIMES_MAX, ladder // share)
        return [
            Purse(self.front_label, self._money(front), self._leverages()),
            Purse(self.ladder_label, self._money(ladder), self._leverages()),
        ]

    def moves(self, sight: Sight) -> Moves:
        """Everything that brings its quotes to where they belong."""
        moves = Moves([], [], [], [])
        front, ladder = sight.account(self.front_label), sight.account(self.ladder_label)
        fair_e8 = sight.fair_e8(self.instrument)
        if front is None or ladder is None or fair_e8 is None or not sight.is_open(self.instrument):
            return moves
        if front.liquidating or ladder.liquidating:
            return moves
        desk = Desk(self._hand(sight, front), self._hand(sight, ladder))
        best = self._best(sight, self._quoted_e8(sight, fair_e8, desk))
        bounds = {side: self._sweep(sight, desk, side, best, moves) for side in Side}
        handed_on = self._handed_on(desk, best)
        for side in Side:
            if side is handed_on or self._is_full(desk.front, side, best):
                self._withdraw(desk.front, side, moves)
            else:
                self._move_front(sight, desk.front, side, best, bounds[side], moves)
        self._move_ladder(sight, desk.ladder, best, bounds, handed_on, moves)
        return moves

    def lines(self, side: Side, centre: int, bands: tuple[Band, ...] = FINE) -> dict[int, int]:
        """The ladder's prices of one side in ticks, nearest first, and the lots on each."""
        spread = self._spread(centre * self.instrument.tick_e8)
        return self._ladder.lines(side, centre, spread, bands)

    # -- money and price -----------------------------------------------------------------------

    def _ladder_value(self) -> int:
        return self._quoting.line * sum(band.lines * band.times for band in FINE)

    def _money(self, value: int) -> tuple[Money, ...]:
        """A value in USDT, twice over, on each side the instrument trades."""
        value_e8 = MONEY_TIMES * value * E8
        instrument = self.instrument
        if instrument.kind != "spot":
            margin_minor = value_e8 // 2
            if instrument.kind == "inverse":
                margin_minor = margin_minor * E8 // self._start_e8
            return (Money(margin_wallet(instrument), instrument.settle, margin_minor),)
        quote_minor = value_e8 * E8 // self._quote_e8
        lots = value_to_lots(instrument, self._start_e8, quote_minor)
        return (
            Money(SPOT, instrument.quote, quote_minor),
            Money(SPOT, instrument.base, instrument.base_minor(lots)),
        )

    def _leverages(self) -> tuple[tuple[str, int], ...]:
        spot = self.instrument.kind == "spot"
        return () if spot else ((self.instrument.symbol, MAKER_LEVERAGE),)

    def _hand(self, sight: Sight, account: Account) -> Hand:
        return Hand(sight, account, self.instrument, self._base_minor[account.label])

    def _value_lots(self, price_e8: int, value: int) -> int:
        """How many lots a value in USDT is."""
        value_e8 = value * E8 * E8 // self._quote_e8
        return max(1, value_to_lots(self.instrument, price_e8, value_e8))

    def _quoted_e8(self, sight: Sight, fair_e8: int, desk: Desk) -> int:
        """What the quotes lie around: what it is worth, leaning against what the makers hold."""
        lots = desk.front.excess_lots + desk.ladder.excess_lots
        if self.instrument.kind == "spot":
            # Half a spread lower for makers who hold far too much, higher for those who lack it.
            usual = sum(self._base_minor.values())
            lean = min(max(-lots * self.instrument.lot_minor / usual, -1.0), 1.0)
            return fair_e8 + round(lean / 2 * self._spread(fair_e8) * self.instrument.tick_e8)
        held_e8 = lots_to_value(self.instrument, fair_e8, lots)
        # A crowd that is long leaves the makers short, so they ask for more: a premium.
        lean = min(max(-held_e8 / self._value_cap_e8, -1.0), 1.0)
        drawn = stroke(self._seed, f"{self.instrument.symbol} basis", sight.now_ms // HOUR_MS)
        hourly = BASIS_E6 * drawn.normal
        return round(fair_e8 * (1 + (PREMIUM_MAX_E6 * lean + hourly) / 1e6))

    def _spread(self, price_e8: int) -> int:
        """Best ask less best bid, in ticks."""
        ticks = price_e8 * self._quoting.spread_e6 / 1e6 / self.instrument.tick_e8
        return max(1, round(ticks))

    def _best(self, sight: Sight, quoted_e8: int) -> Best:
        """The best prices around what is quoted; where steps are long they must last longer."""
        tick_e8 = self.instrument.tick_e8
        spread = self._spread(quoted_e8)
        bid = max(1, (2 * quoted_e8 - (spread - 1) * tick_e8) // (2 * tick_e8))
        times = min(max(1, sight.step_ms // LASTING_MS), FRONT_TIMES_MAX)
        lots = self._value_lots(quoted_e8, self._quoting.front * times)
        return Best(bid, bid + spread, quoted_e8 // tick_e8, lots)

    # -- inventory -----------------------------------------------------------------------------

    def _handed_on(self, desk: Desk, best: Best) -> Side | None:
        """The side of the front that the ladder quotes, as the front has too much of it already."""
        uneven = self._value_lots(
            best.centre * self.instrument.tick_e8, UNEVEN_TIMES * self._quoting.line
        )
        more = desk.front.excess_lots - desk.ladder.excess_lots
        side = Side.BUY if more > 0 else Side.SELL
        # A side once handed on has no front: that tells that it shall only return well below.
        is_under_way = not desk.front.orders(side) and bool(desk.ladder.orders(side))
        return side if abs(more) > (uneven // 4 if is_under_way else uneven) else None

    def _is_full(self, hand: Hand, side: Side, best: Best) -> bool:
        """Whether an account must not add to its position on a contract."""
        if self.instrument.kind == "spot":
            return False
        held = hand.excess_lots if side is Side.BUY else -hand.excess_lots
        value = POSITION_TIMES * self._ladder_value()
        most = self._value_lots(best.centre * self.instrument.tick_e8, value)
        return held > (most if hand.orders(side) else most * RESUME_E2 // 100)

    def _sweep(self, sight: Sight, desk: Desk, side: Side, best: Best, moves: Moves) -> int:
        """Take what others left where the price has passed it; answers how near a side may quote.

        Makers who hold far too much also take whatever others offer between their own quotes.
        """
        away = -1 if side is Side.BUY else 1
        hand = desk.to_buy() if side is Side.BUY else desk.to_sell()
        excess = desk.front.excess_lots + desk.ladder.excess_lots
        heavy = self._value_lots(
            best.centre * self.instrument.tick_e8, PREMIUM_AT_TIMES * self._quoting.line
        )
        sheds = away * excess > heavy and away * hand.excess_lots > 0
        limit = best.of(side.opposite) + away if sheds else best.of(side)
        lots, last = self._others(sight.book(self.instrument.symbol), desk, side, limit)
        if not lots:
            return 0 if side is Side.SELL else PRICE_TICKS_MAX
        wanted = lots
        if sheds:
            wanted = min(lots, abs(hand.excess_lots))
        elif self._is_full(hand, side, best):
            wanted = 0
        wanted = wanted if sheds else hand.affordable_lots(side, limit, wanted)
        if self.instrument.notional_minor(limit, wanted) >= self.instrument.notional_min_minor:
            hand.binds(side, limit, wanted)
            order = take(
                hand.account, self.instrument, side, wanted, limit * self.instrument.tick_e8
            )
            if self.instrument.kind != "spot":
                order = msgspec.structs.replace(order, reduce_only=sheds)
            moves.sweeps.append(order)
        if wanted < lots:
            return last + away  # What is left of them is not quoted through.
        return 0 if side is Side.SELL else PRICE_TICKS_MAX

    def _others(self, book: Book, desk: Desk, side: Side, limit: int) -> tuple[int, int]:
        """(lots, best price) of what is not the maker's own, on the other side, up to a limit."""
        away = -1 if side is Side.BUY else 1
        nearest = book.best_ask_ticks if side is Side.BUY else book.best_bid_ticks
        if not nearest or away * (nearest - limit) < 0:
            return 0, 0
        own = {hand.account.id for hand in desk}
        sum_lots = best = 0
        for ticks, _ in book.levels(side.opposite, LEVELS_SEEN):
            if away * (ticks - limit) < 0:
                break
            lots = sum(
                order.open_lots
                for order in book.queue(side.opposite, ticks)
                if order.account_id not in own
            )
            sum_lots += lots
            best = best or (ticks if lots else 0)
        return sum_lots, best

    # -- the front -----------------------------------------------------------------------------

    def _withdraw(self, hand: Hand, side: Side, moves: Moves) -> None:
        """Leave one side."""
        for order in hand.orders(side):
            hand.cancel(order, moves.retreats)

    def _move_front(
        self, sight: Sight, hand: Hand, side: Side, best: Best, bound: int, moves: Moves
    ) -> None:
        """Pair the levels with the orders there are, best first, and move what is out of place."""
        away = -1 if side is Side.BUY else 1
        orders = hand.orders(side)
        levels = FRONT_LEVELS if sight.step_ms < COARSER_FROM_MS else 1
        for level in range(levels):
            offset = max(level, level * self._ladder.gap // 4)
            ticks = best.of(side) + away * offset
            ticks = ticks if away * (ticks - bound) >= 0 else bound
            wanted = best.lots * (level + 2) // 2
            if ticks < 1:
                continue
            if level >= len(orders):
                hand.place(side, ticks, wanted, moves.fronts)
            elif not _stands(orders[level], ticks, wanted, offset // 4 + best.spread // 4):
                hand.move(orders[level], ticks, wanted, moves.retreats, moves.fronts)
        for extra in orders[levels:]:
            hand.cancel(extra, moves.retreats)

    # -- the ladder ----------------------------------------------------------------------------

    def _move_ladder(
        self,
        sight: Sight,
        hand: Hand,
        best: Best,
        bounds: dict[Side, int],
        handed_on: Side | None,
        moves: Moves,
    ) -> None:
        """Bring the ladder's two sides to where they belong."""
        opening = self.instrument.symbol not in sight.engine.last_trade
        places = []
        for side in Side:
            if self._is_full(hand, side, best):
                self._withdraw(hand, side, moves)
                continue
            touch = Touch(best.of(side), best.lots) if side is handed_on else None
            bands = bands_for(sight.step_ms)
            places.append(Place(side, best.centre, best.spread, bands, touch, bounds[side]))
        most = ADVANCES_PER_S * max(1, sight.step_ms // 1_000)
        self._ladder.move(hand, places, opening, most, moves)


def _stands(order: Order, ticks: int, lots: int, tolerance: int) -> bool:
    """Whether an order is near enough to its place, and whole enough."""
    return abs(order.price_ticks - ticks) <= tolerance and not is_thin(order, lots)
