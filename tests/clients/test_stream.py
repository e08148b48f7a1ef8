"""Tests of the connection that reconnects and resumes, against a small exchange."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice

import pytest

from clients import stream as stream_module
from clients.channels import Event
from clients.errors import PapertapeError
from clients.signing import Signer
from clients.stream import LAST_DELAY_S, Stream, Subscription, delays
from tests.clients.fake_exchange import KEY, SECRET, FakeExchange
from tests.clients.wire_samples import open_order


@asynccontextmanager
async def connected(exchange: FakeExchange, secret: str = SECRET) -> AsyncIterator[Stream]:
    url = exchange.url.replace("http", "ws", 1) + "/v1/ws"
    stream = Stream(url, Signer(KEY, secret), random.Random(1))
    try:
        yield stream
    finally:
        await stream.close()


async def heard(reader: Subscription, count: int) -> list[Event]:
    return [await anext(reader) for _ in range(count)]


def test_the_waits_double_to_a_ceiling_and_are_never_quite_equal() -> None:
    waits = list(islice(delays(random.Random(1)), 12))
    ceilings = [min(0.1 * 2**n, LAST_DELAY_S) for n in range(12)]
    assert all(c / 2 <= wait <= c for wait, c in zip(waits, ceilings, strict=True))
    assert waits != list(islice(delays(random.Random(2)), 12))


async def test_a_request_is_answered(exchange: FakeExchange) -> None:
    async with connected(exchange) as stream:
        answer = await stream.request("account.get", {})
    assert answer.error is None
    assert b'"account_id":100' in answer.result


async def test_a_wrong_secret_fails_every_request_and_subscription(exchange: FakeExchange) -> None:
    async with connected(exchange, secret="wrong") as stream:
        reader = stream.subscribe(["orders"])
        with pytest.raises(PapertapeError, match="BAD_SIGNATURE"):
            await stream.request("account.get", {})
        with pytest.raises(PapertapeError, match="BAD_SIGNATURE"):
            await anext(reader)


async def test_where_nobody_listens_the_first_request_fails() -> None:
    stream = Stream("ws://127.0.0.1:1/v1/ws", None)
    with pytest.raises(PapertapeError, match="UNREACHABLE"):
        await stream.request("account.get", {})
    await stream.close()


async def test_of_several_doors_one_that_answers_is_enough(exchange: FakeExchange) -> None:
    door = exchange.url.replace("http", "ws", 1) + "/v1/ws"
    away = "ws://127.0.0.1:1/v1/ws"
    stream = Stream(away, Signer(KEY, SECRET), random.Random(1), others=[away, door])
    assert (await stream.request("account.get", {})).error is None
    await exchange.break_all()  # It goes round, past those that are away, and comes back.
    assert (await stream.request("account.get", {})).error is None
    assert (stream.connections, stream.url) == (2, door)
    await stream.close()


async def test_where_no_door_answers_the_first_request_fails() -> None:
    away = "ws://127.0.0.1:1/v1/ws"
    stream = Stream(away, None, random.Random(1), others=[away])
    with pytest.raises(PapertapeError, match="UNREACHABLE"):
        await stream.request("account.get", {})
    await stream.close()


async def test_a_request_in_flight_at_a_break_is_done_once(exchange: FakeExchange) -> None:
    exchange.break_before_reply.append("faucet")
    async with connected(exchange) as stream:
        fields = {"wallet": "spot", "asset": "USDT", "amount": "5", "client_id": "f1"}
        answer = await stream.request("faucet", fields)
        assert (answer.error, answer.again) == (None, True)
        assert stream.connections == 2
    assert exchange.ops().count("faucet") == 2
    # 100,000 at first and 5 once, though it was asked for twice.
    assert exchange.balances["spot", "USDT"] == 100_005


async def test_private_events_survive_breaks_without_gap_or_repetition(
    exchange: FakeExchange,
) -> None:
    async with connected(exchange) as stream:
        reader = stream.subscribe(["orders", "book.BTC-USDT"])
        first = await heard(reader, 2)
        assert {event.channel for event in first} == {"account", "book.BTC-USDT"}
        for number in range(1, 31):
            await exchange.tell("orders", open_order(number, "BTC-USDT", "buy", "1", "1"))
            if number % 10 == 5:  # Broken before what was just told could be read, perhaps.
                await exchange.break_all()
        seen: list[int] = []
        books = 0
        while len(seen) < 30:
            event = await anext(reader)
            books += event.channel == "book.BTC-USDT"
            if event.channel == "orders":
                seen.append(event.data.order_id)
        assert seen == list(range(1, 31))
        assert stream.connections >= 2
        assert books >= 1


async def test_a_second_reader_of_a_book_begins_with_a_snapshot(exchange: FakeExchange) -> None:
    async with connected(exchange) as stream:
        first = stream.subscribe(["book.BTC-USDT"])
        await heard(first, 1)
        await exchange.move("BTC-USDT", "50010")
        await heard(first, 1)
        (event,) = await heard(stream.subscribe(["book.BTC-USDT"]), 1)
        assert event.data.last_id == 2
        assert event.data.bids[0] == ("50009", "1.5")
    assert exchange.ops().count("subscribe") == 1


async def test_a_reader_who_leaves_is_unsubscribed(exchange: FakeExchange) -> None:
    async with connected(exchange) as stream:
        first, second = (stream.subscribe(["trades.BTC-USDT"]) for _ in range(2))
        await stream.request("account.get", {})
        first.close()
        await stream.request("account.get", {})
        assert exchange.lines[0].channels == ["trades.BTC-USDT"]
        second.close()
        await stream.request("account.get", {})
        assert exchange.lines[0].channels == []
        assert [event async for event in first] == []


async def test_an_unknown_channel_is_an_error_at_its_reader_alone(exchange: FakeExchange) -> None:
    async with connected(exchange) as stream:
        good, bad = stream.subscribe(["book.BTC-USDT"]), stream.subscribe(["book.NOPE"])
        with pytest.raises(PapertapeError, match="UNKNOWN_CHANNEL"):
            await anext(bad)
        assert (await anext(good)).channel == "book.BTC-USDT"


async def test_a_reader_who_does_not_read_is_told_so(
    exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "EVENTS_WAITING_MAX", 3)
    async with connected(exchange) as stream:
        slow = stream.subscribe(["trades.BTC-USDT"])
        await stream.request("account.get", {})
        for _ in range(4):
            await exchange.say("trades.BTC-USDT", TRADE)
        await stream.request("account.get", {})
        with pytest.raises(PapertapeError, match="SLOW_READER"):
            await anext(slow)


TRADE = {
    "trade_id": 1,
    "symbol": "BTC-USDT",
    "price": "1",
    "qty": "1",
    "taker_side": "buy",
    "time": 1,
}


async def test_what_has_come_can_be_read_without_waiting(exchange: FakeExchange) -> None:
    async with connected(exchange) as stream:
        reader = stream.subscribe(["trades.BTC-USDT"])
        await stream.request("account.get", {})
        for _ in range(2):
            await exchange.say("trades.BTC-USDT", TRADE)
        await stream.request("account.get", {})
        assert [event.data.trade_id for event in reader.waiting()] == [1, 1]
        assert reader.waiting() == []


async def test_closing_ends_readers_and_fails_what_waits(exchange: FakeExchange) -> None:
    async with connected(exchange) as stream:
        reader = stream.subscribe(["trades.BTC-USDT"])
        await stream.request("account.get", {})
        reading = asyncio.create_task(anext(reader, None))
        await stream.close()
        assert await reading is None
        with pytest.raises(PapertapeError, match="CLOSED"):
            await stream.request("account.get", {})
