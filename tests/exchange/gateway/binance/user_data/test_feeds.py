"""Streams of accounts reach whoever holds a key, a token or a subscription, and nobody else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from exchange.clock import SteppedClock
from exchange.commands import Deposit
from exchange.gateway.binance.user_data.feeds import KEY_LIFE_MS
from tests.exchange.gateway.binance.binance_rig import Bot, bot_of
from tests.exchange.gateway.binance.ws_api.socket_rig import Socket, connected
from tests.exchange.gateway.rig import START_MS, Rig, running

pytestmark = pytest.mark.usefixtures("both_ports")

# Where a key of each product is heard, what money moves there, and what it is told as first.
STREAMS = {
    "/api/v3/userDataStream": ("/ws/", "margin", "USDT", "balanceUpdate"),
    "/sapi/v1/userDataStream": ("/ws/", "margin", "USDT", "balanceUpdate"),
    "/fapi/v1/listenKey": ("/um/ws/", "perp", "USDT", "ACCOUNT_UPDATE"),
    "/dapi/v1/listenKey": ("/cm/ws/", "perp:BTC", "BTC", "ACCOUNT_UPDATE"),
}


class Wall:
    """The wall's clock, which a test may set forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def ns(self) -> int:
        """Nanoseconds, like `time.time_ns`."""
        return time.time_ns() + self.ahead_ms * 1_000_000


async def rest(bot: Bot, qty: str = "0.01", price: str = "50000", **more: Any) -> Any:
    """An order that rests, for nobody is on the book."""
    return await bot.trader.order("BTC-USDT", "buy", qty, price=price, **more)


async def prices(rig: Rig) -> None:
    """Orders need an index to be measured by."""
    await rig.set_index("BTC-USDT", "50000")


