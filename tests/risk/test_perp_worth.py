"""Tests of what perpetual wallets are worth, what may leave them, and safe bands."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from matching.types import Side
from risk.account import PERP, position_wallet
from risk.engine import new_risk_engine
from risk.margin_worth import (
    max_transfer_out,
)
from risk.money import E12
from risk.perp_worth import cross_legs, perp_bands, perp_worth, position_worth
from risk.position import Position
from risk.scopes import perp_state
from tests.risk.bands import PRICES, inside, put_in, reprice, risk_and_account, roomy
from tests.risk.stories import (
    BTC_PERP,
    ETH_PERP,
    NO_FEES,
    position,
    rich,
)
from tests.story import Story, small_venue, units


@pytest.fixture
def story() -> Story:
    return Story()


def test_p5_the_cross_wallet_counts_profit_and_loss_of_cross_positions_alone(story: Story) -> None:
    """Long 0.5 at 50,000, 20x, at a mark of 49,000: 24,500 of notional."""
    account = position(story, Side.BUY, "0.5", "50000", money="2500")
    story.index("BTC", "49000")
    worth = perp_worth(story.engine.risk, story.person(account))
    # 2,500 - 5 - 0.5 x 1,000 = 1,995.
    assert worth.balance_e16 == 1_995 * 10**16
    assert worth.initial_e16 == 1_225 * 10**16  # 24,500 / 20
    assert worth.maintenance_e28 == 98 * 10**28  # 24,500 x 0.4 %
    assert worth.available_e16 == 770 * 10**16


def test_p5_an_isolated_position_leaves_the_cross_wallet_alone(story: Story) -> None:
    account = position(story, Side.BUY, "0.5", "50000", money="2500", isolated=True)
    story.index("BTC", "49000")
    person = story.person(account)
    worth = perp_worth(story.engine.risk, person)
    assert worth.balance_e16 == 1_245 * 10**16  # 2,500 - 5 - 1,250
    assert (worth.initial_e16, worth.maintenance_e28) == (0, 0)
    balance, maintenance = position_worth(story.engine.risk, person, BTC_PERP)
    assert balance == 750 * 10**16  # 1,250 - 500
    assert maintenance == 98 * 10**28


def test_p5_what_is_available_is_never_less_than_nothing(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="2600")
    story.index("BTC", "48000")
    worth = perp_worth(story.engine.risk, story.person(account))
    assert worth.balance_e16 < worth.initial_e16
    assert worth.available_e16 == 0


def test_p5_t17_profit_that_is_not_realised_does_not_leave(story: Story) -> None:
    """Long 1 at 50,000, 20x, with 3,600 after the fee: profit carries orders and stays; a loss
    goes off what may leave."""
    account = position(story, Side.BUY, "1", "50000", money="3610")
    person = story.person(account)
    story.index("BTC", "52000")
    # 3,600 + 2,000 - 2,600 may carry orders; 3,600 - 2,600 may leave.
    assert perp_worth(story.engine.risk, person).available_e16 == 3_000 * 10**16
    assert max_transfer_out(story.engine.risk, person, PERP, "USDT") == units("1000")
    story.index("BTC", "49500")
    # min(3,600, 3,600 - 500) - 2,475 = 625.
    assert max_transfer_out(story.engine.risk, person, PERP, "USDT") == units("625")


def test_p5_resting_orders_keep_their_margin_in_the_wallet(story: Story) -> None:
    account = story.account(perp_USDT="1000")
    story.buy(account, BTC_PERP, "0.1", "50000")
    # 500 of margin at 10x and 2.5 of fee are spoken for.
    person = story.person(account)
    assert max_transfer_out(story.engine.risk, person, PERP, "USDT") == units("497.5")


def test_p5_nothing_may_leave_a_wallet_that_profit_alone_keeps_above_zero(story: Story) -> None:
    """A loss of 4,000 is paid out of 10,000 of profit that is not realised."""
    account = position(story, Side.BUY, "1", "50000", money="2600")
    story.index("BTC", "60000")
    story.buy(account, ETH_PERP, "40", "2500", leverage=20)
    story.sell(rich(story), ETH_PERP, "40", "2500")
    story.index("ETH", "2400")
    story.buy(rich(story), ETH_PERP, "40", "2400")
    story.sell(account, ETH_PERP, "40", "2400")
    person, risk = story.person(account), story.engine.risk
    assert person.minor(PERP, "USDT") < 0  # 2,600 - 4,000 - fees,
    assert perp_worth(risk, person).balance_e16 > 0  # with 10,000 beside it.
    assert max_transfer_out(risk, person, PERP, "USDT") == 0


@given(
    st.lists(
        st.tuples(st.sampled_from([BTC_PERP, ETH_PERP]), st.sampled_from(Side), st.integers(1, 9)),
        min_size=1,
        max_size=4,
    ),
    st.integers(-99, 99),
    st.integers(-99, 99),
)
def test_within_its_bands_a_cross_wallet_is_never_in_breach(
    trades: list[tuple[str, Side, int]], btc: int, eth: int
) -> None:
    """Prices anywhere strictly inside the bands, up to 99 % of the way to a bound."""
    story = Story()
    account, other = story.account(perp_USDT="3000"), rich(story)
    for symbol, side, size in trades:
        qty, price = ("0.1", "50000") if symbol == BTC_PERP else ("2", "2500")
        qty = f"{float(qty) * size:.1f}"
        story.place(other, side.opposite, symbol, qty, price)
        story.place(account, side, symbol, qty, price, leverage=50)
    risk, person = story.engine.risk, story.person(account)
    balance, maintenance = perp_state(risk, person, PERP)
    symbols = sorted(person.positions)
    slack = balance * E12 - maintenance
    if not symbols or slack <= 0:
        return
    for symbol, low, high in perp_bands(risk, person, symbols, slack):
        mark_e8 = risk.marks[symbol].mark_e8
        assert mark_e8 is not None
        share = btc if symbol == BTC_PERP else eth
        bound = low if share < 0 else high
        to = mark_e8 * (100 + share) // 100 if bound is None else bound
        risk.marks[symbol].mark_e8 = max(1, mark_e8 + (to - mark_e8) * abs(share) // 100)
    balance, maintenance = perp_state(risk, person, PERP)
    assert balance * E12 > maintenance


def test_a_price_inside_its_bands_makes_no_scope_due(story: Story) -> None:
    """Long 1 at 50,000 with 2,500: 2,300 above maintenance at the mark of 50,000, of which 150 are
    kept back for funding, 0.3 % at most: nothing is looked at above 47,850, and all is there."""
    account = position(story, Side.BUY, "1", "50000", money="2610", isolated=True)
    story.wait(1_000)
    watch = story.engine.risk.watch
    scope = (account, position_wallet(BTC_PERP))
    # 50,000 - (2,500 - 200 - 150) = 47,850.
    assert [band for band in watch.state()[0] if band[:2] == scope] == [
        (*scope, [(BTC_PERP, units("47850"), None)], units("150"))
    ]
    watch.move(BTC_PERP, units("47850.00000001"))
    assert not watch.due
    watch.move(BTC_PERP, units("47850"))
    assert list(watch.due) == [scope]


LOTS = st.integers(-2_000_000, 2_000_000)


TENTHS = st.integers(9, 11)


@given(LOTS, LOTS, TENTHS, TENTHS, st.integers(0, 10**18), st.data())
def test_no_price_inside_its_bands_takes_a_perpetual_wallet_to_maintenance(
    btc: int, eth: int, btc_tenths: int, eth_tenths: int, wallet_minor: int, data: st.DataObject
) -> None:
    """Positions of up to 2,000 coins, entered within a tenth of the mark."""
    risk, account = risk_and_account()
    put_in(risk, account, PERP, "USDT", wallet_minor)
    for symbol, lots, tenths in ((BTC_PERP, btc, btc_tenths), (ETH_PERP, eth, eth_tenths)):
        if lots:
            lot_cost_minor = PRICES[symbol[:3]] // 1_000 * tenths // 10
            account.positions[symbol] = Position(symbol, lots, lots * lot_cost_minor)
    symbols = cross_legs(risk, account)
    worth = perp_worth(risk, account)
    slack_e28 = worth.balance_e16 * E12 - worth.maintenance_e28
    assume(symbols)
    assume(slack_e28 > 0)
    bands = perp_bands(risk, account, symbols, slack_e28)
    assert [name for name, _, _ in bands] == symbols
    assume(roomy(bands))
    reprice(risk, inside(bands, data))
    moved = perp_worth(risk, account)
    assert moved.balance_e16 * E12 > moved.maintenance_e28


@given(
    st.integers(-(10**7), 10**7).filter(bool),
    TENTHS,
    st.integers(0, 10**12),
    st.data(),
)
def test_no_price_inside_its_bands_takes_a_coin_wallet_to_maintenance(
    lots: int, tenths: int, wallet_minor: int, data: st.DataObject
) -> None:
    """Up to a thousand million dollars of contracts, entered within a tenth of the mark."""
    risk = new_risk_engine(small_venue(symbols=("BTC-USDT", "BTC-USD-PERP"), fees=NO_FEES))
    account, perp = risk.open_account("user", "one"), risk.marks["BTC-USD-PERP"]
    perp.mark_e8 = PRICES["BTC"]
    put_in(risk, account, "perp:BTC", "BTC", wallet_minor)
    contract = risk.contracts["BTC-USD-PERP"]
    amount = contract.amount_minor(abs(lots), 500_000 * tenths // 10)
    cost = contract.cost_minor(lots, amount)
    account.positions[contract.symbol] = Position(contract.symbol, lots, cost)
    balance, maintenance = perp_state(risk, account, "perp:BTC")
    slack = balance * E12 - maintenance
    assume(slack > 0)
    ((_, low, high),) = perp_bands(risk, account, [contract.symbol], slack)
    lowest = max(1, (low or 0) + 1)
    highest = 100 * PRICES["BTC"] if high is None else high - 1
    assume(lowest <= highest)
    perp.mark_e8 = data.draw(st.sampled_from([lowest, highest]) | st.integers(lowest, highest))
    balance, maintenance = perp_state(risk, account, "perp:BTC")
    assert balance * E12 > maintenance
