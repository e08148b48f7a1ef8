"""Rows of a history for tests, with few words."""

from __future__ import annotations

from exchange.storage.backlog import TableRow
from exchange.storage.rows import FillRow, LedgerRow, OrderListRow, OrderRow, TradeRow

SYMBOL = "BTC-USDT"
NEW, FILLED, CANCELLED = 0, 2, 3


def order(
    order_id: int,
    *,
    account_id: int = 7,
    symbol: str = SYMBOL,
    status: int = NEW,
    client_id: str = "",
    at_ms: int = 0,
    updated_ms: int | None = None,
) -> OrderRow:
    return OrderRow(
        order_id=order_id,
        account_id=account_id,
        symbol=symbol,
        side=0,
        type=0,
        price_ticks=50_000,
        lots=10,
        filled_lots=10 if status == FILLED else 0,
        filled_units=500_000 if status == FILLED else 0,
        status=status,
        client_id=client_id,
        time_ms=at_ms or order_id,
        updated_ms=updated_ms or at_ms or order_id,
        reason=None,
        wallet="spot",
        is_open=status == NEW,
    )


def order_list(
    list_id: int,
    *,
    account_id: int = 7,
    symbol: str = SYMBOL,
    is_open: bool = False,
    client_id: str = "",
    updated_ms: int = 0,
) -> OrderListRow:
    return OrderListRow(
        list_id=list_id,
        account_id=account_id,
        symbol=symbol,
        kind=0,
        status=0 if is_open else 1,
        client_id=client_id,
        time_ms=list_id,
        updated_ms=updated_ms or list_id,
        reason=None,
        legs='[[1,"",4],[2,"",4]]',
        is_open=is_open,
    )


def trade(trade_id: int, *, symbol: str = SYMBOL, forced: bool = False) -> TradeRow:
    return TradeRow(symbol, trade_id, 50_000, 3, 0, 1, 2, trade_id * 10, forced)


def fill(trade_id: int, order_id: int, *, account_id: int = 7, symbol: str = SYMBOL) -> FillRow:
    return FillRow(
        trade_id,
        symbol,
        account_id,
        order_id,
        side=0,
        price_ticks=50_000,
        lots=3,
        fee_minor=15,
        fee_asset="USDT",
        maker=True,
        realised_minor=-(10**20),
        time_ms=trade_id * 10,
    )


def posting(
    n: int,
    change_minor: int,
    *,
    account_id: int = 7,
    wallet: str = "spot",
    asset: str = "USDT",
    reason: str = "trade",
) -> LedgerRow:
    return LedgerRow(account_id, n, wallet, asset, change_minor, 0, reason, 0, n * 10)


def named(table: str, *rows: tuple[object, ...]) -> list[TableRow]:
    return [(table, row) for row in rows]
