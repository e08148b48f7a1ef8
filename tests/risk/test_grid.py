"""Tests of one grid point: who is sampled, what is news, what falls due, and what is left over."""

from __future__ import annotations

import pytest

from exchange.commands import Borrow, FeedPrices, SetIndexPrice
from exchange.events import (
    FundingCharged,
    FundingFixed,
    IndexPriced,
    InterestCharged,
    InterestFixed,
    LiquidationStarted,
    Marked,
)
from exchange.venue import default_venue
from matching.book import Book
from matching.types import Side
from risk.engine import RiskEngine, new_risk_engine
from risk.grid import fall_due, refresh, sample, sweep
from risk.ledger import FUNDING, ROUNDING
from risk.records import FundingRateRecord, IndexRecord, MarkRecord, RatesRecord
from tests.risk.stories import (
    BTC,
    BTC_PERP,
    ETH_PERP,
    HOUR,
    MINUTE,
    position,
    rich,
    slow_venue,
    trader,
)
from tests.story import FOREVER_MS, START_MS, Story, of, units

E12 = 10**12


@pytest.fixture
def story() -> Story:
    return Story()


def quote(story: Story, symbol: str, bid: str, ask: str, qty: str = "10") -> None:
    """Both sides of a book, from somebody who can afford it."""
    maker = rich(story) if symbol.endswith("-PERP") else trader(story)
    story.buy(maker, symbol, qty, bid)
    story.sell(maker, symbol, qty, ask)


# -- samples -----------------------------------------------------------------------------------


def test_p8_samples_are_taken_every_five_seconds_and_only_of_two_sided_books(
    story: Story,
) -> None:
    quote(story, BTC_PERP, "49990", "50010")
    marks = story.engine.risk.marks
    assert story.now_ms == START_MS + 1_000
    counts = []
    for _ in range(10):
        story.wait(1_000)
        counts.append(marks[BTC_PERP].premium.count)
    assert counts == [0, 0, 0, 1, 1, 1, 1, 1, 2, 2]
    assert marks[ETH_PERP].premium.count == 0


def test_p7_while_the_index_is_frozen_there_are_no_samples_and_the_mark_stands(
    story: Story,
) -> None:
    quote(story, BTC_PERP, "49990", "50010")
    risk = story.engine.risk
    feed = story.venue.feeds[0]
    risk.indexes[BTC].print(feed, units("50000"), story.now_ms)
    story.wait(9_000)
    marked = risk.mark_e8(BTC_PERP)
    counted = risk.marks[BTC_PERP].premium.count
    assert (risk.indexes[BTC].fresh, counted) == (True, 2)
    risk.indexes[BTC].print(feed, units("60000"), START_MS)
    # Funding ahead and a higher bid would move it to 50,007.50, the mid of bid and ask.
    risk.marks[BTC_PERP].last_rate_e12 = 8 * E12 // 10_000
    story.buy(rich(story), BTC_PERP, "1", "50005")
    assert not of(story.wait(20_000), Marked)
    assert (risk.indexes[BTC].fresh, risk.mark_e8(BTC_PERP)) == (False, marked)
    assert risk.marks[BTC_PERP].premium.count == counted
    story.ok(FeedPrices, feed=feed, prices_e8={"BTC": units("51000")}, stale_ms=FOREVER_MS)
    assert of(story.wait(5_000), Marked)
    assert risk.marks[BTC_PERP].premium.count == counted + 1


# -- index and mark ----------------------------------------------------------------------------


def test_a_price_that_did_not_change_is_no_news(story: Story) -> None:
    assert not [event for event in story.wait(3_000) if isinstance(event, IndexPriced | Marked)]


def test_an_index_is_told_before_the_marks_that_follow_it(story: Story) -> None:
    """Nothing else moves than BTC; its spot index first."""
    events = story.index("BTC", "51000")
    told = [event for event in events if isinstance(event, IndexPriced | Marked)]
    assert [(type(event), event.symbol, event.index_e8) for event in told] == [
        (IndexPriced, BTC, units("51000")),
        (Marked, BTC_PERP, units("51000")),
    ]
    assert told[1].next_funding_ms == START_MS + 8 * HOUR  # type: ignore[union-attr]


def test_trades_alone_move_no_index_and_no_mark_between_grid_points(story: Story) -> None:
    """T15: a liquidation's own prints do not move the mark within its command."""
    quote(story, BTC_PERP, "49000", "51000", "1")
    one = story.account(perp_USDT="90000")
    events = story.buy(one, BTC_PERP, "0.1", "51000")
    assert not of(events, Marked)


def test_a_venue_with_books_in_its_index_follows_them() -> None:
    """Feeds weigh 2 and the book 1: the feed alone decides, and without it the book does."""
    story = Story(slow_venue(book_weight=1))
    quote(story, BTC, "48000", "48010")
    risk = story.engine.risk
    story.wait(MINUTE)
    assert risk.indexes[BTC].index_e8 == units("50000")
    risk.indexes[BTC].print(story.venue.feeds[0], units("50000"), START_MS)
    story.wait(MINUTE)
    assert risk.indexes[BTC].index_e8 == units("48005")
    assert risk.mark_e8(BTC_PERP) == units("48005")


