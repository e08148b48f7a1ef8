"""Tests of what a fill on spot does to balances, fees and holds."""

from __future__ import annotations

import pytest

from exchange.commands import PlaceOrder, SetFeeDiscount
from exchange.events import AnyEvent, Filled
from exchange.preview import preview
from matching.reasons import Reason
from matching.types import Side
from risk.account import PERP
from risk.ledger import FEES
from risk.parameters import FeeSchedule
from tests.risk.stories import (
    BTC,
    NO_FEES,
    trader,
)
from tests.story import Story, of, refusal, small_venue, units


def _free_story() -> Story:
    return Story(small_venue(fees=NO_FEES))


def _fills(events: list[AnyEvent], account: int) -> list[Filled]:
    return [fill for fill in of(events, Filled) if fill.account_id == account]


def _wallet(story: Story, account: int, wallet: str = PERP, asset: str = "USDT") -> int:
    return story.person(account).minor(wallet, asset)


def test_s10_each_side_pays_in_what_it_received_rounded_up() -> None:
    """0.00013 at 50,000.01 is 6.5000013 USDT: 0.1 % of that is 650,000.13 units,
    charged 650,001; of 13,000 units of BTC it is 13."""
    story = Story()
    seller = story.account(spot_BTC="1")
    buyer = story.account(spot_USDT="100")
    story.sell(seller, BTC, "0.00013", "50000.01")
    events = story.buy(buyer, BTC, "0.00013", "50000.01")
    (sold,), (bought,) = _fills(events, seller), _fills(events, buyer)
    assert (sold.fee_asset, sold.fee_minor) == ("USDT", 650_001)
    assert (bought.fee_asset, bought.fee_minor) == ("BTC", 13)
    assert _wallet(story, seller, "spot") == 650_000_130 - 650_001
    assert _wallet(story, buyer, "spot", "BTC") == 13_000 - 13
    assert story.engine.risk.ledger.house(FEES, "USDT").minor == 650_001


def test_s10_every_fill_is_rounded_on_its_own() -> None:
    """Twice 650,000.13 is 1,300,000.26; two fills of 650,001 are 1,300,002."""
    story = Story()
    seller = story.account(spot_BTC="1")
    for _ in range(2):
        story.buy(trader(story), BTC, "0.00013", "50000.01")
    events = story.sell(seller, BTC, "0.00026", "50000.01")
    assert [fill.fee_minor for fill in _fills(events, seller)] == [650_001, 650_001]


def test_v14_a_fee_in_base_leaves_dust_below_a_lot() -> None:
    """1.000 LINK less 0.1 % is 0.999; in lots of 0.01 at most 0.99 can be sold, 0.009 stay."""
    story = Story(small_venue(symbols=("LINK-USDT",)))
    one = story.account(spot_USDT="100")
    two = story.account(spot_LINK="1", spot_USDT="100")
    story.sell(two, "LINK-USDT", "1", "15")
    story.buy(one, "LINK-USDT", "1", "15")
    assert _wallet(story, one, "spot", "LINK") == units("0.999")
    assert refusal(story.sell(one, "LINK-USDT", "1", "15")) is Reason.INSUFFICIENT_BALANCE
    story.buy(two, "LINK-USDT", "0.99", "15")
    assert refusal(story.sell(one, "LINK-USDT", "0.99", "15")) is None
    assert _wallet(story, one, "spot", "LINK") == units("0.009")


def test_s10_by_the_switch_a_buyer_pays_in_quote_and_holds_its_fee_too() -> None:
    """0.02 at 41,000 and 0.1 %: 820.82 are held. 0.01 trade at 40,000 for 400 and 0.4 of fee;
    410.41 are held for the rest, and 1,000 - 400.4 - 410.41 = 189.19 are free."""
    story = Story(small_venue(fees=FeeSchedule(asset="quote")))
    one, two = story.account(spot_USDT="1000"), story.account(spot_BTC="1")
    story.sell(two, BTC, "0.01", "40000")
    events = story.buy(one, BTC, "0.02", "41000")
    assert [(fill.fee_asset, fill.fee_minor) for fill in of(events, Filled)] == [
        ("USDT", units("0.4")),
        ("USDT", units("0.4")),
    ]
    mine = story.person(one)
    assert mine.pockets["spot", "USDT"].locked == units("410.41")
    assert mine.free("spot", "USDT") == units("189.19")
    assert mine.free("spot", "BTC") == units("0.01")
    assert _wallet(story, two, "spot") == units("399.6")


