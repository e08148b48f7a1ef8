"""One account through both doors: whatever one of them says of it the other says too."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchange.config import Binance, Config, Limits, Server
from exchange.gateway.binance.futures.order_shapes import ALGO_MARK
from tests.exchange.gateway.binance.binance_rig import Bot, bot_of
from tests.exchange.gateway.binance.two_doors_session import (
    CONTRACTS,
    SYMBOLS,
    WALLETS,
    Session,
    at,
    isolated,
)
from tests.exchange.gateway.rig import ADMIN_KEY, START_MS, running

ROUNDS = 12
OPEN = Binance(
    spot_weight_per_minute=0,
    margin_weight_per_minute=0,
    futures_weight_per_minute=0,
    spot_orders_per_10_seconds=0,
    futures_orders_per_10_seconds=0,
)
UNLIMITED = Limits(weight_per_minute=0, orders_per_10_seconds=0)
NAMES = {"spot": "spot", "margin": "margin", "isolated": "isolated:BTC-USDT"}
STATUSES = {
    **{"new": "NEW", "pending_trigger": "NEW", "partially_filled": "PARTIALLY_FILLED"},
    **{"filled": "FILLED", "cancelled": "CANCELED", "expired": "EXPIRED"},
    **{"expired_in_match": "EXPIRED_IN_MATCH", "rejected": "REJECTED"},
}
SIGNS = {"long": 1, "short": -1}
ROWS = 1_000
PLACES = Decimal("0.00000001")

Row = dict[str, Any]


def number(text: str | None) -> Decimal:
    """A number as either door writes it; what is not told is nothing."""
    return Decimal(text or "0")


def numbers(row: Row, *names: str) -> tuple[Decimal, ...]:
    """Some numbers of a row."""
    return tuple(number(row[name]) for name in names)


async def theirs(bot: Bot, path: str, **fields: Any) -> Any:
    """What the Binance door says."""
    answer = await bot.signed("GET", path, **fields)
    assert answer.status == 200, (path, answer.body)
    return answer.json


async def ours(bot: Bot, target: str) -> Any:
    """What the native door says."""
    answer = await bot.trader.ask("GET", target)
    assert answer.status == 200, (target, answer.body)
    return answer.json


async def balances_agree(bot: Bot, account: Row) -> None:
    """Free and locked money, and on margin what is borrowed, owed of interest, and left."""
    asked = {
        "spot": (await theirs(bot, "/api/v3/account"))["balances"],
        "margin": (await theirs(bot, "/sapi/v1/margin/account"))["userAssets"],
    }
    (pair,) = (await theirs(bot, "/sapi/v1/margin/isolated/account", symbols="BTCUSDT"))["assets"]
    asked["isolated"] = [pair["baseAsset"], pair["quoteAsset"]]
    for wallet, rows in asked.items():
        told = {each["asset"]: each for each in rows}
        mine = [each for each in account["balances"] if each["wallet"] == NAMES[wallet]]
        for each in mine:
            other = told.pop(each["asset"])
            assert numbers(other, "free", "locked") == numbers(each, "free", "locked")
            if wallet == "spot":
                continue
            assert number(other["borrowed"]) == number(each["borrowed"])
            assert number(other["interest"]) == rounded_up(each["interest"])
            owed = number(each["borrowed"]) + rounded_up(each["interest"])
            assert number(other["netAsset"]) == number(each["total"]) - owed
        assert not any(sum(numbers(each, "free", "locked")) for each in told.values())


def rounded_up(text: str) -> Decimal:
    """Interest is counted finer than money, and owed up to the last place."""
    return number(text).quantize(PLACES, "ROUND_CEILING")


async def contract_money_agrees(bot: Bot, account: Row) -> None:
    """Wallets of both kinds of contracts, their isolated margins included."""
    linear = (await theirs(bot, "/fapi/v3/account"))["assets"]
    coins = (await theirs(bot, "/dapi/v1/account"))["assets"]
    for rows, head, asset in ((linear, "perp", "USDT"), (coins, "perp:BTC", "BTC")):
        (told,) = (each for each in rows if each["asset"] == asset)
        wallets = {head, *(f"perp/{leg}" for leg in legs_of(asset))}
        mine = [
            each
            for each in account["balances"]
            if each["asset"] == asset and each["wallet"] in wallets
        ]
        assert number(told["walletBalance"]) == sum(number(each["total"]) for each in mine)
        cross = [each for each in mine if each["wallet"] == head]
        assert number(told["crossWalletBalance"]) == sum(number(each["total"]) for each in cross)
        (margin,) = (each for each in account["margins"] if each["wallet"] == head)
        profit = sum(
            number(each["unrealised"]) for each in account["positions"] if each["settle"] == asset
        )
        assert number(told["unrealizedProfit"]) == profit
        assert number(told["availableBalance"]) == max(number(margin["available"]), Decimal(0))


def legs_of(asset: str) -> list[str]:
    """The positions whose margin is of an asset."""
    symbol = "BTC-USDT-PERP" if asset == "USDT" else "BTC-USD-PERP"
    return [symbol, f"{symbol}/LONG", f"{symbol}/SHORT"]


async def positions_agree(bot: Bot, account: Row) -> None:
    """Every position: size, prices, profit, mode and leverage."""
    for api, (symbol, name) in CONTRACTS.items():
        path = "/fapi/v2/positionRisk" if api == "fapi" else "/dapi/v1/positionRisk"
        rows = [each for each in await theirs(bot, path) if each["symbol"] == name]
        told = {each["positionSide"]: each for each in rows if number(each["positionAmt"])}
        for each in account["positions"]:
            if each["symbol"] != symbol:
                continue
            other = told.pop(each["position_side"].upper())
            assert number(other["positionAmt"]) == number(each["qty"]) * SIGNS[each["side"]]
            for theirs_name, mine in (
                ("entryPrice", "entry_price"),
                ("markPrice", "mark_price"),
                ("unRealizedProfit", "unrealised"),
                ("liquidationPrice", "liquidation_price"),
            ):
                assert number(other[theirs_name]) == number(each[mine]), mine
            assert (other["marginType"], int(other["leverage"])) == (
                each["margin_mode"],
                each["leverage"],
            )
        assert not told


async def orders_agree(bot: Bot) -> None:
    """Open orders of every wallet and contract, algo orders apart, and all that ever were."""
    everything = await ours(bot, f"/v1/orders?status=all&limit={ROWS}")
    assert len(everything) < ROWS
    waiting = [each for each in everything if is_waiting(each)]
    for wallet in WALLETS:
        mine = [each for each in everything if each["wallet"] == NAMES[wallet]]
        where = {"symbol": "BTCUSDT", **isolated(wallet)}
        told = await theirs(bot, at(wallet, "openOrders"), **where)
        same_orders(told, [each for each in mine if is_open(each)])
        told = await theirs(bot, at(wallet, "allOrders"), limit=ROWS, **where)
        same_orders(told, mine)
        assert {each["orderId"]: each["orderListId"] for each in told} == {
            each["order_id"]: each["list_id"] or -1 for each in mine
        }
    for api, (symbol, name) in CONTRACTS.items():
        mine = [each for each in everything if each["symbol"] == symbol]
        told = await theirs(bot, f"/{api}/v1/openOrders", symbol=name)
        same_orders(told, [each for each in mine if is_open(each) and each not in waiting])
        algos = await theirs(bot, f"/{api}/v1/openAlgoOrders", symbol=name)
        assert {(each["algoId"], number(each["triggerPrice"])) for each in algos} == {
            (each["order_id"], number(each["trigger_price"]))
            for each in waiting
            if each["symbol"] == symbol and is_open(each)
        }


def is_open(order: Row) -> bool:
    """Whether a native order is open."""
    return order["status"] in {"new", "pending_trigger", "partially_filled"}


def is_waiting(order: Row) -> bool:
    """Whether it is an algo order whose trigger was not reached."""
    return order["client_id"].startswith(ALGO_MARK) and not order["triggered_ms"]


def same_orders(told: Iterable[Row], mine: Iterable[Row]) -> None:
    """The same orders, by number, with the same prices, quantities and statuses."""
    assert {
        each["orderId"]: (
            *numbers(each, "price", "executedQty"),
            each["side"],
            each["status"],
            each["updateTime"],
        )
        for each in told
    } == {
        each["order_id"]: (
            *numbers(each, "price", "filled_qty"),
            each["side"].upper(),
            STATUSES[each["status"]],
            each["updated_ms"],
        )
        for each in mine
    }


async def fills_agree(bot: Bot) -> None:
    """Every fill, with its fee and what it realised."""
    asked = [
        (
            await theirs(
                bot, at(wallet, "myTrades"), symbol="BTCUSDT", limit=ROWS, **isolated(wallet)
            )
        )
        for wallet in WALLETS
    ]
    mine = await ours(bot, f"/v1/fills?symbol=BTC-USDT&limit={ROWS}")
    told = [each for rows in asked for each in rows]
    assert {
        (
            *(each["id"], each["orderId"], each["isBuyer"], each["isMaker"]),
            *(*numbers(each, "price", "qty", "quoteQty", "commission"), each["commissionAsset"]),
        )
        for each in told
    } == {fill_of(each) for each in mine}
    assert len(told) == len(mine)
    for api, (symbol, name) in CONTRACTS.items():
        told = await theirs(bot, f"/{api}/v1/userTrades", symbol=name, limit=ROWS)
        mine = await ours(bot, f"/v1/fills?symbol={symbol}&limit={ROWS}")
        if api == "dapi":  # What is counted in coins there is told in dollars natively.
            for each in told:
                dollars = 100 * number(each["qty"])
                coins = (dollars / number(each["price"])).quantize(PLACES, "ROUND_HALF_EVEN")
                assert number(each["baseQty"]) == coins
                each["quoteQty"] = str(dollars)
        assert {
            (
                *(each["id"], each["orderId"], each["buyer"], each["maker"]),
                *(
                    *numbers(each, "price", "qty", "quoteQty", "commission"),
                    each["commissionAsset"],
                ),
                *(number(each["realizedPnl"]), each["positionSide"]),
            )
            for each in told
        } == {
            (
                *fill_of(each),
                *(number(each["realised"]), each["position_side"].upper()),
            )
            for each in mine
        }


def fill_of(fill: Row) -> tuple[Any, ...]:
    """A native fill in the order of the others' fields."""
    return (
        *(fill["trade_id"], fill["order_id"], fill["side"] == "buy", fill["maker"]),
        *(*numbers(fill, "price", "qty", "quote", "fee"), fill["fee_asset"]),
    )


