"""Tests of lines, whatever they speak: how they end, who dawdles, who is not there."""

import asyncio
from contextlib import suppress

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from clients.errors import PapertapeError
from clients.load.driver import WallTimer
from clients.load.line import connect
from clients.load.native_line import NativeLine, SlowReader
from tests.clients.fake_exchange import FakeExchange, eventually
from tests.clients.load.lines import blank, line_to, order, socket_of


async def test_a_line_that_the_exchange_closes_is_told_by_its_code(exchange: FakeExchange) -> None:
    record = blank()
    line = await line_to(exchange, record)
    await exchange.break_all()  # With 1012: service restart.
    await eventually(lambda: line.closed_with)
    assert line.closed_with == "1012"
    assert record.lost == {"1012": 1}
    assert not line.send(order(1)[1])
    with pytest.raises(PapertapeError, match="CONNECTION_LOST"):
        await line.ask("account.get")


async def test_who_waits_when_the_line_breaks_is_told(exchange: FakeExchange) -> None:
    line = await line_to(exchange, blank())
    exchange.break_before_reply.append("account.get")
    with pytest.raises(PapertapeError, match="CONNECTION_LOST"):
        await line.ask("account.get")


async def test_nobody_at_the_address_is_said_in_words(unused_tcp_port: int) -> None:
    with pytest.raises(PapertapeError, match="nobody answers at ws://127"):
        await connect(
            f"ws://127.0.0.1:{unused_tcp_port}/v1/ws", lambda: NativeLine(blank(), WallTimer())
        )


async def test_a_server_that_speaks_no_websocket_is_said_in_words(exchange: FakeExchange) -> None:
    with pytest.raises(PapertapeError, match="UNREACHABLE"):
        await connect(f"{socket_of(exchange)}/nothing", lambda: NativeLine(blank(), WallTimer()))


async def test_a_slow_reader_hears_less_than_who_reads(exchange: FakeExchange) -> None:
    channel, messages, size = "trades.BTC-USDT", 500, 2_000
    quick, slow = blank(), blank()
    reader = await line_to(exchange, quick)
    await reader.ask("subscribe", channels=[channel])
    dawdler = SlowReader(slow, WallTimer())
    await connect(socket_of(exchange), lambda: dawdler)
    await dawdler.ask("subscribe", channels=[channel])
    dawdler.dawdle()
    # A megabyte: the fake exchange waits for nobody, the sockets' buffers take what is not read.
    talking = asyncio.create_task(_say_much(exchange, channel, messages, "x" * size))
    await eventually(lambda: quick.pushes == messages)
    for _ in range(50):  # Turns of the loop in which the slow one could have read on.
        await reader.ask("account.get")
    assert slow.pushes < messages
    talking.cancel()
    with suppress(asyncio.CancelledError):
        await talking
    await reader.close()
    await dawdler.close()
    assert not slow.lost


async def _say_much(exchange: FakeExchange, channel: str, messages: int, text: str) -> None:
    for _ in range(messages):
        await exchange.say(channel, text)


async def test_an_exchange_that_takes_no_more_connections_says_so() -> None:
    async def full(_: web.Request) -> web.Response:
        return web.Response(status=429, text="too many connections from this address")

    app = web.Application()
    app.router.add_get("/v1/ws", full)
    server = TestServer(app)
    await server.start_server()
    url = str(server.make_url("/v1/ws")).replace("http", "ws")
    with pytest.raises(PapertapeError, match="TOO_MANY_CONNECTIONS"):
        await connect(url, lambda: NativeLine(blank(), WallTimer()))
    await server.close()


async def test_a_message_that_is_none_ends_the_line(exchange: FakeExchange) -> None:
    record = blank()
    line = await line_to(exchange, record)
    await exchange.lines[0].socket.send_str("nonsense")
    await eventually(lambda: line.closed_with)
    assert record.lost == {"malformed message": 1}