def test_s10_a_fee_in_quote_rounded_up_fill_by_fill_never_takes_more_than_there_is() -> None:
    """0.00026 at 50,000.01 cost 1,300,000,260 units and hold a fee of 1,300,001; two fills would
    be charged 650,001 each, one unit more than is held: it is let go."""
    story = Story(small_venue(fees=FeeSchedule(asset="quote")))
    one = story.account(spot_USDT="13.01300261")
    assert refusal(story.buy(one, BTC, "0.00026", "50000.01")) is None
    charged = []
    for _ in range(2):
        events = story.sell(trader(story), BTC, "0.00013", "50000.01")
        charged += [fill.fee_minor for fill in _fills(events, one)]
    assert charged == [650_000, 650_001]
    assert _wallet(story, one, "spot") == 0


def test_s11_improvement_is_freed_at_each_fill() -> None:
    """0.003 at 50,000 hold 150; lots at 49,000 and 49,500 cost 49 and 49.5: 50 stay held."""
    story = _free_story()
    one, two = story.account(spot_USDT="150"), story.account(spot_BTC="1")
    story.sell(two, BTC, "0.001", "49000")
    story.sell(two, BTC, "0.001", "49500")
    story.buy(one, BTC, "0.003", "50000")
    pocket = story.person(one).pockets["spot", "USDT"]
    assert (pocket.locked, pocket.free) == (units("50"), units("1.5"))


BNB = "BNB-USDT"


def _discounted(story: Story, **deposits: str) -> int:
    account = story.account(**deposits)
    story.ok(SetFeeDiscount, account_id=account, on=True)
    return account


def test_s10_no_fill_pays_its_discounted_fee_out_of_what_the_next_one_takes() -> None:
    """All 3 BNB are sold in three fills: nothing of them is left for a fee in BNB, so each pays
    0.1 % of its 300 USDT."""
    story = Story(small_venue(symbols=(BTC, BNB), fees=FeeSchedule(asset="discount")))
    seller, buyer = _discounted(story, spot_BNB="3"), story.account(spot_USDT="900")
    for _ in range(3):
        assert refusal(story.buy(buyer, BNB, "1", "300")) is None
    wish = PlaceOrder(account_id=seller, symbol=BNB, side=Side.SELL, lots=3_000, price_ticks=30_000)
    said = preview(story.engine, wish)
    assert [(each.fee_asset, each.fee_minor) for each in said.fills] == [("USDT", units("0.3"))] * 3
    fills = _fills(story.sell(seller, BNB, "3", "300"), seller)
    assert [(each.fee_asset, each.fee_minor) for each in fills] == [("USDT", units("0.3"))] * 3
    assert (_wallet(story, seller, "spot", "BNB"), story.person(seller).orders) == (0, {})


@pytest.mark.parametrize(("own", "paid"), [("3", "USDT"), ("3.00075", "BNB")])
def test_s6_an_iceberg_swept_in_one_match_holds_what_its_later_slices_take(
    own: str, paid: str
) -> None:
    """Three slices of 1 BNB are taken by one order. A fee is 0.1 % less a quarter, 0.00075 BNB:
    beside the 3 BNB that are sold there is none, or just enough for the first slice."""
    story = Story(small_venue(symbols=(BTC, BNB), fees=FeeSchedule(asset="discount")))
    seller, buyer = _discounted(story, spot_BNB=own), story.account(spot_USDT="900")
    story.sell(seller, BNB, "3", "300", iceberg_lots=1_000)
    fills = _fills(story.buy(buyer, BNB, "3", "300"), seller)
    assert [each.fee_asset for each in fills] == [paid, "USDT", "USDT"]
    assert (_wallet(story, seller, "spot", "BNB"), story.person(seller).orders) == (0, {})