def test_p6_the_perpetuals_own_book_never_gets_into_its_index() -> None:
    story = Story(slow_venue(book_weight=1))
    quote(story, BTC_PERP, "50900", "50910")
    story.index("BTC", "50000")
    story.wait(MINUTE)
    assert story.engine.risk.indexes[BTC].index_e8 == units("50000")


def test_the_mark_drifts_with_the_funding_that_is_still_ahead() -> None:
    """P1 = index x (1 + last rate x time left / interval): with a last rate of 0.01 % it falls
    toward the index as the next funding comes near."""
    story = Story()
    story.wait(8 * HOUR)
    events = story.wait(60_000)
    marks = [each.mark_e8 for each in of(events, Marked) if each.symbol == BTC_PERP]
    assert marks == sorted(marks, reverse=True)


# -- what falls due ----------------------------------------------------------------------------


def bare() -> tuple[RiskEngine, dict[str, Book]]:
    """A risk engine without an exchange around it, a price printed, and its empty books."""
    risk = new_risk_engine(default_venue(seed=1, start_ms=START_MS, symbols=[BTC_PERP]))
    risk.indexes[BTC].print("reference", units("50000"), FOREVER_MS * 9)
    return risk, {symbol: Book() for symbol in risk.instruments}


def test_the_grid_needs_no_exchange_around_it() -> None:
    risk, books = bare()
    refresh(risk, books, {}, START_MS)
    sample(risk, books)
    assert [type(record) for record in risk.records] == [IndexRecord, MarkRecord]


