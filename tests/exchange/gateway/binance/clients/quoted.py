"""A venue whose pair and contract somebody quotes around 50,000."""

from __future__ import annotations

from tests.exchange.gateway.rig import Rig, Trader

SYMBOLS = ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")


async def quoted(rig: Rig) -> Trader:
    """A maker with coins who quotes the pair and the contract around 50,000."""
    await rig.set_index("BTC-USDT", "50000")
    maker = await rig.open_account()
    faucet = {"wallet": "spot", "asset": "BTC", "amount": "10"}
    assert (await maker.ask("POST", "/v1/faucet", faucet)).status in {200, 201}
    for symbol in ("BTC-USDT", "BTC-USDT-PERP"):
        for bid, ask in (("49990", "50010"), ("49980", "50020")):
            await maker.order(symbol, "buy", "0.1", price=bid)
            await maker.order(symbol, "sell", "0.1", price=ask)
    return maker
