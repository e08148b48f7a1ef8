"""Noise: arrivals by chance, at a rate, both ways, leaning back to what is usually held."""

import pytest

from exchange.commands import Deposit, FeedPrices, OpenAccount, PlaceOrder
from exchange.market.agents.noise import STOCK, Noise
from exchange.market.agents.purses import openings, refills
from exchange.market.prices import FixedPrices
from exchange.market.sight import E8, Sight, standing_prints
from matching.types import OrderType, Side, TimeInForce
from tests.exchange.market.stage import PAIR, START_MS, Stage, small_venue

START = {"BTC": 50_000 * E8}
STEPS = 600


def funded() -> tuple[Stage, Noise]:
    """An engine with prices and funded noise traders, but nobody to trade with."""
    stage = Stage(small_venue("fixed"), [])
    noise = Noise(1, list(stage.engine.venue.instruments), START, "USDT")
    feed = stage.engine.venue.feeds[0]
    stage.send(FeedPrices(feed=feed, prices_e8=START, stale_ms=10**9))
    for made in (openings, refills):
        for command in made(noise.purses(), sight(stage, 0)):
            assert isinstance(command, OpenAccount | Deposit)
            assert stage.send(command).reason is None
    return stage, noise


def sight(stage: Stage, step: int, step_ms: int = 1_000) -> Sight:
    prints = standing_prints(stage.engine)
    now_ms = START_MS + step * step_ms
    return Sight(1, now_ms, step_ms, stage.engine, FixedPrices(START), prints)


def orders(step_ms: int = 1_000, steps: int = STEPS) -> list[PlaceOrder]:
    stage, noise = funded()
    made = [c for step in range(steps) for c in noise.commands(sight(stage, step, step_ms))]
    assert all(isinstance(command, PlaceOrder) for command in made)
    return [command for command in made if isinstance(command, PlaceOrder)]


def test_they_arrive_at_their_rate_and_never_wait() -> None:
    made = [order for order in orders() if order.symbol == PAIR]
    # Two a second, times 0.7 + 0.3 x 0.55 = 0.87 in a calm hour: some 1,040 in 600 seconds.
    assert 0.6 * 1_040 < len(made) < 2 * 1_040
    for order in made:
        assert order.type is OrderType.MARKET or order.tif is TimeInForce.IOC


def test_they_are_the_same_for_the_same_seed_and_step() -> None:
    assert orders(steps=50) == orders(steps=50)


def test_both_sides_and_both_kinds_of_order_occur() -> None:
    made = orders()
    buys = sum(order.side is Side.BUY for order in made)
    assert 0.4 * len(made) < buys < 0.6 * len(made)
    markets = sum(order.type is OrderType.MARKET for order in made)
    assert 0.2 * len(made) < markets < 0.4 * len(made)  # Three of ten.


def test_most_orders_are_small_and_a_few_are_large() -> None:
    lots = sorted(order.lots for order in orders() if order.symbol == PAIR)
    assert lots[-1] > 10 * lots[len(lots) // 2]
    # 60,000 a minute at two a second is 500 an order on average: 0.01 BTC, a thousand lots.
    assert 0.7 * 1_000 < sum(lots) / len(lots) < 1.3 * 1_000


def test_no_order_is_below_the_venues_minimum() -> None:
    least_lots = 10  # 5 USDT / 50,000 / 0.00001
    assert min(order.lots for order in orders() if order.symbol == PAIR) >= least_lots


def test_longer_steps_bring_larger_orders_not_more() -> None:
    made = [order for order in orders(step_ms=15_000, steps=400) if order.symbol == PAIR]
    # One arrival in two steps, by chance: 200 in 400.
    assert 150 < len(made) < 250
    # Up to six times the 0.01 BTC of an order that comes within a second: 6,000 lots.
    assert 5_000 < sum(order.lots for order in made) / len(made) < 7_000
    # And none outgrows the books: 15,000 at 50,000 are 0.3 BTC.
    assert max(order.lots for order in made) <= 30_000


def test_nobody_orders_what_cannot_be_paid() -> None:
    stage, noise = funded()
    for label in ("noise:1", "noise:2", "noise:3"):
        account = stage.engine.risk.accounts[stage.engine.risk.labels[label]]
        for key in (("spot", "BTC"), ("spot", "USDT"), ("perp", "USDT")):
            account.pockets[key].minor = E8 // 1_000_000
    assert [c for step in range(STEPS) for c in noise.commands(sight(stage, step))] == []


@pytest.mark.parametrize(("held", "side"), [(0, Side.BUY), (3 * STOCK, Side.SELL)])
def test_they_come_back_to_what_they_usually_hold(held: int, side: Side) -> None:
    stage, noise = funded()
    for label in ("noise:1", "noise:2", "noise:3"):
        account = stage.engine.risk.accounts[stage.engine.risk.labels[label]]
        account.pockets["spot", "BTC"].minor = held * E8 * E8 // START["BTC"]
    made = [c for step in range(STEPS) for c in noise.commands(sight(stage, step))]
    sides = [c.side for c in made if isinstance(c, PlaceOrder) and c.symbol == PAIR]
    assert sides.count(side) == len(sides)  # 0.5 + 1 is more than certain.


def test_nobody_trades_what_has_no_price() -> None:
    stage = Stage(small_venue("fixed"), [])
    noise = Noise(1, list(stage.engine.venue.instruments), START, "USDT")
    assert [c for step in range(50) for c in noise.commands(sight(stage, step))] == []