@pytest.mark.parametrize("path", STREAMS)
async def test_money_is_told_on_the_socket_of_its_product(tmp_path: Path, path: str) -> None:
    stream, wallet, asset, told = STREAMS[path]
    symbols = ("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
    async with running(tmp_path, symbols=symbols) as rig:
        bot = await bot_of(rig)
        account_id = bot.trader.account_id
        await rig.do(Deposit(account_id=account_id, wallet="spot", asset="BTC", amount_minor=10**8))
        key = (await bot.keyed("POST", path)).json["listenKey"]
        async with connected(rig, stream + key) as socket:
            fields = {"asset": asset, "from": "spot", "to": wallet, "amount": "0.1"}
            moved = await bot.trader.ask("POST", "/v1/transfers", fields)
            assert moved.status < 300, moved.body
            assert (await socket.event())["e"] == told


async def test_a_key_that_runs_out_is_told(tmp_path: Path) -> None:
    wall = Wall()
    clock = SteppedClock(START_MS, wall_ns=wall.ns)
    async with running(tmp_path, clock=clock) as rig:
        bot = await bot_of(rig)
        await prices(rig)
        key = (await bot.keyed("POST", "/api/v3/userDataStream")).json["listenKey"]
        async with connected(rig, f"/ws/{key}") as socket:
            wall.ahead_ms = KEY_LIFE_MS + 1_000
            await rest(bot)
            said = await socket.event()
            assert list(said) == ["e", "E", "listenKey"]
            assert (said["e"], said["listenKey"]) == ("listenKeyExpired", key)
        gone = await bot.keyed("PUT", "/api/v3/userDataStream", listenKey=key)
        assert gone.json["code"] == -1125


async def subscribed(socket: Socket) -> int:
    """Subscribe by a signature; the number."""
    said = await socket.signed("userDataStream.subscribe.signature")
    assert said["status"] == 200, said
    number: int = said["result"]["subscriptionId"]
    return number


async def test_a_subscription_is_told_by_its_number_until_it_ends(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await prices(rig)
        async with connected(rig, bot=bot) as socket:
            number = await subscribed(socket)
            assert await subscribed(socket) == number
            listed = await socket.ask("session.subscriptions")
            assert listed["result"] == [{"subscriptionId": number}]
            await rest(bot)
            said = await socket.event()
            assert said.keys() == {"subscriptionId", "event"}
            assert (said["subscriptionId"], said["event"]["e"]) == (number, "executionReport")
            balances = await socket.event()
            assert balances["event"]["e"] == "outboundAccountPosition"
            ended = await socket.ask("userDataStream.unsubscribe", subscriptionId=number)
            assert ended["result"] == {}
            await rest(bot)
            assert (await socket.ask("ping"))["status"] == 200
            assert not socket.events
            unknown = await socket.ask("userDataStream.unsubscribe", subscriptionId=9)
            assert unknown["error"]["code"] == -1130


async def test_a_session_that_logged_on_subscribes_unsigned_until_it_logs_out(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        async with connected(rig, bot=bot) as socket:
            refused = await socket.ask("userDataStream.subscribe")
            assert refused["error"]["code"] == -2015
            await socket.signed("session.logon")
            assert (await socket.ask("userDataStream.subscribe"))["result"] == {"subscriptionId": 0}
            assert (await socket.ask("session.status"))["result"]["userDataStream"] is True
            await socket.ask("session.logout")
            assert (await socket.ask("session.subscriptions"))["result"] == []


async def test_who_logged_on_may_leave_the_signature_out(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        async with connected(rig, bot=bot) as socket:
            await socket.signed("session.logon")
            now_ms = rig.doors.clock.wall_ms()
            said = await socket.ask("userDataStream.subscribe.signature", timestamp=now_ms)
            assert said["result"] == {"subscriptionId": 0}
            await socket.ask("session.logout")
            assert (await socket.ask("session.subscriptions"))["result"] == []
            again = await socket.ask("userDataStream.subscribe.signature", timestamp=now_ms)
            assert again["error"]["code"] in {-1102, -2014}


async def test_a_token_tells_of_margin_until_it_runs_out(tmp_path: Path) -> None:
    wall = Wall()
    clock = SteppedClock(START_MS, wall_ns=wall.ns)
    async with running(tmp_path, clock=clock) as rig:
        bot = await bot_of(rig)
        await prices(rig)
        made = await bot.keyed("POST", "/sapi/v1/userListenToken", validity=60_000)
        token, until_ms = made.json["token"], made.json["expirationTime"]
        async with connected(rig) as socket:
            said = await socket.ask("userDataStream.subscribe.listenToken", listenToken=token)
            assert said["result"] == {"subscriptionId": 0, "expirationTime": until_ms}
            fields = {"asset": "USDT", "from": "spot", "to": "margin", "amount": "5"}
            await bot.trader.ask("POST", "/v1/transfers", fields)
            update = (await socket.event())["event"]
            assert update == {
                "e": "balanceUpdate",
                "E": update["T"],
                "a": "USDT",
                "d": "5.00000000",
                "T": update["T"],
            }
            assert (await socket.event())["event"]["B"] == [
                {"a": "USDT", "f": "5.00000000", "l": "0.00000000"}
            ]
            wall.ahead_ms = 62_000
            await rest(bot)
            assert (await socket.event())["event"]["e"] == "eventStreamTerminated"
            again = await socket.ask("userDataStream.subscribe.listenToken", listenToken=token)
            assert again["error"]["code"] == -1125


async def test_a_revoked_key_ends_its_subscriptions(tmp_path: Path) -> None:
    wall = Wall()
    clock = SteppedClock(START_MS, wall_ns=wall.ns)
    async with running(tmp_path, clock=clock) as rig:
        bot, other = await bot_of(rig), await bot_of(rig)
        await prices(rig)
        async with connected(rig, bot=bot) as socket:
            await subscribed(socket)
            rig.doors.keys.revoke(bot.trader.key)
            wall.ahead_ms = 2_000
            await rest(other)
            assert (await socket.event())["event"]["e"] == "eventStreamTerminated"


async def test_a_cancellation_is_called_the_same_in_its_answer_and_in_its_report(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        await prices(rig)
        async with connected(rig, bot=bot) as socket:
            await subscribed(socket)

            async def reported() -> tuple[str, str]:
                """The ids of the next cancellation's report."""
                while True:
                    event = (await socket.event())["event"]
                    if event.get("x") == "CANCELED":
                        return event["c"], event["C"]

            path, symbol = "/api/v3/order", {"symbol": "BTCUSDT"}
            mine = {"origClientOrderId": "mine", "newClientOrderId": "gone"}
            await rest(bot, client_id="mine")
            said = (await bot.signed("DELETE", path, **symbol, **mine)).json
            assert (said["clientOrderId"], said["origClientOrderId"]) == ("gone", "mine")
            assert await reported() == ("gone", "mine")
            await rest(bot, client_id="next")
            (said,) = (await bot.signed("DELETE", "/api/v3/openOrders", **symbol)).json
            assert await reported() == (said["clientOrderId"], "next")
            # The native door calls no cancellation anything.
            placed = await rest(bot, client_id="last")
            order_id = placed["order"]["order_id"]
            assert (await bot.trader.ask("DELETE", f"/v1/orders/{order_id}")).status == 200
            assert await reported() == (f"cancel-{order_id}", "last")
