"""Tests of perpetual liquidations: stepped down, closed on the book, or taken by the fund."""

from __future__ import annotations

from exchange.audit import audit
from exchange.commands import AdjustPositionMargin, SetMarginMode
from exchange.events import (
    FundCovered,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    OrderChanged,
)
from matching.types import Side, Status
from risk.account import PERP, position_wallet
from risk.ledger import INSURANCE
from risk.liquidation import perp_state
from tests.risk.stories import (
    BTC_PERP,
    ETH_PERP,
    MAKERS_FREE,
    margin_of,
    position,
    rich,
)
from tests.story import Story, of, refusal, small_venue, units

SCOPE = position_wallet(BTC_PERP)
FUND = "1000000"  # What the insurance fund starts with.
SAMPLE = 5_000  # The house unwinds when premiums are sampled.


def made(**changes: object) -> Story:
    """Makers pay nothing, so that entries cost nothing; takers 0.05 %."""
    return Story(small_venue(fees=MAKERS_FREE, **changes))


def bid(story: Story, qty: str, price: str, symbol: str = BTC_PERP) -> int:
    """Somebody rich who waits to buy."""
    account = rich(story)
    assert refusal(story.buy(account, symbol, qty, price)) is None
    return account


def ask(story: Story, qty: str, price: str, symbol: str = BTC_PERP) -> int:
    """Somebody rich who waits to sell."""
    account = rich(story)
    assert refusal(story.sell(account, symbol, qty, price)) is None
    return account


def long(story: Story, money: str = "1000") -> int:
    """0.5 at 50,000 with a hundredfold leverage: isolated on a margin of 250, bracket 1."""
    return position(story, Side.BUY, "0.5", "50000", money=money, leverage=100, isolated=True)


def steps(story: Story, account: int) -> list[tuple[str, int]]:
    """What the liquidations of an account did, and the lots of it."""
    told = of(story.events, LiquidationStepped)
    return [(each.step, each.lots) for each in told if each.account_id == account]


def end(story: Story, account: int) -> LiquidationEnded:
    """How the only liquidation of an account ended."""
    [ended] = [one for one in of(story.events, LiquidationEnded) if one.account_id == account]
    return ended


def fund_minor(story: Story) -> int:
    return story.person(INSURANCE).minor(PERP, "USDT")


def wallet_minor(story: Story, account: int) -> int:
    return story.person(account).minor(PERP, "USDT")


# -- on the book -------------------------------------------------------------------------------


def test_v73_a_position_is_stepped_down_a_bracket_and_stops_when_safe() -> None:
    """15 at 50,000 with 15,000 + 5,300 of margin, bids at 48,900. At a mark of 48,900 the balance
    is 20,300 - 16,500 = 3,800 and maintenance 733,500 x 0.0065 - 950 = 3,817.75: bracket 3.
    Its floor is 600,000 / 48,900 = 12.2699, so 15 - 12.269 = 2.731 go, 133,545.90 worth: taker
    fee 66.77295, liquidation fee 667.7295. Left: 3,800 - 734.50245 = 3,065.49755 against
    12.269 x 48,900 x 0.005 - 50 = 2,949.7705."""
    story = made()
    account = position(story, Side.BUY, "15", "50000", money="20300", leverage=50, isolated=True)
    story.ok(AdjustPositionMargin, account_id=account, symbol=BTC_PERP, amount_minor=units("5300"))
    assert margin_of(story.person(account)) == units("20300")
    bid(story, "100", "48900")
    events = story.index("BTC", "48900")
    [started] = of(events, LiquidationStarted)
    assert (started.scope, started.symbol, started.mark_e8) == (SCOPE, BTC_PERP, units("48900"))
    assert started.assets_e16 == units("3800") * 10**8
    assert started.debt_e16 == units("3817.75") * 10**8
    assert steps(story, account) == [("sold", 2_731), ("fee", 0)]
    person = story.person(account)
    assert person.lots(BTC_PERP) == 12_269
    balance_e16, maintenance_e28 = perp_state(story.engine.risk, person, SCOPE)
    assert balance_e16 == units("3065.49755") * 10**8
    assert maintenance_e28 == units("2949.7705") * 10**20
    assert (end(story, account).result, end(story, account).covered_minor) == ("restored", 0)
    assert fund_minor(story) == units(FUND) + units("667.7295")
    story.wait(SAMPLE)
    assert len(of(story.events, LiquidationStarted)) == 1


