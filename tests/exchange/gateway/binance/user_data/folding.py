"""What a client that only listens makes of an account's user data streams.

It begins with nothing, and is told everything. From reports, balances and positions it keeps what
the account owns and has open, and says so at once where a message does not follow from those
before it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Payload = dict[str, Any]

ZERO = Decimal(0)
OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})
ENDS = frozenset({"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"})
NEXT = {
    "": frozenset({"NEW"}),
    "NEW": OPEN | ENDS,
    "PARTIALLY_FILLED": ENDS | {"PARTIALLY_FILLED"},
}
# What a report of an execution type leaves the order as.
LEADS_TO = {
    "NEW": frozenset({"NEW"}),
    "TRADE": frozenset({"PARTIALLY_FILLED", "FILLED"}),
    "CALCULATED": frozenset({"PARTIALLY_FILLED", "FILLED"}),
    "CANCELED": frozenset({"CANCELED"}),
    "EXPIRED": frozenset({"EXPIRED"}),
    "TRADE_PREVENTION": OPEN | {"EXPIRED_IN_MATCH"},
    "REPLACED": OPEN,
    "AMENDMENT": OPEN,
    "REJECTED": frozenset({"REJECTED"}),
}


class Orders:
    """The orders of a stream, by number: their status, and what was filled of them."""

    def __init__(self) -> None:
        self.status: dict[int, str] = {}
        self._filled: dict[int, Decimal] = {}
        self._size: dict[int, Decimal] = {}
        self._fills: set[tuple[str, int, int]] = set()
        self._executions: set[int] = set()

    @property
    def open(self) -> dict[int, tuple[Decimal, Decimal]]:
        """Size of the open ones, and what is filled of them."""
        return {
            order_id: (self._size[order_id], self._filled[order_id])
            for order_id, status in self.status.items()
            if status in OPEN
        }

    def report(self, said: Payload) -> None:
        """One report of either kind of stream, which must follow from the one before."""
        order_id, now, kind = said["i"], said["X"], said["x"]
        before = self.status.get(order_id, "")
        assert now in LEADS_TO[kind], said
        assert now in NEXT.get(before, ()), (before, said)
        filled = self._filled.get(order_id, ZERO) + Decimal(said["l"])
        assert Decimal(said["z"]) == filled, said
        assert (Decimal(said["l"]) > 0) is (kind in {"TRADE", "CALCULATED"}), said
        if kind in {"TRADE", "CALCULATED"}:
            fill = (said["s"], order_id, said["t"])
            assert fill not in self._fills, said
            self._fills.add(fill)
        size = Decimal(said["q"])  # None where an amount is bought, or a position closed.
        assert not size or filled <= size, said  # Less, where a self-trade was prevented.
        self.status[order_id] = now
        self._filled[order_id] = filled
        self._size[order_id] = size

    def execution(self, number: int) -> None:
        """Each step has a number of its own."""
        assert number not in self._executions, number
        self._executions.add(number)


class SpotFold:
    """A spot or margin account, from its stream."""

    def __init__(self, assets: dict[str, tuple[str, str]]) -> None:
        self.orders = Orders()
        self.balances: dict[str, tuple[Decimal, Decimal]] = {}  # Free and locked.
        self.lists: dict[int, str] = {}
        self._assets = assets  # Base and quote by symbol.
        self._moved: dict[str, Decimal] = {}  # By trades and updates since a position was told.

    def take(self, said: Payload) -> None:
        """One message."""
        match said["e"]:
            case "executionReport":
                self.orders.report(said)
                self._traded(said)
            case "balanceUpdate":
                self._move(said["a"], Decimal(said["d"]))
            case "outboundAccountPosition":
                for each in said["B"]:
                    self._told(each["a"], Decimal(each["f"]), Decimal(each["l"]))
            case "listStatus":
                self.lists[said["g"]] = said["L"]
            case other:
                raise AssertionError(other)

    def _traded(self, said: Payload) -> None:
        self.orders.execution(said["I"])
        if said["x"] != "TRADE":
            return
        base, quote = self._assets[said["s"]]
        sign = 1 if said["S"] == "BUY" else -1
        self._move(base, sign * Decimal(said["l"]))
        self._move(quote, -sign * Decimal(said["Y"]))
        self._move(said["N"], -Decimal(said["n"]))

    def _move(self, asset: str, amount: Decimal) -> None:
        self._moved[asset] = self._moved.get(asset, ZERO) + amount

    def _told(self, asset: str, free: Decimal, locked: Decimal) -> None:
        before = sum(self.balances.get(asset, (ZERO, ZERO)))
        assert before + self._moved.pop(asset, ZERO) == free + locked, asset
        self.balances[asset] = (free, locked)

    def settle(self) -> None:
        """Whatever moved was told with the balances of its command."""
        assert not any(self._moved.values()), self._moved


class ContractFold:
    """A futures account, from its stream."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.wallets: dict[str, Decimal] = {}
        self.cross: dict[str, Decimal] = {}
        self.positions: dict[tuple[str, str], Payload] = {}
        self.algos: dict[int, str] = {}
        self._moved: dict[str, Decimal] = {}

    def take(self, said: Payload) -> None:
        """One message."""
        match said["e"]:
            case "ORDER_TRADE_UPDATE":
                self._order(said["o"])
            case "ALGO_UPDATE":
                self._algo(said["o"])
            case "ACCOUNT_UPDATE":
                self._account(said["a"])
            case "ACCOUNT_CONFIG_UPDATE" | "MARGIN_CALL":
                pass
            case other:
                raise AssertionError(other)

    def _order(self, said: Payload) -> None:
        if said["i"]:  # Auto-deleveraging is told as an order that has no number.
            self.orders.report(said)
        change = Decimal(said["rp"]) - Decimal(said["n"])
        self._moved[said["N"]] = self._moved.get(said["N"], ZERO) + change

    def _algo(self, said: Payload) -> None:
        before = self.algos.get(said["aid"], "")
        follows = {
            "": {"NEW", "TRIGGERED"},
            "NEW": {"NEW", "TRIGGERING", "CANCELED", "EXPIRED", "REJECTED"},
            "TRIGGERING": {"TRIGGERED"},
            "TRIGGERED": {"FINISHED", "REJECTED"},
        }
        assert said["X"] in follows.get(before, ()), (before, said)
        self.algos[said["aid"]] = said["X"]

    def _account(self, said: Payload) -> None:
        for each in said["B"]:
            asset, now = each["a"], Decimal(each["wb"])
            moved = self._moved.pop(asset, ZERO) + Decimal(each["bc"])
            assert self.wallets.get(asset, ZERO) + moved == now, (asset, moved, said)
            self.wallets[asset], self.cross[asset] = now, Decimal(each["cw"])
        for each in said["P"]:
            self.positions[each["s"], each["ps"]] = each

    def settle(self) -> None:
        """Whatever moved was told with the balances of its command."""
        assert not any(self._moved.values()), self._moved
