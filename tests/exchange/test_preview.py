"""Tests of previews: they change nothing, and what they say is what the order then does."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import (
    Borrow,
    CancelAll,
    PlaceOrder,
    SetLeverage,
    SetMarginMode,
    SetSymbolState,
    Transfer,
)
from exchange.events import AnyEvent, Filled, FundCovered
from exchange.preview import Preview, preview
from matching.instrument import amount_text
from matching.reasons import Reason
from matching.types import OrderType, Side, TimeInForce
from risk.margin_report import margin_report
from risk.parameters import FeeSchedule
from risk.perp_report import perp_report, position_report
from tests.story import Story, of, refusal, small_venue, units

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"
ETH_PERP = "ETH-USDT-PERP"
ISOLATED = "isolated:BTC-USDT"
BORROWING: dict[str, Any] = {"side_effect": 1}
REPAYING: dict[str, Any] = {"side_effect": 2}


@pytest.fixture
def story() -> Story:
    return Story()


def asked(
    story: Story, account: int, side: Side, symbol: str, qty: str, price: str = "", **more: Any
) -> tuple[Preview, list[AnyEvent]]:
    """What the preview says, and the events of the order itself; the first changed nothing."""
    instrument = story.engine.instruments[symbol]
    wish = PlaceOrder(
        account_id=account,
        symbol=symbol,
        side=side,
        type=OrderType.LIMIT if price else OrderType.MARKET,
        lots=int(units(qty)) // instrument.lot_minor,
        price_ticks=units(price) // instrument.tick_e8 if price else 0,
        **({"wallet": "spot" if instrument.kind == "spot" else "perp"} | more),
    )
    before = story.engine.digest()
    said = preview(story.engine, wish)
    assert story.engine.digest() == before
    story.engine.check()
    return said, story.place(account, side, symbol, qty, *([price] if price else []), **more)


def fees(events: list[AnyEvent], account: int) -> tuple[int, set[str]]:
    """What one account paid for its fills, and in what."""
    mine = [fill for fill in of(events, Filled) if fill.account_id == account]
    return sum(fill.fee_minor for fill in mine), {fill.fee_asset for fill in mine}


def market(story: Story) -> int:
    """Somebody who quotes spot and perpetuals 10 wide around 50,000 and 2,500, two levels deep."""
    maker = story.account(spot_USDT="1000000", perp_USDT="1000000")
    story.deposit(maker, "spot", "BTC", "20")
    for symbol, bids, asks, qty in (
        (SPOT, ("49990", "49980"), ("50000", "50010"), "0.2"),
        (PERP, ("49990", "49980"), ("50000", "50010"), "0.5"),
        (ETH_PERP, ("2499", "2498"), ("2500", "2501"), "10"),
    ):
        for bid, ask in zip(bids, asks, strict=True):
            story.buy(maker, symbol, qty, bid)
            story.sell(maker, symbol, qty, ask)
    return maker


# -- spot --------------------------------------------------------------------------------------


def test_s10_a_buy_pays_in_what_it_receives_and_a_sale_in_quote(story: Story) -> None:
    """0.1 % of 0.1 BTC, and of 0.1 x 49,990."""
    market(story)
    one = story.account(spot_USDT="10000", spot_BTC="1")
    bought, events = asked(story, one, Side.BUY, SPOT, "0.1", "50000")
    assert bought[:4] == (None, units("0.0001"), "BTC", units("5000"))
    assert (bought.fee_minor, {bought.fee_asset}) == fees(events, one)
    sold, events = asked(story, one, Side.SELL, SPOT, "0.1")
    assert sold[:4] == (None, units("4.999"), "USDT", units("0.1"))
    assert (sold.fee_minor, {sold.fee_asset}) == fees(events, one)


def test_s10_with_the_switch_the_buy_pays_in_quote_as_well() -> None:
    """0.1 % of 5,000; the order holds it on top of its cost."""
    story = Story(small_venue(fees=FeeSchedule(asset="quote")))
    market(story)
    one = story.account(spot_USDT="10000")
    said, events = asked(story, one, Side.BUY, SPOT, "0.1", "50000")
    assert said[:4] == (None, units("5"), "USDT", units("5005"))
    assert (said.fee_minor, {said.fee_asset}) == fees(events, one)


def test_s11_a_market_buy_needs_the_cost_of_walking_the_book(story: Story) -> None:
    """0.2 at 50,000 and 0.1 at 50,010 are 15,001."""
    market(story)
    one = story.account(spot_USDT="15001")
    said, events = asked(story, one, Side.BUY, SPOT, "0.3")
    assert (said.reason, said.margin_minor, said.fee_minor) == (
        None,
        units("15001"),
        units("0.0003"),
    )
    assert refusal(events) is None
    assert story.person(one).minor("spot", "USDT") == 0


def test_m6_m7_a_margin_buy_tells_its_loan_and_what_a_day_of_it_costs(story: Story) -> None:
    """Own 2,000, buy for 5,000: 3,000 are borrowed, at 0.001 % an hour 0.03, 24 times 0.72."""
    market(story)
    one = story.account(margin_USDT="2000")
    said, _ = asked(story, one, Side.BUY, SPOT, "0.1", "50000", wallet="margin", **BORROWING)
    assert (said.reason, said.margin_minor, said.borrow_minor, said.borrow_asset) == (
        None,
        units("2000"),
        units("3000"),
        "USDT",
    )
    assert said.interest_day_minor == units("0.72")
    assert story.person(one).loans["margin", "USDT"].principal_minor == units("3000")


@pytest.mark.parametrize(
    ("side", "qty", "more"),
    [
        (Side.BUY, "0.15", BORROWING),  # Long on borrowed USDT,
        (Side.SELL, "0.12", BORROWING),  # short of borrowed BTC,
        (Side.BUY, "0.3", BORROWING),  # over two levels,
        (Side.BUY, "0.01", {}),  # without a loan,
        (Side.BUY, "0.15", {"side_effect": 3}),  # and with the proceeds repaying nothing.
    ],
)
def test_m11_v22_v23_the_liquidation_price_is_that_of_the_wallet_afterwards(
    story: Story, side: Side, qty: str, more: dict[str, Any]
) -> None:
    market(story)
    one = story.account()
    story.deposit(one, ISOLATED, "USDT", "2000")
    said, events = asked(story, one, side, SPOT, qty, wallet=ISOLATED, **more)
    assert refusal(events) is said.reason is None
    report = margin_report(story.engine.risk, story.person(one), ISOLATED)
    assert said.liquidation_e8 == report.liquidation_price_e8
    assert (said.liquidation_e8 is None) is (not more)


def test_the_margin_call_comes_before_the_liquidation(story: Story) -> None:
    """10x: called at 1.09, liquidated at 1.05. Own 2,000 and borrow 5,500 (and 0.055 for an hour)
    for 0.15 BTC less 0.1 %: (1.09 x 5,500.055) / 0.14985 and (1.05 x 5,500.055) / 0.14985."""
    market(story)
    one = story.account()
    story.deposit(one, ISOLATED, "USDT", "2000")
    said, _ = asked(story, one, Side.BUY, SPOT, "0.15", "50000", wallet=ISOLATED, **BORROWING)
    assert said.call_e8 == units("40007.07340674")
    assert said.liquidation_e8 == units("38538.92392392")


def test_m11_on_cross_margin_the_price_is_that_of_the_base_with_the_rest_standing_still(
    story: Story,
) -> None:
    """Long on borrowed USDT beside ETH, and short of BTC: what is said is what is reported once
    the order is done."""
    market(story)
    for side, qty in ((Side.BUY, "0.2"), (Side.SELL, "0.1")):
        one = story.account(margin_USDT="5000", margin_ETH="1")
        said, events = asked(story, one, side, SPOT, qty, wallet="margin", **BORROWING)
        assert refusal(events) is said.reason is None
        report = margin_report(story.engine.risk, story.person(one), "margin")
        assert said.liquidation_e8 == report.liquidation_prices_e8["BTC"]
        assert said.call_e8 == report.call_prices_e8["BTC"]


def test_m4_a_loan_that_leads_to_another_tier_is_told_with_its_levels(story: Story) -> None:
    """20,000 own and more than 90,000 borrowed: the second tier falls at 1.07, not at 1.05."""
    market(story)
    story.sell(story.account("seller", spot_BTC="10"), SPOT, "3", "50000")
    one = story.account()
    story.deposit(one, ISOLATED, "USDT", "20000")
    said, events = asked(story, one, Side.BUY, SPOT, "2.3", "50000", wallet=ISOLATED, **BORROWING)
    assert refusal(events) is said.reason is None
    report = margin_report(story.engine.risk, story.person(one), ISOLATED)
    assert report.leverage == 8
    assert (said.liquidation_e8, said.call_e8) == (
        report.liquidation_price_e8,
        report.call_prices_e8["BTC"],
    )


def test_m6_what_an_order_repays_moves_its_liquidation_price(story: Story) -> None:
    """Half of a long on borrowed money is sold, and what it brings repays.

    The interest on an odd loan is a part of a unit, and is paid with a whole one (V26)."""
    market(story)
    one = story.account()
    story.deposit(one, ISOLATED, "USDT", "2000.00000037")
    story.buy(one, SPOT, "0.15", wallet=ISOLATED, **BORROWING)
    said, events = asked(story, one, Side.SELL, SPOT, "0.07", wallet=ISOLATED, **REPAYING)
    assert refusal(events) is None
    report = margin_report(story.engine.risk, story.person(one), ISOLATED)
    assert said.liquidation_e8 == report.liquidation_price_e8 is not None
    said, _ = asked(story, one, Side.SELL, SPOT, "0.07", wallet=ISOLATED, **REPAYING)
    assert said.liquidation_e8 is None  # All was repaid.
    assert not story.person(one).loans


SPOT_REFUSALS: list[tuple[dict[str, Any], Reason]] = [
    ({"qty": "9"}, Reason.INSUFFICIENT_BALANCE),
    ({"reduce_only": True}, Reason.COMBINATION_NOT_ALLOWED),
    ({"wallet": "perp"}, Reason.COMBINATION_NOT_ALLOWED),
    ({"wallet": "isolated:ETH-USDT"}, Reason.ASSET_NOT_IN_WALLET),
    ({"wallet": "isolated:NO-NE"}, Reason.UNKNOWN_WALLET),
    ({"side_effect": 1}, Reason.SIDE_EFFECT_NOT_ALLOWED),
    # 1,000 lend 2,000 at most.
    ({"wallet": "margin", "side_effect": 1, "qty": "0.07"}, Reason.COLLATERAL_TOO_LOW),
    # 4,000 BTC are in the pool; 100 of them may be one account's.
    ({"side": Side.SELL, "wallet": "margin", "side_effect": 1, "qty": "101"}, Reason.BORROW_LIMIT),
    (
        {"side": Side.SELL, "wallet": "margin", "side_effect": 1, "qty": "4001"},
        Reason.INSUFFICIENT_INVENTORY,
    ),
    ({"post_only": True}, Reason.WOULD_TAKE),
    ({"post_only": True, "side": Side.SELL, "price": "49990"}, Reason.WOULD_TAKE),
    ({"price": "70000"}, Reason.PERCENT_PRICE),
    ({"symbol": "ETH-BTC", "price": "0.05"}, Reason.SYMBOL_NOT_TRADING),
]


@pytest.mark.parametrize(("wish", "reason"), SPOT_REFUSALS)
def test_a_spot_order_is_refused_for_the_reason_that_was_foretold(
    story: Story, wish: dict[str, Any], reason: Reason
) -> None:
    market(story)
    story.ok(SetSymbolState, symbol="ETH-BTC", state="halt")
    one = story.account(spot_USDT="1000", margin_USDT="1000", perp_USDT="1000", spot_BTC="1")
    plain: dict[str, Any] = {"side": Side.BUY, "symbol": SPOT, "qty": "0.01", "price": "50000"}
    fields = plain | wish
    said, events = asked(
        story, one, fields.pop("side"), fields.pop("symbol"), fields.pop("qty"), **fields
    )
    assert (said.reason, refusal(events)) == (reason, reason)


# -- perpetuals --------------------------------------------------------------------------------


def margin_left(story: Story, account: int) -> int:
    return perp_report(story.engine.risk, story.person(account)).available_minor


def test_p4_v38_the_margin_of_a_resting_order_is_what_it_takes_from_what_is_available(
    story: Story,
) -> None:
    """Sell 0.1 at 49,995, mark 50,000, 10x: 499.95, open loss 0.5, fee 0.05 % 2.49975."""
    market(story)
    one = story.account(perp_USDT="10000")
    said, events = asked(story, one, Side.SELL, PERP, "0.1", "49995")
    assert refusal(events) is None
    assert said.margin_minor == units("502.94975")
    assert margin_left(story, one) == units("10000") - said.margin_minor


def test_a_taker_at_the_mark_has_its_margin_and_its_fee_less_available(story: Story) -> None:
    """Buy 0.1 at 50,000 = mark, 20x: 250, and 0.05 % of 5,000 are 2.5."""
    market(story)
    one = story.account(perp_USDT="10000")
    said, events = asked(story, one, Side.BUY, PERP, "0.1", "50000", leverage=20)
    assert (said.margin_minor, said.fee_minor) == (units("252.5"), units("2.5"))
    assert (said.fee_minor, {said.fee_asset}) == fees(events, one)
    assert margin_left(story, one) == units("10000") - units("252.5")


def _no_position(story: Story, account: int) -> None:
    pass


def _long(story: Story, account: int) -> None:
    story.buy(account, PERP, "0.4")


def _short_beside_another(story: Story, account: int) -> None:
    story.sell(account, PERP, "0.3")
    story.buy(account, ETH_PERP, "12")


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("before", [_no_position, _long, _short_beside_another])
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("qty", "more"),
    [
        ("0.1", {}),
        ("0.7", {}),  # Over two levels, and from long 0.4 or short 0.3 to the other side.
        ("0.1", {"leverage": 25}),
        ("0.1", {"leverage": 8}),
        ("0.2", {"reduce_only": True}),
    ],
)
def test_p11_p12_the_liquidation_price_is_that_of_the_position_afterwards(
    story: Story, isolated: bool, before: Any, side: Side, qty: str, more: dict[str, Any]
) -> None:
    market(story)
    one = story.account(perp_USDT="9000")
    story.ok(SetMarginMode, account_id=one, symbol=PERP, isolated=isolated)
    before(story, one)
    said, events = asked(story, one, side, PERP, qty, **more)
    assert refusal(events) is said.reason
    if said.reason is not None:
        assert said.reason is Reason.REDUCE_ONLY_WOULD_INCREASE
        return
    assert (said.fee_minor, {said.fee_asset}) == fees(events, one)
    assert PERP in story.person(one).positions
    report = position_report(story.engine.risk, story.person(one), PERP)
    assert said.liquidation_e8 == report.liquidation_e8


def test_a_position_that_is_closed_has_neither_price_nor_funding(story: Story) -> None:
    market(story)
    one = story.account(perp_USDT="6000")
    _long(story, one)
    said, _ = asked(story, one, Side.SELL, PERP, "0.4")
    assert (said.liquidation_e8, said.funding_minor) == (None, None)
    assert said.margin_minor == 0
    assert not story.person(one).positions


def test_p10_the_next_funding_is_told_of_the_whole_position(story: Story) -> None:
    """Predicted is 0.01 %: of 0.4 and 0.1 at mark 50,000 long pays 2.5, and receives it short."""
    market(story)
    story.wait(5_000)
    perp = story.engine.risk.marks[PERP]
    perp.predicted_e12 = 10**8
    one, two = story.account(perp_USDT="6000"), story.account(perp_USDT="6000")
    _long(story, one)
    mark_e8 = perp.mark_e8
    assert mark_e8 is not None
    long, _ = asked(story, one, Side.BUY, PERP, "0.1")
    assert long.funding_minor == mark_e8 * 5 // 100_000
    short, _ = asked(story, two, Side.SELL, PERP, "0.5")
    assert short.funding_minor == -(mark_e8 * 5 // 100_000)


def test_what_may_not_wait_is_not_foretold_as_filled(story: Story) -> None:
    """0.5 are offered at 50,000: of 0.8, IOC fills 0.5 (12.5 of fee) and FOK nothing."""
    market(story)
    one = story.account(perp_USDT="9000")
    killed, events = asked(story, one, Side.BUY, PERP, "0.8", "50000", tif=TimeInForce.FOK)
    assert (killed.fee_minor, killed.liquidation_e8) == (0, None)
    assert not of(events, Filled)
    taken, events = asked(story, one, Side.BUY, PERP, "0.8", "50000", tif=TimeInForce.IOC)
    assert taken.fee_minor == units("12.5") == fees(events, one)[0]
    report = position_report(story.engine.risk, story.person(one), PERP)
    assert taken.liquidation_e8 == report.liquidation_e8


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"qty": "1", "price": "50010"}, Reason.INSUFFICIENT_MARGIN),
        ({"qty": "2", "price": "50010", "leverage": 20}, Reason.INSUFFICIENT_MARGIN),
        ({"leverage": 126}, Reason.LEVERAGE_OUT_OF_RANGE),
        # 1.1 x 50,000 are above the 50,000 that 125x is good for.
        ({"qty": "0.7", "price": "50000", "leverage": 125}, Reason.BRACKET_EXCEEDED),
        # 0.4 at 50,000 are worth 20,000 already.
        ({"qty": "0.01", "leverage": 1}, Reason.INSUFFICIENT_MARGIN),
        ({"price": "60000"}, Reason.PRICE_BAND),
        ({"price": "50000", "post_only": True}, Reason.WOULD_TAKE),
        ({"reduce_only": True}, Reason.REDUCE_ONLY_WOULD_INCREASE),
        ({"wallet": "spot"}, Reason.COMBINATION_NOT_ALLOWED),
    ],
)
def test_an_order_on_a_perpetual_is_refused_for_the_reason_that_was_foretold(
    story: Story, wish: dict[str, Any], reason: Reason
) -> None:
    market(story)
    one = story.account(perp_USDT="6000")
    story.buy(one, PERP, "0.4")
    fields: dict[str, Any] = {"qty": "0.1"} | wish
    said, events = asked(story, one, Side.BUY, PERP, fields.pop("qty"), **fields)
    assert (said.reason, refusal(events)) == (reason, reason)


def test_a_leverage_is_foretold_with_the_margin_it_releases(story: Story) -> None:
    """Isolated long 1 at 50,000 and 10x: margin 5,000; at 25x 2,000, and 3,000 are free. With the
    100 beside them they carry 1.4 more at 25x (2,800), which the 100 alone would not."""
    market(story)
    one = story.account(perp_USDT="5150")
    story.ok(SetMarginMode, account_id=one, symbol=PERP, isolated=True)
    story.buy(one, PERP, "0.5", "50000")
    story.sell(market(story), PERP, "3", "50000")
    story.buy(one, PERP, "0.5", "50000")
    refused, _ = asked(story, one, Side.BUY, PERP, "1.4", "50000")
    assert refused.reason is Reason.INSUFFICIENT_MARGIN
    said, events = asked(story, one, Side.BUY, PERP, "1.4", "50000", leverage=25)
    assert refusal(events) is said.reason is None
    report = position_report(story.engine.risk, story.person(one), PERP)
    assert said.liquidation_e8 == report.liquidation_e8


@pytest.mark.parametrize(
    ("leverage", "needed", "covered"),
    [
        # Margin 500, of which selling at 49,100 loses 450; the new short wants 491, so 441 are
        # asked for, with 24.55 of fee, 12.5205 to close the new side, and its open loss of 450.
        (50, "928.0705", False),
        # Margin 250, less than the 450, so that the fund covers; all of the 245.50 are asked for,
        # with the same loss and fees of 24.55 and 12.39775.
        (100, "732.44775", True),
    ],
)
def test_v43_a_flip_at_a_loss_asks_for_what_closing_does_not_give_back(
    story: Story, leverage: int, needed: str, covered: bool
) -> None:
    maker = market(story)
    # The margin of the first side, and its fee of 12.5.
    first = units("25000") // leverage + units("12.5")
    one = story.account(perp_USDT=amount_text(first + units(needed) - 1))
    story.ok(SetMarginMode, account_id=one, symbol=PERP, isolated=True)
    story.deposit(one, "perp", "USDT", "100")  # For what is kept back on the way in.
    story.buy(one, PERP, "0.5", "50000", leverage=leverage)
    story.ok(
        Transfer,
        account_id=one,
        source="perp",
        target="spot",
        asset="USDT",
        amount_minor=units("100"),
    )
    story.ok(CancelAll, account_id=maker, symbol=PERP)
    story.buy(maker, PERP, "2", "49100")
    said, events = asked_for(story, one)
    assert refusal(events) is said.reason is Reason.INSUFFICIENT_MARGIN
    story.deposit(one, "perp", "USDT", "0.00000001")
    said, events = asked_for(story, one)
    assert refusal(events) is said.reason is None
    report = position_report(story.engine.risk, story.person(one), PERP)
    assert said.liquidation_e8 == report.liquidation_e8
    assert bool(of(events, FundCovered)) is covered


def asked_for(story: Story, account: int) -> tuple[Preview, list[AnyEvent]]:
    """A sale of 1 at 49,100, foretold and done."""
    return asked(story, account, Side.SELL, PERP, "1", "49100")


def test_a_post_only_order_has_nobody_to_take_from_in_an_empty_book(story: Story) -> None:
    one = story.account(spot_USDT="1000", spot_BTC="1")
    for side in Side:
        said, events = asked(story, one, side, SPOT, "0.01", "50000", post_only=True)
        assert refusal(events) is said.reason is None
        story.ok(CancelAll, account_id=one)


# -- who and what ------------------------------------------------------------------------------


@pytest.mark.parametrize("account_id", [0, 3, 99, 100])
def test_strangers_and_the_house_have_no_previews(story: Story, account_id: int) -> None:
    wish = PlaceOrder(account_id=account_id, symbol=SPOT, lots=1, price_ticks=1)
    found = preview(story.engine, wish)
    assert found._replace(refusal=None) == Preview(Reason.UNKNOWN_ACCOUNT)


def test_an_unknown_symbol_is_said_to_be_one(story: Story) -> None:
    wish = PlaceOrder(account_id=story.account(), symbol="NO-NE", lots=1, price_ticks=1)
    found = preview(story.engine, wish)
    assert found._replace(refusal=None) == Preview(Reason.UNKNOWN_SYMBOL)


def test_a_preview_leaves_settings_alone_that_were_chosen_before(story: Story) -> None:
    market(story)
    one = story.account(perp_USDT="6000", margin_USDT="1000")
    story.ok(SetLeverage, account_id=one, symbol=PERP, leverage=7)
    story.ok(Borrow, account_id=one, wallet="margin", asset="USDT", amount_minor=units("100"))
    wish = PlaceOrder(
        account_id=one, symbol=PERP, wallet="perp", lots=100, price_ticks=500_000, leverage=30
    )
    before = story.engine.digest()
    preview(story.engine, wish)
    assert story.person(one).setting(PERP).leverage == 7
    assert story.engine.digest() == before
