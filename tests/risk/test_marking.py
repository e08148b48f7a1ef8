"""Tests of index and mark as they stand: what feeds and books said, refreshed on the grid."""

from __future__ import annotations

import msgspec

from exchange.commands import FeedPrices
from matching.types import Side
from risk.marking import IndexState, PerpState
from tests.story import FOREVER_MS, Story, small_venue, units

BTC = "BTC-USDT"
PERP = "BTC-USDT-PERP"


def _index(**changes: int) -> tuple[IndexState, int]:
    venue = small_venue(**({"feed_weight": 2, "book_weight": 1} | changes))
    (instrument,) = [each for each in venue.instruments if each.symbol == BTC]
    return IndexState(instrument, venue), venue.start_ms


def test_p6_the_heavier_feed_decides_against_the_book() -> None:
    """Weights 2 and 1: the cumulative weight passes half at the feed's price."""
    index, now_ms = _index()
    index.print("reference", units("50000"), now_ms)
    assert index.refresh(now_ms, 5_100_000, 5_100_100)
    assert index.index_e8 == units("50000")


def test_p6_a_stale_feed_leaves_the_index_to_the_book() -> None:
    """After 10 s the feed drops out; the mid of 51,000.00 and 51,001.00 is 51,000.50."""
    index, now_ms = _index()
    index.print("reference", units("50000"), now_ms)
    assert index.refresh(now_ms + 10_001, 5_100_000, 5_100_100)
    assert index.index_e8 == units("51000.5")


def test_p7_without_a_fresh_constituent_the_index_is_frozen() -> None:
    index, now_ms = _index()
    index.print("reference", units("50000"), now_ms)
    index.refresh(now_ms, 0, 0)
    assert not index.refresh(now_ms + 10_001, 0, 5_100_100)  # A one-sided book is no price.
    assert (index.index_e8, index.fresh) == (units("50000"), False)


def test_an_administrators_price_replaces_what_feeds_said() -> None:
    index, now_ms = _index()
    index.print("reference", units("50000"), now_ms + 5_000)
    index.override(units("40000"), now_ms)
    index.refresh(now_ms, 0, 0)
    assert index.index_e8 == units("40000")


def test_a_restored_index_and_mark_go_on_as_they_were() -> None:
    story = Story()
    risk = story.engine.risk
    for symbol, index in risk.indexes.items():
        copy = IndexState(risk.instruments[symbol], story.venue)
        copy.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(index.state())))
        assert copy.state() == index.state()
    for symbol, perp in risk.marks.items():
        twin = PerpState(risk.instruments[symbol], risk.perps[symbol], story.venue)
        twin.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(perp.state())))
        assert twin.state() == perp.state()


def test_p7_the_mark_is_the_median_and_moves_on_the_grid_alone() -> None:
    """Index 50,000; a trade far above does not move the mark, the median of index-based prices."""
    story = Story()
    maker, taker = story.account(perp_USDT="100000"), story.account(perp_USDT="100000")
    mark_e8 = story.engine.risk.mark_e8(PERP)
    story.sell(maker, PERP, "0.1", "50900")
    story.buy(taker, PERP, "0.1", "50900")
    assert story.engine.risk.mark_e8(PERP) == mark_e8
    story.wait(1_000)
    assert story.engine.risk.mark_e8(PERP) == units("50000")


def test_p9_without_a_premium_the_rate_is_the_interest() -> None:
    """0.01 % for eight hours: the premium is nothing, and 0.01 % is within the clamp."""
    story = Story()
    assert story.engine.risk.marks[PERP].rate_e12() == 10**8


def test_v15_the_order_band_follows_the_index() -> None:
    """Index 50,000, Y 2 %: nobody buys above 51,000 nor sells below 49,000."""
    perp = Story().engine.risk.marks[PERP]
    assert perp.band_ticks(Side.BUY) == 510_000
    assert perp.band_ticks(Side.SELL) == 490_000


def test_a_feed_that_is_not_the_venues_is_refused() -> None:
    story = Story()
    events = story.do(FeedPrices, feed="stranger", prices_e8={"BTC": 1}, stale_ms=FOREVER_MS)
    assert events[-1].reason is not None
    assert story.engine.risk.price_e8("BTC") == units("50000")
