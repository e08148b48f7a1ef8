"""Settings of a futures account: leverage, margin type, modes, and the terms it trades by."""

from __future__ import annotations

from typing import Any

from exchange.commands import SetLeverage, SetMarginMode, SetMultiAsset, SetPositionMode
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import refused
from exchange.gateway.binance.futures import refusals
from exchange.gateway.binance.futures.orders import SUCCESS
from exchange.gateway.binance.futures.wallets import amount, contracts_of, number
from exchange.gateway.binance.symbols import name_of, pair_of
from exchange.views.texts import RATE_PLACES, rate_text
from risk.contract import Contract
from risk.fees import rates_e12

CUM_PLACES = 20


async def leverage(call: Call) -> dict[str, Any]:
    """Set a contract's leverage; it answers how large a position it is allowed at."""
    instrument = call.instrument()
    contract = call.doors.engine.risk.contracts[instrument.symbol]
    wanted = call.params.need_integer("leverage")
    if not 1 <= wanted <= contract.brackets[0].leverage:
        raise refused(refusals.BAD_LEVERAGE, wanted)
    account_id = call.account.id
    _refuse_reduction(call, instrument.symbol, wanted)
    await call.submit(SetLeverage(account_id=account_id, symbol=instrument.symbol, leverage=wanted))
    cap = amount(contract.cap_minor(wanted))
    most = {"maxQty": cap} if contract.inverse else {"maxNotionalValue": cap}
    return {"leverage": wanted, "symbol": name_of(instrument)} | most


def _refuse_reduction(call: Call, symbol: str, wanted: int) -> None:
    """-4161 where the margin of an isolated position was set aside at a higher leverage."""
    setting = call.account.setting(symbol)
    if setting.isolated and wanted < setting.leverage and call.account.legs(symbol):
        raise refused(refusals.LEVERAGE_REDUCED)


async def margin_type(call: Call) -> dict[str, Any]:
    """Cross or isolated margin of a contract; -4046 where it is that already."""
    instrument = call.instrument()
    call.params.need("marginType")
    word = call.params.choice("marginType", ("ISOLATED", "CROSSED", "CROSS"))
    isolated = word == "ISOLATED"
    account = call.account
    if account.is_isolated(instrument.symbol) is isolated:
        raise refused(refusals.SAME_MARGIN_TYPE)
    await call.submit(
        SetMarginMode(account_id=account.id, symbol=instrument.symbol, isolated=isolated)
    )
    return SUCCESS


async def set_position_mode(call: Call) -> dict[str, Any]:
    """One-way or hedge; -4059 where it is that already."""
    call.params.need("dualSidePosition")
    hedge, account = call.params.flag("dualSidePosition"), call.account
    if account.hedge is hedge:
        raise refused(refusals.SAME_POSITION_SIDE)
    await call.submit(SetPositionMode(account_id=account.id, hedge=hedge))
    return SUCCESS


async def position_mode(call: Call) -> dict[str, Any]:
    """Whether long and short are held apart."""
    return {"dualSidePosition": call.account.hedge}


async def set_multi_assets(call: Call) -> dict[str, Any]:
    """Whether several assets stand behind USD-M contracts; -4171 where it is that already."""
    call.params.need("multiAssetsMargin")
    on, account = call.params.flag("multiAssetsMargin"), call.account
    if account.multi_asset is on:
        raise refused(refusals.SAME_ASSET_MODE)
    await call.submit(SetMultiAsset(account_id=account.id, on=on))
    return SUCCESS


async def multi_assets(call: Call) -> dict[str, Any]:
    """Whether several assets stand behind USD-M contracts."""
    return {"multiAssetsMargin": call.account.multi_asset}


async def commission(call: Call) -> dict[str, Any]:
    """What the account pays on a contract today."""
    instrument = call.instrument()
    rates = rates_e12(call.doors.engine.risk, call.account, "perp")
    return {
        "symbol": name_of(instrument),
        "makerCommissionRate": rate_text(rates.maker_e12),
        "takerCommissionRate": rate_text(rates.taker_e12),
    }


async def symbol_config(call: Call) -> list[dict[str, Any]]:
    """What the account chose for each contract, or for one."""
    return [_symbol_config(call, contract) for contract in _named(call)]


def _symbol_config(call: Call, contract: Contract) -> dict[str, Any]:
    setting = call.account.setting(contract.symbol)
    return {
        "symbol": name_of(contract.instrument),
        "marginType": "ISOLATED" if setting.isolated else "CROSSED",
        "isAutoAddMargin": False,
        "leverage": setting.leverage,
        "maxNotionalValue": amount(contract.cap_minor(setting.leverage)),
    }


# -- brackets ----------------------------------------------------------------------------------


async def brackets(call: Call) -> list[dict[str, Any]]:
    """The brackets of each contract, or of one; always an array."""
    return [
        {"symbol": name_of(contract.instrument), "brackets": _brackets(contract)}
        for contract in _named(call)
    ]


async def brackets_by_pair(call: Call) -> list[dict[str, Any]]:
    """The brackets of each pair, or of one: COIN-M's older shape."""
    pair = call.params.get("pair")
    contracts = contracts_of(call)
    if pair:
        asked = call.dialect.symbols.of_pair(call.product, pair)
        contracts = [each for each in contracts if each.instrument is asked]
    return [
        {"pair": pair_of(contract.instrument), "brackets": _brackets(contract)}
        for contract in contracts
    ]


def _brackets(contract: Contract) -> list[dict[str, Any]]:
    what = "qty" if contract.inverse else "notional"
    return [
        {
            "bracket": place,
            "initialLeverage": each.leverage,
            f"{what}Cap": number(each.cap_minor),
            f"{what}Floor": number(each.floor_minor),
            "maintMarginRatio": number(each.mmr_e12, RATE_PLACES),
            "cum": number(each.cum_e20, CUM_PLACES),
        }
        for place, each in enumerate(contract.brackets, start=1)
    ]


def _named(call: Call) -> list[Contract]:
    contracts = contracts_of(call)
    asked = call.named()
    return [each for each in contracts if asked is None or each.instrument is asked]
