"""Momentum: followers go with the trend, on borrowed money, and the crowd likes to be long."""

import pytest

from exchange.commands import BORROW, REPAY, PlaceOrder, SetIndexPrice
from exchange.events import InterestCharged, LiquidationStarted
from exchange.market.agents.makers import Maker
from exchange.market.agents.momentum import (
    CROWD_EVERY_S,
    GAMBLER_HOURS,
    PACES,
    Crowd,
    Gambler,
    MarginMomentum,
    Momentum,
    direction,
)
from exchange.market.agents.purses import Agent
from exchange.market.draws import stroke
from exchange.market.market import House
from exchange.market.prices import HOUR_MS, FixedPrices
from exchange.market.sight import E8, Sight, standing_prints
from matching.types import Side
from risk.account import Account
from tests.exchange.market.stage import CONTRACT, PAIR, START_MS, Stage, small_venue

START = {"BTC": 50_000 * E8}


class TrendingPrices(FixedPrices):
    """Prices that stand, but are told to have moved."""

    def __init__(self) -> None:
        super().__init__(START)
        self.share = 0.0

    def moved(self, asset: str, now_ms: int, span_ms: int) -> float:
        """What the test says."""
        return self.share


def stage_with(*agents: Agent) -> tuple[Stage, TrendingPrices]:
    venue = small_venue("fixed")
    prices = TrendingPrices()
    makers = [Maker(1, each, START["BTC"], E8) for each in venue.instruments]
    house = House(venue, prices, venue.start_ms, 1_000, makers, list(agents))
    return Stage(venue, [house]), prices


def account_of(stage: Stage, label: str) -> Account:
    return stage.engine.risk.accounts[stage.engine.risk.labels[label]]


def sight_at(stage: Stage, prices: FixedPrices, now_ms: int) -> Sight:
    return Sight(1, now_ms, 1_000, stage.engine, prices, standing_prints(stage.engine))


@pytest.mark.parametrize(
    ("held", "trend", "goes"),
    [
        (0, 0.0, 0),
        (0, 0.9, 1),  # A rise of 0.9 deviations is enough to buy,
        (0, -0.9, 0),  # such a fall is not enough to sell short,
        (0, -1.4, -1),  # one of 1.4 is.
        (5, 0.0, 1),  # What is held is kept,
        (5, -0.5, 0),  # until the trend has turned.
        (-5, 0.0, -1),
        (-5, 0.5, 0),
        (-5, 0.9, 1),
        (5, -1.4, -1),
    ],
)
def test_a_follower_goes_with_the_trend_and_keeps_what_it_has(
    held: int, trend: float, goes: int
) -> None:
    assert direction(held, trend) == goes


def test_a_follower_uses_its_leverage_and_turns_around() -> None:
    contract = small_venue().instruments[1]
    follower = Momentum(1, contract, PACES[0])
    stage, prices = stage_with(follower)
    stage.run(15)
    account = account_of(stage, follower.label)
    assert account.settings[CONTRACT].leverage == 25
    assert not account.positions
    prices.share = 0.01
    stage.run(120)
    held = account.positions[CONTRACT]
    # Fourteen times 60,000 are 840,000 at 50,000: 16.8 BTC, of which a fifth may be wanting.
    assert 13_440 <= held.lots <= 16_800
    prices.share = -0.01
    stage.run(180)
    assert account.positions[CONTRACT].lots < -10_000
    assert stage.refused == []


def test_a_follower_on_spot_borrows_quote_to_buy_and_repays_when_it_sells() -> None:
    follower = MarginMomentum(1, small_venue().instruments[0])
    stage, prices = stage_with(follower)
    stage.run(5)
    prices.share = 0.05
    stage.run(120)
    account = account_of(stage, follower.label)
    # 1.3 x 60,000 = 78,000 are bought, so some 18,000 are borrowed.
    loan = account.loans["margin", "USDT"]
    assert 15_000 * E8 < loan.principal_minor < 25_000 * E8
    assert any(isinstance(event, InterestCharged) for event in stage.events)
    prices.share = 0.0
    stage.run(60)
    assert "USDT" in {asset for _, asset in account.loans}  # Kept while the trend holds.
    prices.share = -0.01  # Of ten minutes, 0.0021 is one deviation: it lets go and goes short.
    stage.run(180)
    assert ("margin", "USDT") not in account.loans
    assert account.loans["margin", "BTC"].principal_minor > E8
    effects = {
        command.side_effect
        for command in stage.log
        if isinstance(command, PlaceOrder) and command.account_id == account.id
    }
    assert effects == {BORROW, REPAY}
    stage.engine.risk.check()


