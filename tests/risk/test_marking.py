"""Tests of index and mark as they stand: who is in the median, and what a mark is made of."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from msgspec import structs

from exchange.commands import FeedPrices
from matching.book import Book
from matching.types import Order, OrderType, Side
from risk.marking import IndexState, PerpState
from risk.money import E12
from risk.parameters import Venue
from tests.story import START_MS, Story, small_venue, units
from tests.vectors import exact, vectors

HOUR = 3_600_000
STALE_MS = 10_000
EIGHT_HOURS = 8 * HOUR


def index_of(**changes: object) -> IndexState:
    """The index of BTC-USDT, whose tick is 0.01, of three feeds of weight 2 and a book of 1."""
    venue = small_venue(feeds=("a", "b", "c"), book_weight=1, **changes)
    instrument = next(each for each in venue.instruments if each.symbol == "BTC-USDT")
    return IndexState(instrument, venue)


@pytest.fixture
def venue() -> Venue:
    return small_venue()


@pytest.fixture
def perp(venue: Venue) -> PerpState:
    """BTC-USDT-PERP: tick 0.1, funding every eight hours, the next at 08:00."""
    instrument = next(each for each in venue.instruments if each.symbol == "BTC-USDT-PERP")
    return PerpState(instrument, venue.perps[0], venue)


def book(bid: str = "", ask: str = "", lots: int = 100_000) -> Book:
    """A book of ticks of 0.1 with one order a side: 100 BTC, more than the impact notional."""
    made = Book()
    for number, (side, price) in enumerate(((Side.BUY, bid), (Side.SELL, ask)), start=1):
        if price:
            ticks = units(price) // 10**7
            made.place(Order(number, number, "BTC-USDT-PERP", side, OrderType.LIMIT, ticks, lots))
    return made


# -- index -------------------------------------------------------------------------------------


def test_p6_without_any_price_there_is_no_index() -> None:
    index = index_of()
    assert not index.refresh(START_MS, 0, 0)
    assert (index.index_e8, index.fresh) == (None, False)


def test_p6_v59_the_index_is_the_weighted_median_of_feeds_and_book() -> None:
    """Weights 2, 2, 2 and 1 of 7: at 101 five are reached, more than 3.5."""
    index = index_of()
    for feed, price in (("a", "100"), ("b", "101"), ("c", "200")):
        index.print(feed, units(price), START_MS)
    assert index.refresh(START_MS, 9_990, 10_010)  # Bid 99.90 and ask 100.10: 100.
    assert (index.index_e8, index.fresh) == (units("101"), True)


def test_p6_a_book_with_one_side_is_no_constituent() -> None:
    """Only feed a at 100: the book would have made it (100 x 2, 50 x 1), all the same 100; so the
    feed is let go stale, and a one-sided book does not take its place."""
    index = index_of()
    index.print("a", units("100"), START_MS)
    index.refresh(START_MS, 5_000, 5_010)
    late_ms = START_MS + STALE_MS + 1
    assert not index.refresh(late_ms, 5_000, 0)
    assert (index.index_e8, index.fresh) == (units("100"), False)
    assert index.refresh(late_ms, 5_000, 5_010)
    assert index.index_e8 == units("50.05")


def test_p6_a_feed_counts_for_ten_seconds_and_not_a_millisecond_longer() -> None:
    index = index_of()
    index.print("a", units("100"), START_MS)
    for after_ms, fresh in ((0, True), (STALE_MS, True), (STALE_MS + 1, False)):
        index.refresh(START_MS + after_ms, 0, 0)
        assert index.fresh is fresh
        assert index.index_e8 == units("100")  # The last one stands.


def test_a_newer_price_of_a_feed_takes_the_place_of_its_older_one() -> None:
    index = index_of()
    for price in ("100", "90"):
        index.print("a", units(price), START_MS)
    index.refresh(START_MS, 0, 0)
    assert index.index_e8 == units("90")


def test_p6_what_no_book_could_print_is_no_price_of_a_feed() -> None:
    """The highest price of BTC-USDT is 10^9 ticks of 0.01; a unit above it is left out."""
    story = Story()
    for price, told in (("10000000.00000001", "50000"), ("10000000", "10000000")):
        prices = {"BTC": units(price)}
        story.ok(FeedPrices, feed=story.venue.feeds[0], prices_e8=prices)
        story.wait(1_000)
        assert story.engine.risk.indexes["BTC-USDT"].index_e8 == units(told)


def test_an_unchanged_index_is_no_news() -> None:
    index = index_of()
    index.print("a", units("100"), START_MS)
    assert index.refresh(START_MS, 0, 0)
    assert not index.refresh(START_MS + 1_000, 0, 0)


def test_an_administrators_price_takes_the_place_of_every_feed() -> None:
    index = index_of()
    index.print("a", units("100"), START_MS)
    index.override(units("70"), START_MS + 60_000)
    assert index.refresh(START_MS + 60_000, 0, 0)
    assert index.index_e8 == units("70")
    # One feed that prints again is outweighed by the two that do not.
    index.print("a", units("100"), START_MS + 61_000)
    index.refresh(START_MS + 61_000, 0, 0)
    assert index.index_e8 == units("70")


def test_an_administrators_price_lasts_as_long_as_the_price_it_replaces() -> None:
    """With `--prices fixed` the opening price holds for good, and so does what comes after it."""
    index = index_of()
    index.print("a", units("100"), START_MS + HOUR)
    index.override(units("70"), START_MS)
    index.refresh(START_MS + HOUR, 0, 0)
    assert (index.index_e8, index.fresh) == (units("70"), True)


def test_an_index_comes_back_from_a_snapshot() -> None:
    index = index_of()
    index.print("a", units("100"), START_MS)
    index.refresh(START_MS, 0, 0)
    twin = index_of()
    twin.restore(index.state())
    assert twin.state() == index.state()
    for each in (index, twin):
        assert not each.refresh(START_MS + STALE_MS, 0, 0)
        assert each.fresh


# -- mark --------------------------------------------------------------------------------------


def test_p7_v58_the_mark_is_the_median_of_funding_basis_and_contract(perp: PerpState) -> None:
    """Index 50,000, last rate 0.01 % with 3 of 8 hours left: 50,001.875; basis 12.5: 50,012.5;
    the contract trades at 50,050 between bid and ask."""
    perp.index_e8 = units("50000")
    perp.last_rate_e12 = E12 // 10_000
    perp.sample(book("50012", "50013"))
    now_ms = START_MS + 5 * HOUR
    assert perp.refresh(now_ms, units("50000"), book("50049", "50051"), 500_500)
    assert perp.mark_e8 == units("50012.5")


def test_p7_without_trade_book_or_sample_the_mark_is_the_index(perp: PerpState) -> None:
    assert perp.refresh(START_MS, units("50000"), Book(), None)
    assert (perp.index_e8, perp.mark_e8) == (units("50000"), units("50000"))
    assert not perp.refresh(START_MS + 1_000, units("50000"), Book(), None)


def test_p7_the_last_trade_is_the_contracts_price_where_nobody_quotes(perp: PerpState) -> None:
    """Funding 0.08 % ahead makes 50,040, the basis 50,000; the last trade was at 50,020."""
    perp.last_rate_e12 = 8 * E12 // 10_000
    perp.refresh(START_MS, units("50000"), Book(), 500_200)
    assert perp.mark_e8 == units("50020")


def test_p7_t16_the_mark_stays_within_its_band_of_the_index(perp: PerpState) -> None:
    """5 %: the contract at 60,000 and a basis to match make a mark of 52,500."""
    perp.index_e8 = units("50000")
    perp.sample(book("59999", "60001"))
    perp.refresh(START_MS, units("50000"), book("59999", "60001"), 600_000)
    assert perp.mark_e8 == units("52500")


def test_p7_a_one_sided_book_gives_no_sample(perp: PerpState) -> None:
    perp.index_e8 = units("50000")
    perp.sample(book(bid="60000"))
    perp.sample(book(ask="40000"))
    perp.sample(Book())
    assert (perp.basis.count, perp.premium.count) == (0, 0)


def test_p7_before_the_first_index_there_is_no_sample(perp: PerpState) -> None:
    perp.sample(book("50012", "50013"))
    assert perp.basis.count == 0


def test_p1_the_part_of_the_last_funding_that_is_ahead_shrinks_to_nothing(
    perp: PerpState,
) -> None:
    """Last rate 0.08 % of 50,000 is 40: 40 at the beginning, 20 after four hours, 0 at the end.
    Past the end, before the boundary was worked off, it stays nothing."""
    perp.last_rate_e12 = 8 * E12 // 10_000
    perp.index_e8 = units("50000")
    perp.sample(book("50999", "51001"))  # The basis is above, the contract below.
    for hours, mark in ((0, "50040"), (4, "50020"), (8, "50000"), (9, "50000")):
        now_ms = perp.next_funding_ms - EIGHT_HOURS + hours * HOUR
        perp.refresh(now_ms, units("50000"), book("49000", "49001"), None)
        assert perp.mark_e8 == units(mark)


# -- premium and funding -----------------------------------------------------------------------


def test_p8_p9_a_sample_is_the_premium_of_the_impact_prices(perp: PerpState) -> None:
    """Impact notional 200 x 125 = 25,000. Bid 50,100 for all of it: (50,100 - 50,000) / 50,000 is
    0.2 %; the rate 0.2 % + clamp(0.01 % - 0.2 %) = 0.15 %."""
    perp.index_e8 = units("50000")
    perp.sample(book("50100", "50200"))
    assert perp.premium.average_e12() == 2 * E12 // 1_000
    assert perp.predicted_e12 == perp.rate_e12() == 15 * E12 // 10_000


def test_p9_without_a_premium_the_interest_is_predicted_and_charged(perp: PerpState) -> None:
    """0 + clamp(0.01 % - 0): nobody needs to have quoted."""
    assert perp.predicted_e12 == E12 // 10_000
    assert perp.fix_funding() == E12 // 10_000


@pytest.mark.parametrize("vector", vectors(["premium_sample"], on="function"))
def test_p8_v62_a_sample_walks_both_sides_of_the_book(venue: Venue, vector: dict[str, Any]) -> None:
    told = vector["inputs"]
    changed = structs.replace(venue.perps[0], impact_notional_minor=exact(told["impact_notional"]))
    instrument = next(each for each in venue.instruments if each.symbol == changed.symbol)
    perp, made = PerpState(instrument, changed, venue), Book()
    for side, levels in ((Side.BUY, told["bids"]), (Side.SELL, told["asks"])):
        for price, quantity in levels:
            ticks, lots = instrument.ticks(price), instrument.lots(quantity)
            assert isinstance(ticks, int)
            assert isinstance(lots, int)
            number = len(made.orders) + 1
            made.place(Order(number, number, "", side, OrderType.LIMIT, ticks, lots))
    perp.index_e8 = exact(told["index_price"])
    perp.sample(made)
    premium = Fraction(vector["expected"]["premium"]["value"])
    assert perp.premium.average_e12() == round(premium * E12)


@pytest.mark.parametrize("vector", vectors(["funding_rate"], on="function"))
def test_p9_v64_the_rate_of_an_interval(venue: Venue, vector: dict[str, Any]) -> None:
    told, parameters = vector["inputs"], venue.perps[0]
    assert parameters.interest_e12 == exact(told["interest_rate"], 12)
    assert parameters.clamp_e12 == exact(told["clamp"], 12)
    assert parameters.cap_k_e12 == exact(told["cap_factor"], 12)
    assert parameters.brackets[0].mmr_e12 == exact(told["mmr_1"], 12)
    changed = structs.replace(parameters, interval_ms=int(told["interval_hours"]) * HOUR)
    perp = PerpState(venue.instruments[0], changed, venue)
    perp.premium.add(exact(told["average_premium"], 12))
    assert perp.fix_funding() == exact(vector["expected"]["funding_rate"], 12)


def test_p8_where_depth_is_short_the_band_price_stands_in(perp: PerpState) -> None:
    """0.1 BTC at 50,100 are 5,010 of 25,000; the other 19,990 execute at 50,000 - 5 % = 47,500.
    25,000 / (0.1 + 19,990 / 47,500) = 47,998.79 and a bit: below the index, so no premium; and
    asking 50,200 for 0.1 makes (25,000 / (0.1 + 19,980 / 52,500)) = 52,021.3, above it."""
    perp.index_e8 = units("50000")
    perp.sample(book("50100", "50200", lots=100))
    assert perp.premium.count == 1
    assert perp.premium.average_e12() == 0


def test_p9_a_boundary_fixes_the_rate_and_begins_a_new_interval(perp: PerpState) -> None:
    perp.index_e8 = units("50000")
    perp.sample(book("50100", "50200"))
    due_ms = perp.next_funding_ms
    assert due_ms == START_MS + EIGHT_HOURS
    rate = perp.fix_funding()
    assert rate == 15 * E12 // 10_000
    assert (perp.last_rate_e12, perp.predicted_e12) == (rate, rate)
    assert perp.next_funding_ms == due_ms + EIGHT_HOURS
    assert perp.premium.count == 0


def test_an_administrators_price_forgets_basis_and_premium(perp: PerpState) -> None:
    perp.index_e8 = units("50000")
    perp.sample(book("50100", "50200"))
    perp.clear_samples()
    assert (perp.basis.count, perp.premium.count) == (0, 0)
    assert perp.predicted_e12 == E12 // 10_000


# -- bands -------------------------------------------------------------------------------------


def test_s12_v15_the_band_of_orders_follows_index_and_premium(perp: PerpState) -> None:
    """Y 2 % and Z 5 %: 51,000 and 49,000; with a mean premium of 750: 51,750 and 49,750; with one
    of 2,000 no more than 52,500, and no less than the index for a sale."""
    assert perp.band_ticks(Side.BUY) == 0  # No index, no band.
    perp.index_e8 = units("50000")
    for away, buy, sell in (("50000", 510_000, 490_000), ("50750", 517_500, 497_500)):
        perp.basis.clear()
        perp.sample(book(str(int(away) - 1), str(int(away) + 1)))
        assert (perp.band_ticks(Side.BUY), perp.band_ticks(Side.SELL)) == (buy, sell)
    perp.basis.clear()
    perp.sample(book("51999", "52001"))
    assert (perp.band_ticks(Side.BUY), perp.band_ticks(Side.SELL)) == (525_000, 500_000)


def test_a_band_is_rounded_toward_the_index(perp: PerpState) -> None:
    """Index 50,000.3: 51,000.306 and 49,000.294, in ticks of 0.1."""
    perp.index_e8 = units("50000.3")
    assert (perp.band_ticks(Side.BUY), perp.band_ticks(Side.SELL)) == (510_003, 490_003)


# -- snapshots ---------------------------------------------------------------------------------


def test_a_perpetual_comes_back_from_a_snapshot(perp: PerpState, venue: Venue) -> None:
    perp.index_e8 = units("50000")
    perp.sample(book("50012", "50013"))
    perp.fix_funding()
    perp.sample(book("50100", "50200"))
    perp.refresh(START_MS, units("50001"), book("50012", "50013"), 500_120)
    twin = PerpState(perp.instrument, perp.parameters, venue)
    twin.restore(perp.state())
    assert twin.state() == perp.state()
    for each in (perp, twin):
        each.sample(book("50200", "50300"))
        each.refresh(START_MS + 5_000, units("50002"), book("50012", "50013"), 500_120)
    assert twin.state() == perp.state()
    assert twin.fix_funding() == perp.fix_funding()


def test_the_index_of_a_perpetual_is_that_of_its_pair(perp: PerpState) -> None:
    assert perp.index_symbol == "BTC-USDT"


# -- switches of the venue ---------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["index_price"], on="engine", default=False))
def test_p6_v60_an_index_may_be_the_mean_but_for_an_outlier(vector: dict[str, Any]) -> None:
    """110 lies more than 5 % from the median of 100.5, and the others' mean is 100. With 90 beside
    it there are two outliers: the median."""
    weights = {weight for _, weight in vector["inputs"]["constituents"]}
    assert weights == {"1"}  # As every feed has here.
    prices = [price for price, _ in vector["inputs"]["constituents"]]
    _index_is(prices, vector["expected"]["index_price"])


def test_p6_without_an_outlier_the_index_is_the_mean() -> None:
    _index_is(["100", "101", "104"], "101.66666667")  # And not the median of 101.


def _index_is(prices: list[str], index: str) -> None:
    feeds = tuple(f"feed{number}" for number in range(len(prices)))
    story = Story(small_venue(feeds=feeds, index_rule="outlier_mean"))
    for feed, price in zip(feeds, prices, strict=True):
        story.ok(FeedPrices, feed=feed, prices_e8={"BTC": units(price)}, stale_ms=10**12)
    story.wait(1_000)
    assert story.engine.risk.indexes["BTC-USDT"].index_e8 == units(index)


def test_p7_the_contracts_part_of_the_mark_may_be_its_last_price() -> None:
    """A trade at 50,300 and quotes of 49,900 and 50,010 after it; basis samples of +400 make P2
    the highest, P1 is the index of 50,000. With the median of bid, ask and last the contract
    counts 50,010, with the last alone 50,300, and the mark is the median of all three."""
    for contract_leg, mark in (("median", "50010"), ("last", "50300")):
        story = Story(small_venue(contract_leg=contract_leg))
        symbol = "BTC-USDT-PERP"
        perp = story.engine.risk.marks[symbol]
        one, other = story.account(perp_USDT="100000"), story.account(perp_USDT="100000")
        story.sell(other, symbol, "0.1", "50300")
        story.buy(one, symbol, "0.1", "50300")
        story.buy(one, symbol, "0.1", "49900")
        story.sell(other, symbol, "0.1", "50010")
        perp.basis.clear()
        perp.basis.add(units("50400"), units("50400"), units("50000"))
        perp.refresh(perp.next_funding_ms, units("50000"), story.engine.books[symbol], 503_000)
        assert perp.mark_e8 == units(mark)
