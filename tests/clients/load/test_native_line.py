"""Tests of a line that speaks the exchange's own protocol, over real sockets."""

import msgspec
import pytest

from clients.errors import PapertapeError
from clients.load.driver import WallTimer
from clients.load.line import connect
from clients.load.native_line import NativeLine, SlowReader
from clients.signing import Signer
from tests.clients.fake_exchange import KEY, FakeExchange, Refused, eventually
from tests.clients.load.lines import blank, line_to, order, socket_of


async def test_a_line_logs_in_sends_and_tells_the_record(exchange: FakeExchange) -> None:
    record = blank()
    line = await line_to(exchange, record)
    item, text = order(1)
    record.send(1, item, 0)
    assert line.send(text)
    await eventually(lambda: record.done)
    assert exchange.orders[1].price == "49750"
    exchange.refuse["order.place"] = Refused("MAX_ORDERS")
    item, text = order(2)
    record.send(2, item, 0)
    assert line.send(text)
    await eventually(lambda: record.refused)
    assert record.errors["place"] == {"MAX_ORDERS": 1}
    await line.close()
    assert not line.send(text)
    assert not record.lost  # We hung up, not they.


async def test_pushes_are_counted_and_are_no_answers(exchange: FakeExchange) -> None:
    record = blank()
    line = await line_to(exchange, record)
    result = await line.ask("subscribe", channels=["bbo.BTC-USDT"])
    assert msgspec.json.decode(result) == {"channels": ["bbo.BTC-USDT"]}
    await exchange.say("bbo.BTC-USDT", {"symbol": "BTC-USDT"})
    await eventually(lambda: record.pushes)
    assert (record.pushes, record.answered) == (1, 0)
    assert record.push_bytes > 20
    await line.close()


async def test_a_refused_login_says_why(exchange: FakeExchange) -> None:
    line = await connect(socket_of(exchange), lambda: NativeLine(blank(), WallTimer()))
    with pytest.raises(PapertapeError, match="BAD_SIGNATURE"):
        await line.login(Signer(KEY, "another secret"))
    await line.close()


async def test_a_slow_reader_is_a_line_too(exchange: FakeExchange) -> None:
    reader = await connect(socket_of(exchange), lambda: SlowReader(blank(), WallTimer()))
    with pytest.raises(PapertapeError, match="BAD_SIGNATURE"):
        await reader.login(Signer(KEY, "another secret"))
    await reader.close()


def test_a_refusal_without_an_error_is_still_one() -> None:
    record = blank()
    item, _ = order(1)
    record.send(1, item, 0)
    NativeLine(record, WallTimer())._hear(b'{"id":1,"ok":false}', 5)
    assert record.errors["place"] == {"MALFORMED_REPLY": 1}
