"""Real sockets: the same conversations through either shell."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from yarl import URL

from exchange.bounds import MESSAGE_BYTES_MAX, REQUEST_BYTES_MAX
from exchange.events import DepthChanged, OrderChanged, Traded
from exchange.gateway.calls import ApiError
from tests.exchange.events_by_hand import ACCOUNT, event
from tests.exchange.gateway.shells.doorway import SHELLS, Doorway, open_door, until

LOGIN = {"op": "login", "key": "k", "timestamp": 1, "signature": "good"}


@pytest.fixture(params=SHELLS)
async def door(request: pytest.FixtureRequest) -> AsyncIterator[Doorway]:
    async with open_door(request.param) as doorway:
        yield doorway


@pytest.mark.parametrize("packed", [False, True])
async def test_a_client_is_welcomed_and_answered(door: Doorway, packed: bool) -> None:
    async with door.client(packed) as client:
        assert client.welcome["data"]["env"] == "paper"
        reply = await client.ask(id=1, op="ping")
        assert (reply["id"], reply["ok"]) == (1, True)


async def test_a_request_reaches_the_api_and_its_result_the_client(door: Doorway) -> None:
    door.answers["order.place"] = {"order_id": 7}
    async with door.client() as client:
        await client.ask(**LOGIN)
        reply = await client.ask(id="a", op="order.place", symbol="BTC-USDT")
        assert reply == {"id": "a", "ok": True, "result": {"order_id": 7}}
    assert door.asked == [("order.place", {"symbol": "BTC-USDT"}, ACCOUNT)]


async def test_a_refusal_is_told_with_its_numbers(door: Doorway) -> None:
    door.answers["order.place"] = ApiError("INSUFFICIENT_MARGIN", "too little", {"free": "1"})
    async with door.client() as client:
        reply = await client.ask(id=1, op="order.place")
    assert reply["ok"] is False
    assert reply["error"] == {
        "code": "INSUFFICIENT_MARGIN",
        "message": "too little",
        "details": {"free": "1"},
    }


async def test_a_bug_is_reported_and_the_client_is_not_left_waiting(door: Doorway) -> None:
    door.answers["order.place"] = bug = ZeroDivisionError("a bug")
    async with door.client() as client:
        reply = await client.ask(id=1, op="order.place")
        assert reply["error"]["code"] == "BUSY"
        assert door.failures == [bug]
        assert (await client.ask(id=2, op="ping"))["ok"]


async def test_requests_sent_at_once_are_begun_in_their_order(door: Doorway) -> None:
    async with door.client() as client:
        for number in range(50):
            await client.say(id=number, op="order.cancel", number=number)
        replies = [await client.hear() for _ in range(50)]
    assert [reply["id"] for reply in replies] == list(range(50))
    assert [fields["number"] for _, fields, _ in door.asked] == list(range(50))


@pytest.mark.parametrize("packed", [False, True])
async def test_pushes_reach_who_subscribed(door: Doorway, packed: bool) -> None:
    async with door.client(packed) as client:
        await client.ask(**LOGIN)
        reply = await client.ask(op="subscribe", channels=["book.BTC-USDT", "orders"])
        assert reply["result"] == {"channels": ["book.BTC-USDT", "orders"], "seq": 0}
        assert (await client.hear())["data"]["bids"] == []
        door.happens(event(DepthChanged, bids=[(100, 5)]), event(OrderChanged, n=1))
        heard = [await client.hear(), await client.hear()]
    assert {push["ch"]: push["seq"] for push in heard} == {"book.BTC-USDT": 1, "orders": 1}


async def test_who_comes_back_resumes_where_the_connection_broke(door: Doorway) -> None:
    async with door.client() as client:
        await client.ask(**LOGIN)
        await client.ask(op="subscribe", channels=["orders"])
        door.happens(event(OrderChanged, n=1))
        last_seq = (await client.hear())["seq"]
    door.happens(event(OrderChanged, n=2), event(OrderChanged, n=3))
    async with door.client() as client:
        await client.ask(**LOGIN)
        await client.ask(op="subscribe", channels=["orders"])
        await client.say(id="r", op="resume", last_seq=last_seq)
        heard = [await client.hear() for _ in range(3)]
        door.happens(event(OrderChanged, n=4))
        heard.append(await client.hear())
    assert [message.get("seq") for message in heard] == [2, 3, None, 4]
    assert heard[2]["result"] == {"events": 2, "seq": 3}


async def test_a_message_in_pieces_is_one_message(door: Doorway) -> None:
    async with door.client() as client:
        await client.socket.send(['{"id":1,', '"op":', '"ping"}'])
        assert (await client.hear())["id"] == 1


async def test_text_that_is_no_text_is_refused_and_the_connection_lives(door: Doorway) -> None:
    async with door.client() as client:
        await client.socket.send(b'{"op":"\xff"}', text=True)
        assert (await client.hear())["error"]["code"] == "MALFORMED_REQUEST"
        await client.socket.send(b'{"op":"ping"}', text=False)
        assert (await client.hear())["error"]["code"] == "MALFORMED_REQUEST"
        assert (await client.ask(op="ping"))["ok"]


async def test_a_long_message_is_refused_and_a_huge_one_ends_the_connection(door: Doorway) -> None:
    async with door.client() as client:
        await client.socket.send("x" * (REQUEST_BYTES_MAX + 1))
        assert (await client.hear())["error"]["code"] == "TOO_LARGE"
        assert (await client.ask(op="ping"))["ok"]
        await client.socket.send("x" * (MESSAGE_BYTES_MAX + 1))
        assert await client.closed() == 1009
    await until(lambda: door.publisher.sessions == 0)


async def test_a_huge_message_in_small_pieces_ends_the_connection_too(door: Doorway) -> None:
    pieces = ["x" * 60_000] * 18
    assert MESSAGE_BYTES_MAX < 18 * 60_000
    async with door.client() as client:
        with contextlib.suppress(ConnectionClosed):
            await client.socket.send(pieces)
        assert await client.closed() == 1009


async def test_a_client_that_says_goodbye_is_answered_and_forgotten(door: Doorway) -> None:
    async with door.client() as client:
        await client.socket.close(1000, "done")
        assert client.socket.close_code == 1000
    await until(lambda: door.publisher.sessions == 0)


async def test_a_client_that_vanishes_is_forgotten(door: Doorway) -> None:
    async with door.client() as client:
        await client.ask(op="subscribe", channels=["trades.BTC-USDT"])
        client.socket.transport.abort()
        await until(lambda: door.publisher.sessions == 0)
    door.happens(event(Traded))


async def test_an_order_under_way_is_finished_though_its_sender_is_gone(door: Doorway) -> None:
    door.answers["order.place"] = go_on = asyncio.Event()
    async with door.client() as client:
        await client.say(id=1, op="order.place")
        await until(lambda: bool(door.asked))
    await until(lambda: door.publisher.sessions == 0)
    go_on.set()
    await door.carrier.finish()
    assert door.failures == []


async def narrow_to(door: Doorway) -> dict[str, Any]:
    """A connection whose reader has little room, and takes one message at a time."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    raw.setblocking(False)
    address = URL(door.url)
    await asyncio.get_running_loop().sock_connect(raw, (address.host, address.port))
    return {"max_queue": 1, "sock": raw}