def test_the_crowd_is_long_most_of_the_time() -> None:
    crowd = Crowd(1, small_venue().instruments[1])
    stage, prices = stage_with(crowd)
    stage.run(4)
    every_ms = CROWD_EVERY_S * 1_000
    awake_ms = START_MS + next(
        at * 1_000
        for at in range(CROWD_EVERY_S)
        if crowd.commands(sight_at(stage, prices, START_MS + at * 1_000))
    )
    sides = []
    for hour in range(300):
        later_ms = awake_ms + -(-hour * HOUR_MS // every_ms) * every_ms
        sides += [
            command.side
            for command in crowd.commands(sight_at(stage, prices, later_ms))
            if isinstance(command, PlaceOrder)
        ]
    # The mood is 0.7 with a deviation of 0.6: long in seven hours of eight.
    assert 0.75 * len(sides) < sides.count(Side.BUY) < len(sides)


def test_a_crowd_that_is_long_makes_a_premium() -> None:
    crowd = Crowd(1, small_venue().instruments[1])
    stage, _ = stage_with(crowd)
    stage.run(900)
    held = account_of(stage, crowd.label).positions[CONTRACT].lots
    premium_e12 = stage.engine.risk.marks[CONTRACT].premium.average_e12()
    assert premium_e12
    assert (held > 0) == (premium_e12 > 0)


def test_a_follower_looks_only_now_and_then() -> None:
    follower = Momentum(1, small_venue().instruments[1], PACES[2])
    stage, prices = stage_with(follower)
    stage.run(5)
    prices.share = 0.2
    account = account_of(stage, follower.label)
    stage.run(240)
    sent = [c for c in stage.log if isinstance(c, PlaceOrder) and c.account_id == account.id]
    assert {c.side for c in sent} == {Side.BUY}
    assert 1 <= len(sent) <= 4  # Once a minute.


def test_agents_of_a_pair_trade_that_pair() -> None:
    assert MarginMomentum(1, small_venue().instruments[0]).label == f"momentum:{PAIR}:margin"


def lucky(stage: Stage) -> Gambler:
    """A gambler whose luck is in at the stage's hour."""
    contract = small_venue().instruments[1]
    hour = stage.engine.time_ms // HOUR_MS
    for number in range(100):
        one = Gambler(1, contract, number)
        if stroke(1, one.label, hour).first < GAMBLER_HOURS:
            return one
    raise AssertionError("in three hours of ten luck is in")


def test_a_gambler_is_liquidated_refilled_and_goes_on() -> None:
    gambler = lucky(stage_with()[0])
    stage, prices = stage_with(gambler)
    prices.share = 0.01
    stage.run(60)
    account = account_of(stage, gambler.label)
    assert account.positions[CONTRACT].lots > 0
    stage.send(SetIndexPrice(base="BTC", quote="USDT", price_e8=47_500 * E8))
    stage.run(5)
    started = [e for e in stage.events if isinstance(e, LiquidationStarted)]
    assert [event.account_id for event in started] == [account.id]
    assert CONTRACT not in account.positions
    prices.share = -0.01
    stage.run(90)
    assert account.minor("perp", "USDT") > 1_500 * E8
    assert account.positions[CONTRACT].lots < 0
    stage.engine.risk.check()


def test_a_gambler_who_doubled_the_stake_takes_it() -> None:
    gambler = lucky(stage_with()[0])
    stage, prices = stage_with(gambler)
    prices.share = 0.01
    stage.run(60)
    account = account_of(stage, gambler.label)
    # 80,000 long gain 2,000 at 2.5 % more.
    prices.share = 0.0
    stage.send(SetIndexPrice(base="BTC", quote="USDT", price_e8=51_400 * E8))
    before = len(stage.log)
    stage.run(31)
    sent = [
        c for c in stage.log[before:] if isinstance(c, PlaceOrder) and c.account_id == account.id
    ]
    assert sent[0].side is Side.SELL
    assert account.minor("perp", "USDT") > 3_500 * E8