def test_p13_bracket_one_is_closed_whole_and_the_surplus_returns() -> None:
    """At 49,690 the balance is 250 - 155 = 95 and maintenance 24,845 x 0.004 = 99.38. A bid at
    49,900 takes all: 250 - 50 - 12.475 (0.05 % of 24,950) - 124.75 (0.5 %) = 62.775, on top of
    the 750 that were never at stake."""
    story = made()
    account = long(story)
    bid(story, "1", "49900")
    story.index("BTC", "49690")
    assert steps(story, account) == [("sold", 500), ("fee", 0)]
    assert end(story, account).result == "closed"
    assert wallet_minor(story, account) == units("812.775")
    assert margin_of(story.person(account)) == 0
    assert fund_minor(story) == units(FUND) + units("124.75")


def test_p13_the_fee_is_at_most_what_is_left() -> None:
    """Sold at the mark of 49,690: 95 - 12.4225 = 82.5775 are left, less than 0.5 % of 24,845."""
    story = made()
    account = long(story)
    bid(story, "1", "49690")
    story.index("BTC", "49690")
    assert wallet_minor(story, account) == units("750")
    assert fund_minor(story) == units(FUND) + units("82.5775")
    assert not of(story.events, FundCovered)


def test_p11_a_balance_above_maintenance_is_left_alone_and_an_equal_one_is_not() -> None:
    """Long 0.498 at 50,000 with 249 of margin: balance 0.498 M - 24,651 meets 0.001992 M at
    24,651 / 0.496008 = 49,698.795...: a mark of 49,698.8 is safe, one of 49,698.79 is not."""
    story = made()
    account = position(story, Side.BUY, "0.498", "50000", money="299", leverage=100, isolated=True)
    bid(story, "1", "49600")
    story.index("BTC", "49698.8")
    assert not of(story.events, LiquidationStarted)
    story.index("BTC", "49698.79")
    assert of(story.events, LiquidationStarted)
    assert not story.person(account).positions


def test_p13_a_short_is_bought_back() -> None:
    """Short 0.5 at 50,000, margin 250; at 50,310 the balance is 95, maintenance 100.62. Bought at
    50,310: taker 0.05 % of 25,155 = 12.5775; the fund takes the other 82.4225 of the balance."""
    story = made()
    account = position(story, Side.SELL, "0.5", "50000", money="1000", leverage=100, isolated=True)
    ask(story, "1", "50310")
    story.index("BTC", "50310")
    assert steps(story, account) == [("bought", 500), ("fee", 0)]
    assert wallet_minor(story, account) == units("750")
    assert fund_minor(story) == units(FUND) + units("82.4225")


def test_p13_the_victims_own_orders_go_first() -> None:
    """Its resting bid would otherwise have bought its own position."""
    story = made()
    account = long(story)
    order = of(story.buy(account, BTC_PERP, "0.01", "49950"), OrderChanged)[-1].order_id
    other = of(story.buy(account, ETH_PERP, "0.1", "2400"), OrderChanged)[-1].order_id
    bid(story, "1", "49690")
    events = story.index("BTC", "49690")
    kinds = [
        type(event)
        for event in events
        if isinstance(event, LiquidationStepped)
        or (isinstance(event, OrderChanged) and event.order_id == order)
    ]
    assert kinds[0] is OrderChanged
    assert kinds[1] is LiquidationStepped
    gone = next(e for e in of(events, OrderChanged) if e.order_id == order)
    assert gone.status is Status.CANCELLED
    assert list(story.person(account).orders) == [other]  # Stands on another margin.
    assert steps(story, account)[0] == ("sold", 500)


# -- the fund ----------------------------------------------------------------------------------


