"""ccxt moves money to and from futures here unchanged, and reads what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients.ccxt_drivers import Library
from tests.exchange.gateway.binance.clients.ccxt_futures import (
    LINEAR,
    Futures,
    by_each,
    ccxt_futures,
    funded,
)
from tests.exchange.gateway.binance.clients.venue import Venue, venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR_MS = 3_600_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Venue]:
    async with venue(tmp_path_factory.mktemp("venue")) as found:
        yield found


@by_each
async def test_transfers_between_spot_and_futures(
    market: Venue, futures: Futures, library: Library
) -> None:
    coin, wallet = futures.settle, futures.account
    async with ccxt_futures(futures, library, await funded(market)) as client:
        total = (await client.fetch_balance())[coin]["total"]
        out = await client.transfer(coin, 2, wallet, "spot")
        assert out["currency"] == coin
        assert (await client.fetch_balance())[coin]["total"] == total - 2
        back = await client.transfer(coin, 1, "spot", wallet)
        assert (await client.fetch_balance())[coin]["total"] == total - 1
        await market.kept()
        (past,) = await client.fetch_transfers(
            coin, None, None, {"fromAccount": wallet, "toAccount": "spot"}
        )
        assert (past["id"], past["amount"], past["status"]) == (out["id"], 2, "ok")
        (past,) = await client.fetch_transfers(
            coin, None, None, {"fromAccount": "spot", "toAccount": wallet}
        )
        assert past["id"] == back["id"]


@by_each
async def test_funding_income_and_ledger(market: Venue, futures: Futures, library: Library) -> None:
    symbol, qty = futures.unified, futures.qty
    async with ccxt_futures(futures, library, await funded(market)) as client:
        await client.create_order(symbol, "market", "buy", qty)
        now_ms = market.rig.doors.board.time_ms
        await market.pass_time(8 * HOUR_MS - now_ms % (8 * HOUR_MS))
        await client.create_order(symbol, "market", "sell", qty)
        await market.kept()
        (paid,) = await client.fetch_funding_history(symbol)
        rates = await client.fetch_funding_rate_history(symbol, paid["timestamp"])
        mark, rate = float(rates[0]["info"]["markPrice"]), rates[0]["fundingRate"]
        notional = qty * mark if futures is LINEAR else qty * 100 / mark
        # The long pays a rate above zero (P9, P10).
        assert paid["amount"] == pytest.approx(-notional * rate, abs=1e-6)
        entries = await client.fetch_ledger(futures.settle)
        types = [each["info"]["incomeType"] for each in entries]
        # Two fees, what was lost between 50,010 and 49,990, the funding, and the faucet before.
        assert types.count("COMMISSION") == 2
        assert types.count("REALIZED_PNL") == 1
        assert types.count("FUNDING_FEE") == 1
        lost = next(each for each in entries if each["info"]["incomeType"] == "REALIZED_PNL")
        assert (lost["direction"], lost["currency"]) == ("out", futures.settle)
        assert (await client.fetch_my_liquidations(symbol)) == []


@by_each
async def test_nothing_was_ever_deposited_or_withdrawn(
    market: Venue, futures: Futures, library: Library
) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        assert await client.fetch_deposits() == []
        assert await client.fetch_withdrawals() == []


@by_each
async def test_fees_of_moving_money_out(market: Venue, futures: Futures, library: Library) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        fees = await client.fetch_deposit_withdraw_fees()
        assert fees["BTC"]["withdraw"]["fee"] == 0
        assert (await client.fetch_deposit_withdraw_fee("BTC")) == fees["BTC"]
        moved = await client.fetch_transaction_fees()
        assert moved["withdraw"]["USDT"] == {"PAPER": 0}
        assert (await client.fetch_transaction_fee("USDT"))["withdraw"] == moved["withdraw"]


@by_each
async def test_a_cross_loan_is_taken_and_repaid_beside_contracts(
    market: Venue, futures: Futures, library: Library
) -> None:
    async with ccxt_futures(futures, library, await funded(market)) as client:
        await client.transfer("USDT", 1_000, "spot", "margin")
        loan = await client.borrow_cross_margin("USDT", 500)
        assert (loan["currency"], bool(loan["id"])) == ("USDT", True)
        await market.pass_time(HOUR_MS)
        await market.kept()
        interests = await client.fetch_borrow_interest("USDT")
        assert interests[-1]["currency"] == "USDT"
        repaid = await client.repay_cross_margin("USDT", 500)
        assert int(repaid["id"]) > int(loan["id"])
        rate = await client.fetch_cross_borrow_rate("USDT")
        assert 0 < rate["rate"] < 0.01
        (day, *_) = await client.fetch_borrow_rate_history("USDT")
        assert day["currency"] == "USDT"
        rates = await client.fetch_isolated_borrow_rates()
        # On COIN-M ccxt knows no pair by that name, and leaves it as it is.
        assert ("BTC/USDT:USDT" if futures is LINEAR else "BTCUSDT") in rates


async def test_an_isolated_loan_is_taken_and_repaid_beside_contracts(market: Venue) -> None:
    symbol = LINEAR.unified
    async with ccxt_futures(LINEAR, "ccxt.async_support", await funded(market)) as client:
        # Money that comes there opens the pair's account.
        await client.transfer("USDT", 1_000, "spot", "isolated", {"symbol": symbol})
        loan = await client.borrow_isolated_margin(symbol, "USDT", 500)
        repaid = await client.repay_isolated_margin(symbol, "USDT", 500)
        assert int(repaid["id"]) > int(loan["id"])
        assert (await client.fetch_isolated_borrow_rate(symbol))["quoteRate"] > 0