def test_p9_a_boundary_fixes_rate_and_mark_once_even_if_nobody_holds_anything() -> None:
    """Without a premium the interest of 0.01 %."""
    risk, books = bare()
    refresh(risk, books, {}, START_MS)
    due_ms = START_MS + 8 * HOUR
    for now_ms in (due_ms - 1_000, due_ms, due_ms + 1_000):
        fall_due(risk, now_ms)
    fixed = [record for record in risk.records if isinstance(record, FundingRateRecord)]
    rates = [(each.symbol, each.due_ms, each.rate_e12, each.mark_e8) for each in fixed]
    assert rates == [(BTC_PERP, due_ms, E12 // 10_000, units("50000"))]
    assert risk.marks[BTC_PERP].next_funding_ms == due_ms + 8 * HOUR
    assert not risk.instants.unsettled  # Nobody has to settle.


def test_m7_interest_is_fixed_at_the_top_of_every_hour_for_every_asset() -> None:
    risk, _ = bare()
    for now_ms in (START_MS + HOUR - 1_000, START_MS + HOUR, START_MS + HOUR + 1_000):
        fall_due(risk, now_ms)
    (rates,) = [record for record in risk.records if isinstance(record, RatesRecord)]
    assert rates.due_ms == START_MS + HOUR
    assert rates.rates_e12 == {each.asset: each.hourly_rate_e12 for each in risk.venue.assets}


def test_a_perpetual_without_a_mark_begins_its_next_interval_and_charges_nothing() -> None:
    risk, _ = bare()
    risk.instants.exposed.add(100)
    fall_due(risk, START_MS + 8 * HOUR)
    assert [type(record) for record in risk.records] == [RatesRecord]
    assert not risk.instants.pending[0].funding
    assert risk.marks[BTC_PERP].next_funding_ms == START_MS + 16 * HOUR


# -- settling ----------------------------------------------------------------------------------


def funded() -> Story:
    """V65 turned round: A short 0.333 and B, C long 0.111 and 0.222 at a mark of 43,217.89."""
    story = Story(slow_venue())
    story.index("BTC", "43217.89")
    a, b, c = (story.account(name, perp_USDT="20000") for name in "abc")
    story.buy(b, BTC_PERP, "0.111", "43217.8")
    story.buy(c, BTC_PERP, "0.222", "43217.8")
    story.sell(a, BTC_PERP, "0.333", "43217.8")
    # Between here and the boundary the contract is quoted at the index, so that this is the mark.
    quote(story, BTC_PERP, "43217.8", "43218.0")
    return story


def test_p10_i4_v65_what_rounding_leaves_of_a_funding_is_the_rounding_accounts() -> None:
    """Mark M and rate F: the longs pay ceilings, the short receives a floor; the difference, less
    than a unit for each, is kept apart, and nothing stays in transit."""
    story = funded()
    risk = story.engine.risk
    before = risk.ledger.house(ROUNDING, "USDT").minor
    told = of(story.wait(START_MS + 8 * HOUR - story.now_ms), FundingCharged)
    (fixed,) = [each for each in of(story.events, FundingFixed) if each.symbol == BTC_PERP]
    assert {each.due_ms for each in told} == {START_MS + 8 * HOUR} == {fixed.due_ms}
    for each in told:
        # floor(-lots x 10^5 x mark x rate / 10^20): lots of 0.001 BTC are 10^5 of its units.
        exact = -each.lots * 10**5 * fixed.mark_e8 * fixed.rate_e12
        assert each.flow_minor == exact // 10**20
        assert 0 <= exact - each.flow_minor * 10**20 < 10**20
    kept = risk.ledger.house(ROUNDING, "USDT").minor - before
    assert kept == -sum(each.flow_minor for each in told)
    assert 0 < kept < len(told)
    assert risk.ledger.find(FUNDING, "USDT", f"{BTC_PERP}@1") is None
    assert not [name for name in risk.ledger.house_totals()["USDT"] if name == "funding"]


def test_a6_t8_everybody_settles_before_anybody_is_looked_at() -> None:
    """In slices of one account: while one has not settled yet, no scope is checked."""
    story = funded()
    story.now_ms = START_MS + 8 * HOUR - MINUTE
    story.wait(0)
    story.now_ms += MINUTE
    risk = story.engine.risk
    for account in (100, 101, 102):
        risk.watch.touch(account, "perp")
    risk.price(story.engine.books, {}, story.now_ms)
    risk.fall_due(story.engine.trading, story.now_ms)
    due = dict(risk.watch.due)
    assert risk.instants.unsettled
    while risk.instants.unsettled:
        assert dict(risk.watch.due) == due
        assert risk.work(story.engine.trading, 1) == 1
    assert risk.watch.due.keys() >= {(account, "perp") for account in (100, 101, 102)}
    risk.work(story.engine.trading, 100)
    assert not risk.watch.due


def test_the_sweep_does_no_more_than_its_budget_and_says_how_much() -> None:
    story = funded()
    risk = story.engine.risk
    fall_due(risk, START_MS + 8 * HOUR)
    exposed = len(risk.instants.exposed)
    assert exposed >= 3
    assert sweep(risk, 2) == 2
    assert risk.instants.unsettled
    # The others, and the step that closes the instant.
    assert sweep(risk, 100) == exposed - 2 + 1
    assert sweep(risk, 100) == 0


def _positions(story: Story) -> tuple[int, int]:
    long, short = story.account(perp_USDT="10000"), story.account(perp_USDT="10000")
    story.sell(short, BTC_PERP, "0.333", "50000")
    story.buy(long, BTC_PERP, "0.333", "50000")
    return long, short


def test_funding_and_interest_fall_due_one_by_one_at_their_hours() -> None:
    story = Story()
    _positions(story)
    borrower = story.account(margin_USDT="1000")
    story.ok(Borrow, account_id=borrower, wallet="margin", asset="USDT", amount_minor=units("100"))
    events = story.wait(24 * HOUR)
    start = story.venue.start_ms
    hours = [(each.due_ms - start) // HOUR for each in of(events, InterestFixed)]
    assert hours == list(range(1, 25))
    eights = [
        (each.due_ms - start) // HOUR
        for each in of(events, FundingFixed)
        if each.symbol == BTC_PERP
    ]
    assert eights == [8, 16, 24]
    assert len(of(events, InterestCharged)) == 24
    assert len([each for each in of(events, FundingCharged) if each.symbol == BTC_PERP]) == 6


def test_a6_v81_everybody_pays_before_anybody_is_judged() -> None:
    """The long is a few cents above maintenance; its funding takes it below at the boundary, and
    the short's is booked before the liquidation begins."""
    story = Story()
    long, short = story.account(perp_USDT="180"), story.account(perp_USDT="10000")
    story.sell(short, BTC_PERP, "0.3", "50000", leverage=125)
    story.buy(long, BTC_PERP, "0.3", "50000", leverage=125)
    # 180 less the fee of 7.5 is 172.5. At 49,625 the loss is 0.3 x 375 = 112.5: 60 is left, and
    # maintenance is 0.3 x 49,625 x 0.4 % = 59.55. Funding takes 0.3 x 49,625 x 0.01 % = 1.49.
    story.index("BTC", "49625")
    assert not of(story.events, LiquidationStarted)
    events = story.wait(8 * HOUR)
    names = [type(each).__name__ for each in events]
    assert "LiquidationStarted" in names
    last_charge = max(i for i, each in enumerate(events) if isinstance(each, FundingCharged))
    assert names.index("LiquidationStarted") > last_charge
    started = of(events, LiquidationStarted)[0]
    assert started.account_id == long


def test_an_administrators_price_between_grid_points_moves_the_mark_at_once(
    story: Story,
) -> None:
    story.now_ms += 500
    events = story.ok(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("49000"))
    (marked,) = of(events, Marked)
    assert (marked.mark_e8, marked.time_ms % 1_000) == (units("49000"), 500)


def test_p10_a_position_held_over_a_boundary_pays_once(story: Story) -> None:
    """1 at 50,000 and 0.01 %: 5."""
    long = position(story, Side.BUY, "1", "50000", money="9000")
    story.wait(START_MS + 8 * HOUR - 1_000 - story.now_ms)
    assert not of(story.events, FundingCharged)
    flows = {each.account_id: each.flow_minor for each in of(story.wait(1_000), FundingCharged)}
    assert flows[long] == -units("5")
    assert not of(story.wait(1_000), FundingCharged)
