"""Tests of the trees of fills: price, fee, realised profit and isolated margin, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import SetLeverage, SetMarginMode
from exchange.events import Filled
from exchange.why.fills import fill_tree
from exchange.wire.why import WhySay
from matching.instrument import Instrument
from matching.types import Side
from tests.exchange.why.retracing import numbers_of, retrace
from tests.story import Story, of

PERP = "BTC-USDT-PERP"


def pair(*, isolated: bool = False) -> tuple[Story, int, int]:
    story = Story()
    one, two = story.account(perp_USDT="20000"), story.account(perp_USDT="200000")
    if isolated:
        story.ok(SetMarginMode, account_id=one, symbol=PERP, isolated=True)
    story.ok(SetLeverage, account_id=one, symbol=PERP, leverage=10)
    return story, one, two


def trade(story: Story, one: int, two: int, side: Side, qty: str, price: str) -> WhySay:
    """The tree of what `one` takes from `two`."""
    other = Side.SELL if side is Side.BUY else Side.BUY
    story.place(two, other, PERP, qty, price)
    events: list[Any] = story.place(one, side, PERP, qty, price)
    (fill,) = [each for each in of(events, Filled) if each.account_id == one]
    tree = fill_tree(fill, story.engine.instruments[PERP])
    assert retrace(tree)
    return tree


def test_s10_a_buyer_of_spot_pays_its_fee_in_what_it_bought() -> None:
    story = Story()
    one, two = story.account(spot_USDT="1000"), story.account(spot_BTC="1")
    story.place(two, Side.SELL, "BTC-USDT", "0.01", "50000")
    events = story.place(one, Side.BUY, "BTC-USDT", "0.01", "50000")
    for fill in of(events, Filled):
        tree = fill_tree(fill, story.engine.instruments["BTC-USDT"])
        assert retrace(tree) == 2
        told = numbers_of(tree)
        assert told["notional"] == "500"  # 0.01 x 50000.
        assert (tree.rule, tree.id) == ("S1", f"BTC-USDT:{fill.trade_id}")
        basis = "qty" if fill.side is Side.BUY else "notional"
        assert tree.steps[-1].formula == f"ceil({basis} * fee_rate, 8)"


def test_a5_a_reducing_fill_releases_its_share_of_the_cost() -> None:
    story, one, two = pair()
    opened = numbers_of(trade(story, one, two, Side.BUY, "0.3", "50000"))
    assert (opened["position_before"], opened["position_after"]) == ("0", "0.3")
    assert "realised" not in opened
    tree = trade(story, one, two, Side.SELL, "0.1", "51000")
    told = numbers_of(tree)
    # 0.1 of 0.3 that cost 15000 releases 5000; 0.1 x 51000 is 5100.
    assert (told["released"], told["closed_for"], told["realised"]) == ("5000", "5100", "100")
    assert "100 was realised" in tree.says


def test_p2_a_fill_beyond_zero_closes_first() -> None:
    story, one, two = pair()
    trade(story, one, two, Side.SELL, "0.1", "50000")
    told = numbers_of(trade(story, one, two, Side.BUY, "0.3", "49000"))
    # Sold for 5000, bought back for 4900; 0.2 are opened.
    assert (told["closed"], told["realised"], told["position_after"]) == ("0.1", "100", "0.2")


def test_v43_isolated_margin_is_added_released_and_flips() -> None:
    story, one, two = pair(isolated=True)
    told = numbers_of(trade(story, one, two, Side.BUY, "0.2", "50000"))
    assert (told["wanted"], told["margin_after"]) == ("1000", "1000")  # 10000 / 10.
    told = numbers_of(trade(story, one, two, Side.SELL, "0.1", "50000"))
    assert (told["kept"], told["margin_after"]) == ("500", "500")
    told = numbers_of(trade(story, one, two, Side.SELL, "0.3", "50000"))
    assert told["margin_after"] == "1000"  # 0.2 opened short, 10000 / 10.


@pytest.mark.parametrize("price", ["49500", "50500"])
def test_p4_profit_and_loss_of_what_is_closed_leave_with_its_share(price: str) -> None:
    story, one, two = pair(isolated=True)
    trade(story, one, two, Side.BUY, "0.2", "50000")
    tree = trade(story, one, two, Side.SELL, "0.1", price)
    assert numbers_of(tree)["margin_before"] == "1000"


def test_a_rebate_is_a_negative_fee() -> None:
    story, one, two = pair()
    instrument = story.engine.instruments[PERP]
    story.place(two, Side.SELL, PERP, "0.1", "50000")
    (fill, _) = of(story.place(one, Side.BUY, PERP, "0.1", "50000"), Filled)
    fill.rate_e12, fill.fee_minor = -25_000_000, -12_500_000  # 5000 x -0.000025 = -0.125.
    tree = fill_tree(fill, instrument)
    assert retrace(tree)
    assert "the rebate is 0.125 USDT" in tree.says


def test_t1_a_fee_in_the_discount_asset_is_told_with_its_prices() -> None:
    story = Story()
    one, two = story.account(spot_USDT="1000"), story.account(spot_BTC="1")
    story.place(two, Side.SELL, "BTC-USDT", "0.01", "50000")
    fill = of(story.place(one, Side.BUY, "BTC-USDT", "0.01", "50000"), Filled)[1]
    # 0.01 x 0.001 x 0.75 x 50000 / 300 = 0.00125 BNB.
    fill.fee_asset, fill.rate_e12, fill.fee_minor = "BNB", 10**9, 125_000
    fill.discount_e12, fill.price_e8, fill.paid_e8 = 25 * 10**10, 50_000 * 10**8, 300 * 10**8
    fill.side = Side.BUY
    tree = fill_tree(fill, story.engine.instruments["BTC-USDT"])
    assert retrace(tree)
    assert tree.steps[-1].value == "0.00125"


def test_v35_the_coins_of_an_inverse_contract_are_rounded_once() -> None:
    """333 contracts of 1 USD at 43217.5 are 0.00770521 BTC, half-even; bought, then sold."""
    instrument = Instrument(
        symbol="BTC-USD-PERP",
        kind="inverse",
        base="BTC",
        quote="USD",
        settle="BTC",
        tick="0.5",
        lot="1",
    )
    bought = Filled(
        1, 2, 7, 3, 9, "BTC-USD-PERP", 1, "", Side.BUY, 86_435, 333, False, 0, "BTC", 0, ""
    )
    tree = fill_tree(bought, instrument)
    assert retrace(tree)
    assert numbers_of(tree)["notional"] == "0.00770521"
    # What it is sold for goes out, and what it cost comes back: -0.00770521 + 0.008 = 0.00029479.
    sold = Filled(
        1, 2, 7, 3, 9, "BTC-USD-PERP", 1, "", Side.SELL, 86_435, 333, False, 0, "BTC", 0, ""
    )
    sold.lots_before, sold.cost_before_minor, sold.realised_minor = 333, -800_000, 29_479
    tree = fill_tree(sold, instrument)
    assert retrace(tree)
    numbers = numbers_of(tree)
    assert (numbers["released"], numbers["realised"]) == ("-0.008", "0.00029479")
