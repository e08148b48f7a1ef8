"""A story in which everything happens that an engine can tell of, in two parts."""

from __future__ import annotations

from exchange.commands import (
    Borrow,
    CancelAll,
    Deposit,
    FeedPrices,
    PlaceList,
    PlaceOrder,
    ResetAccount,
    SetLeverage,
    SetMarginMode,
    SetMultiAsset,
    SetSymbolState,
    Transfer,
)
from exchange.events import AnyEvent
from matching.types import TimeInForce
from tests.story import Story, units

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"
HOUR = 3_600_000


def eventful(story: Story) -> None:
    """Something of everything a state can hold."""
    one = story.account("one", spot_USDT="50000", margin_USDT="5000", perp_USDT="9000")
    two = story.account("two", spot_BTC="2", spot_USDT="50000", perp_USDT="90000")
    story.deposit(one, "isolated:BTC-USDT", "USDT", "1000")
    story.ok(SetMarginMode, account_id=one, symbol="ETH-USDT-PERP", isolated=True)
    story.ok(SetLeverage, account_id=one, symbol=PERP, leverage=25)
    for symbol, qty, price in ((PERP, "0.2", "50000"), ("ETH-USDT-PERP", "3", "2500")):
        story.sell(two, symbol, qty, price)
        story.buy(one, symbol, qty, price)
    # Loans not in the order of their names; the coins are sold short but for 0.01.
    for asset, amount in (("USDT", "2000"), ("BTC", "0.15")):
        story.ok(Borrow, account_id=one, wallet="margin", asset=asset, amount_minor=units(amount))
    story.buy(two, SPOT, "0.14", "50000")
    story.sell(one, SPOT, "0.14", "50000", wallet="margin")
    # The first order that was placed stands on the book that is restored last.
    story.buy(one, PERP, "0.01", "48000", client_id="perp")
    story.sell(one, PERP, "0.1", "52000", reduce_only=True)
    story.buy(one, "ETH-USDT", "0.5", "2000", client_id="eth")
    story.buy(one, SPOT, "0.03", "40000", wallet="isolated:BTC-USDT", side_effect=1)
    story.buy(one, SPOT, "0.03", "41000", wallet="margin", side_effect=1, client_id="btc")
    story.buy(two, SPOT, "0.01", "39000", tif=TimeInForce.GTD, expire_ms=story.now_ms + HOUR // 2)
    # A third closes at 100x below what it is worth: the fund covers.
    three = story.account("three", perp_USDT="600")
    story.ok(SetMarginMode, account_id=three, symbol=PERP, isolated=True)
    story.sell(two, PERP, "0.5", "50000")
    story.buy(three, PERP, "0.5", "50000", leverage=100)
    story.buy(two, PERP, "0.5", "49100")
    story.sell(three, PERP, "0.5", "49100")
    story.ok(SetSymbolState, symbol="ETH-BTC", state="halt")
    story.index("BTC", "50050")
    story.wait(7_000)
    story.sell(two, PERP, "0.001", "50100")  # Leaves a scope that the next scan will look at,
    story.buy(one, PERP, "0.001", "50100")  # and a basis whose samples are in the mark.


def the_rest(story: Story) -> list[AnyEvent]:
    """What happens after a restart, told by both engines: trades, a crash, liquidations."""
    one, two = 100, 101
    events = story.buy(two, SPOT, "0.01", "50000")
    events += story.do(CancelAll, account_id=one, symbol="ETH-USDT")
    events += story.wait(9 * HOUR)  # Over a boundary of funding.
    events += story.buy(two, PERP, "0.3", "47000")
    events += story.do(
        FeedPrices, feed="reference", prices_e8={"ETH": units("2200")}, stale_ms=HOUR
    )
    events += story.index("BTC", "46000")
    events += story.wait(5_000)
    # Assets 13,993 + 0.01 BTC against 2,000 + 0.15 BTC and interest: called, then liquidated.
    events += story.index("BTC", "70000")
    events += story.sell(two, SPOT, "1", "80500")
    events += story.index("BTC", "80000")
    for _ in range(4):
        events += story.wait(5_000)
    events += story.do(CancelAll, account_id=one)
    waits = [PlaceOrder(account_id=one, symbol=SPOT, lots=100, price_ticks=4_000_000)] * 2
    events += story.do(PlaceList, account_id=one, kind=1, orders=waits)
    events += story.do(CancelAll, account_id=one)
    # The third owes a fee of the quote, and a reset has its coins pay for that.
    three = 102
    events += story.do(SetMarginMode, account_id=three, symbol=PERP, isolated=False)
    events += story.do(SetMultiAsset, account_id=three, on=True)
    coins = {"wallet": "perp", "asset": "BTC", "amount_minor": units("0.1")}
    events += story.do(Deposit, account_id=three, **coins)
    rest = {"asset": "USDT", "amount_minor": story.person(three).minor("perp", "USDT")}
    events += story.do(Transfer, account_id=three, source="perp", target="spot", **rest)
    events += story.sell(two, PERP, "0.01", "80000")
    events += story.buy(three, PERP, "0.01", "80000")
    events += story.wait(HOUR)
    events += story.do(SetSymbolState, symbol=SPOT, state="auction")
    events += story.buy(three, SPOT, "0.001", "80100")
    events += story.sell(two, SPOT, "0.001", "79900")
    events += story.wait(5_000)
    events += story.do(SetSymbolState, symbol=SPOT, state="trading")
    events += story.do(ResetAccount, account_id=three)
    events += story.do(ResetAccount, account_id=two)
    return events
