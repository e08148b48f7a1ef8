"""What the administrator may: index prices, the clock, trading states."""

from __future__ import annotations

from typing import Any

from exchange.clock import ScaledClock, SystemClock
from exchange.gateway import auth
from tests.exchange.gateway.rig import ADMIN_KEY, START_MS, Answer, Rig, Trader, running

ADMIN = {auth.ADMIN_HEADER: ADMIN_KEY}


async def command(rig: Rig, method: str, target: str, body: Any) -> Answer:
    return await rig.ask(method, target, body, headers=ADMIN)


async def test_an_index_price_holds_within_its_own_request(rig: Rig) -> None:
    said = await command(rig, "PUT", "/v1/admin/index/BTC-USDT", {"price": "52000.5"})
    assert said.json == {"pair": "BTC-USDT", "price": "52000.5"}
    mark = (await rig.ask("GET", "/v1/mark/BTC-USDT-PERP")).json
    assert mark["index"] == "52000.5"


async def test_a_step_is_done_when_it_answers(rig: Rig) -> None:
    said = (await command(rig, "POST", "/v1/admin/clock", {"step_ms": 90_000})).json
    assert said["exchange_time"] == START_MS + 90_000
    assert (said["speed"], said["paused"]) == (0.0, True)
    assert rig.doors.engine.time_ms == START_MS + 90_000


async def test_a_scaled_clock_is_paused_run_and_stepped(tmp_path) -> None:
    async with running(tmp_path, clock=ScaledClock(10.0, START_MS)) as rig:
        paused = (await command(rig, "POST", "/v1/admin/clock", {"pause": True})).json
        assert (paused["speed"], paused["paused"]) == (0.0, True)
        stood_ms = paused["exchange_time"]
        stepped = (await command(rig, "POST", "/v1/admin/clock", {"step_ms": 60_000})).json
        assert stepped["exchange_time"] == stood_ms + 60_000
        faster = {"speed": 60, "pause": False}
        running_again = (await command(rig, "POST", "/v1/admin/clock", faster)).json
        assert (running_again["speed"], running_again["paused"]) == (60.0, False)


async def test_real_time_cannot_be_set(tmp_path) -> None:
    async with running(tmp_path, clock=SystemClock(START_MS)) as rig:
        answer = await command(rig, "POST", "/v1/admin/clock", {"pause": True})
        assert (answer.status, answer.code) == (409, "NOT_ALLOWED_NOW")
        assert "--speed" in answer.json["error"]["message"]


async def test_a_halted_symbol_takes_no_order_until_it_trades_again(
    rig: Rig, alice: Trader
) -> None:
    target = "/v1/admin/symbols/BTC-USDT/state"
    said = await command(rig, "POST", target, {"state": "halt"})
    assert said.json == {"symbol": "BTC-USDT", "state": "halt"}
    listed = (await rig.ask("GET", "/v1/instruments")).json["instruments"]
    states = {instrument["symbol"]: instrument["state"] for instrument in listed}
    assert (states["BTC-USDT"], states["ETH-USDT"]) == ("halt", "trading")
    order = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "qty": "0.01", "price": "49000"}
    assert (await alice.ask("POST", "/v1/orders", order)).code == "SYMBOL_NOT_TRADING"
    await command(rig, "POST", target, {"state": "trading"})
    assert (await alice.ask("POST", "/v1/orders", order)).status == 201
