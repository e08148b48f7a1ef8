"""Events written by hand: each with all its fields, of which a test names those it is about."""

from __future__ import annotations

from typing import Any

from exchange.events import (
    AccountOpened,
    Answered,
    AnyEvent,
    AuctionIndicated,
    AuctionUncrossed,
    BalanceChanged,
    CollateralConverted,
    Deleveraged,
    DepthChanged,
    FeeTierChanged,
    Filled,
    FundCovered,
    FundingCharged,
    FundingFixed,
    IndexPriced,
    InterestCharged,
    InterestFixed,
    LedgerPosted,
    Liquidated,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    LoanChanged,
    LoanWrittenOff,
    MarginCalled,
    Marked,
    OrderChanged,
    OrderListChanged,
    PositionChanged,
    SettingChanged,
    SymbolStateChanged,
    Traded,
)
from exchange.wire import AccountSay, MarginSay, PositionSay
from exchange.wire.stream import ENV, GaugeSay
from matching.instrument import Instrument, amount_text
from matching.lists import LegStatus, ListKind, ListStatus
from matching.types import OrderType, Side, Status, TimeInForce

SPOT = Instrument(
    symbol="BTC-USDT",
    kind="spot",
    base="BTC",
    quote="USDT",
    settle="USDT",
    tick="0.01",
    lot="0.00001",
)
PERP = Instrument(
    symbol="BTC-USDT-PERP",
    kind="linear",
    base="BTC",
    quote="USDT",
    settle="USDT",
    tick="0.1",
    lot="0.001",
)
INSTRUMENTS = {instrument.symbol: instrument for instrument in (SPOT, PERP)}

START_MS = 1_700_000_040_000  # A whole minute: 28,333,334 x 60,000.
MINUTE_MS = 60_000
ACCOUNT = 100

_FIELDS: dict[type, dict[str, Any]] = {
    OrderChanged: {
        "happening": "accepted",
        "order_id": 7,
        "symbol": SPOT.symbol,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "tif": TimeInForce.GTC,
        "price_ticks": 5_000_000,
        "lots": 1_000,
        "quote_minor": 0,
        "filled_lots": 0,
        "filled_units": 0,
        "prevented_lots": 0,
        "open_lots": 1_000,
        "status": Status.NEW,
        "wallet": "spot",
        "post_only": False,
        "reduce_only": False,
        "side_effect": 0,
        "forced": False,
        "expire_ms": 0,
        "placed_ms": START_MS,
        "client_id": "mine",
        "reason": None,
    },
    Filled: {
        "trade_id": 3,
        "symbol": SPOT.symbol,
        "order_id": 7,
        "client_id": "mine",
        "side": Side.BUY,
        "price_ticks": 5_000_000,
        "lots": 1_000,
        "maker": True,
        "fee_minor": 1_000,
        "fee_asset": "BTC",
        "realised_minor": 0,
        "wallet": "spot",
    },
    LedgerPosted: {
        "wallet": "spot",
        "asset": "USDT",
        "change_minor": -50_000_000_000,
        "balance_minor": 9_950_000_000_000,
        "reason": "trade",
        "reference": 3,
    },
    BalanceChanged: {
        "wallet": "margin",
        "asset": "BTC",
        "total_minor": 300_000_000,
        "locked_minor": 100_000_000,
        "borrowed_minor": 200_000_000,
        "interest_e18": 1,
    },
    PositionChanged: {
        "symbol": PERP.symbol,
        "lots": -2_000,
        "cost_minor": -10_000_000_000_000,
        "isolated": False,
        "leverage": 20,
        "margin_minor": 0,
    },
    LoanChanged: {
        "loan_id": 5,
        "wallet": "margin",
        "asset": "BTC",
        "borrowed_minor": 200_000_000,
        "repaid_principal_minor": 0,
        "repaid_interest_minor": 0,
        "principal_minor": 200_000_000,
        "interest_e18": 6_000_000_000_000,
    },
    InterestCharged: {
        "wallet": "margin",
        "asset": "BTC",
        "principal_minor": 200_000_000,
        "rate_e12": 3_000_000,
        "charged_e18": 6_000_000_000_000,
        "interest_e18": 12_000_000_000_000,
        "due_ms": START_MS,
    },
    FundingCharged: {
        "symbol": PERP.symbol,
        "lots": -2_000,
        "mark_e8": 5_000_000_000_000,
        "rate_e12": 100_000_000,
        "flow_minor": 1_000_000_000,
        "due_ms": START_MS,
    },
    MarginCalled: {
        "scope": "margin",
        "level_e12": 1_290_000_000_000,
        "call_level_e12": 1_300_000_000_000,
        "add_minor": 12_345_000_000,
        "cleared": False,
    },
    LiquidationStarted: {
        "scope": "margin",
        "symbol": "",
        "assets_e16": 11 * 10**20,
        "debt_e16": 10**21,
        "level_e12": 1_100_000_000_000,
        "mark_e8": 0,
    },
    LiquidationStepped: {
        "scope": "perp",
        "symbol": PERP.symbol,
        "step": "fee",
        "asset": "USDT",
        "amount_minor": 250_000_000,
        "lots": 1_000,
        "price_ticks": 500_000,
    },
    LiquidationEnded: {"scope": "margin", "result": "restored", "covered_minor": 0},
    OrderListChanged: {
        **{"list_id": 1, "symbol": PERP.symbol, "kind": ListKind.OTO, "client_id": "both"},
        **{"status": ListStatus.EXECUTING, "reason": None},
        "legs": [(7, "first", LegStatus.OPEN), (0, "", LegStatus.PENDING)],
        **{"placed_ms": 1_700_000_000_000, "bracket": True},
    },
    SettingChanged: {"symbol": PERP.symbol, "name": "leverage", "value": "20"},
    AccountOpened: {"kind": "user", "label": "", "epoch": 1},
    Deleveraged: {
        "symbol": PERP.symbol,
        "leg": PERP.symbol,
        "side": Side.BUY,
        "lots": 500,
        "price_ticks": 475_238,
        "rank": 1,
        "score_e12": 892_857_142_857,
        "asset": "USDT",
        "realised_minor": 123_810_000_000,
    },
    FeeTierChanged: {
        "kind": "perp",
        "tier": 1,
        "maker_e12": 160_000_000,
        "taker_e12": 450_000_000,
        "volume_minor": 500_000_000_000_000,
    },
    CollateralConverted: {
        "wallet": "perp",
        "asset": "BTC",
        "amount_minor": 20_512_821,
        "price_e8": 5_000_000_000_000,
        "ratio_e12": 950_000_000_000,
        "fee_e12": 25_000_000_000,
        "paid_asset": "USDT",
        "paid_minor": 1_000_000_023_750,
        "balance_minor": 23_750,
        "cause": "threshold",
    },
    Traded: {
        "symbol": SPOT.symbol,
        "trade_id": 1,
        "price_ticks": 5_000_000,
        "lots": 1_000,
        "taker_side": Side.BUY,
        "maker_order_id": 1,
        "taker_order_id": 2,
        "forced": False,
    },
    DepthChanged: {"symbol": SPOT.symbol, "first_id": 1, "last_id": 1, "bids": [], "asks": []},
    Marked: {
        "symbol": PERP.symbol,
        "index_e8": 5_000_000_000_000,
        "mark_e8": 5_000_050_000_000,
        "predicted_rate_e12": 100_000_000,
        "next_funding_ms": START_MS + 8 * 3_600_000,
    },
    IndexPriced: {"symbol": SPOT.symbol, "index_e8": 5_000_000_000_000},
    FundingFixed: {
        "symbol": PERP.symbol,
        "due_ms": START_MS,
        "rate_e12": 100_000_000,
        "mark_e8": 5_000_000_000_000,
    },
    InterestFixed: {"due_ms": START_MS, "rates_e12": {"BTC": 3_000_000}},
    Liquidated: {
        "symbol": PERP.symbol,
        "side": Side.SELL,
        "lots": 1_000,
        "price_ticks": 500_000,
    },
    SymbolStateChanged: {"symbol": SPOT.symbol, "state": "halt"},
    FundCovered: {
        "fund": "insurance",
        "asset": "USDT",
        "paid_minor": 100_000_000,
        "balance_minor": -50_000_000,
    },
    AuctionIndicated: {
        "symbol": SPOT.symbol,
        "price_ticks": 5_000_000,
        "lots": 1_000,
        "imbalance_lots": -500,
    },
    AuctionUncrossed: {
        "symbol": SPOT.symbol,
        "price_ticks": 5_000_000,
        "lots": 1_000,
        "imbalance_lots": 500,
    },
    LoanWrittenOff: {
        "asset": "USDT",
        "principal_minor": 100_000_000,
        "interest_e18": 5 * 10**17,
        "lost_minor": 250_000_000,
    },
    Answered: {"reason": None, "result_id": 7, "details": {}, "repeated": False},
}
EVENT_KINDS = tuple(_FIELDS)


