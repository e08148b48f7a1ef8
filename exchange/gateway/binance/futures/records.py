"""The past of a futures account: its trades, its income, and the orders that were forced on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.client_ids import ADL_CLIENT_ID
from exchange.gateway.binance.errors import BAD_VALUE, refused
from exchange.gateway.binance.futures.order_params import instrument_of
from exchange.gateway.binance.futures.order_shapes import (
    POSITION_SIDE_WORDS,
    Told,
    of_row,
    order_json,
)
from exchange.gateway.binance.futures.orders import contract_named, contract_of
from exchange.gateway.binance.futures.wallets import amount
from exchange.gateway.binance.symbols import name_of, pair_of, product_of
from exchange.history_details import ADL_DETAIL, detailed
from exchange.storage.queries import ROWS_MAX, Part
from exchange.storage.rows import DeleverRow, FillRow, LedgerRow
from matching.types import OrderType, Side, Status, TimeInForce, TriggerSource
from risk.account import PERP, side_of
from risk.ledger import PostingReason
from risk.position import symbol_of

TRADES: Final = {"um": (500, 1_000), "cm": (50, 1_000)}
INCOMES: Final = (100, 1_000)
FORCED: Final = (50, 100)
LIQUIDATED: Final = "LIQUIDATION"
DELEVERAGED: Final = "ADL"
MARGIN_CHANGES: Final = (100, 500)
ADDED: Final = 1
REDUCED: Final = 2
FILL_KINDS: Final = frozenset({"REALIZED_PNL", "COMMISSION"})
LEDGER_KINDS: Final = {
    PostingReason.TRANSFER.value: "TRANSFER",
    PostingReason.DEPOSIT.value: "TRANSFER",
    PostingReason.LIQUIDATION.value: "INSURANCE_CLEAR",
    PostingReason.INSURANCE.value: "INSURANCE_CLEAR",
    PostingReason.ADL.value: "REALIZED_PNL",
    PostingReason.CONVERSION.value: "AUTO_EXCHANGE",
}
FUNDING: Final = "FUNDING_FEE"
KINDS: Final = FILL_KINDS | {FUNDING} | set(LEDGER_KINDS.values())


# -- trades ------------------------------------------------------------------------------------


async def trades(call: Call) -> list[dict[str, Any]]:
    """The account's trades on a contract, by their numbers."""
    instrument = contract_of(call)
    default, largest = TRADES["cm" if call.product == "cm" else "um"]
    rows = await call.doors.history.fills(
        call.account.id,
        symbol=instrument.symbol,
        order_id=call.params.integer("orderId"),
        part=Part(
            from_ms=call.params.integer("startTime"),
            to_ms=call.params.integer("endTime"),
            from_id=call.params.integer("fromId"),
            limit=call.params.limit(default, largest),
        ),
    )
    return [_trade(call, row) for row in rows]


def _trade(call: Call, row: FillRow) -> dict[str, Any]:
    contract = call.doors.engine.risk.contracts[row.symbol]
    instrument = contract.instrument
    said: dict[str, Any] = {
        "symbol": name_of(instrument),
        "id": row.trade_id,
        "orderId": row.order_id,
        "side": Side(row.side).name,
        "price": instrument.price_text(row.price_ticks),
        "qty": instrument.qty_text(row.lots),
        "realizedPnl": amount(row.realised_minor),
        "commission": amount(row.fee_minor),
        "commissionAsset": row.fee_asset,
        "time": row.time_ms,
        "buyer": row.side == Side.BUY,
        "maker": row.maker,
        "positionSide": POSITION_SIDE_WORDS[row.position_side],
        "marginAsset": contract.settle,
    }
    value = amount(contract.amount_minor(row.lots, row.price_ticks))
    if contract.inverse:
        return said | {"pair": pair_of(instrument), "baseQty": value}
    return said | {"quoteQty": value}


# -- margin of isolated positions --------------------------------------------------------------


async def margin_changes(call: Call) -> list[dict[str, Any]]:
    """What an isolated position's margin gained and lost, by its owner's will and by trades."""
    instrument, params = instrument_of(call, call.params), call.params
    kind = params.integer("type")
    if kind not in {None, ADDED, REDUCED}:
        raise refused(BAD_VALUE, "type")
    part = Part(
        from_ms=params.integer("startTime"), to_ms=params.integer("endTime"), limit=ROWS_MAX
    )
    limit = params.limit(*MARGIN_CHANGES)
    rows = await call.doors.history.ledger(
        call.account.id, reasons=[PostingReason.MARGIN.value], part=part
    )
    found = [
        row
        for row in rows
        if _leg_of(row).partition("/")[0] == instrument.symbol
        and kind in {None, ADDED if row.change_minor > 0 else REDUCED}
    ]
    found = found[:limit] if part.is_oldest else found[-limit:]
    return [_margin_change(call, row) for row in found]


