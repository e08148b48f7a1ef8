"""Market makers: a front of quotes that follows the price, and a ladder that mostly rests.

Each instrument has two accounts. The *front* quotes a few levels a side, tight around what the
instrument is worth, and moves them whenever that moves by more than their tolerance. The *ladder*
rests on fixed price lines, dense near the market and sparse far from it; when the price moves by
a line, one order a side is moved from the end that is too close to the end that is free. A line
always carries the same lots, so nothing needs to be remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from exchange.commands import AmendOrder, AnyCommand, CancelAll, CancelOrder, PlaceOrder
from exchange.market.agents.purses import Money, Purse
from exchange.market.draws import stroke, uniform
from exchange.market.prices import HOUR_MS
from exchange.market.sight import E8, Sight, value_to_lots, wallet_of
from matching.instrument import Instrument
from matching.limits import ORDERS_PER_ACCOUNT_SYMBOL_MAX
from matching.types import Order, Side
from risk.account import PERP, SPOT, Account


class Quoting(NamedTuple):
    """How an asset is quoted; values in units of USDT."""

    spread_e6: float  # Best ask less best bid, in millionths of the price; at least a tick.
    gap_e6: int  # Between two near lines of the ladder.
    front: int  # The value of a front level,
    line: int  # and of a near line.


QUOTING: Final = {
    "BTC": Quoting(0.4, 150, 6_000, 9_000),
    "ETH": Quoting(8, 180, 5_000, 7_000),
    "SOL": Quoting(100, 280, 3_000, 5_000),
    "BNB": Quoting(70, 260, 2_500, 3_000),
    "XRP": Quoting(200, 380, 2_500, 3_000),
    "DOGE": Quoting(200, 450, 2_000, 2_500),
    "LTC": Quoting(250, 400, 2_000, 2_500),
    "LINK": Quoting(300, 450, 1_500, 2_000),
}
OTHERS: Final = Quoting(400, 600, 1_200, 1_500)

FRONT_LEVELS: Final = 3
LASTING_MS: Final = 3_000  # A front of usual size lasts so long,
FRONT_TIMES_MAX: Final = 5  # and for longer steps it is up to so many times as large.
# The ladder's three bands: how many lines, how many gaps apart, how many times a near line's lots.
BANDS: Final = ((30, 1, 1), (30, 3, 2), (39, 12, 5))
LINES: Final = sum(lines for lines, _, _ in BANDS)
assert 2 * LINES < ORDERS_PER_ACCOUNT_SYMBOL_MAX  # Moving one takes a place for a moment.
MAKER_LEVERAGE: Final = 20
MONEY_TIMES: Final = 2  # An account is given twice what its orders on one side take.
THIN_E2: Final = 35  # An order with less than 35 % of its lots left is made whole again.
STALE_PER_S: Final = 24  # More lines overrun in a second are cancelled at once, and laid anew.
ADVANCES_PER_S: Final = 8  # Lines laid or drawn nearer in a second, per instrument.
BASIS_E6: Final = 45  # A contract is quoted about so far from its index, hour by hour,
PREMIUM_MAX_E6: Final = 1_800  # and up to so far with all that the makers hold of it,
PREMIUM_AT_TIMES: Final = 250  # which is so many near lines.


class Moves(NamedTuple):
    """What makers do in one step: away from the market first, so that no quote meets another."""

    retreats: list[AnyCommand]
    fronts: list[AnyCommand]
    advances: list[AnyCommand]


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
        gap = round(start_e8 * self._quoting.gap_e6 / 1e6 / instrument.tick_e8)
        self._gap = max(2, gap)  # In ticks; it stays, or every line would move with the price.
        self._line_lots = lru_cache(maxsize=4_096)(self._lots_on_line)
        self._base_minor = sum(
            money.minor
            for purse in self.purses()
            for money in purse.money
            if money.asset == instrument.base
        )
        self._value_cap_e8 = PREMIUM_AT_TIMES * self._quoting.line * E8

    def purses(self) -> list[Purse]:
        """Enough to fill both sides with something to spare."""
        ladder = self._quoting.line * sum(lines * times for lines, _, times in BANDS)
        # The front of a contract may come to hold as large a position as its ladder.
        share = 1 if self.instrument.kind != "spot" else 4
        front = max(self._quoting.front * FRONT_LEVELS * 2 * FRONT_TIMES_MAX, ladder // share)
        return [
            Purse(self.front_label, self._money(front), self._leverages()),
            Purse(self.ladder_label, self._money(ladder), self._leverages()),
        ]

    def moves(self, sight: Sight) -> Moves:
        """Everything that brings its quotes to where they belong."""
        moves = Moves([], [], [])
        front, ladder = sight.account(self.front_label), sight.account(self.ladder_label)
        fair_e8 = sight.fair_e8(self.instrument)
        if front is None or ladder is None or fair_e8 is None or not sight.is_open(self.instrument):
            return moves
        if front.liquidating or ladder.liquidating:
            return moves
        quoted_e8 = self._quoted_e8(sight, fair_e8, front, ladder)
        self._move_front(sight, front, quoted_e8, moves)
        self._move_ladder(sight, ladder, quoted_e8, moves)
        return moves

    # -- money and price -----------------------------------------------------------------------

    def _money(self, value: int) -> tuple[Money, ...]:
        """A value in USDT, twice over, on each side the instrument trades."""
        value_e8 = MONEY_TIMES * value * E8
        instrument = self.instrument
        if instrument.kind != "spot":
            return (Money(PERP, instrument.settle, value_e8 // 2),)
        quote_minor = value_e8 * E8 // self._quote_e8
        lots = value_to_lots(instrument, self._start_e8, quote_minor)
        return (
            Money(SPOT, instrument.quote, quote_minor),
            Money(SPOT, instrument.base, instrument.base_minor(lots)),
        )

    def _leverages(self) -> tuple[tuple[str, int], ...]:
        spot = self.instrument.kind == "spot"
        return () if spot else ((self.instrument.symbol, MAKER_LEVERAGE),)

    def _quoted_e8(self, sight: Sight, fair_e8: int, front: Account, ladder: Account) -> int:
        """What the quotes lie around: what it is worth, leaning against what the makers hold."""
        if self.instrument.kind == "spot":
            return self._spot_quoted_e8(fair_e8, front, ladder)
        symbol = self.instrument.symbol
        lots = sight.position_lots(front, symbol) + sight.position_lots(ladder, symbol)
        held_e8 = lots * self.instrument.lot_minor * fair_e8 // E8
        # A crowd that is long leaves the makers short, so they ask for more: a premium.
        lean = min(max(-held_e8 / self._value_cap_e8, -1.0), 1.0)
        drawn = stroke(self._seed, f"{symbol} basis", sight.now_ms // HOUR_MS)
        hourly = BASIS_E6 * drawn.normal
        return round(fair_e8 * (1 + (PREMIUM_MAX_E6 * lean + hourly) / 1e6))

    def _spot_quoted_e8(self, fair_e8: int, front: Account, ladder: Account) -> int:
        """Half a spread lower for makers who hold far too much, higher for those who lack it."""
        base = self.instrument.base
        target = self._base_minor
        held = front.minor(SPOT, base) + ladder.minor(SPOT, base)
        lean = min(max((target - held) / target, -1.0), 1.0)
        return fair_e8 + round(lean / 2 * self._spread(fair_e8) * self.instrument.tick_e8)

    def _spread(self, price_e8: int) -> int:
        """Best ask less best bid, in ticks."""
        ticks = price_e8 * self._quoting.spread_e6 / 1e6 / self.instrument.tick_e8
        return max(1, round(ticks))

    # -- the front -----------------------------------------------------------------------------

    def _move_front(self, sight: Sight, account: Account, quoted_e8: int, moves: Moves) -> None:
        """Pair the levels with the orders there are, best first, and move what is out of place.

        Where steps are long the front must last longer, so its levels are larger.
        """
        tick_e8 = self.instrument.tick_e8
        spread = self._spread(quoted_e8)
        bid = (2 * quoted_e8 - (spread - 1) * tick_e8) // (2 * tick_e8)  # The nearest tick.
        offsets = [max(level, level * self._gap // 4) for level in range(FRONT_LEVELS)]
        times = min(max(1, sight.step_ms // LASTING_MS), FRONT_TIMES_MAX)
        value_e8 = self._quoting.front * times * E8 * E8 // self._quote_e8
        lots = max(1, value_to_lots(self.instrument, quoted_e8, value_e8))
        for side, best, away in ((Side.BUY, bid, -1), (Side.SELL, bid + spread, 1)):
            orders = [order for order in account.orders.values() if order.side is side]
            orders.sort(key=lambda order: away * order.price_ticks)
            for level, offset in enumerate(offsets):
                ticks = best + away * offset
                wanted = lots * (level + 2) // 2
                if ticks < 1:
                    continue
                if level >= len(orders):
                    moves.fronts.append(self._place(account, side, ticks, wanted))
                elif not _stands(orders[level], ticks, wanted, offset // 4 + spread // 4):
                    _amend(orders[level], ticks, wanted, moves.retreats, moves.fronts)
            for extra in orders[FRONT_LEVELS:]:
                moves.retreats.append(_cancel(extra))

    # -- the ladder ----------------------------------------------------------------------------

    def _move_ladder(self, sight: Sight, account: Account, quoted_e8: int, moves: Moves) -> None:
        """Move the orders that rest on no line any more to the lines that have none."""
        seconds = max(1, sight.step_ms // 1_000)
        centre = quoted_e8 // self.instrument.tick_e8
        opening = self.instrument.symbol not in sight.engine.last_trade
        surplus: list[Order] = []
        advances: list[AnyCommand] = []
        retreats: list[AnyCommand] = []
        for side in (Side.BUY, Side.SELL):
            surplus += self._fit_side(account, side, centre, retreats, advances)
        overrun = [order for order in surplus if _is_overrun(order, centre)]
        if len(overrun) > STALE_PER_S * seconds:
            moves.retreats.append(CancelAll(account_id=account.id, symbol=self.instrument.symbol))
            return
        moves.retreats.extend(retreats)
        moves.advances.extend(advances if opening else advances[: ADVANCES_PER_S * seconds])

    def _fit_side(
        self,
        account: Account,
        side: Side,
        centre: int,
        retreats: list[AnyCommand],
        advances: list[AnyCommand],
    ) -> list[Order]:
        """One side's moves, the nearest lines first; the orders that rest on no line of it."""
        wanted = self.lines(side, centre)
        free = dict.fromkeys(wanted)
        surplus: list[Order] = []
        for order in account.orders.values():
            if order.side is not side:
                continue
            if order.price_ticks not in free:
                surplus.append(order)
                continue
            del free[order.price_ticks]
            lots = wanted[order.price_ticks]
            if order.open_lots * 100 < lots * THIN_E2:
                _amend(order, order.price_ticks, lots, retreats, advances)
        away = -1 if side is Side.BUY else 1
        # The order nearest to the market is the one most in danger: it goes first.
        surplus.sort(key=lambda order: away * order.price_ticks)
        lines = sorted(free, key=lambda ticks: away * ticks)
        if surplus and lines and away * surplus[0].price_ticks < away * lines[0]:
            lines.reverse()  # The market came closer: the nearest orders go to the farthest lines.
        for order, ticks in zip(surplus, lines, strict=False):
            _amend(order, ticks, wanted[ticks], retreats, advances)
        retreats.extend(_cancel(order) for order in surplus[len(lines) :])
        for ticks in lines[len(surplus) :]:
            advances.append(self._place(account, side, ticks, wanted[ticks]))
        return surplus

    def lines(self, side: Side, centre: int) -> dict[int, int]:
        """The ladder's prices of one side in ticks, nearest first, and the lots on each."""
        away = -1 if side is Side.BUY else 1
        spread = self._spread(centre * self.instrument.tick_e8)
        last = centre + away * (spread // 2 + self._gap * 3 // 4)
        found: dict[int, int] = {}
        for lines, gaps, times in BANDS:
            step = self._gap * gaps
            first = last // step * step if away < 0 else -(-last // step) * step
            for at in range(lines):
                ticks = first + away * at * step
                if ticks < self._gap:
                    break
                found[ticks] = self._line_lots(ticks, times)
            last = first + away * lines * step
        return found

    def _lots_on_line(self, ticks: int, times: int) -> int:
        """The lots of a line: always the same for the same price and band."""
        price_e8 = ticks * self.instrument.tick_e8
        part = 0.5 + uniform(self._seed, f"{self.instrument.symbol} line", ticks)
        value_e8 = round(self._quoting.line * times * part * E8) * E8 // self._quote_e8
        return max(1, value_to_lots(self.instrument, price_e8, value_e8))

    def _place(self, account: Account, side: Side, ticks: int, lots: int) -> PlaceOrder:
        return PlaceOrder(
            account_id=account.id,
            symbol=self.instrument.symbol,
            side=side,
            lots=lots,
            price_ticks=ticks,
            wallet=wallet_of(self.instrument),
        )


def _stands(order: Order, ticks: int, lots: int, tolerance: int) -> bool:
    """Whether an order is near enough to its place, and whole enough."""
    near = abs(order.price_ticks - ticks) <= tolerance
    return near and order.open_lots * 100 >= lots * THIN_E2


def _is_overrun(order: Order, centre: int) -> bool:
    """Whether the price has gone through an order."""
    beyond = order.price_ticks - centre
    return (beyond if order.side is Side.BUY else -beyond) > 0


def _cancel(order: Order) -> CancelOrder:
    return CancelOrder(account_id=order.account_id, order_id=order.order_id)


def _amend(
    order: Order,
    ticks: int,
    lots: int,
    retreats: list[AnyCommand],
    advances: list[AnyCommand],
) -> None:
    """Move an order: one list for what goes away from the market, one for what comes nearer."""
    whole = lots + order.filled_lots + order.prevented_lots
    amended = AmendOrder(
        account_id=order.account_id,
        order_id=order.order_id,
        lots=0 if whole == order.lots else whole,
        price_ticks=0 if ticks == order.price_ticks else ticks,
    )
    nearer = ticks - order.price_ticks if order.side is Side.BUY else order.price_ticks - ticks
    (retreats if nearer < 0 else advances).append(amended)


def in_order(moves: Sequence[Moves]) -> list[AnyCommand]:
    """All makers' moves: every retreat, then every front, then every advance."""
    ordered: list[AnyCommand] = []
    for part in range(len(Moves._fields)):
        for each in moves:
            ordered.extend(each[part])
    return ordered
