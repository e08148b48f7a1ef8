"""What makers have in common: how an asset is quoted, what an account may bind, how orders move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from exchange.commands import AmendOrder, AnyCommand, CancelAll, CancelOrder, PlaceOrder
from exchange.market.sight import E8, Sight, wallet_of
from matching.instrument import Instrument
from matching.types import Order, Side
from risk.account import SPOT, Account
from risk.perp_report import perp_report


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
COIN_MARGINED: Final = Quoting(1.0, 180, 1_500, 1_800)  # Inverse: its brackets are small.

MAKER_LEVERAGE: Final = 20
THIN_E2: Final = 35  # An order with less than 35 % of its lots left is made whole again.
FEE_SPARE_E4: Final = 15  # Bound on top of what a buy costs, more than any fee.


class Moves(NamedTuple):
    """What makers do in one step: away from the market first, so that no quote meets another."""

    retreats: list[AnyCommand]
    sweeps: list[AnyCommand]  # What takes orders of others that the price has passed.
    fronts: list[AnyCommand]
    advances: list[AnyCommand]


def in_order(moves: Sequence[Moves]) -> list[AnyCommand]:
    """All makers' moves: every retreat, every sweep, every front, then every advance."""
    ordered: list[AnyCommand] = []
    for part in range(len(Moves._fields)):
        for each in moves:
            ordered.extend(each[part])
    return ordered


class Hand:
    """One account of a maker at one step: what it holds, may bind, and moves.

    It reckons with what its own commands of this step bind, so it sends none it must know to be
    refused: where an order cannot be moved for want of money, it is cancelled instead.
    """

    def __init__(
        self, sight: Sight, account: Account, instrument: Instrument, usual_minor: int
    ) -> None:
        """`usual_minor` is how much of the base it holds when nobody traded (0 of a contract)."""
        self.account = account
        self._instrument = instrument
        self._orders = _by_side(account, instrument.symbol)
        self._is_spot = instrument.kind == "spot"
        if self._is_spot:
            base = account.pockets.get((SPOT, instrument.base))
            quote = account.pockets.get((SPOT, instrument.quote))
            self._free = [quote.free if quote else 0, base.free if base else 0]
            held_minor = base.minor if base else 0
            self.excess_lots = (held_minor - usual_minor) // instrument.lot_minor
        else:
            # Both sides of a contract draw on one margin.
            report = perp_report(sight.engine.risk, account, instrument.settle)
            self._free = [report.available_minor]
            self.excess_lots = sight.position_lots(account, instrument.symbol)

    def orders(self, side: Side) -> list[Order]:
        """Its open orders of one side, nearest to the market first."""
        return list(self._orders[side])

    def place(self, side: Side, ticks: int, lots: int, into: list[AnyCommand]) -> None:
        """Quote, if it can be paid for; what would trade at once is refused by the book."""
        if not self.binds(side, ticks, lots):
            return
        into.append(
            PlaceOrder(
                account_id=self.account.id,
                symbol=self._instrument.symbol,
                side=side,
                lots=lots,
                price_ticks=ticks,
                post_only=True,
                wallet=wallet_of(self._instrument),
            )
        )

    def cancel(self, order: Order, retreats: list[AnyCommand]) -> None:
        """Take an order away."""
        self._free[self._pot(order.side)] += self._need(order.side, order.price_ticks, order)
        retreats.append(CancelOrder(account_id=order.account_id, order_id=order.order_id))

    def clear(self, retreats: list[AnyCommand]) -> None:
        """Take all orders away at once."""
        for side in Side:
            for order in self.orders(side):
                self._free[self._pot(side)] += self._need(side, order.price_ticks, order)
        self._orders = ([], [])
        retreats.append(CancelAll(account_id=self.account.id, symbol=self._instrument.symbol))

    def move(
        self,
        order: Order,
        ticks: int,
        lots: int,
        retreats: list[AnyCommand],
        nearer: list[AnyCommand],
    ) -> None:
        """Move an order: one list for what goes away from the market, one for what comes nearer."""
        if not self.binds(order.side, ticks, lots, order):
            if ticks != order.price_ticks:
                self.cancel(order, retreats)
            return
        whole = lots + order.filled_lots + order.prevented_lots
        if whole == order.lots and ticks == order.price_ticks:
            return
        amended = AmendOrder(
            account_id=order.account_id,
            order_id=order.order_id,
            lots=0 if whole == order.lots else whole,
            price_ticks=0 if ticks == order.price_ticks else ticks,
        )
        closer = ticks - order.price_ticks if order.side is Side.BUY else order.price_ticks - ticks
        (retreats if closer < 0 else nearer).append(amended)

    def binds(self, side: Side, ticks: int, lots: int, instead_of: Order | None = None) -> bool:
        """Bind what an order needs, in the place of another; False where that is not there."""
        need = self._need(side, ticks, lots)
        if instead_of is not None:
            need -= self._need(side, instead_of.price_ticks, instead_of)
        pot = self._pot(side)
        if need > 0 and need > self._free[pot] and not self._reduces(side):
            return False
        self._free[pot] -= need
        return True

    def affordable_lots(self, side: Side, ticks: int, lots: int) -> int:
        """How many of the lots it can pay for."""
        need = self._need(side, ticks, lots)
        free = max(0, self._free[self._pot(side)])
        return lots if need <= free else lots * free // need

    def _pot(self, side: Side) -> int:
        return int(side) if self._is_spot else 0

    def _reduces(self, side: Side) -> bool:
        """Whether an order of that side brings a contract's position nearer to nothing."""
        if self._is_spot:
            return False
        return self.excess_lots < 0 if side is Side.BUY else self.excess_lots > 0

    def _need(self, side: Side, ticks: int, lots: int | Order) -> int:
        """What an order of so many lots, or what is open of one, binds; in minor units."""
        count = lots if isinstance(lots, int) else lots.open_lots
        if self._is_spot and side is Side.SELL:
            return self._instrument.base_minor(count)
        cost = self._instrument.notional_minor(ticks, count)
        if self._instrument.kind == "inverse":  # It binds coins.
            cost = -(-cost * E8 // (ticks * self._instrument.tick_e8))
        spare = cost * FEE_SPARE_E4 // 10_000 + 1
        return cost + spare if self._is_spot else cost // MAKER_LEVERAGE + spare


def _by_side(account: Account, symbol: str) -> tuple[list[Order], list[Order]]:
    """An account's bids and asks on an instrument, nearest to the market first."""
    bids: list[Order] = []
    asks: list[Order] = []
    for order in account.orders.values():
        if order.symbol == symbol:
            (bids if order.side is Side.BUY else asks).append(order)
    bids.sort(key=lambda order: -order.price_ticks)
    asks.sort(key=lambda order: order.price_ticks)
    return bids, asks


def is_thin(order: Order, lots: int) -> bool:
    """Whether so much of an order was taken that it is to be made whole."""
    return order.open_lots * 100 < lots * THIN_E2
