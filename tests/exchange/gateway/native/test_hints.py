"""What to do about a refusal, over the door: legs of hedge mode, and margin in coin."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.exchange.gateway.rig import SYMBOLS, Rig, Trader, running

PERP = "BTC-USDT-PERP"
USD_PERP = "BTC-USD-PERP"


@pytest_asyncio.fixture
async def rig(tmp_path) -> AsyncIterator[Rig]:
    """Bitcoin at 50,000, with its inverse contract."""
    async with running(tmp_path, symbols=(*SYMBOLS, USD_PERP)) as found:
        await found.set_index("BTC-USDT", "50000")
        yield found


async def _refused(trader: Trader, symbol: str, side: str, qty: str, **more: object) -> str:
    """The sentence of a refusal; a preview must say the same."""
    fields = {"symbol": symbol, "side": side, "type": "market", "qty": qty, **more}
    answer = await trader.ask("POST", "/v1/orders", fields)
    assert answer.status == 400
    error = answer.json["error"]
    preview = (await trader.ask("POST", "/v1/orders/preview", fields)).json
    assert (preview["reason"], preview["message"]) == (error["code"], error["message"])
    return str(error["message"])


async def test_p2_an_order_without_a_side_in_hedge_mode_is_told_to_name_one(alice: Trader) -> None:
    await alice.ask("PUT", "/v1/settings", {"position_mode": {"hedge": True}})
    assert (await _refused(alice, PERP, "buy", "0.1")).endswith(
        "set position_side to long or short"
    )


async def test_p2_a_side_in_one_way_mode_is_told_how_to_switch(alice: Trader) -> None:
    said = await _refused(alice, PERP, "buy", "0.1", position_side="long")
    assert "position_mode.set" in said


async def test_a_sale_of_a_long_leg_that_is_not_there_is_told_how_to_open_a_short(
    alice: Trader,
) -> None:
    await alice.ask("PUT", "/v1/settings", {"position_mode": {"hedge": True}})
    said = await _refused(alice, PERP, "sell", "0.1", position_side="long")
    assert said.endswith("closes that leg; to open one, set it to short")
    # A refusal of a plain reduce-only order says it all.
    reducing = await _refused(alice, PERP, "sell", "0.1", position_side="short", reduce_only=True)
    assert "set it to" in reducing


async def test_whoever_has_no_coins_is_told_which_wallet_to_fund(
    alice: Trader, bob: Trader
) -> None:
    faucet = {"wallet": "perp:BTC", "asset": "BTC", "amount": "1"}
    assert (await bob.ask("POST", "/v1/faucet", faucet)).status == 200
    await bob.order(USD_PERP, "sell", "10", price="50000")
    said = await _refused(alice, USD_PERP, "buy", "10")
    assert "margin in BTC from the wallet perp:BTC, which holds 0: fund it" in said
    # Dollars are what a linear contract lacks, and the reason says so alone.
    await bob.order(PERP, "sell", "10", price="50000")
    dollars = await _refused(alice, PERP, "buy", "10", leverage=1)
    assert dollars == "the free margin is less than the order needs"


async def test_margin_for_a_leg_that_is_not_named_is_told_to_name_it(alice: Trader) -> None:
    await alice.ask("PUT", "/v1/settings", {"position_mode": {"hedge": True}})
    add = {"position_margin": {"symbol": PERP, "amount": "100"}}
    error = (await alice.ask("PUT", "/v1/settings", add)).json["error"]
    assert error["code"] == "NO_POSITION"
    assert error["message"].endswith("set position_side to long or short")
    side = {"position_margin": {"symbol": PERP, "amount": "100", "position_side": "long"}}
    await alice.ask("PUT", "/v1/settings", {"position_mode": {"hedge": False}})
    named = (await alice.ask("PUT", "/v1/settings", side)).json["error"]
    assert named["message"].endswith("leave position_side out")
