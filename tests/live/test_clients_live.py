"""The sample clients against the exchange itself: bots, broken connections, restarts."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from clients.api import Papertape
from clients.local_book import LocalBook
from tests.live.exchanges import ADMIN_KEY, Exchange, serving

# A living market, twenty times as fast as life; nobody is slowed down by limits.
MARKET = """
[limits]
weight_per_minute = 0
orders_per_10_seconds = 0
orders_per_day = 0
messages_per_second = 0
"""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A living market, shared: what one test trades there does not disturb another."""
    flags = ("--ephemeral", "--speed", "20", "--seed", "3")
    folder = tmp_path_factory.mktemp("market")
    with serving(folder, *flags, config=MARKET, data=None) as exchange:
        yield exchange


async def opened(url: str) -> tuple[str, str]:
    """A new account's key and secret."""
    async with Papertape(url) as nobody:
        account = await nobody.open_account("test")
    return account.api_key, account.api_secret


async def eventually(holds: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Ask until the answer is not empty; the test's own time limit is the end of patience."""
    while not (answer := await holds()):  # noqa: ASYNC110 - another process sets no event
        await asyncio.sleep(0.05)
    return answer


# -- bots --------------------------------------------------------------------------------------

EAGER = {
    "market-maker": ["spread_bps=1", "notional=500"],
    "noise": ["taking_percent=100"],
    "momentum": ["threshold_bps=0.1", "quick_ms=500", "slow_ms=2000"],
    "basis": ["entry_bps=-50", "exit_bps=-90"],
}


@pytest.mark.parametrize("name", EAGER)
async def test_a_bot_trades_and_leaves_no_order_and_a_clean_audit(
    market: Exchange, name: str
) -> None:
    key, secret = await opened(market.url)
    settings = [word for setting in EAGER[name] for word in ("--set", setting)]
    bot = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exchange", "bots", "run", name, "--url", market.url, "--json"),
        *("--key", key, "--secret", secret, *settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with Papertape(market.url, key, secret) as pt:
        await eventually(pt.fills)
        bot.send_signal(signal.SIGTERM)
        out, err = await bot.communicate()
        assert (bot.returncode, err) == (0, b"")
        tally = json.loads(out)
        assert tally["fills"] >= 1
        assert tally["connections"] == 1
        assert await pt.orders() == []
        volume = sum(Decimal(fill.quote) for fill in await pt.fills(limit=1000))
        assert Decimal(tally["volume"]) == volume
        audit = await pt.audit()
        assert (audit.ok, audit.violations) == (True, [])


# -- connections that break --------------------------------------------------------------------


class Wire:
    """A stretch of wire between a client and the exchange, which can be cut."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.host, self.port = parts.hostname, parts.port
        self.url = ""
        self.cuts = 0
        self._ends: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[Wire]:
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        """Both ends of every connection are gone, with what was on its way."""
        self.cuts += 1
        for end in list(self._ends):
            end.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(self.host, self.port)
        self._ends |= {writer, there_writer}
        both = (self._carry(reader, there_writer), self._carry(there_reader, writer))
        await asyncio.gather(*both)
        self._ends -= {writer, there_writer}

    @staticmethod
    async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


async def test_over_a_wire_that_is_cut_nothing_is_missed_and_nothing_done_twice(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, "--ephemeral", data=None) as exchange:
        await cut_while_placing(exchange)


async def cut_while_placing(exchange: Exchange) -> None:
    key, secret = await opened(exchange.url)
    async with Wire(exchange.url).laid() as wire, Papertape(wire.url, key, secret) as pt:
        events = pt.subscribe("orders", "ledger", "balances")
        account = await anext(events)
        assert account.channel == "account"
        placed = []
        for number in range(60):
            asking = asyncio.create_task(
                pt.place("BTC-USDT", "buy", "0.001", price=10_000 + number)
            )
            if number % 12 == 6:
                await asyncio.sleep(0)  # Let the order be on its way.
                wire.cut()
            placed.append((await asking).order.order_id)
        told: list[int] = []
        numbers = [account.seq]
        while len(told) < len(placed):
            event = await anext(events)
            numbers.append(event.seq)
            if event.channel == "orders":
                told.append(event.data.order_id)
        assert told == placed
        assert len(set(placed)) == 60
        # Every private event but those of the channels not held; here, none is of such a one.
        assert numbers == list(range(account.seq, account.seq + len(numbers)))
        assert wire.cuts == 5
        assert pt.connections > 1
        assert len(await pt.orders(limit=1000)) == 60
        assert len(await pt.cancel_all()) == 60


async def test_a_local_book_stays_the_exchanges_own_over_cuts(market: Exchange) -> None:
    async with Wire(market.url).laid() as wire, Papertape(wire.url) as pt:
        book = LocalBook("BTC-USDT")
        events = pt.subscribe("book.BTC-USDT")
        for round_number in range(3):
            for _ in range(20):
                book.apply((await anext(events)).data)
                book.check()
            wire.cut()
            assert wire.cuts == round_number + 1
        # Follow until the book stands where a snapshot of the exchange does.
        async with Papertape(market.url) as other:
            while True:
                said = await other.book("BTC-USDT", limit=50)
                while book.last_id < said.last_id:
                    book.apply((await anext(events)).data)
                if book.last_id == said.last_id:  # It may have moved on by a group of changes.
                    break
        assert book.bids(50) == [(Decimal(p), Decimal(q)) for p, q in said.bids]
        assert book.asks(50) == [(Decimal(p), Decimal(q)) for p, q in said.asks]


async def test_after_the_exchange_was_killed_and_started_again_the_client_goes_on(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as first:
        key, secret = await opened(first.url)
        port = str(urlsplit(first.url).port)
        async with Papertape(first.url, key, secret) as pt:
            events = pt.subscribe("orders")
            await anext(events)
            before = await pt.place("BTC-USDT", "buy", "0.001", price="40000")
            assert (await anext(events)).data.order_id == before.order.order_id
            first.kill()
            with serving(tmp_path, "--port", port) as second:
                assert second.url == first.url
                after = await pt.place("BTC-USDT", "buy", "0.001", price="40001")
                # It resumes, or is told that it cannot and begins from the account as it stands.
                event = await anext(events)
                if event.channel == "account":
                    assert event.data.account_id > 0
                    told = {order.order_id for order in await pt.orders()}
                    assert told == {before.order.order_id, after.order.order_id}
                else:
                    assert event.data.order_id == after.order.order_id
                assert pt.connections == 2


# -- money that time costs ---------------------------------------------------------------------


async def test_interest_and_funding_arrive_as_they_fall_due(tmp_path: Path) -> None:
    with serving(tmp_path, "--ephemeral", "--speed", "2", data=None) as exchange:
        maker, taker = [await opened(exchange.url) for _ in range(2)]
        async with (
            Papertape(exchange.url, *maker) as other,
            Papertape(exchange.url, *taker, admin_key=ADMIN_KEY) as pt,
        ):
            events = pt.subscribe("margin")
            await anext(events)
            await pt.set_clock(pause=True)
            await pt.transfer("spot", "margin", "USDT", 1_000)
            await pt.borrow("margin", "USDT", 1_000)
            # Only a book with two sides has a premium, and so a funding rate.
            await other.place("BTC-USDT-PERP", "sell", "5", price="50005", leverage=20)
            await other.place("BTC-USDT-PERP", "buy", "5", price="49995")
            await pt.place("BTC-USDT-PERP", "buy", "0.1", leverage=10)
            await pt.set_clock(step_ms=8 * 3_600_000)
            notices: dict[str, list[Any]] = {"interest": [], "funding": []}
            while len(notices["interest"]) < 9 or not notices["funding"]:
                said = (await anext(events)).data
                if said.notice in notices:
                    notices[said.notice].append(said)
            # An hour at the moment of borrowing and one at each of eight tops of the hour.
            assert {say.principal for say in notices["interest"]} == {"1000"}
            hourly = Decimal(notices["interest"][0].rate)
            assert Decimal(notices["interest"][8].interest) == 9 * 1000 * hourly
            (funding, *_) = notices["funding"]
            # The long pays: 0.1 x mark x rate, rounded to the payer's loss.
            owed = Decimal("0.1") * Decimal(funding.mark) * Decimal(funding.rate)
            assert 0 <= -Decimal(funding.amount) - owed < Decimal("0.00000001")
            assert owed > 0
