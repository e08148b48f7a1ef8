"""Tests of fees: what each side of a fill pays or is given, in which asset, to the unit."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.commands import PlaceOrder, SetFeeDiscount
from exchange.events import Filled, SettingChanged
from exchange.preview import preview
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import Fill, Order, OrderType, Side
from risk.dust import max_sellable_minor
from risk.engine import new_risk_engine
from risk.fees import FREE, discounted_minor, fee_minor, fee_rate_e12, rates_e12
from risk.ledger import FEES, LIQUIDATION
from risk.money import E12
from risk.parameters import FeeAsset, FeeSchedule, FeeTier, Venue
from tests.risk.stories import BTC, BTC_PERP, borrow, rich, trader
from tests.story import Story, again, answer, flat_fees, of, refusal, small_venue, units
from tests.vectors import exact, vectors

ETH = "ETH-USDT"


@pytest.mark.parametrize("vector", vectors(["order_execution"], on="function", ids=["V10"]))
def test_a_buyer_pays_the_fee_in_base_fill_by_fill(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"]["instrument"], vector["expected"]
    rate = exact(told["taker_fee_rate"], 12)
    bought = [exact(quantity) for _, quantity in expected["trades"]]
    fee = sum(fee_minor(quantity, rate) for quantity in bought)
    order = expected["orders"]["t"]
    assert fee == exact(order["fee"])
    assert sum(bought) - fee == exact(order["net_received"])


def round_venue(**changes: Any) -> Venue:
    """ETH at about 100 in lots of 0.01: the instrument of V10 and V14."""
    venue = small_venue(symbols=(ETH,), **changes)
    eth = Instrument(
        symbol=ETH, kind="spot", base="ETH", quote="USDT", settle="USDT", tick="0.01", lot="0.01"
    )
    assets = tuple(
        msgspec.structs.replace(each, start_price_e8=units("100")) if each.asset == "ETH" else each
        for each in venue.assets
    )
    return msgspec.structs.replace(venue, instruments=(eth,), assets=assets)


@pytest.mark.parametrize("vector", vectors(["order_execution"], on="engine", ids=["V10"]))
def test_v10_a_market_buy_by_amount_pays_its_fees_in_base(vector: dict[str, Any]) -> None:
    order = vector["expected"]["orders"]["t"]
    story = Story(round_venue())
    me, other = story.account("me", spot_USDT="1000"), story.account("other", spot_ETH="100")
    for price, qty in vector["inputs"]["steps"][0]["asks"]:
        assert refusal(story.sell(other, ETH, qty, price)) is None
    events = story.do(
        PlaceOrder,
        account_id=me,
        symbol=ETH,
        side=Side.BUY,
        type=OrderType.MARKET,
        quote_minor=units("100"),
    )
    mine = [each for each in of(events, Filled) if each.account_id == me]
    assert sum(each.fee_minor for each in mine) == exact(order["fee"])
    assert {each.fee_asset for each in mine} == {"ETH"}
    person = story.person(me)
    assert person.free("spot", "ETH") == exact(order["net_received"])
    assert units("1000") - person.free("spot", "USDT") == exact(order["cumulative_quote"])


@pytest.mark.parametrize("vector", vectors(["sellable_after_fee"], on="engine"))
def test_v14_a_fee_in_base_leaves_dust_below_a_lot(vector: dict[str, Any]) -> None:
    told, expected = vector["inputs"], vector["expected"]
    story = Story(round_venue())
    me, other = story.account("me", spot_USDT="1000"), story.account("other", spot_ETH="100")
    story.sell(other, ETH, told["quantity"].rstrip("0").rstrip("."), "100")
    story.buy(me, ETH, told["quantity"].rstrip("0").rstrip("."), "100")
    held = story.person(me).free("spot", "ETH")
    assert held == exact(expected["held"])
    instrument = story.engine.instruments[ETH]
    sellable = max_sellable_minor(instrument, held, units("100"))
    assert sellable == exact(expected["max_sellable"])
    assert held - sellable == exact(expected["dust"])


def test_a4_the_smallest_fill_pays_a_unit_and_the_smallest_rebate_is_nothing() -> None:
    assert fee_minor(1, exact("0.001", 12)) == 1
    assert fee_minor(0, exact("0.001", 12)) == 0
    assert fee_minor(1, -exact("0.001", 12)) == 0
    assert fee_minor(9_999, -exact("0.0001", 12)) == 0
    assert fee_minor(10_000, -exact("0.0001", 12)) == -1


# -- rebates -----------------------------------------------------------------------------------


def test_a4_a_rebate_is_paid_from_the_fees_and_rounded_down() -> None:
    """0.333 BTC at 50,000.1 are 16,650.0333; the taker pays 0.05 %, 8.32501665, and the maker is
    given 0.01 % of it, 1.66500333, where 1.665003330 would be exact."""
    story = Story(small_venue(fees=flat_fees(perp_maker_e12=-(E12 // 10_000))))
    maker, taker = rich(story), rich(story)
    story.sell(maker, BTC_PERP, "0.333", "50000.1")
    fills = of(story.buy(taker, BTC_PERP, "0.333", "50000.1"), Filled)
    assert [each.fee_minor for each in fills] == [-units("1.66500333"), units("8.32501665")]
    assert story.engine.risk.ledger.house(FEES, "USDT").minor == units("6.66001332")


def test_no_maker_is_given_what_the_house_as_taker_does_not_pay() -> None:
    risk = new_risk_engine(small_venue(fees=flat_fees(perp_maker_e12=-(E12 // 10_000))))
    risk.open_account("user", "maker")
    maker = Order(1, 100, BTC_PERP, Side.BUY, OrderType.LIMIT, 500_000, 1)
    taker = Order(2, LIQUIDATION, BTC_PERP, Side.SELL, OrderType.LIMIT, 500_000, 1)
    fill = Fill(maker=maker, taker=taker, price_ticks=500_000, lots=1)
    assert fee_rate_e12(risk, maker, fill) == 0
    assert fee_rate_e12(risk, taker, fill) == 0
    assert rates_e12(risk, risk.accounts[LIQUIDATION], "perp") == FREE


@pytest.mark.parametrize(
    "fields",
    [
        {"spot": (FeeTier(0, -5, 4),)},  # A rebate above what takers pay,
        {"spot": (FeeTier(0, 0, 5), FeeTier(10, -5, 4))},  # be it in the last tier.
        {"spot": (FeeTier(0, -4, 5),), "asset": "discount"},  # 5 less a quarter is 3.75.
        {"perp": (FeeTier(1, 0, 0),)},  # Somebody would have no tier.
        {"perp": (FeeTier(0, 1, 1), FeeTier(5, 2, 1))},  # A higher rate for more volume.
        {"perp": (FeeTier(0, 2, 2), FeeTier(0, 1, 1))},
        {"discount_e12": E12},
    ],
)
def test_a_schedule_that_cannot_stand_is_not_loaded(fields: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        FeeSchedule(**fields)


def test_a_rebate_may_be_all_that_the_cheapest_taker_pays() -> None:
    FeeSchedule(spot=(FeeTier(0, 0, 5), FeeTier(10, -4, 4)))
    FeeSchedule(spot=(FeeTier(0, -3, 4),), asset="discount")


TRADES = st.lists(
    st.tuples(
        st.sampled_from((BTC, BTC_PERP)),
        st.sampled_from(tuple(Side)),
        st.integers(49_000, 51_000),
        st.integers(1, 40),
    ),
    min_size=1,
    max_size=12,
)
SCHEDULES = st.builds(
    flat_fees,
    spot_maker_e12=st.integers(-(E12 // 2000), E12 // 500),
    spot_taker_e12=st.integers(E12 // 2000 * 2, E12 // 500),
    perp_maker_e12=st.integers(-(E12 // 2000), E12 // 500),
    perp_taker_e12=st.integers(E12 // 2000, E12 // 500),
    asset=st.sampled_from(("received", "quote")),
)


@settings(max_examples=40, deadline=None)
@given(SCHEDULES, TRADES)
def test_what_everybody_pays_is_what_the_house_has(
    fees: FeeSchedule, trades: list[tuple[str, Side, int, int]]
) -> None:
    story = Story(small_venue(symbols=(BTC, BTC_PERP), fees=fees))
    people = [
        story.account(name, spot_USDT="9000000", spot_BTC="100", perp_USDT="9000000")
        for name in ("one", "two")
    ]
    for symbol, side, price, thousandths in trades:
        qty = f"0.{thousandths:03}"
        story.place(people[0], side, symbol, qty, str(price))
        fills = of(story.place(people[1], side.opposite, symbol, qty, str(price)), Filled)
        if symbol == BTC_PERP or fees.asset == "quote":
            assert sum(each.fee_minor for each in fills) >= 0  # No rebate above the fee.
    paid: dict[str, int] = {}
    for each in of(story.events, Filled):
        paid[each.fee_asset] = paid.get(each.fee_asset, 0) + each.fee_minor
    house = {asset: story.engine.risk.ledger.house(FEES, asset).minor for asset in paid}
    assert house == paid


# -- the discount asset ------------------------------------------------------------------------


def _discounting() -> Story:
    """BNB stands at 300, BTC at 50,000."""
    return Story(small_venue(symbols=(BTC, "BNB-USDT"), fees=FeeSchedule(asset="discount")))


def _bought(story: Story, bnb: str, on: bool = True, symbol: str = BTC) -> Filled:
    """What somebody with so much BNB paid for buying one at the index."""
    me = story.account("me", spot_USDT="100000")
    if bnb:
        story.deposit(me, "spot", "BNB", bnb)
    if on:
        story.ok(SetFeeDiscount, account_id=me, on=True)
    other = story.account("other", spot_BTC="10", spot_BNB="10")
    price = "50000" if symbol == BTC else "300"
    story.sell(other, symbol, "1", price)
    (_, mine) = of(story.buy(me, symbol, "1", price), Filled)
    return mine


def test_s10_a_fee_in_the_discount_asset_is_three_quarters_at_the_index() -> None:
    """0.1 % of 50,000 is 50; less a quarter 37.5 (T1), and at 300 that is 0.125 BNB."""
    story = _discounting()
    mine = _bought(story, "1")
    assert (mine.fee_asset, mine.fee_minor) == ("BNB", units("0.125"))
    person = story.person(mine.account_id)
    assert person.free("spot", "BTC") == units("1")
    assert person.free("spot", "BNB") == units("0.875")


@pytest.mark.parametrize("bnb", ["", "0.12499999"])
def test_s10_where_the_discount_asset_is_short_the_whole_fee_is_the_full_one(bnb: str) -> None:
    story = _discounting()
    mine = _bought(story, bnb)
    assert (mine.fee_asset, mine.fee_minor) == ("BTC", units("0.001"))
    assert story.person(mine.account_id).free("spot", "BNB") == units(bnb or "0")


def test_s10_what_was_just_bought_can_pay_its_own_fee() -> None:
    """0.1 % of one BNB less a quarter."""
    mine = _bought(_discounting(), "", symbol="BNB-USDT")
    assert (mine.fee_asset, mine.fee_minor) == ("BNB", units("0.00075"))


def test_s10_who_did_not_ask_for_it_pays_in_what_was_received() -> None:
    mine = _bought(_discounting(), "1", on=False)
    assert (mine.fee_asset, mine.fee_minor) == ("BTC", units("0.001"))


def test_a4_a_discounted_fee_is_rounded_up_once() -> None:
    """0.1 % of 0.00000007 BTC at 50,000 less a quarter is 0.000002625 USDT: 0.00000000875 BNB."""
    story = _discounting()
    me = story.account("me")
    story.ok(SetFeeDiscount, account_id=me, on=True)
    risk, person = story.engine.risk, story.person(me)
    assert discounted_minor(risk, person, ("BTC", 7), E12 // 1_000) == 1
    assert discounted_minor(risk, person, ("BTC", 7), -E12 // 1_000) is None


def test_the_discount_is_a_setting_that_comes_back_from_a_snapshot() -> None:
    story = _discounting()
    me = story.account("me")
    (told,) = of(story.ok(SetFeeDiscount, account_id=me, on=True), SettingChanged)
    assert (told.name, told.value) == ("fee_discount", "on")
    assert again(story.engine).risk.accounts[me].fee_discount
    assert refusal(story.do(SetFeeDiscount, account_id=me, on=True)) is Reason.MODE_UNCHANGED
    story.ok(SetFeeDiscount, account_id=me, on=False)
    assert not story.person(me).fee_discount


@pytest.mark.parametrize("asset", ["received", "quote"])
def test_a_venue_without_a_discount_asset_has_no_such_setting(asset: FeeAsset) -> None:
    story = Story(small_venue(fees=FeeSchedule(asset=asset)))
    events = story.do(SetFeeDiscount, account_id=story.account("me"), on=True)
    assert answer(events).reason is Reason.MODE_NOT_ALLOWED


def test_a_venue_cannot_take_fees_in_what_it_does_not_have() -> None:
    with pytest.raises(AssertionError):
        small_venue(symbols=(BTC,), fees=FeeSchedule(asset="discount"))


def test_s10_a_perpetual_pays_in_its_settle_asset_whatever_the_setting() -> None:
    story = Story(small_venue(symbols=(BTC_PERP, "BNB-USDT"), fees=FeeSchedule(asset="discount")))
    me, other = rich(story), rich(story)
    story.deposit(me, "spot", "BNB", "10")
    story.ok(SetFeeDiscount, account_id=me, on=True)
    story.sell(other, BTC_PERP, "1", "50000")
    (_, mine) = of(story.buy(me, BTC_PERP, "1", "50000"), Filled)
    assert (mine.fee_asset, mine.fee_minor) == ("USDT", units("25"))


@pytest.mark.parametrize(("bnb", "fee", "asset"), [("1", "0.125", "BNB"), ("0.1", "0.001", "BTC")])
def test_s10_a_preview_tells_the_fee_as_it_will_be_paid(bnb: str, fee: str, asset: str) -> None:
    story = _discounting()
    me = story.account("me", spot_USDT="50000", spot_BNB=bnb)
    story.ok(SetFeeDiscount, account_id=me, on=True)
    story.sell(story.account("other", spot_BTC="1"), BTC, "1", "50000")
    wish = PlaceOrder(account_id=me, symbol=BTC, side=Side.BUY, lots=100_000, price_ticks=5_000_000)
    said = preview(story.engine, wish)
    assert (said.reason, said.fee_minor, said.fee_asset) == (None, units(fee), asset)
    (_, mine) = of(story.buy(me, BTC, "1", "50000"), Filled)
    assert (mine.fee_minor, mine.fee_asset) == (said.fee_minor, said.fee_asset)


def test_s10_a_liquidation_pays_no_fee_out_of_the_collateral_beside_what_it_sells() -> None:
    """12,500 in BTC, 500 and 5 BNB against 8,000: at 27,000 the level is 8,750 / 8,000, below 1.1.
    BNB would cover the fees, but fees of sales are paid in what the sales bring."""
    story = _discounting()
    me = story.account("me", margin_USDT="5000", margin_BNB="5")
    story.ok(SetFeeDiscount, account_id=me, on=True)
    borrow(story, me, "margin", "USDT", "8000")
    rich_one = story.account("other", spot_BTC="1", spot_USDT="1000000")
    story.sell(rich_one, BTC, "0.25", "50000")
    (_, bought) = of(story.buy(me, BTC, "0.25", "50000", wallet="margin"), Filled)
    assert bought.fee_asset == "BNB"
    story.buy(rich_one, BTC, "1", "48000")
    story.buy(rich_one, "BNB-USDT", "10", "299")
    events = story.index("BTC", "27000") + story.wait(5_000)
    sold = [each for each in of(events, Filled) if each.account_id == me]
    assert sold
    assert {each.fee_asset for each in sold} == {"USDT"}


def test_s11_a_resting_buy_in_quote_outlives_its_owners_tier() -> None:
    """It keeps back the highest rate of any tier, 0.1 %, whichever its owner has."""
    story = Story(small_venue(fees=FeeSchedule(asset="quote")))
    me = trader(story)
    days = story.person(me).volumes
    days.add("spot", story.engine.risk.fee_day.day - 1, 10**17)
    story.engine.risk.fee_day.traders.add(me)
    assert rates_e12(story.engine.risk, story.person(me), "spot").taker_e12 == E12 // 2_000
    story.buy(me, BTC, "1", "50000")
    assert story.person(me).pockets["spot", "USDT"].locked == units("50050")
