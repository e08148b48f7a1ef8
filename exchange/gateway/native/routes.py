"""The table of native operations: REST and WebSocket, the documents and the doors read it alike."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from exchange import wire
from exchange.gateway.calls import Permission
from exchange.gateway.native import asks

Security = Literal["public", "signed", "admin", "open"]
"""Who may call. "open" is for anybody on loopback, and for the administrator elsewhere."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation: how it is called, what it takes and says, and who may.

    `address` is method and path, or empty for an operation that REST reaches through another. A
    path's `{names}` are fields of `ask`, but for `{id}` and `{list}`: the number of an order or a
    list, or `client:` and its client id. `safe_to_repeat` holds where a client id makes a
    repetition harmless.
    """

    op: str
    address: str = ""
    ask: type[wire.Ask] = asks.NothingAsk
    say: Any
    security: Security = "public"
    permission: Permission | None = None
    summary: str
    status: int = 200
    websocket: bool = True
    mutates: bool = False
    orders: bool = False  # Counted against the order limit too.
    safe_to_repeat: bool = False

    @property
    def method(self) -> str:
        """GET, POST, PUT, PATCH or DELETE; empty without an address."""
        return self.address.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path with its `{names}`; empty without an address."""
        return self.address.partition(" ")[2]


def _read(op: str, address: str, ask: type[wire.Ask], say: Any, summary: str) -> Route:
    """A public question."""
    return Route(op=op, address=address, ask=ask, say=say, summary=summary)


def _own(op: str, address: str, ask: type[wire.Ask], say: Any, summary: str) -> Route:
    """A question about the caller's own account."""
    return Route(
        op=op,
        address=address,
        ask=ask,
        say=say,
        security="signed",
        permission="read",
        summary=summary,
    )


def _act(
    op: str,
    address: str,
    ask: type[wire.Ask],
    say: Any,
    permission: Permission,
    summary: str,
    **more: Any,
) -> Route:
    """A signed request that changes something."""
    return Route(
        op=op,
        address=address,
        ask=ask,
        say=say,
        security="signed",
        permission=permission,
        summary=summary,
        mutates=True,
        **more,
    )


def _admin(op: str, address: str, ask: type[wire.Ask], say: Any, summary: str) -> Route:
    """The administrator's, over REST alone: the key travels in a header."""
    return Route(
        op=op,
        address=address,
        ask=ask,
        say=say,
        security="admin",
        summary=summary,
        mutates=True,
        websocket=False,
    )


_PUBLIC: Final = (
    _read("time.get", "GET /v1/time", asks.NothingAsk, wire.TimeSay, "Both clocks and the speed"),
    _read(
        "instruments.get",
        "GET /v1/instruments",
        asks.NothingAsk,
        wire.InstrumentsSay,
        "Instruments, their rules, and what assets cost to borrow",
    ),
    _read(
        "fees.get",
        "GET /v1/fees",
        asks.NothingAsk,
        wire.FeesSay,
        "What trades cost: tiers by 30-day volume, and what fees are paid in",
    ),
    _read("book.get", "GET /v1/book/{symbol}", asks.DepthAsk, wire.BookSay, "Depth of a book"),
    _read(
        "trades.get",
        "GET /v1/trades/{symbol}",
        asks.TradesAsk,
        list[wire.TradeSay],
        "Trades, newest first",
    ),
    _read(
        "candles.get",
        "GET /v1/candles/{symbol}",
        asks.CandlesAsk,
        list[wire.CandleSay],
        "Candles, oldest first",
    ),
    _read(
        "ticker.get",
        "GET /v1/ticker/{symbol}",
        asks.SymbolAsk,
        wire.TickerSay,
        "The last 24 hours in one line",
    ),
    _read(
        "mark.get",
        "GET /v1/mark/{symbol}",
        asks.SymbolAsk,
        wire.MarkSay,
        "Index, mark and the funding to come",
    ),
    _read(
        "funding.get",
        "GET /v1/funding/{symbol}",
        asks.FundingAsk,
        list[wire.FundingSay],
        "Funding rates that were charged, newest first",
    ),
    _read(
        "compare.get",
        "GET /v1/compare",
        asks.CompareAsk,
        wire.CompareSay,
        "The same stake on borrowed coins and on a perpetual",
    ),
    _read("audit.get", "GET /v1/audit", asks.NothingAsk, wire.AuditSay, "What the auditor found"),
)