async def test_a_reader_who_never_reads_is_closed_and_harms_nobody(door: Doorway) -> None:
    async with door.client(**await narrow_to(door)) as slow, door.client() as quick:
        for client in (slow, quick):
            await client.ask(**LOGIN)
            await client.ask(op="subscribe", channels=["orders"])
        number = 0
        while door.publisher.sessions == 2 and number < 400_000:
            for _ in range(500):
                number += 1
                door.happens(event(OrderChanged, n=number))
            heard = [(await quick.hear())["seq"] for _ in range(500)]
            assert heard == list(range(number - 499, number + 1))
        assert door.publisher.sessions == 1
        assert door.publisher.private_closes == 1
        assert (await quick.ask(id=1, op="ping"))["ok"]
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await slow.socket.recv()


async def test_a_reader_slow_with_market_data_finds_a_fresh_book(door: Doorway) -> None:
    async with door.client(**await narrow_to(door)) as slow:
        await slow.ask(op="subscribe", channels=["book.BTC-USDT"])
        number = 0
        while not door.publisher.dropped:
            for _ in range(200):
                number += 1
                level = (100 + number % 500, number)
                change = event(DepthChanged, first_id=number, last_id=number, bids=[level])
                door.happens(change)
            await asyncio.sleep(0)
        assert door.publisher.sessions == 1
        last_id, snapshots = -1, 0
        while last_id < number:
            data = (await slow.hear())["data"]
            if "first_id" in data:
                assert data["first_id"] == last_id + 1
            else:
                snapshots += 1
            last_id = data["last_id"]
        assert snapshots >= 2  # The first one, and the fresh one.
