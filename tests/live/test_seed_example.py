"""The example that every introduction to leverage gives, through the public API of a real server.

1,000 of one's own and 9,000 borrowed, ten times leverage: +5 % makes 1,500 of it, -5 % leaves 500,
before costs. With costs it is V82, on both books.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from clients.api import Papertape
from exchange.config import Config, Limits, Market, Server, Storage
from exchange.server import start

ADMIN = "admin-of-the-test"
PAIR, PERP = "BTC-USDT", "BTC-USDT-PERP"
WALLET = f"isolated:{PAIR}"
HOUR_MS = 3_600_000


@dataclass
class Stage:
    """A still market: who moves its clock and its price, a maker, and the one who practises."""

    admin: Papertape
    maker: Papertape
    person: Papertape

    async def price(self, text: str) -> None:
        """The index goes there, and the maker quotes both books there."""
        await self.maker.cancel_all()
        await self.admin.set_index(PAIR, text)
        for symbol in (PAIR, PERP):
            for side in ("buy", "sell"):
                price = Decimal(text) + (Decimal("-0.1") if side == "buy" else 0)
                await self.maker.place(symbol, side, "5", price=price)

    async def pass_hours(self, hours: int) -> None:
        """Exchange time moves on, and everything that falls due does."""
        await self.admin.set_clock(step_ms=hours * HOUR_MS)


@asynccontextmanager
async def a_stage(tmp_path: Path, spot_fee: str) -> AsyncIterator[Stage]:
    """A server of its own, with prices that only the administrator moves."""
    config = Config(
        speed=0.0,
        server=Server(port=0, fast_port=0, admin_key=ADMIN),
        market=Market(
            prices="fixed",
            agents=False,
            symbols=(PAIR, PERP),
            spot_fee="quote" if spot_fee == "quote" else "received",
        ),
        storage=Storage(data=str(tmp_path / "data")),
        limits=Limits(messages_per_second=0),
    )
    running = await start(config)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(running.stop)
        url = running.opened.url
        admin = await stack.enter_async_context(Papertape(url, admin_key=ADMIN))
        people = []
        for label in ("maker", "person"):
            opened = await admin.open_account(label)
            client = Papertape(url, opened.api_key, opened.api_secret)
            people.append(await stack.enter_async_context(client))
        stage = Stage(admin, *people)
        await admin.set_clock(step_ms=1_000)
        await stage.maker.faucet("spot", "BTC", "100")
        await stage.maker.faucet("spot", "USDT", "10000000")
        await stage.maker.faucet("perp", "USDT", "10000000")
        await stage.price("50000")
        yield stage


async def _borrow_and_buy(stage: Stage) -> None:
    """1,000 of one's own, a loan of 9,000, and 10,000 of BTC for it."""
    await stage.person.transfer("spot", WALLET, "USDT", "1000")
    await stage.person.borrow(WALLET, "USDT", "9000")


async def _equity(stage: Stage) -> Decimal:
    """Assets less debt of the isolated wallet, in USDT at the index."""
    account = await stage.person.account()
    (margin,) = [each for each in account.margins if each.wallet == WALLET]
    return Decimal(margin.assets) - Decimal(margin.debt)


@pytest.mark.parametrize(("price", "left"), [("52500", 1500), ("47500", 500)])
async def test_ten_times_leverage_makes_five_percent_fifty(
    tmp_path: Path, price: str, left: int
) -> None:
    """0.2 BTC at 50,000 is 10,000. At 52,500 it is 10,500, less 9,000 owed: 1,500. At 47,500: 500.

    Costs are told apart: the fee of 0.0002 BTC and one hour's interest of 0.09 are what is missing.
    """
    async with a_stage(tmp_path, "received") as stage:
        await _borrow_and_buy(stage)
        placed = await stage.person.place(PAIR, "buy", "0.2", margin="isolated")
        assert Decimal(placed.order.filled_quote) == 10_000
        await stage.price(price)
        costs = Decimal("0.0002") * Decimal(price) + Decimal("0.09")
        assert await _equity(stage) + costs == left
        assert (await stage.admin.audit()).ok


async def test_v82_spot_a_day_of_leverage_costs_interest_and_two_fees(tmp_path: Path) -> None:
    """9,000 at 0.001 % an hour, 25 charges: 2.25. Fees of 0.1 % in quote on 10,000 and 10,500:
    20.50. Of the 500 that +5 % made 477.25 are left.

    The fee to buy is charged on top of the 10,000, from 10 more of one's own.
    """
    async with a_stage(tmp_path, "quote") as stage:
        await _borrow_and_buy(stage)
        await stage.person.transfer("spot", WALLET, "USDT", "10")
        await stage.person.place(PAIR, "buy", "0.2", margin="isolated")
        await stage.pass_hours(24)
        await stage.price("52500.1")
        sold = await stage.person.place(PAIR, "sell", "0.2", margin="isolated")
        assert Decimal(sold.order.filled_quote) == 10_500
        repaid = await stage.person.repay(WALLET, "USDT")
        assert Decimal(repaid.repaid_interest) == Decimal("2.25")
        assert await _equity(stage) == 1_010 + Decimal("477.25")
        pnl = await stage.person.pnl()
        assert (pnl.price, pnl.fees, pnl.interest) == ("500", "-20.5", "-2.25")


async def test_v82_perpetual_a_day_of_leverage_costs_funding_and_two_fees(tmp_path: Path) -> None:
    """Three fundings of 0.01 % on 10,000: 3.00. Fees of 0.05 % on 10,000 and 10,500: 10.25. Of the
    500 that +5 % made 486.75 are left.

    The maker quotes at the mark, so the premium is nothing and the rate is the interest alone.
    """
    async with a_stage(tmp_path, "received") as stage:
        await stage.person.set_leverage(PERP, 10)
        placed = await stage.person.place(PERP, "buy", "0.2")
        assert Decimal(placed.order.filled_quote) == 10_000
        await stage.pass_hours(24)
        await stage.price("52500.1")
        await stage.person.place(PERP, "sell", "0.2", reduce_only=True)
        pnl = await stage.person.pnl()
        assert (pnl.price, pnl.fees, pnl.funding) == ("500", "-10.25", "-3")
        (wallet,) = [
            each
            for each in (await stage.person.account()).balances
            if (each.wallet, each.asset) == ("perp", "USDT")
        ]
        assert Decimal(wallet.total) == 100_000 + Decimal("486.75")
