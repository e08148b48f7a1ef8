"""Purses: agents are opened once, funded once, and refilled when they are broke."""

from exchange.commands import Deposit, OpenAccount, SetLeverage
from exchange.market.agents.purses import Money, Purse, openings, refills
from exchange.market.prices import FixedPrices
from exchange.market.sight import Sight
from tests.exchange.market.stage import CONTRACT, START_MS, Stage, small_venue

E8 = 100_000_000
SPOT = Purse("spender", (Money("spot", "USDT", 100 * E8), Money("spot", "BTC", 2 * E8)))
DARING = Purse("daring", (Money("perp", "USDT", 50 * E8),), ((CONTRACT, 25),))
BORROWER = Purse("borrower", (Money("margin", "USDT", 70 * E8),))
ALL = [SPOT, DARING, BORROWER]


def sight(stage: Stage) -> Sight:
    return Sight(1, START_MS, 1_000, stage.engine, FixedPrices({}), {})


def opened() -> Stage:
    stage = Stage(small_venue(), [])
    for command in openings(ALL, sight(stage)):
        assert isinstance(command, OpenAccount)
        stage.send(command)
    return stage


def test_agents_are_opened_once() -> None:
    stage = opened()
    assert sorted(stage.engine.risk.labels) == ["borrower", "daring", "spender"]
    assert openings(ALL, sight(stage)) == []


def test_a_new_agent_is_given_what_its_purse_says() -> None:
    stage = opened()
    for command in refills(ALL, sight(stage)):
        assert stage.send(command).reason is None
    spender, daring, borrower = (sight(stage).account(p.label) for p in ALL)
    assert spender is not None
    assert daring is not None
    assert borrower is not None
    assert spender.minor("spot", "BTC") == 2 * E8
    assert daring.minor("perp", "USDT") == 50 * E8
    assert daring.settings[CONTRACT].leverage == 25
    assert borrower.minor("margin", "USDT") == 70 * E8
    assert refills(ALL, sight(stage)) == []


def test_an_agent_is_refilled_only_when_it_is_broke() -> None:
    stage = opened()
    for command in refills(ALL, sight(stage)):
        stage.send(command)
    spender = sight(stage).account("spender")
    assert spender is not None
    pocket = spender.pockets["spot", "USDT"]
    pocket.minor = 41 * E8  # What trading left of it: more than 40 %,
    assert refills(ALL, sight(stage)) == []
    pocket.minor = 39 * E8  # and less.
    assert refills(ALL, sight(stage)) == [
        Deposit(account_id=spender.id, wallet="spot", asset="USDT", amount_minor=61 * E8)
    ]


def test_a_leverage_is_only_set_where_it_differs() -> None:
    stage = opened()
    wanted = [c for c in refills(ALL, sight(stage)) if isinstance(c, SetLeverage)]
    assert [(c.symbol, c.leverage) for c in wanted] == [(CONTRACT, 25)]
    stage.send(wanted[0])
    assert not [c for c in refills(ALL, sight(stage)) if isinstance(c, SetLeverage)]