def _leg_of(row: LedgerRow) -> str:
    """The leg whose margin a posting is of; empty for a wallet that is of none."""
    return row.wallet.removeprefix(f"{PERP}/") if "/" in row.wallet else ""


def _margin_change(call: Call, row: LedgerRow) -> dict[str, Any]:
    symbol, _, side = _leg_of(row).partition("/")
    # A trade names itself; and who only reduces leaves the initial margin (P17).
    traded = bool(row.reference) or not row.balance_minor
    return {
        "symbol": name_of(call.doors.board.instruments[symbol]),
        "type": ADDED if row.change_minor > 0 else REDUCED,
        "deltaType": "TRADE" if traded else "USER_ADJUST",
        "amount": amount(abs(row.change_minor)),
        "asset": row.asset,
        "time": row.time_ms,
        "positionSide": side or POSITION_SIDE_WORDS[0],
    }


# -- income ------------------------------------------------------------------------------------


class Income(NamedTuple):
    """Money that came or went; `n` is the number of the account's event that tells of it."""

    time_ms: int
    n: int
    kind: str
    symbol: str  # The engine's; empty where it is of no contract.
    asset: str
    change_minor: int
    trade_id: str = ""
    is_coin: bool = False  # Where no contract is named: whether the wallet is COIN-M's.


async def income(call: Call) -> list[dict[str, Any]]:
    """What the product's wallets gained and lost, oldest first."""
    wanted = call.params.choice("incomeType", KINDS)
    symbol = contract_named(call)
    part = Part(
        from_ms=call.params.integer("startTime"),
        to_ms=call.params.integer("endTime"),
        limit=ROWS_MAX,
    )
    limit = call.params.limit(*INCOMES)
    found: list[Income] = []
    bounds: list[int] = []  # Where a source was cut off: beyond it others know more than it does.
    for entries, edge in await _sources(call, wanted, symbol, part):
        found += entries
        bounds += [edge] if edge else []
    found = [each for each in found if _is_of(call, each) and wanted in ("", each.kind)]
    if bounds:
        if part.is_oldest:
            found = [each for each in found if each.time_ms <= min(bounds)]
        else:
            found = [each for each in found if each.time_ms >= max(bounds)]
    found.sort(key=lambda each: (each.time_ms, each.n))
    return [_income(call, each) for each in (found[:limit] if part.is_oldest else found[-limit:])]


async def _sources(
    call: Call, wanted: str, symbol: str, part: Part
) -> list[tuple[list[Income], int]]:
    """The entries of each kind of record, and the time where it was cut off (0: it was not)."""
    history, account_id = call.doors.history, call.account.id
    found: list[tuple[list[Income], int]] = []
    if wanted in FILL_KINDS | {""}:
        fills = await history.fills(account_id, symbol=symbol or None, part=part)
        entries = [entry for row in fills for entry in _of_fill(row)]
        found.append((entries, _edge(part, [row.time_ms for row in fills])))
    if wanted in {FUNDING, ""}:
        paid = await history.funding_payments(account_id, symbol=symbol or None, part=part)
        contracts = call.doors.engine.risk.contracts
        entries = [
            Income(
                row.time_ms,
                row.n,
                FUNDING,
                row.symbol,
                contracts[row.symbol].settle,
                row.flow_minor,
            )
            for row in paid
        ]
        found.append((entries, _edge(part, [row.time_ms for row in paid])))
    reasons = [reason for reason, kind in LEDGER_KINDS.items() if wanted in {"", kind}]
    if reasons:
        posted = await history.ledger(account_id, reasons=reasons, part=part)
        entries = [_of_posting(row) for row in posted if row.wallet.startswith(PERP)]
        entries = [each for each in entries if symbol in {"", each.symbol}]
        found.append((entries, _edge(part, [row.time_ms for row in posted])))
    return found


def _edge(part: Part, times_ms: list[int]) -> int:
    if len(times_ms) < part.limit:
        return 0
    return times_ms[-1] if part.is_oldest else times_ms[0]


