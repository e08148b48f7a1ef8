"""Transfers between the wallets of an account through the Binance door."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.commands import Deposit
from exchange.gateway.binance.accounts.transfers import Moved
from exchange.gateway.binance.accounts.transfers import moved as made
from exchange.storage.rows import LedgerRow
from risk.account import Account
from tests.exchange.gateway.binance.accounts.money import borrowed, moved, refused_code
from tests.exchange.gateway.binance.binance_rig import Bot, bot_of
from tests.exchange.gateway.rig import running

TRANSFER = "/sapi/v1/asset/transfer"


def holder_of(bot: Bot) -> Account:
    return bot.rig.doors.engine.risk.accounts[bot.trader.account_id]


@pytest.mark.parametrize(
    ("kind", "wallet", "more"),
    [
        ("MAIN_MARGIN", "margin", {}),
        ("MAIN_UMFUTURE", "perp", {}),
        ("MAIN_ISOLATED_MARGIN", "isolated:BTC-USDT", {"toSymbol": "BTCUSDT"}),
    ],
)
async def test_a_type_leads_to_its_wallet_and_is_listed_by_its_number(
    tmp_path: Path, kind: str, wallet: str, more: dict[str, str]
) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        before = holder_of(bot).minor(wallet, "USDT")
        tran_id = await moved(bot, kind, "250.5", **more)
        assert holder_of(bot).minor(wallet, "USDT") == before + 25_050_000_000
        listed = (await bot.signed("GET", TRANSFER, type=kind, **more)).json
        assert listed == {
            "total": 1,
            "rows": [
                {
                    "asset": "USDT",
                    "amount": "250.50000000",
                    "type": kind,
                    "status": "CONFIRMED",
                    "tranId": tran_id,
                    "timestamp": rig.doors.board.time_ms,
                }
            ],
        }


async def test_money_comes_back_and_goes_on_between_margin_wallets(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_MARGIN", "100")
        await moved(bot, "MARGIN_ISOLATEDMARGIN", "60", toSymbol="BTCUSDT")
        await moved(
            bot, "ISOLATEDMARGIN_ISOLATEDMARGIN", "50", fromSymbol="BTCUSDT", toSymbol="ETHUSDT"
        )
        await moved(bot, "ISOLATED_MARGIN_MAIN", "40", fromSymbol="ETHUSDT")
        await moved(bot, "MARGIN_MAIN", "10")
        holder = holder_of(bot)
        # Margin 100 - 60 - 10, the pairs 60 - 50 and 50 - 40, spot what it had less the rest.
        assert holder.minor("margin", "USDT") == 30 * 10**8
        assert holder.minor("isolated:BTC-USDT", "USDT") == 10 * 10**8
        assert holder.minor("isolated:ETH-USDT", "USDT") == 10 * 10**8
        assert holder.minor("spot", "USDT") == (100_000 - 50) * 10**8
        kind = "ISOLATEDMARGIN_ISOLATEDMARGIN"
        listed = await bot.signed(
            "GET", TRANSFER, type=kind, fromSymbol="BTCUSDT", toSymbol="ETHUSDT"
        )
        assert listed.json["total"] == 1
        listed = await bot.signed(
            "GET", TRANSFER, type=kind, fromSymbol="ETHUSDT", toSymbol="BTCUSDT"
        )
        assert listed.json == {"total": 0, "rows": []}


async def test_a_coin_futures_wallet_is_named_by_its_asset(tmp_path: Path) -> None:
    symbols = ("BTC-USDT", "BTC-USD-PERP")
    async with running(tmp_path, symbols=symbols) as rig:
        bot = await bot_of(rig)
        me = bot.trader.account_id
        await rig.do(Deposit(account_id=me, wallet="spot", asset="BTC", amount_minor=10**8))
        before = holder_of(bot).minor("perp:BTC", "BTC")
        await moved(bot, "MAIN_CMFUTURE", "0.5", asset="BTC")
        assert holder_of(bot).minor("perp:BTC", "BTC") == before + 50_000_000
        wrong = {"type": "MAIN_CMFUTURE", "asset": "USDT", "amount": "1"}
        assert await refused_code(bot, "POST", TRANSFER, **wrong) == -3027


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"type": "MAIN_MARGIN", "asset": "USDT", "amount": "100000.00000001"}, -3041),
        ({"type": "MAIN_MARGIN", "asset": "USDT", "amount": "0.000000001"}, -1111),
        ({"type": "MAIN_MARGIN", "asset": "USDT", "amount": "0"}, -1130),
        ({"type": "MAIN_MARGIN", "asset": "USDT", "amount": "ten"}, -1102),
        ({"type": "MAIN_MARGIN", "asset": "USDT"}, -1102),
        ({"type": "MAIN_MARGIN", "asset": "XYZ", "amount": "1"}, -3027),
        ({"type": "MAIN_MAIN", "asset": "USDT", "amount": "1"}, -1130),
        ({"type": "MAIN_FUNDING", "asset": "USDT", "amount": "1"}, -1130),
        ({"asset": "USDT", "amount": "1"}, -1102),
        ({"type": "MAIN_ISOLATED_MARGIN", "asset": "USDT", "amount": "1"}, -1102),
        (
            {
                "type": "MAIN_ISOLATED_MARGIN",
                "asset": "ETH",
                "amount": "1",
                "toSymbol": "BTCUSDT",
            },
            -3027,
        ),
        (
            {
                "type": "ISOLATED_MARGIN_MAIN",
                "asset": "USDT",
                "amount": "1",
                "fromSymbol": "BTCUSDT",
            },
            -11001,
        ),
        (
            {
                "type": "ISOLATEDMARGIN_ISOLATEDMARGIN",
                "asset": "USDT",
                "amount": "1",
                "fromSymbol": "BTCUSDT",
                "toSymbol": "BTCUSDT",
            },
            -1128,
        ),
    ],
)
async def test_what_cannot_be_moved_is_refused_and_moves_nothing(
    tmp_path: Path, fields: dict[str, str], code: int
) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        before = rig.doors.desk.account(bot.trader.account_id).balances
        assert await refused_code(bot, "POST", TRANSFER, **fields) == code
        assert rig.doors.desk.account(bot.trader.account_id).balances == before


async def test_collateral_of_a_loan_stays(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_MARGIN", "1000")
        await borrowed(bot, "USDT", "500")
        fields = {"type": "MARGIN_MAIN", "asset": "USDT", "amount": "1000"}
        assert await refused_code(bot, "POST", TRANSFER, **fields) == -3020


async def test_older_clients_move_by_numbers_and_places(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        futures = holder_of(bot).minor("perp", "USDT")
        for path, fields in (
            ("margin/transfer", {"type": 1, "amount": "100"}),
            ("margin/transfer", {"type": 2, "amount": "40"}),
            ("futures/transfer", {"type": 1, "amount": "70"}),
            ("futures/transfer", {"type": 2, "amount": "20"}),
            (
                "margin/isolated/transfer",
                {
                    "symbol": "ETHUSDT",
                    "transFrom": "SPOT",
                    "transTo": "ISOLATED_MARGIN",
                    "amount": "5",
                },
            ),
        ):
            answer = await bot.signed("POST", f"/sapi/v1/{path}", asset="USDT", **fields)
            assert answer.status == 200, answer.body
        holder = holder_of(bot)
        assert holder.minor("margin", "USDT") == 60 * 10**8
        assert holder.minor("perp", "USDT") == futures + 50 * 10**8
        assert holder.minor("isolated:ETH-USDT", "USDT") == 5 * 10**8
        fields = {"type": 3, "asset": "USDT", "amount": "1"}
        assert await refused_code(bot, "POST", "/sapi/v1/margin/transfer", **fields) == -1130


async def test_older_clients_list_what_they_moved(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        into = await moved(bot, "MAIN_MARGIN", "100")
        out = await moved(bot, "MARGIN_MAIN", "40")
        ahead = await moved(bot, "MAIN_UMFUTURE", "7")
        pair = await moved(bot, "MAIN_ISOLATED_MARGIN", "5", toSymbol="ETHUSDT")
        said = (await bot.signed("GET", "/sapi/v1/margin/transfer")).json
        assert [(each["txId"], each["type"]) for each in said["rows"]] == [
            (out, "ROLL_OUT"),
            (into, "ROLL_IN"),
        ]
        assert said["rows"][0]["transFrom"] == "CROSS_MARGIN"
        said = (await bot.signed("GET", "/sapi/v1/margin/transfer", type="ROLL_IN")).json
        assert said["total"] == 1
        said = await bot.signed("GET", "/sapi/v1/margin/transfer", isolatedSymbol="ETHUSDT")
        assert [each["toSymbol"] for each in said.json["rows"]] == ["ETHUSDT"]
        said = await bot.signed("GET", "/sapi/v1/futures/transfer", asset="USDT")
        assert [(each["tranId"], each["type"]) for each in said.json["rows"]] == [(ahead, "1")]
        said = await bot.signed("GET", "/sapi/v1/margin/isolated/transfer", symbol="ETHUSDT")
        assert [(each["txId"], each["transTo"]) for each in said.json["rows"]] == [
            (pair, "ISOLATED_MARGIN")
        ]


async def test_a_key_without_the_permission_moves_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        made_key = rig.doors.keys.create(bot.trader.account_id, permissions=["read", "trade"])
        bot.trader.key, bot.trader.secret = made_key.key, made_key.secret
        answer = await bot.signed("POST", TRANSFER, type="MAIN_MARGIN", asset="USDT", amount="1")
        assert (answer.status, answer.json["code"]) == (401, -2015)


async def test_a_transfer_weighs_on_the_account(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        answer = await bot.signed("POST", TRANSFER, type="MAIN_MARGIN", asset="USDT", amount="1")
        assert answer.headers["X-SAPI-USED-UID-WEIGHT-1M"] == "900"


def test_postings_of_one_command_are_one_transfer() -> None:
    def row(n: int, wallet: str, change: int, seq: int) -> LedgerRow:
        return LedgerRow(7, n, wallet, "USDT", change, 0, "transfer", 0, 50, seq)

    rows = [row(1, "spot", -5, 9), row(2, "perp", 5, 9), row(3, "spot", 4, 10)]
    # The second's other half is outside the span: it is no transfer to tell of.
    assert made(rows) == [Moved(9, 50, "spot", "perp", "USDT", 5)]
