"""Tests of forced sales of spot margin: what is sold first, how much, how far from the index."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from exchange.commands import SetMarginLeverage
from exchange.events import LiquidationEnded, LiquidationStepped, OrderChanged, Traded
from risk.account import MARGIN
from risk.ledger import MARGIN_INSURANCE
from tests.risk.stories import (
    BTC,
    ETH,
    MAKERS_FREE,
    NO_FEES,
    borrow,
    owe_interest,
    spent,
    trader,
    with_spot,
)
from tests.story import Story, of, small_venue, units
from tests.vectors import agrees, exact, vectors

ETH_BTC = "isolated:ETH-BTC"


def _told(minor: int) -> str:
    return f"{minor // 10**8}.{minor % 10**8:08d}"


@pytest.mark.parametrize("vector", vectors(["partial_spot_liquidation"], on="engine"))
def test_m10_4_v30_as_little_is_sold_as_restores_the_level(vector: dict[str, Any]) -> None:
    """The value that is sold is the vector's, up to a lot; taker and liquidation fee are its cost,
    and what is left of the proceeds repays."""
    told, expected = vector["inputs"], vector["expected"]
    story = Story(small_venue(fees=MAKERS_FREE))
    account = story.account(margin_ETH="100", margin_USDT="1000000")
    story.ok(SetMarginLeverage, account_id=account, leverage=5)
    borrow(story, account, MARGIN, "USDT", told["debt"])
    owe_interest(story, account, MARGIN, "USDT", "0")
    spent(story, account, MARGIN, "USDT", _told(units("1000000") + exact(told["debt"])))
    price = exact(told["assets"]) // 100
    story.buy(trader(story), ETH, "100", _told(price))
    events = story.index("ETH", _told(price))
    (trade,) = of(events, Traded)
    sold = Fraction(trade.lots, 10**4) * Fraction(price, 10**8)
    assert agrees(Fraction(expected["sell_value"]["value"]), expected["sell_value"])
    over = sold - Fraction(expected["sell_value"]["value"])
    lot = Fraction(price, 10**12)
    assert 0 <= over < lot
    steps = {each.step: each.amount_minor for each in of(events, LiquidationStepped)}
    repaid = Fraction(steps["repaid"], 10**8) - Fraction(expected["repay"]["value"])
    assert -Fraction(2, 10**8) < repaid - over * (1 - Fraction(told["cost_rate"])) <= 0
    assert of(events, LiquidationEnded)[0].result == "restored"


def test_m10_3_the_highest_collateral_ratio_is_sold_first_and_then_the_largest_value() -> None:
    """BTC counts 0.98 and is worth 5,000, ETH 0.97 and 50,000: BTC goes first, all of it, and
    then ETH. 55,000 against 50,000.5 is 1.0999."""
    story = Story(small_venue(fees=MAKERS_FREE))
    account = story.account(margin_BTC="0.1", margin_ETH="20", margin_USDT="100000")
    borrow(story, account, MARGIN, "USDT", "50000")
    spent(story, account, MARGIN, "USDT", "150000")
    other = trader(story)
    story.buy(other, BTC, "1", "50000")
    story.buy(other, ETH, "20", "2500")
    events = story.wait(1_000)
    assert [each.symbol for each in of(events, Traded)] == [BTC, ETH]
    assert of(events, Traded)[0].lots == 10_000
    assert story.person(account).minor(MARGIN, "BTC") == 0


def test_m10_4_each_order_keeps_to_the_bands_of_its_own_pair() -> None:
    """ETH has one round of 2 %, BTC three: the first is sold down to 2,450 in every round."""
    venue = with_spot(small_venue(fees=NO_FEES), ETH, liquidation_bands_bps=(200,))
    story = Story(venue)
    account = story.account(margin_ETH="20", margin_BTC="0.1", margin_USDT="100000")
    borrow(story, account, MARGIN, "USDT", "50000")
    spent(story, account, MARGIN, "USDT", "150000")
    events = story.wait(1_000) + story.wait(1_000)
    limits = [
        (each.symbol, each.price_ticks)
        for each in of(events, OrderChanged)
        if each.forced and each.happening == "expired"
    ]
    assert limits[:4] == [(BTC, 4_950_000), (ETH, 245_000), (BTC, 4_850_000), (ETH, 245_000)]


def test_m10_6_the_fee_of_a_pair_quoted_in_a_coin_is_paid_in_that_coin() -> None:
    """10 ETH bought with 0.1 and 0.4 BTC, 0.05 each, at 0.0404: (1.11 x 0.4 - 0.404) / 0.0989 is
    more than there is, so all is sold, to bids of 0.0415. After the debt 0.015 of 0.415 are left,
    and the fee is 1 % of 0.415."""
    venue = small_venue(fees=NO_FEES, first_charge="next_hour")
    story = Story(venue)
    account = story.account(**{f"{ETH_BTC}_BTC": "0.1"})
    borrow(story, account, ETH_BTC, "BTC", "0.4")
    other = trader(story)
    story.sell(other, "ETH-BTC", "10", "0.05")
    story.buy(account, "ETH-BTC", "10", "0.05", wallet=ETH_BTC)
    story.buy(other, "ETH-BTC", "10", "0.0415")
    events = story.index("ETH", "2020")
    (ended,) = of(events, LiquidationEnded)
    assert ended.result == "closed"
    person = story.person(account)
    assert person.minor(ETH_BTC, "BTC") == units("0.015") - units("0.00415")
    fund = story.engine.risk.ledger.house(MARGIN_INSURANCE, "BTC")
    assert fund.minor == units("0.00415")


def test_t13_what_is_below_the_smallest_order_is_sold_all_the_same() -> None:
    """0.0001 BTC at 30,000 is worth 3; nobody may send an order of less than 5."""
    story = Story(small_venue(fees=NO_FEES, first_charge="next_hour"))
    account = story.account(margin_BTC="0.0001", margin_USDT="100")
    borrow(story, account, MARGIN, "USDT", "2.9")
    spent(story, account, MARGIN, "USDT", "102.9")
    story.buy(trader(story), BTC, "1", "30000")
    events = story.index("BTC", "30000")
    (trade,) = of(events, Traded)
    assert trade.lots == 10
    assert of(events, LiquidationEnded)[0].result == "closed"
