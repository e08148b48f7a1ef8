# cython: overflowcheck=True
"""An account: its pockets, loans, positions, settings and open orders."""

from __future__ import annotations

from typing import Any, Final

from matching.types import Order, Side
from risk.ledger import Pocket
from risk.position import Position
from risk.volumes import Volumes

SPOT = "spot"
MARGIN = "margin"
PERP = "perp"
ISOLATED = "isolated:"  # One wallet a pair: "isolated:BTC-USDT".

ONE_WAY, LONG, SHORT = 0, 1, 2  # Position sides; hedge mode names one of the latter two.
POSITION_SIDES = (ONE_WAY, LONG, SHORT)
_LEG_SUFFIXES = ("", "/LONG", "/SHORT")

CROSS_LEVERAGES = (3, 5)
LEVERAGE_DEFAULT = 10


def isolated_wallet(symbol: str) -> str:
    """The wallet of isolated spot margin on a pair."""
    return ISOLATED + symbol


def position_wallet(leg: str) -> str:
    """The sub-balance that holds the margin of an isolated perpetual position."""
    return f"{PERP}/{leg}"


def leg_of(symbol: str, position_side: int) -> str:
    """The name of a position: its symbol, or in hedge mode the symbol and its side (P2)."""
    return symbol + _LEG_SUFFIXES[position_side]


def closes_leg(side: Side, position_side: int) -> bool:
    """Whether an order that names a position side closes that leg: it only ever reduces (P2)."""
    return position_side != ONE_WAY and (side is Side.BUY) is (position_side == SHORT)


def side_of(leg: str) -> int:
    """The position side a leg's name tells: ONE_WAY, LONG or SHORT."""
    if "/" not in leg:
        return ONE_WAY
    return LONG if leg.endswith(_LEG_SUFFIXES[LONG]) else SHORT