def test_p13_an_empty_book_hands_the_position_to_the_fund_which_unwinds_it() -> None:
    """Bankrupt at 24,750 / (0.5 x 0.9995) = 49,524.76..., up to the tick 49,524.8. Taken there
    without a fee the user keeps 250 - 237.6 = 12.4 of its margin. At a mark of 49,690 the fund
    sells at 49,441.55 or better: not at 49,400, but at 49,500, where it loses 0.5 x 24.8 = 12.4
    and, being the house, pays no fee."""
    story = made()
    account = long(story)
    story.index("BTC", "49690")
    assert steps(story, account) == [("fund", 500)]
    assert of(story.events, LiquidationStepped)[-1].price_ticks == 495_248
    assert end(story, account).result == "closed"
    assert wallet_minor(story, account) == units("762.4")
    house = story.person(INSURANCE)
    assert house.lots(BTC_PERP) == 500
    assert house.positions[BTC_PERP].cost_minor == units("24762.4")
    bid(story, "1", "49400")
    story.wait(SAMPLE)
    assert house.lots(BTC_PERP) == 500
    bid(story, "1", "49500")
    story.wait(SAMPLE)
    assert not house.positions
    assert fund_minor(story) == units(FUND) - units("12.4")


def test_p13_the_fund_sells_a_slice_at_a_time() -> None:
    """Two at 50,000 on 2,000 (fifty times): bankrupt at 98,000 / 1.999 = 49,024.6 (up), above the
    bids. At a mark of 49,000 the fund sells 50,000 / 49,000 = 1.020 at once, then the rest."""
    story = made()
    position(story, Side.BUY, "2", "50000", money="2200", leverage=50, isolated=True)
    story.index("BTC", "49000")
    house = story.person(INSURANCE)
    assert house.lots(BTC_PERP) == 2_000
    bid(story, "5", "49000")
    story.wait(SAMPLE)
    assert house.lots(BTC_PERP) == 980
    story.wait(SAMPLE)
    assert not house.positions


def test_p13_a_book_that_takes_a_part_leaves_the_rest_to_the_fund() -> None:
    """0.2 are sold at 49,690, 0.3 taken over; the fund bears nothing while the price holds."""
    story = made()
    account = long(story)
    bid(story, "0.2", "49690")
    story.index("BTC", "49690")
    assert [lots for step, lots in steps(story, account) if step != "fee"] == [200, 300]
    assert steps(story, account)[-1] == ("fund", 300)
    assert wallet_minor(story, account) >= units("750")
    assert story.person(INSURANCE).lots(BTC_PERP) == 300


def test_p13_a_gap_through_bankruptcy_costs_the_user_its_margin_and_the_fund_the_rest() -> None:
    """From 50,000 to 47,500: bids at 47,500 are below the bankruptcy price, so the fund takes the
    position at 49,524.8 and sells at 47,500: 0.5 x 2,024.8 = 1,012.4. Its thousand do not
    suffice: it stands at -12.4, and the audit says so."""
    story = made(insurance_minor=units("1000"))
    account = long(story, money="300")
    bid(story, "1", "47500")
    story.index("BTC", "47500")
    assert wallet_minor(story, account) == units("62.4")  # 50 were never at stake; 12.4: tick, fee.
    assert not story.person(account).positions
    story.wait(SAMPLE)
    assert fund_minor(story) == units("-12.4")
    found = audit(story.engine)
    assert found.ok, found.problems
    assert found.deficits == {"insurance:USDT": units("-12.4")}


def test_p13_8_what_an_isolated_position_sold_past_its_bankruptcy_lacks_the_fund_pays() -> None:
    """Its owner sells 0.5 at 49,100: 250 - 450 - 12.275 (0.05 % of 24,550) = -212.275."""
    story = made()
    account = long(story, money="300")
    bid(story, "1", "49100")
    events = story.sell(account, BTC_PERP, "0.5", "49000")
    [paid] = of(events, FundCovered)
    assert (paid.fund, paid.paid_minor) == ("insurance", units("212.275"))
    assert paid.balance_minor == fund_minor(story) == units(FUND) - units("212.275")
    assert wallet_minor(story, account) == units("50")
    assert margin_of(story.person(account)) == 0


