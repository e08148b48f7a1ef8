"""Positions on futures: what is held, what it risks, and the margin set aside for it."""

from __future__ import annotations

from typing import Any, Final

from exchange.commands import AdjustPositionMargin
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BAD_VALUE, MANDATORY, refused
from exchange.gateway.binance.futures import refusals
from exchange.gateway.binance.futures.order_params import instrument_of, position_side_of
from exchange.gateway.binance.futures.order_shapes import POSITION_SIDE_WORDS
from exchange.gateway.binance.futures.wallets import amount, contracts_of, number
from exchange.gateway.binance.symbols import name_of
from exchange.views.ranks import Ranks
from matching.instrument import minor
from matching.reasons import Reason
from risk.account import LONG, ONE_WAY, SHORT, Account, OpenOrders, leg_of
from risk.contract import Contract
from risk.fees import rates_e12
from risk.money import E12
from risk.perp_report import PositionReport, position_report
from risk.perp_worth import leg_margin
from risk.state import RiskState

ADD, REDUCE = 1, 2  # What is done to a position's margin.
NOTHING: Final = OpenOrders()


class Row:
    """One leg of one contract, held or not, in minor units of its settle asset."""

    def __init__(
        self, risk: RiskState, account: Account, contract: Contract, position_side: int
    ) -> None:
        self.contract = contract
        self.account = account
        self.position_side = position_side
        self.leg = leg_of(contract.symbol, position_side)
        self.lots = account.lots(self.leg)
        self.leverage = account.setting(contract.symbol).leverage
        self.isolated = account.is_isolated(contract.symbol)
        self.mark_e8 = risk.mark_e8(contract.symbol) or 0
        self.sums = account.open_perp.get(self.leg) or NOTHING
        self.report: PositionReport | None = None
        if self.lots:
            self.report = position_report(risk, account, self.leg)
        self.order_initial = 0
        if self.leg in account.open_perp:
            margin = leg_margin(risk, account, self.leg, self.sums)
            orders = contract.ceil_minor(margin.orders_e16, self.mark_e8)
            self.order_initial = orders + self.sums.held_minor  # With losses and fees kept back.
        self.taker_e12 = rates_e12(risk, account, "perp").taker_e12

    @property
    def is_used(self) -> bool:
        """Whether something is held or ordered."""
        return bool(self.lots) or self.leg in self.account.open_perp

    def money(self, value_e16: int) -> int:
        """A value at the mark in the settle asset, rounded up."""
        return self.contract.ceil_minor(value_e16, self.mark_e8)

    @property
    def unrealised(self) -> int:
        """Profit that is not realised, rounded down."""
        if self.report is None:
            return 0
        return self.contract.floor_minor(self.report.unrealised_e16, self.mark_e8)

    @property
    def notional(self) -> int:
        """The size at the mark; negative for a short position."""
        if self.report is None:
            return 0
        size = self.contract.floor_minor(self.report.notional_e16, self.mark_e8)
        return size if self.lots > 0 else -size

    @property
    def margin(self) -> int:
        """What is set aside for an isolated position; 0 on the cross wallet."""
        return self.report.margin_minor if self.report else 0

    @property
    def position_initial(self) -> int:
        """Initial margin of what is held."""
        return self.money(self.report.initial_e16) if self.report else 0

    @property
    def maintenance(self) -> int:
        """Maintenance margin of what is held."""
        return self.money(self.report.maintenance_e16) if self.report else 0

    @property
    def entry_e8(self) -> int:
        """Average price of entry; 0 when flat."""
        return self.report.entry_e8 if self.report else 0

    @property
    def break_even_e8(self) -> int:
        """Where closing would pay back taker fees both ways, at the account's rate of today."""
        rate = self.taker_e12 if self.lots > 0 else -self.taker_e12
        return self.entry_e8 * (E12 + rate) // (E12 - rate)

    @property
    def liquidation_e8(self) -> int:
        """Where it would be liquidated; 0 where it never would."""
        return (self.report.liquidation_e8 or 0) if self.report else 0

    @property
    def cap(self) -> int:
        """The largest notional its leverage is allowed at."""
        return self.contract.cap_minor(self.leverage)


def rows(call: Call, *, both: bool = False) -> list[Row]:
    """Every leg of the product's contracts: in hedge mode two, with `both` a third, empty one."""
    risk, account = call.doors.engine.risk, call.account
    sides: tuple[int, ...] = (ONE_WAY,)
    if account.hedge:
        sides = (ONE_WAY, LONG, SHORT) if both else (LONG, SHORT)
    return [Row(risk, account, contract, side) for contract in contracts_of(call) for side in sides]


