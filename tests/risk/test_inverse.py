"""Tests of inverse perpetuals on the engine: coins in, coins out, and where they end."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from exchange.commands import SetLeverage, SetMarginMode, Transfer
from exchange.events import Filled, FundingCharged, LiquidationStarted
from matching.reasons import Reason
from matching.types import OrderType, Side
from risk.ledger import CLEARING, INSURANCE, ROUNDING
from risk.perp_report import perp_report, position_report
from risk.perp_worth import perp_worth
from tests.story import Story, again, flat_fees, of, refusal, small_venue, units

USD_PERP = "BTC-USD-PERP"
COIN_WALLET = "perp:BTC"
NO_FEES = flat_fees(perp_maker_e12=0, perp_taker_e12=0)


def _story(**changes: object) -> Story:
    symbols = ("BTC-USDT", "BTC-USDT-PERP", USD_PERP)
    return Story(small_venue(symbols=symbols, **({"fees": NO_FEES} | changes)))


def _trader(story: Story, coins: str) -> int:
    return story.account("trader", **{f"{COIN_WALLET}_BTC": coins})


def _held(
    story: Story,
    side: Side,
    contracts: str,
    price: str,
    coins: str,
    *,
    leverage: int = 10,
    isolated: bool = False,
) -> int:
    """An account with so many coins whose order is filled at a price."""
    one, other = _trader(story, coins), _trader(story, "100000")
    if isolated:
        story.ok(SetMarginMode, account_id=one, symbol=USD_PERP, isolated=True)
    assert refusal(story.place(one, side, USD_PERP, contracts, price, leverage=leverage)) is None
    assert refusal(story.place(other, side.opposite, USD_PERP, contracts, price)) is None
    assert not story.person(one).orders
    return one


def test_v34_a_short_that_is_closed_lower_wins_coins() -> None:
    """100 contracts of 100 USD sold at 50,000 and bought at 49,000: 10,000 x (1/49,000 - 1/50,000)
    = 0.0040816326... BTC; of both trades the coins are rounded once: 0.20408163 - 0.2."""
    story = _story()
    one = _held(story, Side.SELL, "100", "50000", "1")
    story.index("BTC", "49000")
    story.sell(_trader(story, "10"), USD_PERP, "100", "49000")
    events = story.buy(one, USD_PERP, "100", "49000")
    (fill,) = [each for each in of(events, Filled) if each.account_id == one]
    assert fill.realised_minor == units("0.00408163")
    assert story.person(one).minor(COIN_WALLET, "BTC") == units("1.00408163")


def test_a3_i3_both_sides_book_the_same_coins_and_nothing_is_lost() -> None:
    story = _story()
    one = _held(story, Side.BUY, "333", "49217.5", "10")
    assert story.person(one).positions[USD_PERP].cost_minor == -units("0.67658861")
    story.sell(one, USD_PERP, "500", "49300.1")
    story.buy(_trader(story, "10"), USD_PERP, "500", "49300.1")
    held = [
        each.positions[USD_PERP] for each in story.engine.risk.accounts.values() if each.positions
    ]
    assert sum(each.lots for each in held) == 0
    clearing = story.engine.risk.ledger.house_minor(CLEARING, "BTC", USD_PERP)
    assert sum(each.cost_minor for each in held) == -clearing


def test_a4_the_fee_is_in_coin_rounded_up() -> None:
    """1 contract at 49,217.5: 0.00203180 BTC, of which 0.05 % are 0.0000010159."""
    story = _story(fees=flat_fees(perp_maker_e12=0, perp_taker_e12=500_000_000))
    other, one = _trader(story, "1"), _trader(story, "1")
    story.sell(other, USD_PERP, "1", "49217.5")
    events = story.buy(one, USD_PERP, "1", "49217.5")
    (fill,) = [each for each in of(events, Filled) if each.account_id == one]
    assert (fill.fee_minor, fill.fee_asset) == (102, "BTC")


def test_p4_v36_an_order_asks_for_coins() -> None:
    """120 contracts at 50,000 on 50x: 12,000 / 50,000 / 50 = 0.0048 BTC, and not a unit less."""
    for coins, refused in (("0.00479999", Reason.INSUFFICIENT_MARGIN), ("0.0048", None)):
        story = _story()
        one = _trader(story, coins)
        story.ok(SetLeverage, account_id=one, symbol=USD_PERP, leverage=50)
        assert refusal(story.buy(one, USD_PERP, "120", "50000")) is refused
        worth = perp_worth(story.engine.risk, story.person(one), COIN_WALLET)
        assert worth.available_minor == (0 if refused is None else units("0.00479999"))


def test_p3_the_caps_are_in_coin() -> None:
    """125x is good for 5 BTC: 2,500 contracts at 50,000, and none more; at a lower price an order
    of as many is more coins."""
    story = _story()
    one = _trader(story, "1000")
    story.ok(SetLeverage, account_id=one, symbol=USD_PERP, leverage=125)
    assert refusal(story.buy(one, USD_PERP, "2501", "50000")) is Reason.BRACKET_EXCEEDED
    assert refusal(story.buy(one, USD_PERP, "2500", "49999.9")) is Reason.BRACKET_EXCEEDED
    assert refusal(story.buy(one, USD_PERP, "2500", "50000")) is None


def test_an_amount_of_dollars_is_so_many_contracts() -> None:
    story = _story()
    other, one = _trader(story, "1"), _trader(story, "1")
    story.sell(other, USD_PERP, "10", "50000")
    events = story.buy(one, USD_PERP, type=OrderType.MARKET, quote_minor=units("350"))
    assert refusal(events) is None
    assert story.person(one).lots(USD_PERP) == 3
    events = story.buy(one, USD_PERP, type=OrderType.MARKET, quote_minor=units("99"))
    assert refusal(events) is Reason.AMOUNT_BELOW_ONE_LOT


def test_p10_v66_funding_is_paid_in_coin_and_what_is_left_goes_to_rounding() -> None:
    """333 contracts at 50,000 and 0.01 %: 0.0000666 BTC from the long to the short."""
    story = _story()
    one = _held(story, Side.BUY, "333", "50000", "1")
    before = story.person(one).minor(COIN_WALLET, "BTC")
    events = story.wait(8 * 3_600_000)
    flows = {each.account_id: each.flow_minor for each in of(events, FundingCharged)}
    assert flows[one] == -units("0.0000666")
    assert story.person(one).minor(COIN_WALLET, "BTC") == before - units("0.0000666")
    rounding = story.engine.risk.ledger.house_minor(ROUNDING, "BTC")
    assert sum(flows.values()) + rounding == 0


def test_coins_come_in_and_go_out_but_not_the_margin() -> None:
    """1 BTC, of which 0.2 / 10 = 0.02 stand behind 100 contracts: 0.98 may leave."""
    story = _story()
    one = _held(story, Side.BUY, "100", "50000", "1")
    out = {"account_id": one, "source": COIN_WALLET, "target": "spot", "asset": "BTC"}
    events = story.do(Transfer, **out, amount_minor=units("0.98") + 1)
    assert refusal(events) is Reason.TRANSFER_WOULD_BREACH_MARGIN
    story.ok(Transfer, **out, amount_minor=units("0.98"))
    back = out | {"source": "spot", "target": COIN_WALLET}
    story.ok(Transfer, **back, amount_minor=units("0.5"))
    wrong = out | {"asset": "USDT"}
    assert refusal(story.do(Transfer, **wrong, amount_minor=1)) is Reason.ASSET_NOT_IN_WALLET
    nowhere = out | {"source": "perp:ETH"}
    assert refusal(story.do(Transfer, **nowhere, amount_minor=1)) is Reason.UNKNOWN_WALLET


def test_t17_profit_in_coin_that_is_not_realised_does_not_leave() -> None:
    story = _story()
    one = _held(story, Side.BUY, "100", "50000", "1")
    story.index("BTC", "60000")
    told = perp_report(story.engine.risk, story.person(one), "BTC")
    assert told.unrealised_e16 > 0
    # 1 less 10,000 / 60,000 / 10 of margin, 0.01666667.
    assert told.withdrawable_minor == units("0.98333333")


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("side", list(Side))
def test_v54_v55_i14_it_is_liquidated_exactly_at_the_price_it_is_shown(
    side: Side, isolated: bool
) -> None:
    """2,000 contracts (4 BTC at 50,000) on 20x: 0.2 BTC of margin, or of wallet."""
    story = _story()
    one = _held(story, side, "2000", "50000", "0.2", leverage=20, isolated=isolated)
    told = position_report(story.engine.risk, story.person(one), USD_PERP)
    # Long 4.2 = 200,000 x 1.004 / P; short 3.8 = 200,000 x 0.996 / P, both in bracket 1.
    exact = Fraction(200_800 if side is Side.BUY else 199_200) / (
        Fraction("4.2") if side is Side.BUY else Fraction("3.8")
    )
    assert told.liquidation_e8 == round(exact * 10**8)
    below = exact.numerator * 10**8 // exact.denominator
    last, first = (below + 1, below) if side is Side.BUY else (below, below + 1)
    for price_e8, falls in ((last, False), (first, True)):
        events = story.index("BTC", f"{price_e8 // 10**8}.{price_e8 % 10**8:08d}")
        assert bool(of(events, LiquidationStarted)) is falls


def test_v56_a_short_with_its_coins_behind_it_has_no_liquidation_price() -> None:
    story = _story()
    one = _held(story, Side.SELL, "100", "50000", "1")
    told = position_report(story.engine.risk, story.person(one), USD_PERP)
    assert told.liquidation_e8 is told.bankruptcy_ticks is None
    assert not of(story.index("BTC", "5000000"), LiquidationStarted)


def test_the_coin_wallet_stands_apart_from_that_of_linear_contracts() -> None:
    story = _story()
    one = _held(story, Side.BUY, "100", "50000", "0.03")
    story.deposit(one, "perp", "USDT", "1000000")
    events = story.index("BTC", "40000")
    assert of(events, LiquidationStarted)[0].scope == COIN_WALLET
    assert story.person(one).minor("perp", "USDT") == units("1000000")
    fund = story.engine.risk.accounts[INSURANCE]
    assert fund.minor(COIN_WALLET, "BTC") != 0


def test_i13_positions_orders_and_coins_are_the_same_after_a_restart() -> None:
    story = _story()
    one = _held(story, Side.BUY, "100", "50000", "1", isolated=True)
    story.buy(one, USD_PERP, "7", "49000.3")
    engine = again(story.engine)
    engine.check()
    assert engine.digest() == story.engine.digest()


def test_a_venue_has_one_inverse_contract_a_coin() -> None:
    venue = small_venue(symbols=("BTC-USDT", USD_PERP))
    first = venue.instruments[-1]
    second = msgspec.structs.replace(first, symbol="BTC-USD2-PERP")
    perp = msgspec.structs.replace(venue.perps[0], symbol="BTC-USD2-PERP")
    with pytest.raises(AssertionError, match="each coin wallet has one inverse contract"):
        msgspec.structs.replace(
            venue, instruments=(*venue.instruments, second), perps=(*venue.perps, perp)
        )