def _of_fill(row: FillRow) -> Iterable[Income]:
    """What a fill realised, and what it cost; of spot fills neither."""
    if row.wallet != PERP:
        return
    what = (row.symbol, row.fee_asset)
    if row.realised_minor:
        changed = (row.realised_minor, str(row.trade_id))
        yield Income(row.time_ms, row.n, "REALIZED_PNL", *what, *changed)
    if row.fee_minor:
        yield Income(row.time_ms, row.n, "COMMISSION", *what, -row.fee_minor, str(row.trade_id))


def _of_posting(row: LedgerRow) -> Income:
    """A posting; that of an isolated position's margin names its contract."""
    symbol = symbol_of(row.wallet.removeprefix(f"{PERP}/")) if "/" in row.wallet else ""
    kind = LEDGER_KINDS[row.reason]
    return Income(
        time_ms=row.time_ms,
        n=row.n,
        kind=kind,
        symbol=symbol,
        asset=row.asset,
        change_minor=row.change_minor,
        is_coin=row.wallet.startswith(f"{PERP}:"),
    )


def _is_of(call: Call, each: Income) -> bool:
    """Whether it is of this product; what names no contract by its wallet."""
    instruments = call.doors.board.instruments
    if each.symbol:
        return product_of(instruments[each.symbol]) == call.product
    return each.is_coin is (call.product == "cm")


def _income(call: Call, each: Income) -> dict[str, Any]:
    instruments = call.doors.board.instruments
    return {
        "symbol": name_of(instruments[each.symbol]) if each.symbol else "",
        "incomeType": each.kind,
        "income": amount(each.change_minor),
        "asset": each.asset,
        "info": each.kind,
        "time": each.time_ms,
        "tranId": each.n,
        "tradeId": each.trade_id,
    }


# -- forced orders -----------------------------------------------------------------------------


async def forced_orders(call: Call) -> list[dict[str, Any]]:
    """The orders of the account's liquidations, and its deleveragings, told as the orders that
    clients know them by; `autoCloseType` says which."""
    wanted = call.params.choice("autoCloseType", (LIQUIDATED, DELEVERAGED))
    account_id, symbol = call.account.id, contract_named(call) or None
    part = Part(
        from_ms=call.params.integer("startTime"),
        to_ms=call.params.integer("endTime"),
        limit=call.params.limit(*FORCED),
    )
    told: list[Told] = []
    if wanted != DELEVERAGED:
        rows = await call.doors.history.orders(
            account_id, symbol=symbol, wallet=PERP, forced=True, part=part
        )
        told += map(of_row, rows)
    if wanted != LIQUIDATED:
        reduced = await call.doors.history.deleverages(account_id, symbol=symbol, part=part)
        told += (_reduction(call, row) for row in reduced)
    instruments = call.doors.board.instruments
    told = [each for each in told if product_of(instruments[each.symbol]) == call.product]
    told.sort(key=lambda each: each.placed_ms)
    told = told[: part.limit] if part.is_oldest else told[-part.limit :]
    return [order_json(each, instruments[each.symbol]) | {"time": each.placed_ms} for each in told]


def _reduction(call: Call, row: DeleverRow) -> Told:
    """A deleveraging as an order, which has no number."""
    event = detailed(row.detail, ADL_DETAIL)
    lots, ticks = event["lots"], event["price_ticks"]
    contract = call.doors.engine.risk.contracts[row.symbol]
    return Told(
        order_id=0,
        symbol=row.symbol,
        side=Side(event["side"]),
        type=OrderType.LIMIT,
        tif=TimeInForce.IOC,
        price_ticks=ticks,
        lots=lots,
        filled_lots=lots,
        filled_units=lots * ticks,
        filled_minor=contract.amount_minor(lots, ticks),
        status=Status.FILLED,
        client_id=ADL_CLIENT_ID,
        placed_ms=row.time_ms,
        updated_ms=row.time_ms,
        post_only=False,
        reduce_only=True,
        forced=False,
        expire_ms=0,
        trigger_ticks=0,
        trigger=TriggerSource.LAST,
        trailing_bps=0,
        triggered_ms=0,
        close_position=False,
        price_protect=False,
        position_side=side_of(event["leg"]),
        reason=None,
    )


async def rate_limits(call: Call) -> list[dict[str, Any]]:
    """How many orders may be sent."""
    return [rule.say() for rule in call.dialect.limits[call.api].rules if rule.kind == "ORDERS"]
