"""The order lists of a venue (S5): which orders are legs of which list, and where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from exchange.commands import PlaceOrder
from exchange.events import OrderListChanged
from exchange.telling import Teller
from matching.instrument import Instrument
from matching.lists import LegStatus, ListKind, ListStatus, Step, list_status, next_step
from matching.reasons import Reason
from matching.types import Order, Side, Status
from risk.account import Account
from risk.ledger import FIRST_ACCOUNT


class Leg:
    """One order of a list, or what it will be: `wish` until it is placed, `order_id` from then.

    `filled_lots` were filled of it and `paid_minor` were their fees, of those that were paid in
    what the order received; an order that was amended goes on counting.
    """

    __slots__ = ("client_id", "filled_lots", "order_id", "paid_minor", "status", "wish")

    def __init__(self, wish: PlaceOrder) -> None:
        self.wish: PlaceOrder | None = wish
        self.client_id = wish.client_id
        self.order_id = self.filled_lots = self.paid_minor = 0
        self.status = LegStatus.PENDING

    def is_now(self, order: Order) -> None:
        """It is this order, from now on."""
        self.order_id, self.wish = order.order_id, None
        self.status = LegStatus.OPEN


class OrderList:
    """Orders that hang together: an OCO's are [limit, stop]; a working order comes before them.

    What waits in a `bracket` takes its quantity from what the working order brings (T21).
    """

    __slots__ = (
        "account_id",
        "bracket",
        "client_id",
        "kind",
        "legs",
        "list_id",
        "placed_ms",
        "reason",
        "symbol",
    )

    def __init__(
        self,
        list_id: int,
        account_id: int,
        symbol: str,
        kind: ListKind,
        client_id: str,
        placed_ms: int = 0,
        bracket: bool = False,
    ) -> None:
        self.list_id, self.account_id, self.symbol = list_id, account_id, symbol
        self.kind, self.client_id = kind, client_id
        self.placed_ms, self.bracket = placed_ms, bracket
        self.legs: list[Leg] = []
        self.reason: Reason | None = None  # Why a leg could not be placed.

    @property
    def statuses(self) -> list[LegStatus]:
        """Where each leg stands."""
        return [leg.status for leg in self.legs]

    @property
    def status(self) -> ListStatus:
        """Where the whole stands."""
        return list_status(self.statuses)

    @property
    def step(self) -> tuple[Step, list[int]] | None:
        """What is to be done now, and to which legs."""
        return next_step(self.kind, self.statuses, self.bracket)

    def leg_of(self, order: Order) -> Leg:
        """The leg that is this order."""
        return next(leg for leg in self.legs if leg.order_id == order.order_id)


class Lists:
    """Every list of which something may still come, by id; and those whose legs have moved."""

    def __init__(self) -> None:
        self.by_id: dict[int, OrderList] = {}
        self.due: dict[int, None] = {}  # To be looked at, first come first served.
        self.next_id = 1
        self._counts: dict[tuple[int, str], int] = {}

    def of(self, account: Account) -> list[OrderList]:
        """An account's lists of which an order is open, oldest first; any other has ended."""
        ids = {order.list_id for order in account.orders.values() if order.list_id}
        return [self.by_id[list_id] for list_id in sorted(ids)]

    def named(self, account: Account, client_id: str) -> OrderList | None:
        """The newest of an account's open lists with a client id."""
        found = [each for each in self.of(account) if each.client_id == client_id]
        return found[-1] if found else None

    def count(self, account_id: int, symbol: str) -> int:
        """How many lists an account has open on an instrument."""
        return self._counts.get((account_id, symbol), 0)

    def add(self, made: OrderList) -> None:
        """Keep a list from now on."""
        self.by_id[made.list_id] = made
        self.next_id = max(self.next_id, made.list_id + 1)
        key = made.account_id, made.symbol
        self._counts[key] = self._counts.get(key, 0) + 1

    def join(self, made: OrderList, leg: Leg, order: Order) -> None:
        """An order is a leg from now on, perhaps the first of its list."""
        leg.is_now(order)
        order.list_id = made.list_id
        if made.list_id not in self.by_id:
            self.add(made)

    def remove(self, ended: OrderList) -> None:
        """Forget a list that is over."""
        del self.by_id[ended.list_id]
        self.due.pop(ended.list_id, None)
        key = ended.account_id, ended.symbol
        self._counts[key] -= 1
        if not self._counts[key]:
            del self._counts[key]

    def note(self, order: Order) -> None:
        """Something befell a leg: the others are looked at when the match is over."""
        leg = self.by_id[order.list_id].leg_of(order)
        leg.status = leg_status(order, leg.filled_lots)
        self.due[order.list_id] = None

    def filled(self, order: Order, lots: int, paid_minor: int) -> None:
        """A leg was filled; its fee, where it was paid in what the order received."""
        leg = self.by_id[order.list_id].leg_of(order)
        leg.filled_lots += lots
        leg.paid_minor += paid_minor
        self.note(order)

    def replaced(self, old: Order, fresh: Order) -> None:
        """An amended order is the leg from now on that the old one was."""
        self.by_id[old.list_id].leg_of(old).order_id = fresh.order_id
        fresh.list_id, old.list_id = old.list_id, 0
        self.due[fresh.list_id] = None  # The list is told anew.

    def forgo(self, list_id: int) -> None:
        """Let no leg that waits in a list be placed any more, because all is to end."""
        for leg in self.by_id[list_id].legs:
            if leg.status is LegStatus.PENDING:
                leg.status, leg.wish = LegStatus.ENDED, None

    def woke(self, order: Order) -> list[int]:
        """A leg was woken by its trigger; the order ids of the legs that must end for it first."""
        found = self.by_id[order.list_id]
        mine = found.leg_of(order)
        mine.status = LegStatus.MOVED
        self.due[order.list_id] = None
        return [
            leg.order_id
            for leg in found.legs
            if leg is not mine and leg.status in (LegStatus.OPEN, LegStatus.MOVED)
        ]

    def state(self) -> dict[str, Any]:
        """All there is to know, as plain values."""
        return {
            "next_id": self.next_id,
            "due": list(self.due),
            "lists": [
                (
                    *(each.list_id, each.account_id, each.symbol, int(each.kind), each.client_id),
                    each.reason.name if each.reason else "",
                    [_leg_state(leg) for leg in each.legs],
                    each.placed_ms,
                    each.bracket,
                )
                for _, each in sorted(self.by_id.items())
            ],
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Lists:
        """The lists of which `state` was told."""
        lists = cls()
        for list_id, account_id, symbol, kind, client_id, reason, legs, *more in state["lists"]:
            each = OrderList(list_id, account_id, symbol, ListKind(kind), client_id, *more)
            each.reason = Reason[reason] if reason else None
            each.legs = [_restored_leg(*leg) for leg in legs]
            lists.add(each)
        lists.next_id = state["next_id"]
        lists.due = dict.fromkeys(state["due"])
        return lists


def leg_status(order: Order, filled_lots: int = 0) -> LegStatus:
    """Where a leg stands that is this order; more may have been filled of what it was before."""
    filled_lots = max(filled_lots, order.filled_lots)
    if order.is_open:
        moved = filled_lots or order.prevented_lots or order.triggered_ms
        return LegStatus.MOVED if moved else LegStatus.OPEN
    if order.status is Status.FILLED:
        return LegStatus.FILLED
    if order.status is Status.REJECTED:
        return LegStatus.REJECTED
    return LegStatus.PART_FILLED if filled_lots else LegStatus.ENDED


def brought_lots(each: OrderList, instrument: Instrument, side: Side) -> int:
    """What the working order of a bracket brought, in whole lots.

    What was bought on spot is less the fees that were paid out of it (T21).
    """
    entry = each.legs[0]
    if instrument.kind != "spot" or side is Side.SELL:
        return entry.filled_lots
    return instrument.whole_lots(instrument.base_minor(entry.filled_lots) - entry.paid_minor)


def tell_list(teller: Teller, each: OrderList) -> None:
    """A list as it stands now, for its owner."""
    if each.account_id < FIRST_ACCOUNT:
        return
    n = teller.number(each.account_id)
    teller.tell(list_event(each, teller.seq, teller.time_ms, n))


def list_event(each: OrderList, seq: int, time_ms: int, n: int) -> OrderListChanged:
    """A list as it stands, as the event that tells of it."""
    return OrderListChanged(
        seq,
        time_ms,
        each.account_id,
        n,
        each.list_id,
        each.symbol,
        each.kind,
        each.status,
        each.client_id,
        each.reason,
        [(leg.order_id, leg.client_id, leg.status) for leg in each.legs],
        each.placed_ms,
        each.bracket,
    )


def _leg_state(leg: Leg) -> tuple[Any, ...]:
    wish = msgspec.to_builtins(leg.wish) if leg.wish else None
    return (
        *(int(leg.status), leg.order_id, leg.client_id, wish),
        *(leg.filled_lots, leg.paid_minor),
    )


def _restored_leg(
    status: int, order_id: int, client_id: str, wish: Any, filled_lots: int, paid_minor: int
) -> Leg:
    leg = Leg(msgspec.convert(wish, PlaceOrder) if wish else PlaceOrder())
    leg.wish = leg.wish if wish else None
    leg.status, leg.order_id, leg.client_id = LegStatus(status), order_id, client_id
    leg.filled_lots, leg.paid_minor = filled_lots, paid_minor
    return leg