async def incomes_add_up(bot: Bot, account: Row) -> None:
    """All that ever came into and left the wallet of a product is what is in it."""
    for api, head, asset in (("fapi", "perp", "USDT"), ("dapi", "perp:BTC", "BTC")):
        rows = await theirs(bot, f"/{api}/v1/income", startTime=START_MS - 1_000, limit=ROWS)
        assert len(rows) < ROWS
        wallets = {head, *(f"perp/{leg}" for leg in legs_of(asset))}
        held = sum(
            number(each["total"])
            for each in account["balances"]
            if each["asset"] == asset and each["wallet"] in wallets
        )
        assert sum(number(each["income"]) for each in rows) == held
        told = await theirs(bot, f"/{api}/v1/userTrades", symbol=CONTRACTS[api][1], limit=ROWS)
        for kind, name, sign in (
            ("COMMISSION", "commission", -1),
            ("REALIZED_PNL", "realizedPnl", 1),
        ):
            of_kind = [number(each["income"]) for each in rows if each["incomeType"] == kind]
            assert sum(of_kind) == sign * sum(number(each[name]) for each in told)


async def lists_agree(bot: Bot) -> None:
    """Order lists, open and past."""
    for target, path in (("", "openOrderList"), ("?status=all&limit=1000", "allOrderList")):
        told = await theirs(bot, f"/api/v3/{path}")
        mine = await ours(bot, f"/v1/order_lists{target}")
        assert {
            (each["orderListId"], each["contingencyType"], each["listOrderStatus"]) for each in told
        } == {
            (
                each["list_id"],
                "OCO" if each["kind"] == "oco" else "OTO",
                {"executing": "EXECUTING", "done": "ALL_DONE", "rejected": "REJECT"}[
                    each["status"]
                ],
            )
            for each in mine
        }


@pytest.mark.parametrize("hedge", [False, True], ids=["one-way", "hedge"])
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_both_doors_tell_the_same_of_a_random_session(
    tmp_path: Path, seed: int, hedge: bool
) -> None:
    config = Config(server=Server(admin_key=ADMIN_KEY), limits=UNLIMITED, binance=OPEN)
    async with running(tmp_path, config=config, symbols=SYMBOLS) as rig:
        bot, maker = await bot_of(rig), await bot_of(rig)
        session = Session(rig, bot, maker, seed, hedge=hedge)
        await session.begin()
        await session.live(ROUNDS)
        account = await ours(bot, "/v1/account")
        await balances_agree(bot, account)
        await contract_money_agrees(bot, account)
        await positions_agree(bot, account)
        await orders_agree(bot)
        await fills_agree(bot)
        await lists_agree(bot)
        await incomes_add_up(bot, account)
        for name in ("pair", "contract", "conditional", "algo", "list", "amend", "cancel", "loan"):
            assert session.done[f"{name} done"], session.done