_ACCOUNT: Final = (
    Route(
        op="account.open",
        address="POST /v1/accounts",
        ask=wire.AccountAsk,
        say=wire.AccountOpenedSay,
        security="open",
        summary="Open a funded account with a key",
        status=201,
        mutates=True,
        websocket=False,
    ),
    _act(
        "account.reset",
        "POST /v1/accounts/reset",
        asks.ResetAsk,
        wire.AccountSay,
        "trade",
        "Start the account over",
        safe_to_repeat=True,
    ),
    _own("keys.list", "GET /v1/keys", asks.NothingAsk, list[wire.KeySay], "The account's keys"),
    _act(
        "keys.create",
        "POST /v1/keys",
        wire.KeyAsk,
        wire.KeySay,
        "transfer",
        "Make a key, which may do no more than the one that makes it",
        status=201,
    ),
    _act(
        "keys.revoke",
        "DELETE /v1/keys",
        asks.KeyNameAsk,
        asks.RevokedSay,
        "transfer",
        "Revoke a key",
    ),
    _own("account.get", "GET /v1/account", asks.NothingAsk, wire.AccountSay, "All an account is"),
    _own("fills.get", "GET /v1/fills", asks.FillsAsk, list[wire.FillSay], "Fills, newest first"),
    _own("ledger.get", "GET /v1/ledger", asks.LedgerAsk, list[wire.LedgerSay], "Postings"),
    _own(
        "why",
        "GET /v1/why/{kind}/{of}",
        asks.WhyAsk,
        wire.WhySay,
        "Why something was decided: rule, inputs, formulas and numbers",
    ),
    _own("pnl.get", "GET /v1/pnl", asks.NothingAsk, wire.PnlSay, "Profit and loss by its cause"),
)

_MONEY: Final = (
    _act(
        "faucet",
        "POST /v1/faucet",
        wire.FaucetAsk,
        list[wire.BalanceSay],
        "transfer",
        "Fictional money into a wallet; says the balance as it stands",
        safe_to_repeat=True,
    ),
    _act(
        "transfer",
        "POST /v1/transfers",
        wire.TransferAsk,
        list[wire.BalanceSay],
        "transfer",
        "Move money between wallets; says both balances as they stand",
        safe_to_repeat=True,
    ),
    _act(
        "dust.convert",
        "POST /v1/dust",
        wire.DustAsk,
        list[wire.BalanceSay],
        "trade",
        "Sell what is less than a lot to the house; says the spot balances as they stand",
        safe_to_repeat=True,
    ),
    _act(
        "loan.borrow",
        "POST /v1/loans",
        wire.LoanAsk,
        wire.LoanSay,
        "trade",
        "Borrow into a margin wallet",
        safe_to_repeat=True,
    ),
    _act(
        "loan.repay",
        "POST /v1/loans/repay",
        wire.RepayAsk,
        wire.LoanSay,
        "trade",
        "Repay a loan, interest first",
        safe_to_repeat=True,
    ),
    _own("loan.list", "GET /v1/loans", asks.NothingAsk, list[wire.LoanSay], "Loans outstanding"),
    _own(
        "loan.limits",
        "GET /v1/loans/limits",
        asks.LimitsAsk,
        wire.LimitsSay,
        "The most of an asset that a wallet may borrow now, and that may leave it",
    ),
)

