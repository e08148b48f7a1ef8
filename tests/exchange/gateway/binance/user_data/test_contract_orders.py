"""Orders of futures are told step by step, and conditional ones as what they were placed as."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exchange.events import Deleveraged, OrderChanged
from exchange.gateway.binance.user_data.contract_orders import order_events
from matching.types import OrderType, Side, Status, TimeInForce
from tests.exchange.gateway.binance.user_data.test_contract_events import (
    PAIR,
    PERP,
    heard,
    key_of,
    rich,
)
from tests.exchange.gateway.binance.ws_api.socket_rig import connected
from tests.exchange.gateway.rig import Rig, running

pytestmark = pytest.mark.usefixtures("both_ports")

# Every key an order's update carries, in Binance's order.
UPDATE = (
    *("s", "c", "S", "o", "f", "q", "p", "ap", "sp", "x", "X", "i", "l", "z", "L", "n", "N"),
    *("T", "t", "b", "a", "m", "R", "wt", "ot", "ps", "cp", "rp", "pP", "si", "ss", "V", "pm"),
    "gtd",
)
ALGO = (
    *("caid", "aid", "at", "o", "s", "S", "ps", "f", "q", "X", "ai", "ap", "aq", "act", "tp"),
    *("p", "V", "wt", "pm", "cp", "pP", "R", "tt", "gtd"),
)


async def test_an_order_carries_every_field(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.set_index(PAIR, "50000")
        bot = await rich(rig)
        async with connected(rig, await key_of(bot)) as socket:
            placed = await bot.trader.order(PERP, "buy", "0.01", price="49000", client_id="mine")
            (told,) = await heard(socket, 1)
            assert list(told) == ["e", "E", "T", "o"]
            order = told["o"]
            assert tuple(order) == UPDATE
            assert (order["c"], order["x"], order["X"]) == ("mine", "NEW", "NEW")
            assert (order["i"], order["t"]) == (int(placed["order"]["order_id"]), 0)
            # 0.01 x 49000 rests on the side of the bids.
            assert (order["b"], order["a"]) == ("490", "0")
            assert (order["rp"], order["si"], order["ss"], order["gtd"]) == ("0", 0, 0, 0)
            order_id = placed["order"]["order_id"]
            await bot.trader.ask("DELETE", f"/v1/orders/{order_id}")
            (gone,) = await heard(socket, 1)
            assert (gone["o"]["x"], gone["o"]["c"]) == ("CANCELED", "mine")


def conditional(rig: Rig, account_id: int, happening: str, **more: Any) -> OrderChanged:
    """An algo order as the engine tells it."""
    fields: dict[str, Any] = {
        "seq": 5,
        "time_ms": 1_000,
        "account_id": account_id,
        "n": 1,
        "happening": happening,
        "order_id": 77,
        "symbol": PERP,
        "side": Side.SELL,
        "type": OrderType.STOP,
        "tif": TimeInForce.GTC,
        "price_ticks": 0,
        "lots": 10,
        "quote_minor": 0,
        "filled_lots": 0,
        "filled_units": 0,
        "prevented_lots": 0,
        "open_lots": 10,
        "status": Status.PENDING_TRIGGER,
        "wallet": "perp",
        "post_only": False,
        "reduce_only": False,
        "side_effect": 0,
        "forced": False,
        "expire_ms": 0,
        "placed_ms": 500,
        "client_id": "@algo",
        "reason": None,
        "trigger_ticks": 400_000,
    }
    assert PERP in rig.doors.engine.risk.instruments
    return OrderChanged(**(fields | more))


async def test_an_algo_order_leads_a_life_of_its_own_until_it_is_triggered(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await rich(rig)
        risk = rig.doors.engine.risk
        account = risk.accounts[bot.trader.account_id]

        def told(happening: str, **more: Any) -> list[dict[str, Any]]:
            event = conditional(rig, account.id, happening, **more)
            return order_events(risk, account, [event], lambda _: happening == "accepted")

        (new,) = told("accepted", placed_ms=1_000)
        assert (new["e"], tuple(new["o"])) == ("ALGO_UPDATE", ALGO)
        assert (new["o"]["caid"], new["o"]["aid"], new["o"]["X"]) == ("algo", 77, "NEW")
        assert (new["o"]["o"], new["o"]["ai"], new["o"]["at"]) == (
            *("STOP_MARKET", "", "CONDITIONAL"),
        )
        (gone,) = told("cancelled", status=Status.CANCELLED)
        assert gone["o"]["X"] == "CANCELED"
        triggering, triggered, order = told("triggered", status=Status.NEW, triggered_ms=1_000)
        assert [each["o"]["X"] for each in (triggering, triggered)] == ["TRIGGERING", "TRIGGERED"]
        assert (triggered["o"]["ai"], triggered["o"]["act"]) == ("77", "MARKET")
        assert (order["e"], order["o"]["o"], order["o"]["ot"]) == (
            *("ORDER_TRADE_UPDATE", "MARKET", "STOP_MARKET"),
        )
        again, order = told("accepted", status=Status.NEW, triggered_ms=900)  # At another price.
        assert (again["o"]["X"], order["o"]["x"]) == ("TRIGGERED", "NEW")
        finished, expired = told("expired", status=Status.EXPIRED, triggered_ms=900)
        assert (finished["o"]["X"], expired["o"]["x"]) == ("FINISHED", "EXPIRED")


async def test_an_order_that_woke_and_could_not_be_placed_is_told_its_end(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await rich(rig)
        risk = rig.doors.engine.risk
        account = risk.accounts[bot.trader.account_id]
        woken = conditional(rig, account.id, "triggered", status=Status.NEW, triggered_ms=1_000)
        over = conditional(rig, account.id, "rejected", status=Status.REJECTED, triggered_ms=1_000)
        told = order_events(risk, account, [woken, over], lambda _: False)
        *_, algo, order = told
        assert (algo["e"], algo["o"]["X"]) == ("ALGO_UPDATE", "REJECTED")
        assert (order["e"], order["o"]["x"], order["o"]["X"]) == (
            *("ORDER_TRADE_UPDATE", "REJECTED", "REJECTED"),
        )


async def test_a_deleveraged_position_is_told_as_the_order_clients_know_it_by(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as rig:
        bot = await rich(rig)
        risk = rig.doors.engine.risk
        account = risk.accounts[bot.trader.account_id]
        event = Deleveraged(
            *(5, 1_000, account.id, 1, PERP, PERP, Side.SELL, 10, 400_000, 1, 0, "USDT", 7)
        )
        (told,) = order_events(risk, account, [event], lambda _: False)
        assert tuple(told["o"]) == UPDATE
        assert (told["o"]["c"], told["o"]["X"], told["o"]["rp"]) == (
            *("adl_autoclose", "FILLED", "0.00000007"),
        )
