"""Borrowing and repaying on spot margin through the Binance door."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.exchange.gateway.binance.accounts.money import borrowed, moved, refused_code
from tests.exchange.gateway.binance.binance_rig import Bot, bot_of
from tests.exchange.gateway.rig import running

LOAN = "/sapi/v1/margin/borrow-repay"


async def owed(bot: Bot) -> Decimal:
    """What of USDT is owed in cross margin."""
    said = (await bot.signed("GET", "/sapi/v1/margin/account")).json
    (usdt,) = [each for each in said["userAssets"] if each["asset"] == "USDT"]
    return Decimal(usdt["borrowed"]) + Decimal(usdt["interest"])


async def test_what_is_borrowed_can_be_repaid_with_its_interest(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_MARGIN", "1000")
        taken = await borrowed(bot, "USDT", "300")
        debt = await owed(bot)
        assert debt > 300  # The first hour's interest is charged at once.
        fields = {"type": "REPAY", "asset": "USDT", "amount": str(debt)}
        paid = (await bot.signed("POST", LOAN, **fields)).json["tranId"]
        assert paid > taken
        assert await owed(bot) == 0
        assert not rig.doors.engine.risk.accounts[bot.trader.account_id].loans
        (loan,) = (await bot.signed("GET", LOAN, type="BORROW")).json["rows"]
        assert (loan["txId"], loan["principal"], loan["status"]) == (
            taken,
            "300.00000000",
            "CONFIRMED",
        )
        assert "isolatedSymbol" not in loan
        said = (await bot.signed("GET", LOAN, type="REPAY", asset="USDT")).json
        (repaid,) = said["rows"]
        assert repaid["txId"] == paid
        assert Decimal(repaid["amount"]) == debt
        assert Decimal(repaid["interest"]) == debt - 300


async def test_a_loan_of_a_pair_is_listed_under_it_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_ISOLATED_MARGIN", "1000", toSymbol="BTCUSDT")
        taken = await borrowed(bot, "USDT", "100", isIsolated="TRUE", symbol="BTCUSDT")
        said = await bot.signed("GET", LOAN, type="BORROW", isolatedSymbol="BTCUSDT")
        (loan,) = said.json["rows"]
        assert (loan["txId"], loan["isolatedSymbol"]) == (taken, "BTCUSDT")
        said = await bot.signed("GET", LOAN, type="BORROW")
        assert said.json == {"total": 0, "rows": []}


async def test_older_clients_borrow_and_repay_by_their_own_paths(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_MARGIN", "1000")
        loan = await bot.signed("POST", "/sapi/v1/margin/loan", asset="USDT", amount="300")
        repay = await bot.signed("POST", "/sapi/v1/margin/repay", asset="USDT", amount="100")
        said = (await bot.signed("GET", "/sapi/v1/margin/loan", asset="USDT")).json
        assert [each["txId"] for each in said["rows"]] == [loan.json["tranId"]]
        tran_id = repay.json["tranId"]
        said = (await bot.signed("GET", "/sapi/v1/margin/repay", asset="USDT", txId=tran_id)).json
        assert [each["amount"] for each in said["rows"]] == ["100.00000000"]
        said = (await bot.signed("GET", "/sapi/v1/margin/repay", asset="USDT", txId=1)).json
        assert said["total"] == 0


async def test_the_most_that_may_be_borrowed_is_lent_and_no_more(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_MARGIN", "1000")
        said = (await bot.signed("GET", "/sapi/v1/margin/maxBorrowable", asset="USDT")).json
        beyond = Decimal(said["amount"]) + Decimal("0.00000001")
        fields = {"type": "BORROW", "asset": "USDT", "amount": str(beyond)}
        assert await refused_code(bot, "POST", LOAN, **fields) == -3006
        await borrowed(bot, "USDT", said["amount"])
        limit = rig.doors.engine.risk.assets["USDT"].borrow_limit_minor
        assert Decimal(said["borrowLimit"]) == Decimal(limit) / 10**8


async def test_the_most_that_may_be_taken_out_leaves_and_no_more(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_MARGIN", "1000")
        await borrowed(bot, "USDT", "400")
        said = (await bot.signed("GET", "/sapi/v1/margin/maxTransferable", asset="USDT")).json
        most = Decimal(said["amount"])
        assert 0 < most < 1_000
        more = {"type": "MARGIN_MAIN", "asset": "USDT", "amount": str(most + Decimal("0.00000001"))}
        assert await refused_code(bot, "POST", "/sapi/v1/asset/transfer", **more) == -3020
        await moved(bot, "MARGIN_MAIN", str(most))
        no_pair = {"asset": "ETH", "isolatedSymbol": "BTCUSDT"}
        target = "/sapi/v1/margin/maxTransferable"
        assert await refused_code(bot, "GET", target, **no_pair) == -3027


async def test_what_cannot_be_lent_or_repaid_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await moved(bot, "MAIN_MARGIN", "1000")

        async def code(**fields: str) -> int:
            return await refused_code(bot, "POST", LOAN, **fields)

        assert await code(type="REPAY", asset="USDT", amount="1") == -3015
        await borrowed(bot, "USDT", "100")
        assert await code(type="REPAY", asset="USDT", amount="101") == -3015
        assert await code(type="BORROW", asset="XYZ", amount="1") == -3027
        assert await code(type="LEND", asset="USDT", amount="1") == -1130
        assert await code(asset="USDT", amount="1") == -1102
        assert await code(type="BORROW", asset="USDT", amount="-1") == -1102
        pair = {"isIsolated": "TRUE", "symbol": "BTCUSDT"}
        assert await code(type="BORROW", asset="USDT", amount="1", **pair) == -11001
        assert await code(type="BORROW", asset="USDT", amount="1", isIsolated="TRUE") == -1102


async def test_an_empty_pool_lends_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        risk = rig.doors.engine.risk
        most = risk.assets["USDT"].pool_capital_minor // 10**8 + 1
        fields = {"type": "BORROW", "asset": "USDT", "amount": str(most)}
        assert await refused_code(bot, "POST", LOAN, **fields) == -3045
