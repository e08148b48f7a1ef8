# cython: overflowcheck=True
"""The road every order takes: filters, reserve, book, settle; a liquidation's orders too."""

from __future__ import annotations

import msgspec

from exchange.auctioning import trip
from exchange.commands import PlaceOrder
from exchange.execution import Execution
from exchange.holding_filters import refuse_holding
from exchange.reducing import trim_moved
from matching.filters import refuse_order, refuse_result
from matching.reasons import Reason
from matching.types import Order, OrderType, SelfTrade, Side, Status, TimeInForce
from risk.account import ONE_WAY, PERP, POSITION_SIDES, Account, closes_leg, leg_of
from risk.reserve import reserve
from risk.reserve_spot import asleep_hold_ticks, spot_need


class Placed(msgspec.Struct, frozen=True, gc=False):
    """An order that got its id, and whether it was refused after all (post-only)."""

    order: Order
    reason: Reason | None


class Trading(Execution):
    """Orders on their way to the books."""

    __slots__ = ()

    # -- placing -------------------------------------------------------------------------------

    def place(self, account: Account, wish: PlaceOrder) -> Placed | Reason:
        """Place an order, or say why not; a refusal has changed nothing."""
        order, refused, worst_ticks = self.consider(account, wish)
        if refused is None:
            refused = reserve(self.risk, account, order, self.books[order.symbol], worst_ticks)
        if refused is not None:
            return refused
        self.next_order_id += 1
        self.run(account, order, worst_ticks)
        return Placed(order, order.reason if order.status is Status.REJECTED else None)

    def consider(self, account: Account, wish: PlaceOrder) -> tuple[Order, Reason | None, int]:
        """The order a wish asks for, why it would be refused, and its worst price; no more."""
        order = self.order_of(wish)
        if wish.quote_minor and not (order.quote_units or order.lots):
            return order, Reason.AMOUNT_BELOW_ONE_LOT, 0
        if wish.position_side and order.wallet != PERP:
            return order, Reason.COMBINATION_NOT_ALLOWED, 0
        reason, worst_ticks = self.admit(account, order)
        return order, reason, worst_ticks

    def refuse_contract(self, account: Account, wish: PlaceOrder) -> Reason | None:
        """Why `place` would refuse an order on a perpetual, or None; nothing is changed."""
        order, refused, worst_ticks = self.consider(account, wish)
        if refused is not None:
            return refused
        return reserve(self.risk, account, order, self.books[order.symbol], worst_ticks)

    def order_of(self, wish: PlaceOrder) -> Order:
        """The order a wish asks for, not yet admitted."""
        instrument = self.risk.instruments[wish.symbol]
        sided = wish.position_side in POSITION_SIDES  # Else the order is refused.
        lots, quote_units = wish.lots, instrument.whole_units(wish.quote_minor)
        if instrument.kind == "inverse" and not lots:  # An amount of the quote is contracts.
            lots, quote_units = wish.quote_minor // instrument.face_minor, 0
        order = Order(
            order_id=self.next_order_id,
            account_id=wish.account_id,
            symbol=wish.symbol,
            side=wish.side,
            type=wish.type,
            price_ticks=wish.price_ticks,
            lots=lots,
            tif=wish.tif,
            stp=wish.stp,
            quote_units=quote_units,
            post_only=wish.post_only,
            reduce_only=wish.reduce_only
            or wish.close_position
            or closes_leg(wish.side, wish.position_side),
            expire_ms=wish.expire_ms,
            client_id=wish.client_id,
            time_ms=self.risk.time_ms,
            wallet=wish.wallet,
            side_effect=wish.side_effect,
            auto_repay_at_cancel=wish.auto_repay_at_cancel,
            leverage=wish.leverage,
            trigger_ticks=wish.trigger_ticks,
            trigger=wish.trigger,
            close_position=wish.close_position,
            price_protect=wish.price_protect,
            trailing_bps=wish.trailing_bps,
            iceberg_lots=wish.iceberg_lots,
            leg=leg_of(wish.symbol, wish.position_side if sided else ONE_WAY),
        )
        order.hold_ticks = asleep_hold_ticks(self.risk, order)
        return order

    def admit(
        self, account: Account, order: Order, instead_of: Order | None = None
    ) -> tuple[Reason | None, int]:
        """Filters and bands: (why not, the worst price it may execute at or 0).

        `instead_of` is an open order of the account that makes room for it.
        """
        instrument = self.risk.instruments[order.symbol]
        reference_e8 = self.reference_e8(order.symbol)
        open_here = account.open_counts.get(order.symbol, 0) - (instead_of is not None)
        state = self.states[order.symbol]
        refused = refuse_order(instrument, state, order, reference_e8, open_here)
        if refused is not None:
            return refused, 0
        if instrument.kind == "spot":
            worst_ticks = instrument.worst_ticks(order.side, reference_e8)
        else:
            worst_ticks = self.risk.marks[order.symbol].band_ticks(order.side)
            if worst_ticks and order.price_ticks:
                beyond = order.price_ticks - worst_ticks
                if (beyond if order.side is Side.BUY else -beyond) > 0:
                    return Reason.PRICE_BAND, 0
        if order.quote_units or order.iceberg_lots or instrument.position_lots_max:
            refused = self._refuse_more(account, order, worst_ticks, instead_of)
        return refused, worst_ticks

    def _refuse_more(
        self, account: Account, order: Order, worst_ticks: int, instead_of: Order | None
    ) -> Reason | None:
        """Filters that ask the book what would be filled, or the account what it has (S3, S9)."""
        instrument = self.risk.instruments[order.symbol]
        lots = self.wanted_lots(order, worst_ticks)
        refused = refuse_result(instrument, order, lots) if order.quote_units else None
        return refused or refuse_holding(self.risk, account, order, lots, instead_of)

    def worst_ticks(self, order: Order) -> int:
        """The worst price it may execute at now (S12b), or 0 without a rule."""
        instrument = self.risk.instruments[order.symbol]
        if instrument.kind == "spot":
            return instrument.worst_ticks(order.side, self.reference_e8(order.symbol))
        return self.risk.marks[order.symbol].band_ticks(order.side)

    def wanted_lots(self, order: Order, worst_ticks: int) -> int:
        """How many lots an order is for; of a market order by amount what the book would fill."""
        return order.lots or self.books[order.symbol].cost_of_market(order, worst_ticks)[0]

    def force(
        self,
        account: Account,
        wallet: str,
        symbol: str,
        side: Side,
        lots: int,
        limit_ticks: int,
        leg: str = "",
    ) -> Order:
        """An immediate order of the liquidation engine: past filters and margin, not the book."""
        order = Order(
            order_id=self.next_order_id,
            account_id=account.id,
            symbol=symbol,
            side=side,
            type=OrderType.LIMIT,
            price_ticks=limit_ticks,
            lots=lots,
            tif=TimeInForce.IOC,
            stp=SelfTrade.EXPIRE_MAKER,
            time_ms=self.risk.time_ms,
            wallet=wallet,
            forced=True,
            leg=leg,
        )
        self.next_order_id += 1
        if wallet != PERP:
            asset, need = spot_need(self.risk, order, self.books[symbol], 0)
            self.risk.ledger.lock(self.risk.pocket(account, wallet, asset), need)
            order.hold_minor = need
        self.run(account, order, 0)
        return order

    def run(self, account: Account, order: Order, worst_ticks: int) -> None:
        """Match an order that was admitted, then cut what its trades leave too large (P15)."""
        self.match(account, order, worst_ticks)
        trim_moved(self)
        trip(self)

    # -- ending many ---------------------------------------------------------------------------

    def cancel_wallet(self, account: Account, wallet: str, which: str = "") -> int:
        """Cancel every order of an account on one wallet (and symbol or leg): before a liquidation.

        In hedge mode a symbol stands for both its legs.
        """
        orders = [
            order
            for order in account.orders.values()
            if order.wallet == wallet and which in ("", order.symbol, order.leg)
        ]
        self.cancel_each(orders, Reason.LIQUIDATION)
        return len(orders)

    def cancel_everything(self, account: Account, reason: Reason) -> None:
        """Cancel every order, on halted books too, and the countdowns that would do so later."""
        self.countdowns.disarm(account.id)
        self.cancel_each(list(account.orders.values()), reason)

    def cancel_each(self, orders: list[Order], reason: Reason) -> None:
        """Cancel orders because all is to end, so that nothing comes after them either."""
        for order in orders:
            if order.list_id:
                self.lists.forgo(order.list_id)
            self.cancel(order, reason)
