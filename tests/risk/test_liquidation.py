"""Tests of the liquidation of perpetuals, on the engine and its books (P13)."""

from __future__ import annotations

from fractions import Fraction

import pytest

from exchange.commands import AdjustPositionMargin, PlaceOrder
from exchange.events import (
    AnyEvent,
    Filled,
    Liquidated,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    OrderChanged,
    Traded,
)
from matching.reasons import Reason
from matching.types import Side, Status
from risk.account import PERP
from risk.ledger import FEES, INSURANCE
from tests.risk.stories import (
    BTC_PERP,
    ETH_PERP,
    margin_of,
    net_minor,
    position,
    report,
    rich,
)
from tests.story import Story, of, refusal, units


@pytest.fixture
def story() -> Story:
    return Story()


def _fund(story: Story) -> Fraction:
    """What the insurance fund is worth, its positions at their marks."""
    return net_minor(story.engine, story.engine.risk.accounts[INSURANCE])


def _steps(events: list[AnyEvent]) -> list[tuple[str, int]]:
    return [(each.step, each.lots) for each in of(events, LiquidationStepped)]


# -- one step down -----------------------------------------------------------------------------


def _v73(story: Story) -> int:
    """Isolated long 15 at 50,000 at 50x: 15,000 of margin and 5,300 added; bids at 48,900."""
    account = position(story, Side.BUY, "15", "50000", money="30000", leverage=50, isolated=True)
    story.ok(AdjustPositionMargin, account_id=account, symbol=BTC_PERP, amount_minor=units("5300"))
    assert margin_of(story.person(account)) == units("20300")
    return account


def test_p13_4_v73_a_large_position_is_stepped_down_one_bracket(story: Story) -> None:
    """At 48,900: 20,300 - 15 x 1,100 = 3,800 against 733,500 x 0.65 % - 950 = 3,817.75.

    600,000 / 48,900 is 12.269...: 2.731 are sold. They lose 3,004.1 and pay 0.05 % + 0.5 % of
    133,545.9, which is 734.50245; 16,561.39755 - 12.269 x 1,100 = 3,065.49755 stand against
    599,954.1 x 0.5 % - 50 = 2,949.7705.
    """
    account = _v73(story)
    other = rich(story)
    story.buy(other, BTC_PERP, "100", "48900")
    fund = _fund(story)
    events = story.index("BTC", "48900")
    (started,) = of(events, LiquidationStarted)
    assert started.assets_e16 == 3_800 * 10**16
    assert started.debt_e16 == 381_775 * 10**14
    assert _steps(events) == [("sold", 2_731), ("fee", 0)]
    held = report(story, account)
    assert story.person(account).lots(BTC_PERP) == 12_269
    assert held.margin_minor * 10**8 + held.unrealised_e16 == 306_549_755 * 10**11
    assert held.maintenance_e16 == 29_497_705 * 10**12
    assert _fund(story) - fund == units("667.7295")  # 0.5 % of 133,545.9
    (ended,) = of(events, LiquidationEnded)
    assert (ended.result, ended.covered_minor) == ("restored", 0)
    assert not of(story.wait(5_000), LiquidationStarted)


def test_p13_4_a_step_that_the_book_does_not_take_ends_in_the_whole_position(
    story: Story,
) -> None:
    """Nobody bids: T14, it goes to the fund and not round in circles."""
    account = _v73(story)
    events = story.index("BTC", "48900")
    assert _steps(events) == [("fund", 15_000)]
    assert BTC_PERP not in story.person(account).positions
    (ended,) = of(events, LiquidationEnded)
    assert ended.result == "closed"


def test_p13_5_in_the_first_bracket_all_of_it_is_sold(story: Story) -> None:
    """1 at 50,000 with 2,500 of margin (20x); at 47,690 190 stand against 190.76. It is sold at
    47,690: 23.845 of taker fee, and 0.5 % would be 238.45, but 190 - 23.845 are all that is left.
    """
    account = position(story, Side.BUY, "1", "50000", money="2600", isolated=True)
    story.buy(rich(story), BTC_PERP, "5", "47690")
    fund = _fund(story)
    before = story.person(account).minor(PERP, "USDT")
    events = story.index("BTC", "47690")
    assert _steps(events) == [("sold", 1_000), ("fee", 0)]
    assert _fund(story) - fund == units("166.155")
    # Its margin is gone to the last unit, and nothing else of the account's.
    assert margin_of(story.person(account)) == 0
    assert story.person(account).minor(PERP, "USDT") == before
    (trade,) = of(events, Traded)
    assert trade.forced
    (told,) = of(events, Liquidated)
    assert (told.side, told.lots) == (Side.SELL, 1_000)
    assert of(events, LiquidationEnded)[0].result == "closed"


