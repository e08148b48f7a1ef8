"""Pushes from events by hand: public, private, resumed, gauges, batches."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from exchange.bounds import GAUGE_MS
from exchange.events import (
    BalanceChanged,
    DepthChanged,
    Filled,
    FundingFixed,
    IndexPriced,
    Liquidated,
    Marked,
    OrderChanged,
    SymbolStateChanged,
    Traded,
)
from exchange.publisher import Publisher, Reader, merged
from exchange.views.board import Board
from exchange.wire import PRIVATE_CHANNELS
from tests.exchange.events_by_hand import (
    ACCOUNT,
    EVENT_KINDS,
    INSTRUMENTS,
    MINUTE_MS,
    START_MS,
    DeskByHand,
    event,
    group,
)

BOOK, BBO, TRADES = "book.BTC-USDT", "bbo.BTC-USDT", "trades.BTC-USDT"


class Venue:
    """A board and a publisher, in the order in which the sequencer tells them."""

    def __init__(self) -> None:
        self.board = Board(INSTRUMENTS)
        self.desk = DeskByHand()
        self.publisher = Publisher(self.board, self.desk)

    def happens(self, *events: Any) -> None:
        for each in events:
            if hasattr(each, "n"):
                self.desk.last[each.account_id] = each.n
        groups = group(*events)
        self.board.on_group(groups)
        self.publisher.on_group(groups)

    def reader(
        self, *channels: str, account_id: int | None = ACCOUNT, packed: bool = False
    ) -> Reader:
        reader = self.publisher.open(packed, lambda: None)
        if account_id is not None:
            self.publisher.login(reader, account_id)
        self.publisher.subscribe(reader, channels)
        self.publisher.greet(reader, channels)
        return reader


def got(reader: Reader) -> list[dict[str, Any]]:
    codec: Any = msgspec.msgpack if reader.outbox.packed else msgspec.json
    return [codec.decode(frame) for frame in reader.outbox.drain()]


def heard(reader: Reader) -> list[tuple[str, int, int | None]]:
    return [(push["ch"], push["seq"], push.get("prev")) for push in got(reader)]


def depth(number: int, bids: list[tuple[int, int]]) -> Any:
    return event(DepthChanged, first_id=number, last_id=number, bids=bids)


@pytest.fixture
def venue() -> Venue:
    return Venue()


# -- public ------------------------------------------------------------------------------------


def test_a_book_begins_with_a_snapshot_and_goes_on_in_numbered_differences(venue: Venue) -> None:
    venue.happens(depth(1, [(100, 5)]))
    reader = venue.reader(BOOK)
    (snapshot,) = got(reader)
    assert (snapshot["ch"], snapshot["seq"]) == (BOOK, 1)
    assert snapshot["data"]["bids"] == [["1.00", "0.00005"]]
    assert "first_id" not in snapshot["data"]
    venue.happens(depth(2, [(100, 0), (99, 1)]))
    (diff,) = got(reader)
    assert (diff["seq"], diff["data"]["first_id"], diff["data"]["last_id"]) == (2, 2, 2)
    assert diff["data"]["bids"] == [["1.00", "0"], ["0.99", "0.00001"]]


def test_the_changes_of_one_group_are_one_difference(venue: Venue) -> None:
    reader = venue.reader(BOOK)
    got(reader)
    venue.happens(depth(1, [(100, 5)]), depth(2, [(100, 6), (99, 1)]))
    (diff,) = got(reader)
    assert (diff["data"]["first_id"], diff["data"]["last_id"]) == (1, 2)
    assert diff["data"]["bids"] == [["1.00", "0.00006"], ["0.99", "0.00001"]]


def test_merged_changes_keep_each_level_at_its_last_total() -> None:
    one = event(DepthChanged, first_id=3, last_id=3, bids=[(5, 1), (4, 1)], asks=[(9, 9)])
    two = event(DepthChanged, seq=2, first_id=4, last_id=4, bids=[(5, 0)], asks=[(8, 2)])
    both = merged([one, two])
    assert (both.first_id, both.last_id, both.seq) == (3, 4, 2)
    assert (both.bids, both.asks) == ([(5, 0), (4, 1)], [(9, 9), (8, 2)])
    assert merged([one]) is one


def test_a_reader_who_stood_still_gets_a_fresh_book_that_goes_on_without_a_hole(
    venue: Venue,
) -> None:
    reader = venue.reader(BOOK)
    for number in range(1, 201):
        venue.happens(depth(number, [(number, 1)]))
    (snapshot,) = got(reader)
    assert snapshot["seq"] == 200
    assert len(snapshot["data"]["bids"]) == 200
    venue.happens(depth(201, [(201, 1)]))
    (diff,) = got(reader)
    assert diff["data"]["first_id"] == 201


def test_best_prices_are_told_when_they_change(venue: Venue) -> None:
    venue.happens(depth(1, [(100, 5)]))
    reader = venue.reader(BBO)
    assert got(reader)[0]["data"]["bid"] == "1.00"
    venue.happens(depth(2, [(100, 4)]))
    assert got(reader)[0]["data"]["bid_qty"] == "0.00004"
    venue.happens(depth(3, [(99, 4)]))  # Behind the best: no news.
    assert got(reader) == []


def test_each_trade_is_a_push_of_its_own_number(venue: Venue) -> None:
    reader = venue.reader(TRADES)
    venue.happens(event(Traded, trade_id=8), event(Traded, trade_id=9))
    assert [(push["seq"], push["data"]["trade_id"]) for push in got(reader)] == [(8, 8), (9, 9)]


def test_of_several_marks_in_a_group_the_newest_is_told(venue: Venue) -> None:
    reader = venue.reader("mark.BTC-USDT-PERP", "mark.BTC-USDT")
    first = [push["data"]["mark"] for push in got(reader)]
    assert first == [None, None]  # Nothing is known yet.
    venue.happens(
        event(Marked, mark_e8=10**8), event(Marked, mark_e8=2 * 10**8), event(IndexPriced)
    )
    assert [(p["ch"], p["data"]["mark"], p["data"]["index"]) for p in got(reader)] == [
        ("mark.BTC-USDT-PERP", "2", "50000"),
        ("mark.BTC-USDT", None, "50000"),
    ]


def test_funding_liquidations_and_status_are_told_as_they_come(venue: Venue) -> None:
    reader = venue.reader("funding.BTC-USDT-PERP", "liquidations", "status")
    (greeting,) = got(reader)
    assert greeting["ch"] == "status"
    assert greeting["data"]["env"] == "paper"
    assert greeting["data"]["symbols"]["BTC-USDT"] == "trading"
    venue.happens(event(FundingFixed), event(Liquidated), event(SymbolStateChanged))
    assert [push["ch"] for push in got(reader)] == [
        "funding.BTC-USDT-PERP",
        "liquidations",
        "status",
    ]


def test_readers_of_both_forms_hear_the_same(venue: Venue) -> None:
    plain, packed = venue.reader(BOOK, TRADES), venue.reader(BOOK, TRADES, packed=True)
    venue.happens(depth(1, [(100, 5)]), event(Traded))
    assert got(plain) == got(packed)


def test_readers_share_the_bytes(venue: Venue) -> None:
    first, second = venue.reader(TRADES), venue.reader(TRADES)
    venue.happens(event(Traded))
    assert first.outbox.drain()[0] is second.outbox.drain()[0]


def test_who_unsubscribed_hears_no_more(venue: Venue) -> None:
    reader = venue.reader(TRADES, "orders")
    venue.happens(event(Traded))
    venue.publisher.unsubscribe(reader, [TRADES, "orders", "fills"])
    venue.happens(event(Traded), event(OrderChanged))
    assert got(reader) == []


def test_a_closed_reader_is_forgotten_but_not_what_it_missed(venue: Venue) -> None:
    reader = venue.reader(BBO, "orders")
    venue.happens(depth(1, [(100, 5)]))
    assert (venue.publisher.sessions, venue.publisher.dropped) == (1, 1)
    venue.publisher.close(reader)
    assert (venue.publisher.sessions, venue.publisher.dropped) == (0, 1)
    venue.happens(depth(2, [(100, 6)]), event(OrderChanged))
    assert got(reader) == []


def test_an_unknown_channel_is_none(venue: Venue) -> None:
    assert venue.publisher.is_channel("candles.4h.BTC-USDT")
    assert venue.publisher.is_channel("orders")
    for name in ("candles.BTC-USDT", "book.DOGE", "funding.BTC-USDT", "book", "", "order"):
        assert not venue.publisher.is_channel(name)


# -- candles and tickers -----------------------------------------------------------------------


def test_a_pulse_tells_tickers_and_candles_that_moved(venue: Venue) -> None:
    reader = venue.reader("ticker.BTC-USDT", "candles.1m.BTC-USDT", "candles.1m.BTC-USDT-PERP")
    assert [push["ch"] for push in got(reader)] == ["ticker.BTC-USDT"]  # No candle runs yet.
    venue.happens(event(Traded), event(Traded, trade_id=2))
    assert got(reader) == []
    venue.publisher.pulse(1)
    ticker, candle = got(reader)
    assert (ticker["ch"], ticker["data"]["trades"]) == ("ticker.BTC-USDT", 2)
    assert (candle["ch"], candle["data"]["closed"]) == ("candles.1m.BTC-USDT", False)
    venue.publisher.pulse(2)
    assert got(reader) == []


def test_a_candle_is_told_once_more_when_it_closes(venue: Venue) -> None:
    reader = venue.reader("candles.1m.BTC-USDT")
    venue.happens(event(Traded))
    venue.publisher.pulse(1)
    got(reader)
    venue.happens(event(Traded, price_ticks=6_000_000))  # Between the last pulse and the close.
    venue.happens(event(Marked, time_ms=START_MS + 2 * MINUTE_MS))
    venue.publisher.pulse(2)
    told = [(push["data"]["open_time"] - START_MS, push["data"]["closed"]) for push in got(reader)]
    assert told == [(0, True), (MINUTE_MS, True), (2 * MINUTE_MS, False)]


def test_a_late_reader_begins_with_the_running_candle(venue: Venue) -> None:
    venue.happens(event(Traded))
    reader = venue.reader("candles.1h.BTC-USDT")
    (push,) = got(reader)
    assert (push["data"]["interval"], push["data"]["closed"]) == ("1h", False)
    venue.publisher.pulse(1)
    assert got(reader) == []


async def test_the_pulse_beats_by_itself_until_cancelled(venue: Venue) -> None:
    told = asyncio.Event()
    reader = venue.publisher.open(False, told.set)
    venue.publisher.subscribe(reader, ["ticker.BTC-USDT"])
    beating = asyncio.create_task(venue.publisher.run())
    venue.happens(event(Traded))
    await told.wait()
    assert got(reader)[0]["ch"] == "ticker.BTC-USDT"
    beating.cancel()
    await asyncio.wait([beating])


# -- private -----------------------------------------------------------------------------------


def test_private_events_carry_their_number_and_the_one_before(venue: Venue) -> None:
    reader = venue.reader("orders", "fills")
    venue.happens(event(OrderChanged, n=1), event(BalanceChanged, n=2), event(Filled, n=3))
    venue.happens(event(OrderChanged, n=4))
    assert heard(reader) == [("orders", 1, 0), ("fills", 3, 1), ("orders", 4, 3)]


def test_an_account_hears_its_own_events_alone(venue: Venue) -> None:
    mine, others = venue.reader("orders"), venue.reader("orders", account_id=ACCOUNT + 1)
    venue.happens(event(OrderChanged, n=1))
    assert heard(mine) == [("orders", 1, 0)]
    assert heard(others) == []


def test_two_readers_of_one_account_each_have_their_own_chain(venue: Venue) -> None:
    first = venue.reader("orders")
    second = venue.reader("orders", "balances", packed=True)
    venue.happens(event(BalanceChanged, n=1), event(OrderChanged, n=2))
    assert heard(first) == [("orders", 2, 0)]
    assert heard(second) == [("balances", 1, 0), ("orders", 2, 1)]


def test_a_late_reader_goes_on_from_the_last_event_of_its_channels(venue: Venue) -> None:
    venue.happens(event(OrderChanged, n=1), event(BalanceChanged, n=2))
    reader = venue.reader("orders")
    assert reader.told == 1
    venue.happens(event(OrderChanged, n=3))
    assert heard(reader) == [("orders", 3, 1)]


def test_a_login_for_another_account_lets_the_private_channels_go(venue: Venue) -> None:
    reader = venue.reader("orders")
    venue.publisher.login(reader, ACCOUNT + 1)
    assert reader.private == {}
    venue.happens(event(OrderChanged, n=1))
    assert got(reader) == []


def test_every_private_event_finds_its_channel(venue: Venue) -> None:
    reader = venue.reader(*PRIVATE_CHANNELS)
    private = [kind for kind in EVENT_KINDS if hasattr(kind, "n")]
    venue.happens(*[event(kind, n=number) for number, kind in enumerate(private, 1)])
    pushes = heard(reader)
    assert [(seq, prev) for _, seq, prev in pushes] == [
        (n, n - 1) for n in range(1, len(private) + 1)
    ]
    assert {channel for channel, _, _ in pushes} == set(PRIVATE_CHANNELS)


# -- resume ------------------------------------------------------------------------------------


def test_what_was_missed_comes_once_and_in_order(venue: Venue) -> None:
    venue.happens(*[event(OrderChanged, n=n) for n in (1, 2, 3)], event(BalanceChanged, n=4))
    reader = venue.reader("orders")
    assert venue.publisher.resume(reader, 1) == 2
    assert heard(reader) == [("orders", 2, 1), ("orders", 3, 2)]
    venue.happens(event(OrderChanged, n=5))
    assert heard(reader) == [("orders", 5, 3)]
    assert venue.publisher.resume(reader, 1) == 0  # It came already.
    assert heard(reader) == []


def test_nothing_missed_is_nothing_told(venue: Venue) -> None:
    venue.happens(event(OrderChanged, n=1))
    reader = venue.reader("orders")
    assert venue.publisher.resume(reader, 1) == 0
    assert heard(reader) == []


def test_an_event_between_subscribing_and_resuming_does_not_come_twice(venue: Venue) -> None:
    venue.happens(event(OrderChanged, n=1), event(OrderChanged, n=2))
    reader = venue.reader("orders")
    venue.happens(event(OrderChanged, n=3))
    assert venue.publisher.resume(reader, 1) == 1
    venue.happens(event(OrderChanged, n=4))
    # The links hold, though the live one was sooner: 1 <- 2 <- 3 <- 4.
    assert heard(reader) == [("orders", 3, 2), ("orders", 2, 1), ("orders", 4, 3)]


def test_a_channel_added_later_is_resumed_from_where_it_was_added(venue: Venue) -> None:
    reader = venue.reader("orders")
    venue.happens(event(OrderChanged, n=1), event(BalanceChanged, n=2))
    venue.publisher.subscribe(reader, ["balances"])
    venue.happens(event(BalanceChanged, n=3))
    assert venue.publisher.resume(reader, 0) == 1
    assert heard(reader) == [("orders", 1, 0), ("balances", 3, 1), ("balances", 2, 1)]


def test_a_replica_goes_on_behind_what_a_reader_heard_elsewhere(venue: Venue) -> None:
    venue.happens(event(OrderChanged, n=1))
    reader = venue.reader("orders")
    assert venue.publisher.resume(reader, 3) is None  # Who alone knows has not told of a third.
    venue.publisher.is_replica = True
    reader = venue.reader("orders")
    assert venue.publisher.resume(reader, 3) == 0
    venue.happens(event(OrderChanged, n=2), event(OrderChanged, n=3))
    assert heard(reader) == []
    venue.happens(event(OrderChanged, n=4))
    assert heard(reader) == [("orders", 4, 3)]


def test_a_resume_without_channels_holds_all_private_ones(venue: Venue) -> None:
    venue.happens(event(OrderChanged, n=1), event(BalanceChanged, n=2))
    reader = venue.reader()
    assert venue.publisher.resume(reader, 0) == 2
    venue.happens(event(Filled, n=3))
    assert heard(reader) == [("orders", 1, 0), ("balances", 2, 1), ("fills", 3, 2)]


def test_a_resume_from_too_long_ago_starts_over_from_the_present(venue: Venue) -> None:
    venue.happens(event(OrderChanged, n=5))
    reader = venue.reader("orders")
    assert venue.publisher.resume(reader, 1) is None
    assert venue.publisher.account(reader).last_seq == 5
    venue.happens(event(OrderChanged, n=6))
    assert heard(reader) == [("orders", 6, 5)]


def test_the_events_of_house_agents_are_not_kept(venue: Venue) -> None:
    venue.desk.users.clear()
    venue.happens(event(OrderChanged, n=1), event(OrderChanged, n=2))
    reader = venue.reader("orders")
    assert venue.publisher.resume(reader, 1) is None
    assert venue.publisher.resume(reader, 2) == 0


# -- gauges ------------------------------------------------------------------------------------


def test_gauges_come_unnumbered_and_at_most_once_a_second(venue: Venue) -> None:
    holder, other = venue.reader("margin"), venue.reader("orders")
    now_ms = 10 * GAUGE_MS
    for _ in range(4):
        venue.publisher.pulse(now_ms)
        now_ms += GAUGE_MS // 4
    (gauge,) = got(holder)
    assert (gauge["ch"], gauge["seq"], gauge["data"]["unrealised"]) == ("margin", 0, "12.5")
    assert "prev" not in gauge
    assert got(other) == []
    venue.publisher.pulse(now_ms)
    assert len(got(holder)) == 1


def test_of_a_gauge_only_the_newest_waits(venue: Venue) -> None:
    reader = venue.reader("margin")
    venue.publisher.pulse(GAUGE_MS)
    venue.desk.unrealised = "-3"
    venue.publisher.pulse(3 * GAUGE_MS)
    assert [push["data"]["unrealised"] for push in got(reader)] == ["-3"]


def test_a_reader_whose_key_has_ended_is_closed_within_a_second(venue: Venue) -> None:
    ended, other = venue.reader("orders"), venue.reader("orders")
    keys = {"mine"}
    ended.still = lambda: "mine" in keys
    venue.publisher.pulse(GAUGE_MS)
    assert ended.outbox.close_code is None
    keys.clear()
    venue.publisher.pulse(2 * GAUGE_MS - 1)
    assert ended.outbox.close_code is None
    venue.publisher.pulse(2 * GAUGE_MS)
    assert ended.outbox.close_code == 4001
    venue.happens(event(OrderChanged))
    assert got(ended) == []
    assert heard(other) == [("orders", 1, 0)]
    venue.publisher.close(ended)
    assert venue.publisher.private_closes == 0  # Those are of readers who were too slow.


# -- batches -----------------------------------------------------------------------------------


def test_a_batch_is_one_array_of_a_groups_public_pushes(venue: Venue) -> None:
    taken: list[tuple[int, bytes]] = []
    venue.publisher.batches.append(lambda seq, batch: taken.append((seq, batch)))
    venue.happens(
        event(OrderChanged, seq=4), event(Traded, seq=4), depth(1, [(1, 1)]), event(Marked, seq=4)
    )
    ((seq, batch),) = taken
    assert seq == 4
    channels = [push["ch"] for push in msgspec.json.decode(batch)]
    assert channels == [TRADES, BOOK, BBO, "mark.BTC-USDT-PERP"]


def test_a_group_without_public_news_is_no_batch(venue: Venue) -> None:
    taken: list[bytes] = []
    venue.publisher.batches.append(lambda _, batch: taken.append(batch))
    venue.happens(event(OrderChanged))
    venue.publisher.on_group([])
    assert taken == []
