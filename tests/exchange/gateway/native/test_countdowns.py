"""The dead-man switch, over the door."""

from __future__ import annotations

from typing import Any

from tests.exchange.gateway.rig import Rig, Trader


async def count_down(trader: Trader, **fields: Any) -> Any:
    answer = await trader.ask("POST", "/v1/orders/cancel_all_after", fields)
    assert answer.status == 200, answer.body
    return answer.json


async def left_ms(trader: Trader) -> dict[str, int]:
    settings = (await trader.ask("GET", "/v1/account")).json["settings"]
    found: dict[str, int] = settings["cancel_all_after_ms"]
    return found


async def test_a_countdown_is_told_in_the_accounts_settings(rig: Rig, alice: Trader) -> None:
    before_ms = rig.doors.clock.wall_ms()
    said = await count_down(alice, countdown_ms=60_000)
    assert (said["symbol"], said["countdown_ms"]) == (None, 60_000)
    assert before_ms + 60_000 <= said["at_ms"] <= rig.doors.clock.wall_ms() + 60_000
    await count_down(alice, symbol="BTC-USDT", countdown_ms=30_000)
    left = await left_ms(alice)
    assert 0 < left["BTC-USDT"] <= 30_000 < left["all"] <= 60_000
    changed = (await alice.ask("PUT", "/v1/settings", {"margin_leverage": {"leverage": 5}})).json
    assert set(changed["cancel_all_after_ms"]) == {"BTC-USDT", "all"}


async def test_zero_ends_it(alice: Trader) -> None:
    await count_down(alice, countdown_ms=60_000)
    assert (await count_down(alice, countdown_ms=0))["at_ms"] is None
    assert await left_ms(alice) == {}


async def test_it_has_bounds(alice: Trader) -> None:
    path = "/v1/orders/cancel_all_after"
    for countdown_ms in (-1, 86_400_001):
        answer = await alice.ask("POST", path, {"countdown_ms": countdown_ms})
        assert answer.code == "FIELD_OUT_OF_RANGE"
    stranger = await alice.ask("POST", path, {"countdown_ms": 1, "symbol": "X-Y"})
    assert stranger.code == "UNKNOWN_SYMBOL"
    assert (await alice.ask("POST", path, {})).code == "MISSING_FIELD"