def _named(call: Call, found: list[Row]) -> list[Row]:
    """Those of the contract, pair or margin asset that was named."""
    params, symbols = call.params, call.dialect.symbols
    if params.has("symbol"):
        symbol = call.instrument().symbol
    elif params.has("pair"):
        symbol = symbols.of_pair(call.product, params.get("pair")).symbol
    else:
        asset = params.get("marginAsset").upper()
        return [row for row in found if not asset or row.contract.settle == asset]
    return [row for row in found if row.contract.symbol == symbol]


async def risk_v3(call: Call) -> list[dict[str, Any]]:
    """Positions that are held or ordered."""
    ranks = Ranks(call.doors.engine.risk)
    used = [row for row in _named(call, rows(call)) if row.is_used]
    return [_risk(call, row) | _risk_v3(row, ranks) for row in used]


async def risk_v2(call: Call) -> list[dict[str, Any]]:
    """Every contract, held or not."""
    return [_risk(call, row) | _risk_v2(row) for row in _named(call, rows(call, both=True))]


async def risk_coin(call: Call) -> list[dict[str, Any]]:
    """Every COIN-M contract; sizes are contracts, money is coins."""
    return [_risk_coin(call, row) for row in _named(call, rows(call, both=True))]


def _shared(call: Call, row: Row) -> dict[str, Any]:
    instrument = row.contract.instrument
    return {
        "symbol": name_of(instrument),
        "positionSide": POSITION_SIDE_WORDS[row.position_side],
        "positionAmt": instrument.qty_text(row.lots),
        "entryPrice": amount(row.entry_e8),
        "breakEvenPrice": amount(row.break_even_e8),
        "markPrice": amount(row.mark_e8),
        "unRealizedProfit": amount(row.unrealised),
        "liquidationPrice": amount(row.liquidation_e8),
        "isolatedMargin": amount(row.margin + row.unrealised if row.isolated else 0),
        "isolatedWallet": amount(row.margin),
        "updateTime": call.now_ms,
    }


def _risk(call: Call, row: Row) -> dict[str, Any]:
    return _shared(call, row) | {"notional": amount(row.notional)}


def _risk_v3(row: Row, ranks: Ranks) -> dict[str, Any]:
    return {
        "marginAsset": row.contract.settle,
        "initialMargin": amount(row.position_initial + row.order_initial),
        "maintMargin": amount(row.maintenance),
        "positionInitialMargin": amount(row.position_initial),
        "openOrderInitialMargin": amount(row.order_initial),
        "adl": ranks.rank(row.account, row.leg) - 1 if row.lots else 0,
        "bidNotional": amount(row.sums.buy_minor),
        "askNotional": amount(row.sums.sell_minor),
    }


def _mode(row: Row) -> dict[str, Any]:
    return {
        "leverage": str(row.leverage),
        "marginType": "isolated" if row.isolated else "cross",
        "isAutoAddMargin": "false",
    }


def _risk_v2(row: Row) -> dict[str, Any]:
    return _mode(row) | {"maxNotionalValue": amount(row.cap), "isolated": row.isolated}


def _risk_coin(call: Call, row: Row) -> dict[str, Any]:
    coins = {"notionalValue": amount(row.notional), "maxQty": amount(row.cap)}
    return _shared(call, row) | _mode(row) | coins


async def adl_quantile(call: Call) -> list[dict[str, Any]]:
    """How near each position is to being deleveraged: 4 is the first in line."""
    ranks = Ranks(call.doors.engine.risk)
    found: dict[str, dict[str, int]] = {}
    for row in _named(call, rows(call)):
        if row.lots:
            side = POSITION_SIDE_WORDS[row.position_side]
            quantiles = found.setdefault(name_of(row.contract.instrument), {})
            quantiles[side] = ranks.rank(row.account, row.leg) - 1
    for quantiles in found.values():
        if "BOTH" not in quantiles:  # Both legs are always told of in hedge mode.
            quantiles |= {"LONG": quantiles.get("LONG", 0), "SHORT": quantiles.get("SHORT", 0)}
    return [{"symbol": symbol, "adlQuantile": each} for symbol, each in found.items()]


async def adjust_margin(call: Call) -> dict[str, Any]:
    """Add to an isolated position's margin, or take out what it does not need."""
    instrument = instrument_of(call, call.params)
    change = minor(call.params.need("amount"))
    if isinstance(change, Reason):
        raise refused(MANDATORY, "amount")
    if change <= 0:
        raise refused(refusals.AMOUNT_NOT_POSITIVE)
    kind = call.params.need_integer("type")
    if kind not in {ADD, REDUCE}:
        raise refused(BAD_VALUE, "type")
    await call.submit(
        AdjustPositionMargin(
            account_id=call.account.id,
            symbol=instrument.symbol,
            amount_minor=change if kind == ADD else -change,
            position_side=position_side_of(call.params),
        )
    )
    return {
        "amount": number(change),
        "code": 200,
        "msg": "Successfully modify position margin.",
        "type": kind,
    }
