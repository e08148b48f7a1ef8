"""Assets of the wallet product: coins, fees by pair, and what an account has in which wallet."""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.accounts.amounts import (
    asset_named,
    eight,
    known_asset,
    rate_eight,
    worth_minor,
)
from exchange.gateway.binance.accounts.refusals import REFUSALS
from exchange.gateway.binance.calls import Call, Route
from exchange.gateway.binance.symbols import name_of
from risk.account import ISOLATED, MARGIN, PERP, SPOT, Account
from risk.fees import rates_e12
from risk.margin_report import margin_report
from risk.margin_worth import wallet_assets
from risk.scopes import perp_state
from risk.state import RiskState

NETWORK: Final = "PAPER"  # Clients read the places of an asset off a network: this one is shut.
PLACES: Final = "0.00000001"
WALLET_NAMES: Final = (
    "Spot",
    "Funding",
    "Cross Margin",
    "Isolated Margin",
    "USDⓈ-M Futures",
    "COIN-M Futures",
)


async def coins(call: Call) -> list[dict[str, Any]]:
    """Every asset, what the spot wallet has of it, and that none comes or leaves by a network."""
    account = call.account
    return [_coin(account, asset) for asset in call.doors.engine.risk.assets]


def _coin(account: Account, asset: str) -> dict[str, Any]:
    free = account.free(SPOT, asset)
    return {
        "coin": asset,
        "name": asset,
        "free": eight(free),
        "locked": eight(account.minor(SPOT, asset) - free),
        "freeze": eight(0),
        "withdrawing": eight(0),
        "ipoing": eight(0),
        "ipoable": eight(0),
        "storage": eight(0),
        "trading": True,
        "isLegalMoney": False,
        "depositAllEnable": False,
        "withdrawAllEnable": False,
        "networkList": [_network(asset)],
    }


def _network(asset: str) -> dict[str, Any]:
    """The network of an exchange that has none: money comes from its faucet."""
    return {
        "network": NETWORK,
        "coin": asset,
        "name": NETWORK,
        "isDefault": True,
        "depositEnable": False,
        "withdrawEnable": False,
        "depositDesc": "",
        "withdrawDesc": "",
        "withdrawFee": "0",
        "withdrawMin": PLACES,
        "withdrawMax": "0",
        "withdrawIntegerMultiple": PLACES,
        "minConfirm": 0,
        "unLockConfirm": 0,
        "busy": False,
        "sameAddress": False,
        "resetAddressStatus": False,
    }


async def trade_fees(call: Call) -> list[dict[str, str]]:
    """What the account pays on each pair, or on one; a list either way."""
    rates = rates_e12(call.doors.engine.risk, call.account, "spot")
    wanted = call.named()
    return [
        {
            "symbol": name_of(each),
            "makerCommission": rate_eight(rates.maker_e12),
            "takerCommission": rate_eight(rates.taker_e12),
        }
        for each in call.dialect.symbols.all("spot")
        if wanted in (None, each)
    ]


async def user_assets(call: Call) -> list[dict[str, str]]:
    """The spot wallet's assets there is something of, with `needBtcValuation` their worth."""
    account, risk = call.account, call.doors.engine.risk
    wanted, valued = asset_named(call), call.params.flag("needBtcValuation")
    return [
        _user_asset(risk, account, asset, valued)
        for asset, _ in wallet_assets(account, SPOT)
        if wanted in (None, asset)
    ]


def _user_asset(risk: RiskState, account: Account, asset: str, valued: bool) -> dict[str, str]:
    total, free = account.minor(SPOT, asset), account.free(SPOT, asset)
    value_e16 = total * (risk.price_e8(asset) or 0) if valued else 0
    return {
        "asset": asset,
        "free": eight(free),
        "locked": eight(total - free),
        "freeze": eight(0),
        "withdrawing": eight(0),
        "ipoable": eight(0),
        "btcValuation": eight(worth_minor(risk, value_e16)),
    }


async def funding_assets(call: Call) -> list[dict[str, str]]:
    """The funding wallet, which nothing can come into, is empty."""
    assert call.account, "a key speaks for an account"
    call.params.has("asset")
    call.params.flag("needBtcValuation")
    return []


async def transactions(call: Call) -> list[dict[str, Any]]:
    """Deposits and withdrawals by network, of which there never were any, however asked for."""
    assert call.account, "a key speaks for an account"
    for name in ("startTime", "endTime", "limit", "offset", "status"):
        call.params.integer(name)
    for name in ("coin", "txId", "withdrawOrderId", "idList", "includeSource"):
        call.params.has(name)
    return []


async def wallet_balances(call: Call) -> list[dict[str, Any]]:
    """What each wallet is worth net of its debts, in BTC or `quoteAsset`."""
    account, risk = call.account, call.doors.engine.risk
    asset = known_asset(call, call.params.get("quoteAsset", "BTC")).asset
    values = {name: 0 for name in WALLET_NAMES}
    wallets = {wallet for wallet, _ in account.pockets} | {wallet for wallet, _ in account.loans}
    wallets |= {risk.pocket_wallet(account, leg) for leg in account.positions}
    for wallet in sorted(wallets):
        values[_wallet_name(risk, wallet)] += net_e16(risk, account, wallet)
    return [
        {
            "activate": True,
            "balance": eight(worth_minor(risk, value, asset)),
            "walletName": name,
        }
        for name, value in values.items()
    ]


def net_e16(risk: RiskState, account: Account, wallet: str) -> int:
    """What a wallet is worth at the index, or at the marks, net of what it owes; 10^-16 quote."""
    if wallet.startswith(PERP):
        return perp_state(risk, account, wallet)[0]
    if wallet == MARGIN or wallet.startswith(ISOLATED):
        report = margin_report(risk, account, wallet)
        return report.assets_e16 - report.debt_e16
    return sum(
        minor * (risk.price_e8(asset) or 0) for asset, minor in wallet_assets(account, wallet)
    )


def _wallet_name(risk: RiskState, wallet: str) -> str:
    spot, _, cross, isolated, linear, inverse = WALLET_NAMES
    if wallet.startswith(ISOLATED):
        return isolated
    if not wallet.startswith(PERP):
        return cross if wallet == MARGIN else spot
    leg = wallet.removeprefix(f"{PERP}/").split("/")[0]
    contract = risk.contracts.get(leg)
    is_inverse = wallet in risk.coin_contracts or (contract is not None and contract.inverse)
    return inverse if is_inverse else linear


def _signed(verb: str, path: str, handler: Any, weight: int) -> Route:
    return Route(
        verb=verb,
        path=f"/sapi/{path}",
        handler=handler,
        weight=weight,
        security="U",
        refusals=REFUSALS,
    )


ROUTES = (
    _signed("GET", "v1/capital/config/getall", coins, 10),
    _signed("GET", "v1/capital/deposit/hisrec", transactions, 1),
    _signed("GET", "v1/capital/withdraw/history", transactions, 1),
    _signed("GET", "v1/asset/tradeFee", trade_fees, 1),
    _signed("POST", "v3/asset/getUserAsset", user_assets, 5),
    _signed("POST", "v1/asset/get-funding-asset", funding_assets, 1),
    _signed("GET", "v1/asset/wallet/balance", wallet_balances, 60),
)
