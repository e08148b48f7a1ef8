"""Previews of perpetuals over the door: what they say is what then happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from tests.exchange.gateway.rig import SYMBOLS, Rig, Trader, running

PERP, USD_PERP = "BTC-USDT-PERP", "BTC-USD-PERP"


@pytest_asyncio.fixture
async def rig(tmp_path) -> AsyncIterator[Rig]:
    """Bitcoin at 50,000, with its inverse contract."""
    async with running(tmp_path, symbols=(*SYMBOLS, USD_PERP)) as found:
        await found.set_index("BTC-USDT", "50000")
        yield found


async def _foreseen(trader: Trader, symbol: str, side: str, qty: str, **more: Any) -> Any:
    """The preview of a market order, held against what the order then does."""
    fields = {"symbol": symbol, "side": side, "type": "market", "qty": qty, **more}
    said = (await trader.ask("POST", "/v1/orders/preview", fields)).json
    assert said["accepted"], said
    placed = await trader.order(symbol, side, qty, **more)
    fees = sum(float(fill["fee"]) for fill in placed["fills"])
    assert float(said["fee"]) == fees
    assert {said["fee_asset"]} == {fill["fee_asset"] for fill in placed["fills"]}
    leg = more.get("position_side", "both")
    held = (await trader.ask("GET", "/v1/account")).json["positions"]
    found = [each for each in held if (each["symbol"], each["position_side"]) == (symbol, leg)]
    if not found:
        assert (said["side_after"], said["liquidation_price"]) == ("flat", None)
        return said
    (position,) = found
    told = ("side_after", "qty_after", "entry_after", "liquidation_price")
    assert [said[name] for name in told] == [
        position[name] for name in ("side", "qty", "entry_price", "liquidation_price")
    ]
    return said


async def test_p1_an_inverse_order_is_foreseen_in_coin(alice: Trader, bob: Trader) -> None:
    for each in (alice, bob):
        coin = {"wallet": "perp:BTC", "asset": "BTC", "amount": "1"}
        await each.ask("POST", "/v1/faucet", coin)
    await bob.order(USD_PERP, "sell", "1000", price="50000")
    said = await _foreseen(alice, USD_PERP, "buy", "1000", leverage=10)
    # 100,000 USD are 2 BTC: a tenth as margin, and 0.05 % as fee, which is kept back too.
    assert (said["fee"], said["fee_asset"]) == ("0.001", "BTC")
    assert said["margin_required"] == "0.201"
    assert said["liquidation_price"] is not None


async def test_p2_an_order_of_one_leg_leaves_the_other_as_it_is(alice: Trader, bob: Trader) -> None:
    await alice.ask("PUT", "/v1/settings", {"position_mode": {"hedge": True}})
    await bob.order(PERP, "sell", "10", price="50000")
    await bob.order(PERP, "buy", "5", price="49990")
    await _foreseen(alice, PERP, "buy", "10", position_side="long", leverage=10)
    short = await _foreseen(alice, PERP, "sell", "4", position_side="short")
    assert (short["side_after"], short["qty_after"]) == ("short", "4.000")
    await bob.order(PERP, "sell", "4", price="50000")
    closed = await _foreseen(alice, PERP, "buy", "4", position_side="short")
    assert closed["next_funding"] is None


async def test_p2_v43_a_flip_is_foreseen_as_the_new_position(alice: Trader, bob: Trader) -> None:
    await alice.ask("PUT", "/v1/settings", {"margin_mode": {"symbol": PERP, "mode": "isolated"}})
    await bob.order(PERP, "sell", "1", price="50000")
    await _foreseen(alice, PERP, "buy", "1", leverage=10)
    await bob.order(PERP, "buy", "3", price="50000")
    flipped = await _foreseen(alice, PERP, "sell", "3")
    assert (flipped["side_after"], flipped["qty_after"]) == ("short", "2.000")
