"""Orders, lists and money of spot and margin are told in Binance's fields, types and order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exchange.commands import Deposit
from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.binance.ws_api.socket_rig import Socket, connected
from tests.exchange.gateway.rig import Rig, running

pytestmark = pytest.mark.usefixtures("both_ports")

# Every key a report carries, in Binance's order.
REPORT = (
    *("e", "E", "s", "c", "S", "o", "f", "q", "p", "P", "F", "g", "C", "x", "X", "r", "i"),
    *("l", "z", "L", "n", "N", "T", "t", "I", "w", "m", "M", "O", "Z", "Y", "Q", "W", "V"),
)
PAIR = "BTC-USDT"


async def listening(rig: Rig, socket: Socket) -> None:
    """Set a price, and subscribe."""
    await rig.set_index(PAIR, "50000")
    assert (await socket.signed("userDataStream.subscribe.signature"))["status"] == 200


async def heard(socket: Socket, count: int) -> list[dict[str, Any]]:
    """The next events."""
    return [(await socket.event())["event"] for _ in range(count)]


async def test_an_order_is_told_new_then_its_fills_then_balances(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot, other = await bot_of(rig), await bot_of(rig)
        async with connected(rig, bot=bot) as socket:
            await listening(rig, socket)
            await other.trader.order(PAIR, "buy", "0.01", price="50000")
            await heard_nothing(socket)
            await bot.trader.order(PAIR, "buy", "0.01", price="49000", client_id="mine")
            new, balances = await heard(socket, 2)
            assert tuple(new) == REPORT
            assert (new["c"], new["C"], new["x"], new["X"]) == ("mine", "", "NEW", "NEW")
            assert (new["q"], new["p"], new["z"]) == ("0.01000000", "49000.00000000", "0.00000000")
            assert (new["N"], new["n"], new["t"], new["g"]) == (None, "0", -1, -1)
            assert (new["w"], new["m"], new["r"]) == (True, False, "NONE")
            # 0.01 x 49000 is held of the money.
            (usdt,) = balances["B"]
            assert (balances["e"], usdt["a"]) == ("outboundAccountPosition", "USDT")
            assert usdt["l"] == "490.00000000"


async def heard_nothing(socket: Socket) -> None:
    """Another's orders are nobody's news."""
    assert (await socket.ask("ping"))["status"] == 200
    assert not socket.events


async def test_an_order_that_fills_at_once_was_new_first(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot, other = await bot_of(rig), await bot_of(rig)
        async with connected(rig, bot=bot) as socket:
            await listening(rig, socket)
            await other.trader.order(PAIR, "buy", "0.01", price="50000")
            await other.trader.order(PAIR, "buy", "0.01", price="49900")
            await fund(rig, bot.trader.account_id)
            await heard(socket, 2)  # A balanceUpdate, and the balance.
            placed = await bot.trader.order(PAIR, "sell", "0.03", price="49900")
            new, first, second, balances = await heard(socket, 4)
            assert [each["x"] for each in (new, first, second)] == ["NEW", "TRADE", "TRADE"]
            assert {each["i"] for each in (new, first, second)} == {
                int(placed["order"]["order_id"])
            }
            assert (first["X"], first["l"], first["z"]) == (
                "PARTIALLY_FILLED",
                "0.01000000",
                "0.01000000",
            )
            assert (first["L"], first["Y"]) == ("50000.00000000", "500.00000000")
            # 0.01 x 50000 + 0.01 x 49900.
            assert (second["z"], second["Z"]) == ("0.02000000", "999.00000000")
            assert second["t"] == first["t"] + 1
            assert (first["m"], first["M"], first["N"]) == (False, True, "USDT")
            assert {each["a"] for each in balances["B"]} == {"BTC", "USDT"}


async def fund(rig: Rig, account_id: int) -> None:
    """A coin to sell."""
    await rig.do(Deposit(account_id=account_id, wallet="spot", asset="BTC", amount_minor=10**8))


async def test_a_maker_is_told_each_fill(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot, other = await bot_of(rig), await bot_of(rig)
        await fund(rig, other.trader.account_id)
        async with connected(rig, bot=bot) as socket:
            await listening(rig, socket)
            await bot.trader.order(PAIR, "buy", "0.03", price="50000")
            await heard(socket, 2)
            await other.trader.order(PAIR, "sell", "0.01")
            trade, _ = await heard(socket, 2)
            assert (trade["x"], trade["X"], trade["m"]) == ("TRADE", "PARTIALLY_FILLED", True)
            await other.trader.order(PAIR, "sell", "0.02")
            trade, _ = await heard(socket, 2)
            assert (trade["X"], trade["w"], trade["z"]) == ("FILLED", False, "0.03000000")


async def test_what_nobody_takes_of_an_ioc_expires(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        async with connected(rig, bot=bot) as socket:
            await listening(rig, socket)
            await bot.trader.order(PAIR, "buy", "0.01", price="50000", tif="IOC")
            new, expired = await heard(socket, 2)
            assert [new["x"], expired["x"]] == ["NEW", "EXPIRED"]
            assert (expired["X"], expired["w"]) == ("EXPIRED", False)


async def test_a_cancel_tells_the_orders_own_id_as_the_original(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        async with connected(rig, bot=bot) as socket:
            await listening(rig, socket)
            placed = await bot.trader.order(PAIR, "buy", "0.01", price="49000", client_id="mine")
            await heard(socket, 2)
            order_id = placed["order"]["order_id"]
            answer = await bot.trader.ask("DELETE", f"/v1/orders/{order_id}")
            assert answer.status == 200, answer.body
            gone, balances = await heard(socket, 2)
            assert (gone["x"], gone["X"], gone["C"]) == ("CANCELED", "CANCELED", "mine")
            assert gone["c"] not in {"", "mine"}
            assert balances["B"][0]["l"] == "0.00000000"


async def test_a_deposit_is_an_update_and_a_balance(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        async with connected(rig, bot=bot) as socket:
            await listening(rig, socket)
            await fund(rig, bot.trader.account_id)
            update, balances = await heard(socket, 2)
            assert list(update) == ["e", "E", "a", "d", "T"]
            assert (update["e"], update["a"], update["d"]) == ("balanceUpdate", "BTC", "1.00000000")
            assert list(balances) == ["e", "E", "u", "B"]
            assert balances["B"] == [{"a": "BTC", "f": "1.00000000", "l": "0.00000000"}]


async def test_a_list_is_told_with_its_legs(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        async with connected(rig, bot=bot) as socket:
            await listening(rig, socket)
            legs: list[dict[str, Any]] = [
                {"type": "limit", "price": "49000", "post_only": True},
                {"type": "stop_limit", "price": "51500", "trigger_price": "51000"},
            ]
            shared: dict[str, Any] = {"symbol": PAIR, "side": "buy", "qty": "0.01"}
            orders = [shared | leg for leg in legs]
            fields = {"kind": "oco", "orders": orders, "client_id": "both"}
            answer = await bot.trader.ask("POST", "/v1/orders/list", fields)
            assert answer.status == 200, answer.body
            events = await heard(socket, 4)
            names = [each["e"] for each in events]
            assert names == [
                "executionReport",
                "executionReport",
                "listStatus",
                "outboundAccountPosition",
            ]
            told = events[2]
            assert list(told) == ["e", "E", "s", "g", "c", "l", "L", "r", "C", "T", "O"]
            assert (told["c"], told["l"], told["L"]) == ("OCO", "EXEC_STARTED", "EXECUTING")
            assert told["C"] == "both"
            assert {leg["i"] for leg in told["O"]} == {each["i"] for each in events[:2]}
            assert {each["g"] for each in events[:2]} == {told["g"]}