def event(kind: type, *, seq: int = 1, time_ms: int = START_MS, **more: Any) -> Any:
    """An event of that kind; a private one is number `n` (1) of account `account_id` (100)."""
    fields = {"seq": seq, "time_ms": time_ms, **_FIELDS[kind], **more}
    if "account_id" in kind.__struct_fields__:  # type: ignore[attr-defined]
        fields = {"account_id": ACCOUNT, "n": 1, **fields}
    return kind(**fields)


def group(*events: AnyEvent) -> list[list[AnyEvent]]:
    """A group of one command that brought these events about."""
    last = events[-1] if events else None
    answer = event(
        Answered, seq=last.seq if last else 1, time_ms=last.time_ms if last else START_MS
    )
    return [[*events, answer]]


class DeskByHand:
    """What a desk would read from the engine, written down instead."""

    def __init__(self) -> None:
        self.users = {ACCOUNT, ACCOUNT + 1}
        self.last = {ACCOUNT: 0, ACCOUNT + 1: 0}
        self.unrealised = "12.5"

    def is_user(self, account_id: int) -> bool:
        return account_id in self.users

    def last_n(self, account_id: int) -> int:
        return self.last.get(account_id, 0)

    def account(self, account_id: int) -> AccountSay:
        return AccountSay(
            account_id, ENV, "", 1, START_MS, [], [], [], [], {}, self.last_n(account_id)
        )

    def gauges(self, account_id: int) -> list[GaugeSay]:
        margin = self.margin(account_id, "perp")
        return [
            GaugeSay(
                margin.wallet,
                margin.assets,
                margin.debt,
                margin.level,
                None,
                None,
                margin.liquidation_level,
                None,
                unrealised=self.unrealised,
            )
        ]

    def margin(self, account_id: int, scope: str) -> MarginSay:
        return MarginSay(scope, "2000", "1000", "2", "1.9", "1.3", "1.1", 3)

    def position(self, event: PositionChanged) -> PositionSay:
        return PositionSay(
            event.symbol,
            "short" if event.lots < 0 else "long",
            PERP.qty_text(abs(event.lots)),
            amount_text(abs(event.cost_minor * 1_000 // event.lots)),
            "50000",
            "100000",
            "0",
            "cross",
            event.leverage,
            "5000",
            "400",
            None,
            None,
        )

    def hourly_rate_e12(self, asset: str) -> int:
        return 3_000_000

    def open_lots(self, symbol: str) -> int:
        return 2_000