def test_p13_6_what_is_left_after_the_fee_stays_with_the_user(story: Story) -> None:
    """The same, but bids at 47,900 above the mark: 2,500 - 2,100 - 23.95 - 239.5 = 136.55."""
    account = position(story, Side.BUY, "1", "50000", money="2600", isolated=True)
    story.buy(rich(story), BTC_PERP, "5", "47900")
    before = story.person(account).minor(PERP, "USDT")
    fund = _fund(story)
    # A bid above the index would lift the mark; the last trade at 50,000 and P1 = P2 hold it.
    events = story.index("BTC", "47690")
    assert of(events, LiquidationStarted)
    assert _fund(story) - fund == units("239.5")
    assert story.person(account).minor(PERP, "USDT") - before == units("136.55")


# -- beyond bankruptcy -------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "gap"), [(Side.BUY, "40000"), (Side.SELL, "60000")])
def test_an_isolated_position_never_loses_more_than_its_margin(
    story: Story, side: Side, gap: str
) -> None:
    """A gap of 20 % against 5 % of margin; the wallet beside it has 10,000 more."""
    account = position(story, side, "1", "50000", money="12600", isolated=True)
    person = story.person(account)
    before = person.minor(PERP, "USDT")
    # The book has orders only beyond the bankruptcy price: nobody trades with it there.
    story.place(rich(story), side.opposite, BTC_PERP, "5", "49000" if side else "51000")
    events = story.index("BTC", gap)
    assert BTC_PERP not in person.positions
    assert before <= person.minor(PERP, "USDT") < before + units("30")
    assert margin_of(person) == 0
    assert _steps(events) == [("fund", 1_000)]


def test_p13_7_p12_the_fund_takes_the_rest_at_the_bankruptcy_price(story: Story) -> None:
    """Long 1 at 50,000, margin 2,500: (50,000 - 2,500) / (1 - 0.0005) = 47,523.76..., up to the
    tick 47,523.8. To the 90 beside it the user gets 23.8 back, the fee that nobody took; the fund
    holds 1 that cost 47,523.8 and is worth 40,000."""
    account = position(story, Side.BUY, "1", "50000", money="2600", isolated=True)
    fund = _fund(story)
    events = story.index("BTC", "40000")
    (step,) = of(events, LiquidationStepped)
    assert (step.step, step.price_ticks) == ("fund", 475_238)
    assert story.person(account).minor(PERP, "USDT") == units("113.8")
    house = story.engine.risk.accounts[INSURANCE]
    assert house.lots(BTC_PERP) == 1_000
    assert house.positions[BTC_PERP].cost_minor == units("47523.8")
    assert _fund(story) - fund == -units("7523.8")


def test_p13_7_what_is_filled_before_the_book_is_empty_counts(story: Story) -> None:
    """0.4 are bid above the bankruptcy price, 0.6 go to the fund."""
    position(story, Side.BUY, "1", "50000", money="2600", isolated=True)
    story.buy(rich(story), BTC_PERP, "0.4", "47600")
    events = story.index("BTC", "46000")
    steps = _steps(events)
    assert ("sold", 400) in steps
    assert steps[-1] == ("fund", 600)


def test_p13_7_the_fund_unwinds_what_it_took_in_slices_near_the_mark(story: Story) -> None:
    """1.5 at 40,000 are worth 60,000: 1.25 at a time, every 5 s, no lower than 0.5 % below."""
    position(story, Side.BUY, "1.5", "50000", money="3900", isolated=True)
    story.index("BTC", "40000")
    house = story.engine.risk.accounts[INSURANCE]
    assert house.lots(BTC_PERP) == 1_500
    other = rich(story)
    story.buy(other, BTC_PERP, "10", "39799.9")
    story.wait(5_000)
    assert house.lots(BTC_PERP) == 1_500
    story.buy(other, BTC_PERP, "10", "39800")
    story.wait(5_000)
    assert house.lots(BTC_PERP) == 250
    story.wait(5_000)
    assert BTC_PERP not in house.positions
    assert house.minor(PERP, "USDT") == story.venue.insurance_minor + units("-11585.7")
    # 1.5 x (39,800 - 47,523.8) = -11,585.7: bought at the bankruptcy price, sold at 39,800.


def test_i10_what_one_loses_by_a_liquidation_others_gain_to_the_unit(story: Story) -> None:
    """Everybody's worth at the mark and the fees taken: the sum stays what it was."""
    position(story, Side.BUY, "1", "50000", money="2600", isolated=True)
    story.buy(rich(story), BTC_PERP, "0.4", "47600")

    def everything() -> Fraction:
        risk = story.engine.risk
        worth = sum(net_minor(story.engine, each) for each in risk.accounts.values())
        fees = risk.ledger.house(FEES, "USDT").minor
        return Fraction(worth + fees)

    before = everything()
    story.index("BTC", "46000")
    assert everything() == before


# -- the cross wallet --------------------------------------------------------------------------