class Loan:
    """What is owed of one asset in one wallet: principal, and interest that bears none itself."""

    __slots__ = ("allowance_e18", "asset", "interest_e18", "loan_id", "principal_minor", "wallet")

    def __init__(self, loan_id: int, wallet: str, asset: str) -> None:
        self.loan_id = loan_id
        self.wallet = wallet
        self.asset = asset
        self.principal_minor = 0
        self.interest_e18 = 0
        self.allowance_e18 = 0  # Interest to come that the wallet's bands are still safe for.

    @property
    def owed_e18(self) -> int:
        """Principal and interest, in 10^-18 of the asset."""
        return self.principal_minor * 10**10 + self.interest_e18

    @property
    def owed_minor(self) -> int:
        """What it takes to repay it all: interest rounded up to a unit."""
        return self.principal_minor - (-self.interest_e18 // 10**10)


class Setting:
    """What an account chose for one perpetual."""

    __slots__ = ("isolated", "leverage")

    def __init__(self, leverage: int = LEVERAGE_DEFAULT, isolated: bool = False) -> None:
        self.leverage = leverage
        self.isolated = isolated


_NO_CHOICE: Final = Setting()  # Read only.


class OpenOrders:
    """Working orders of an account on one leg of a perpetual, summed as they come and go (P4).

    What they come to is in minor units of the settle asset, each at its own price; `held_minor`
    is the open loss and the fees kept back for them.  Those that only reduce are not counted.
    """

    __slots__ = ("buy_lots", "buy_minor", "held_minor", "sell_lots", "sell_minor")

    def __init__(self) -> None:
        self.buy_minor = 0
        self.sell_minor = 0
        self.buy_lots = 0
        self.sell_lots = 0
        self.held_minor = 0

    def add(self, side: Side, lots: int, minor: int) -> None:
        """Count lots of an order in, and what they come to (negative: out)."""
        if side is Side.BUY:
            self.buy_minor += minor
            self.buy_lots += lots
        else:
            self.sell_minor += minor
            self.sell_lots += lots

    def values(self) -> tuple[int, int, int, int, int]:
        """All sums, to compare with those of the orders themselves."""
        return (self.buy_minor, self.sell_minor, self.buy_lots, self.sell_lots, self.held_minor)


class Job:
    """A liquidation under way: its round, the fee due after the debts (spot margin), and what the
    fund has paid so far (perpetuals)."""

    __slots__ = ("covered_minor", "fee_e28", "round")

    def __init__(self, round_: int = 0, fee_e28: int = 0, covered_minor: int = 0) -> None:
        self.round = round_
        self.fee_e28 = fee_e28
        self.covered_minor = covered_minor


class Account:
    """Everything one customer (or house account with positions) has and owes."""

    __slots__ = (
        "asleep",
        "call_told",
        "called",
        "client_orders",
        "epoch",
        "event_n",
        "fee_discount",
        "hedge",
        "id",
        "kind",
        "label",
        "liquidating",
        "loans",
        "margin_leverage",
        "multi_asset",
        "open_counts",
        "open_perp",
        "order_loans",
        "orders",
        "perp_interest_e18",
        "pockets",
        "positions",
        "recent",
        "reducing",
        "settings",
        "settled",
        "volumes",
    )

    def __init__(self, account_id: int, kind: str, label: str) -> None:
        self.id = account_id
        self.kind = kind
        self.label = label
        self.epoch = 1
        self.event_n = 0
        self.margin_leverage = 3
        self.hedge = False  # Whether it holds a long and a short leg of a perpetual apart (P2).
        self.multi_asset = False  # Whether "perp" may hold several assets (P18),
        self.perp_interest_e18: dict[str, int] = {}  # and what of a unit it owes of interest.
        self.settled = 0  # Instants up to here are settled (see risk.instants).
        self.pockets: dict[tuple[str, str], Pocket] = {}
        self.loans: dict[tuple[str, str], Loan] = {}
        self.positions: dict[str, Position] = {}  # By leg.
        self.settings: dict[str, Setting] = {}
        self.open_perp: dict[str, OpenOrders] = {}  # By leg.
        self.orders: dict[int, Order] = {}
        self.open_counts: dict[str, int] = {}  # Open orders by symbol.
        self.order_loans: dict[int, int] = {}  # Borrowed for an open order, in minor units.
        self.asleep: dict[str, dict[int, Order]] = {}  # Orders that wait for a price, by leg.
        self.reducing: dict[str, dict[int, Order]] = {}  # Reduce-only orders by leg.
        self.client_orders: dict[str, int] = {}  # Client ids of open orders.
        self.recent: dict[str, tuple[bytes, int]] = {}  # Client id: hash of content, result.
        self.call_told: dict[str, int] = {}  # When a scope was last told of a call (M9).
        self.called: dict[str, int] = {}  # Scopes under a margin call, since when.
        self.liquidating: dict[str, Job] = {}
        self.fee_discount = False  # Pays spot fees in the discount asset, where the venue has one.
        self.volumes = Volumes()

    def count_asleep(self, symbol: str) -> int:
        """How many of its orders on an instrument wait for a price, on all legs together."""
        return sum(len(self.asleep.get(leg_of(symbol, side), ())) for side in POSITION_SIDES)

    def rouse(self, order: Order) -> None:
        """An order sleeps no longer, if it did."""
        asleep = self.asleep.get(order.leg)
        if asleep is not None and asleep.pop(order.order_id, None) is not None and not asleep:
            del self.asleep[order.leg]

    def setting(self, symbol: str) -> Setting:
        """The account's choice for a perpetual, to read; the default where it made none."""
        return self.settings.get(symbol) or _NO_CHOICE

    def own_setting(self, symbol: str) -> Setting:
        """The account's choice for a perpetual, to change."""
        return self.settings.setdefault(symbol, Setting())

    def minor(self, wallet: str, asset: str) -> int:
        """A balance in minor units; 0 where there never was one."""
        pocket = self.pockets.get((wallet, asset))
        return pocket.minor if pocket else 0

    def free(self, wallet: str, asset: str) -> int:
        """What of a balance no order holds."""
        pocket = self.pockets.get((wallet, asset))
        return pocket.free if pocket else 0

    def lots(self, leg: str) -> int:
        """The signed lots it holds of a leg of a perpetual."""
        held = self.positions.get(leg)
        return held.lots if held else 0

    def legs(self, symbol: str) -> list[str]:
        """The legs of a perpetual that something is held of, in a fixed order."""
        return [symbol + suffix for suffix in _LEG_SUFFIXES if symbol + suffix in self.positions]

    def wallet_loans(self, wallet: str) -> list[Loan]:
        """The loans of one wallet, in a fixed order: a restored account has it too."""
        found = [loan for loan in self.loans.values() if loan.wallet == wallet]
        if len(found) > 1:
            found.sort(key=lambda loan: loan.asset)
        return found

    @property
    def exposed(self) -> bool:
        """Whether interest, funding or a price can change what it is worth or owes."""
        return bool(self.positions or self.loans or self.multi_asset)

    def is_isolated(self, symbol: str) -> bool:
        """Whether a perpetual stands on isolated margin."""
        setting = self.settings.get(symbol)
        return setting is not None and setting.isolated

    def state(self) -> dict[str, Any]:
        """Everything but pockets and orders, which the ledger and the books keep."""
        return {
            "id": self.id,
            "kind": self.kind,
            "label": self.label,
            "epoch": self.epoch,
            "event_n": self.event_n,
            "margin_leverage": self.margin_leverage,
            "hedge": self.hedge,
            "multi_asset": self.multi_asset,
            "perp_interest": sorted(self.perp_interest_e18.items()),
            "settled": self.settled,
            "loans": [
                (
                    loan.loan_id,
                    loan.wallet,
                    loan.asset,
                    loan.principal_minor,
                    str(loan.interest_e18),  # Beyond 64 bits: text.
                    str(loan.allowance_e18),
                )
                for _, loan in sorted(self.loans.items())
            ],
            "positions": [
                (held.leg, held.lots, held.cost_minor) for _, held in sorted(self.positions.items())
            ],
            "settings": [
                (symbol, setting.leverage, setting.isolated)
                for symbol, setting in sorted(self.settings.items())
            ],
            "recent": [(key, digest, result) for key, (digest, result) in self.recent.items()],
            "order_loans": sorted(self.order_loans.items()),
            "call_told": sorted(self.call_told.items()),
            "called": sorted(self.called.items()),
            "liquidating": [
                (scope, job.round, str(job.fee_e28), job.covered_minor)
                for scope, job in sorted(self.liquidating.items())
            ],
            "fee_discount": self.fee_discount,
            "volumes": self.volumes.state(),
        }

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Account:
        """An account as `state` gave it, still without pockets and orders."""
        account = cls(state["id"], state["kind"], state["label"])
        account.epoch = state["epoch"]
        account.event_n = state["event_n"]
        account.margin_leverage = state["margin_leverage"]
        account.hedge = state["hedge"]
        account.multi_asset = state["multi_asset"]
        account.perp_interest_e18 = dict(state["perp_interest"])
        account.settled = state["settled"]
        for loan_id, wallet, asset, principal_minor, interest, allowance in state["loans"]:
            loan = Loan(loan_id, wallet, asset)
            loan.principal_minor = principal_minor
            loan.interest_e18 = int(interest)
            loan.allowance_e18 = int(allowance)
            account.loans[wallet, asset] = loan
        for leg, lots, cost_minor in state["positions"]:
            account.positions[leg] = Position(leg, lots, cost_minor)
        for symbol, leverage, isolated in state["settings"]:
            account.settings[symbol] = Setting(leverage, isolated)
        account.recent = {key: (digest, result) for key, digest, result in state["recent"]}
        account.order_loans = dict(state["order_loans"])
        account.call_told = dict(state["call_told"])
        account.called = dict(state["called"])
        account.liquidating = {
            scope: Job(round_, int(fee_e28), covered_minor)
            for scope, round_, fee_e28, covered_minor in state["liquidating"]
        }
        account.fee_discount = state["fee_discount"]
        account.volumes.restore(state["volumes"])
        return account