def test_p13_8_a_cross_account_that_sold_past_its_bankruptcy_ends_at_zero() -> None:
    """300 - 450 - 12.275 = -162.275, with nothing left to win it back: at the next scan its
    orders go and the fund pays exactly that, beyond the 100 it has."""
    story = made(insurance_minor=units("100"))
    account = position(story, Side.BUY, "0.5", "50000", money="300", leverage=100)
    assert refusal(story.buy(account, ETH_PERP, "0.01", "2400")) is None
    bid(story, "1", "49100")
    assert refusal(story.sell(account, BTC_PERP, "0.5", "49000")) is None
    assert wallet_minor(story, account) == units("-162.275")
    events = story.wait(1_000)
    [paid] = of(events, FundCovered)
    assert (paid.paid_minor, paid.balance_minor) == (units("162.275"), units("-62.275"))
    assert (end(story, account).result, end(story, account).covered_minor) == (
        "bankrupt",
        units("162.275"),
    )
    assert wallet_minor(story, account) == 0
    assert not story.person(account).orders
    assert audit(story.engine).deficits == {"insurance:USDT": units("-62.275")}
    story.wait(SAMPLE)
    assert len(of(story.events, FundCovered)) == 1


# -- a cross account ---------------------------------------------------------------------------


def cross_pair(story: Story, money: str) -> int:
    """One account with a BTC long of 2 at 50,000 and an ETH long of 10 at 2,500, cross."""
    account = position(story, Side.BUY, "2", "50000", money=money, leverage=100)
    assert refusal(story.buy(account, ETH_PERP, "10", "2500", leverage=100)) is None
    assert refusal(story.sell(rich(story), ETH_PERP, "10", "2500")) is None
    return account


def test_p13_cross_reduces_the_largest_requirement_and_stops_when_restored() -> None:
    """2,000 of money. At 49,225 BTC has lost 1,550: 450 are left against 98,450 x 0.005 - 50 =
    442.25 for BTC and 25,000 x 0.004 = 100 for ETH. BTC goes down to bracket 1: 50,000 / 49,225
    = 1.015 stay, 0.985 go at 49,500: +270.875 against the mark, less 0.55 % of 48,757.5 =
    268.16625. 452.70875 against 199.8535 + 100: ETH is not touched."""
    story = made()
    account = cross_pair(story, "2000")
    bid(story, "5", "49500")
    bid(story, "50", "2490", ETH_PERP)
    story.index("BTC", "49225")
    [started] = of(story.events, LiquidationStarted)
    assert (started.scope, started.symbol) == (PERP, "")
    assert started.assets_e16 == units("450") * 10**8
    assert started.debt_e16 == units("542.25") * 10**8
    assert steps(story, account) == [("sold", 985), ("fee", 0)]
    person = story.person(account)
    assert (person.lots(BTC_PERP), person.lots(ETH_PERP)) == (1_015, 10_000)
    assert perp_state(story.engine.risk, person, PERP) == (
        units("452.70875") * 10**8,
        units("299.8535") * 10**20,
    )
    assert end(story, account).result == "restored"


def test_p13_a_cross_account_through_its_bankruptcy_loses_everything_and_never_more() -> None:
    """To 47,500 BTC has lost 5,000 of 2,000: the fund takes both, nobody bids; what is left of
    the wallet is what the tick and the fee nobody charged leave: less than 0.06 % of 125,000."""
    story = made()
    account = cross_pair(story, "2000")
    story.index("BTC", "47500")
    person = story.person(account)
    assert not person.positions
    assert 0 <= wallet_minor(story, account) < units("75")
    house = story.person(INSURANCE)
    assert (house.lots(BTC_PERP), house.lots(ETH_PERP)) == (2_000, 10_000)
    assert audit(story.engine).ok


def test_p13_an_isolated_position_leaves_the_cross_wallet_alone() -> None:
    """The cross wallet's money and its ETH position outlive a liquidation of isolated BTC."""
    story = made()
    account = story.account("both", perp_USDT="1000")
    story.ok(SetMarginMode, account_id=account, symbol=BTC_PERP, isolated=True)
    for symbol, qty, price in ((BTC_PERP, "0.5", "50000"), (ETH_PERP, "1", "2500")):
        assert refusal(story.buy(account, symbol, qty, price, leverage=100)) is None
        assert refusal(story.sell(rich(story), symbol, qty, price)) is None
    story.index("BTC", "47500")
    person = story.person(account)
    assert list(person.positions) == [ETH_PERP]
    assert wallet_minor(story, account) == units("762.4")