def _two_positions(story: Story, money: str) -> int:
    """Cross: long 1 BTC at 50,000 and long 10 ETH at 2,500."""
    account = story.account("both", perp_USDT=money)
    other = rich(story)
    for symbol, qty, price in ((BTC_PERP, "1", "50000"), (ETH_PERP, "10", "2500")):
        story.buy(account, symbol, qty, price, leverage=100)
        story.sell(other, symbol, qty, price)
    return account


def test_p13_3_the_position_that_must_keep_most_goes_first(story: Story) -> None:
    """BTC needs 0.4 % of 48,900, ETH of 25,000; selling BTC alone is enough."""
    account = _two_positions(story, "1400")
    story.buy(rich(story), BTC_PERP, "5", "49000")
    events = story.index("BTC", "48900")
    (started,) = of(events, LiquidationStarted)
    assert (started.scope, started.symbol) == (PERP, "")
    # 1,400 - 10 - 5 - 1,100 = 285 against 195.6 + 100.
    assert started.assets_e16 == 285 * 10**16
    assert started.debt_e16 == 2956 * 10**15
    assert [each.symbol for each in of(events, LiquidationStepped)] == [BTC_PERP, BTC_PERP]
    person = story.person(account)
    assert list(person.positions) == [ETH_PERP]
    # Sold at 49,000: 100 better than the mark; 24.5 and 245 of fees leave 115.5 > 100.
    assert person.minor(PERP, "USDT") == units("115.5")
    assert of(events, LiquidationEnded)[0].result == "restored"


def test_p13_a_cross_wallet_ends_at_nothing_and_not_below(story: Story) -> None:
    account = _two_positions(story, "1600")
    story.index("ETH", "2400")
    story.index("BTC", "40000")
    person = story.person(account)
    assert not person.positions
    # BTC goes at its bankruptcy price with 0.05 % to spare: that is what ETH's end leaves.
    assert 0 <= person.minor(PERP, "USDT") < units("50")


# -- what else the account has -----------------------------------------------------------------


def test_p13_1_the_scopes_orders_are_cancelled_first_and_others_left_alone(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="4000", isolated=True)
    story.buy(account, BTC_PERP, "0.01", "49000")
    story.buy(account, ETH_PERP, "0.1", "2000")
    story.deposit(account, "spot", "USDT", "100")
    story.buy(account, "BTC-USDT", "0.001", "40000")
    events = story.index("BTC", "47000")
    cancelled = [
        (each.symbol, each.reason)
        for each in of(events, OrderChanged)
        if each.status is Status.CANCELLED
    ]
    assert cancelled == [(BTC_PERP, Reason.LIQUIDATION)]
    left = [order.symbol for order in story.person(account).orders.values()]
    assert left == [ETH_PERP, "BTC-USDT"]


def test_t13_nobody_is_liquidated_into_their_own_orders(story: Story) -> None:
    """The account's own bid of 47,700 would come first, but is cancelled before."""
    account = position(story, Side.BUY, "1", "50000", money="2600")
    story.buy(account, BTC_PERP, "0.05", "47700")
    story.buy(rich(story), BTC_PERP, "5", "47650")
    events = story.index("BTC", "47600")
    assert [each.price_ticks for each in of(events, Traded)] == [476_500]
    assert BTC_PERP not in story.person(account).positions


def test_the_liquidated_is_told_of_its_forced_order_and_fill(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="2600", isolated=True)
    story.buy(rich(story), BTC_PERP, "5", "47690")
    events = story.index("BTC", "47690")
    (mine,) = [each for each in of(events, Filled) if each.account_id == account]
    assert (mine.maker, mine.fee_minor) == (False, units("23.845"))
    (order,) = [each for each in of(events, OrderChanged) if each.forced]
    assert order.status is Status.FILLED


def test_after_a_liquidation_the_account_may_trade_again(story: Story) -> None:
    account = position(story, Side.BUY, "1", "50000", money="3600", isolated=True)
    story.index("BTC", "40000")
    assert not story.person(account).liquidating
    events = story.do(
        PlaceOrder,
        account_id=account,
        symbol=BTC_PERP,
        side=Side.BUY,
        lots=100,
        price_ticks=400_000,
        wallet=PERP,
    )
    assert refusal(events) is None


def test_p13_8_who_sells_past_bankruptcy_by_themselves_ends_at_nothing_too(story: Story) -> None:
    """0.5 bought at 50,000 with 300, sold at 49,100: 450 of loss and 12.275 of fee leave
    -162.275, and no position to win it back. At the next scan the fund pays exactly that."""
    account = position(story, Side.BUY, "0.5", "50000", money="312.5", leverage=100)
    buyer = story.account(perp_USDT="100000")
    story.buy(buyer, "BTC-USDT-PERP", "0.5", "49100")
    fund = _fund(story)
    assert refusal(story.sell(account, "BTC-USDT-PERP", "0.5", "49100")) is None
    owed = story.person(account).minor("perp", "USDT")
    assert owed < 0
    story.wait(1_000)
    assert story.person(account).minor("perp", "USDT") == 0
    assert _fund(story) - fund == owed