_ORDERS: Final = (
    _act(
        "order.place",
        "POST /v1/orders",
        wire.OrderAsk,
        wire.PlacedSay,
        "trade",
        "Place an order",
        orders=True,
        safe_to_repeat=True,
        status=201,
    ),
    _act(
        "order.batch",
        "POST /v1/orders/batch",
        wire.BatchAsk,
        list[wire.BatchItemSay],
        "trade",
        "Place, amend and cancel up to fifty orders, each judged by itself",
        orders=True,
        safe_to_repeat=True,
    ),
    _act(
        "order.replace",
        "POST /v1/orders/replace",
        wire.ReplaceAsk,
        wire.ReplacedSay,
        "trade",
        "Cancel an order and place another, with nothing between; says what became of both",
        orders=True,
        safe_to_repeat=True,
    ),
    _act(
        "order.list_place",
        "POST /v1/orders/list",
        wire.PlaceListAsk,
        wire.OrderListSay,
        "trade",
        "Place orders that hang together: one cancels the other, or one is placed after the other",
        orders=True,
        safe_to_repeat=True,
    ),
    _act(
        "order.list_cancel",
        "POST /v1/orders/list/cancel",
        wire.CancelListAsk,
        wire.OrderListSay,
        "trade",
        "Cancel a list",
    ),
    _own(
        "order.lists",
        "GET /v1/order_lists",
        wire.ListsAsk,
        list[wire.OrderListSay],
        "Order lists",
    ),
    _own(
        "order.list_status",
        "GET /v1/order_lists/{list}",
        wire.ListKey,
        wire.OrderListSay,
        "One order list",
    ),
    _own(
        "order.preview",
        "POST /v1/orders/preview",
        wire.OrderAsk,
        wire.PreviewSay,
        "What an order would cost and risk",
    ),
    _own("order.list", "GET /v1/orders", wire.OrderListAsk, list[wire.OrderSay], "Orders"),
    _own("order.status", "GET /v1/orders/{id}", asks.OrderNameAsk, wire.OrderSay, "One order"),
    _act(
        "order.amend",
        "PATCH /v1/orders/{id}",
        asks.OrderAmendAsk,
        wire.OrderSay,
        "trade",
        "Change an open order",
        orders=True,
    ),
    _act(
        "order.cancel",
        "DELETE /v1/orders/{id}",
        asks.OrderNameAsk,
        wire.OrderSay,
        "trade",
        "Cancel an order",
    ),
    _act(
        "order.cancel_all",
        "DELETE /v1/orders",
        wire.CancelAllAsk,
        list[wire.OrderSay],
        "trade",
        "Cancel every order, or those on one symbol",
    ),
    _act(
        "cancel_all_after",
        "POST /v1/orders/cancel_all_after",
        wire.CancelAllAfterAsk,
        wire.CountdownSay,
        "trade",
        "Cancel every order, or those on one symbol, unless asked again in time",
    ),
)

_SETTINGS: Final = (
    _act(
        "settings.set",
        "PUT /v1/settings",
        wire.SettingsAsk,
        asks.SettingsSay,
        "trade",
        "Change one setting or several, in the order of the fields",
    ),
    _act(
        "leverage.set",
        "",
        wire.LeverageAsk,
        asks.SettingsSay,
        "trade",
        "Set the leverage of a perpetual",
    ),
    _act(
        "margin_mode.set",
        "",
        wire.MarginModeAsk,
        asks.SettingsSay,
        "trade",
        "Set cross or isolated margin of a perpetual",
    ),
    _act(
        "position_mode.set",
        "",
        wire.PositionModeAsk,
        asks.SettingsSay,
        "trade",
        "Hold long and short positions apart (hedge), or net them",
    ),
    _act(
        "multi_asset.set",
        "",
        wire.MultiAssetAsk,
        asks.SettingsSay,
        "trade",
        "Let several assets stand behind linear contracts, or the quote alone",
    ),
    _act(
        "margin.leverage",
        "",
        wire.MarginLeverageAsk,
        asks.SettingsSay,
        "trade",
        "Set the leverage of the cross margin account",
    ),
    _act(
        "fee_discount.set",
        "",
        wire.FeeDiscountAsk,
        asks.SettingsSay,
        "trade",
        "Pay spot fees in the discount asset, where the venue has one",
    ),
    _act(
        "position.margin",
        "",
        wire.PositionMarginAsk,
        asks.SettingsSay,
        "trade",
        "Add margin to an isolated position, or take some out",
    ),
)

_ADMIN: Final = (
    _admin(
        "admin.index",
        "PUT /v1/admin/index/{pair}",
        asks.PairPriceAsk,
        asks.IndexSay,
        "Set an index price; it holds within this request",
    ),
    _admin(
        "admin.clock",
        "POST /v1/admin/clock",
        wire.ClockAsk,
        wire.TimeSay,
        "Set the speed of exchange time, pause or step it",
    ),
    _admin(
        "admin.state",
        "POST /v1/admin/symbols/{symbol}/state",
        asks.SymbolStateAsk,
        asks.SymbolStateSay,
        "Open, restrict or halt trading",
    ),
)

ROUTES: Final = (*_PUBLIC, *_ACCOUNT, *_MONEY, *_ORDERS, *_SETTINGS, *_ADMIN)
REST_ROUTES: Final = tuple(route for route in ROUTES if route.address)
BY_OP: Final[dict[str, Route]] = {route.op: route for route in ROUTES}

assert len(BY_OP) == len(ROUTES)  # An operation has one meaning,
assert len({route.address for route in REST_ROUTES}) == len(REST_ROUTES)  # an address one too.
