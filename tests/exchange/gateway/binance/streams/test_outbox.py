"""What waits for one reader of streams: bounded, and a book's ids without a gap."""

from __future__ import annotations

from typing import Any

import msgspec

from exchange.bounds import BOOK_DIFFS_MAX, MERGED_LEVELS_MAX, OUTBOX_EVENTS_MAX
from exchange.events import DepthChanged
from exchange.gateway.binance.streams.outbox import CLOSE_POLICY, DepthFrame, Frame, Outbox
from tests.exchange.events_by_hand import event


def an_outbox() -> Outbox:
    return Outbox(lambda: None)


def drained(outbox: Outbox) -> list[Any]:
    return [msgspec.json.decode(frame) for frame in outbox.drain()]


def says(change: DepthChanged) -> dict[str, Any]:
    return {"U": change.first_id, "u": change.last_id, "b": change.bids, "a": change.asks}


def a_change(number: int, *bids: tuple[int, int]) -> DepthFrame:
    change = event(DepthChanged, first_id=number, last_id=number, bids=list(bids))
    return DepthFrame("btcusdt@depth", change, says)


def test_a_frame_is_encoded_once_and_wrapped_where_it_is_wanted() -> None:
    frame = Frame("btcusdt@trade", {"t": 1})
    assert frame.of(False) == b'{"t":1}'
    assert frame.of(True) == b'{"stream":"btcusdt@trade","data":{"t":1}}'
    assert frame.of(True) is frame.of(True)
    assert frame.of(False) is frame.of(False)


def test_it_wakes_its_sender_once_until_it_is_drained() -> None:
    woken: list[int] = []
    outbox = Outbox(lambda: woken.append(1))
    outbox.tell(b"a")
    outbox.tell_latest("", Frame("s", 1))
    assert len(woken) == 1
    outbox.drain()
    outbox.tell(b"b")
    assert len(woken) == 2


def test_of_a_state_only_the_newest_waits() -> None:
    outbox = an_outbox()
    for number in range(3):
        outbox.tell_latest("x", Frame("s", number))
    outbox.tell_latest("y", Frame("s", 9))
    assert drained(outbox) == [2, 9]
    assert outbox.dropped == 2


def test_of_news_the_oldest_go() -> None:
    outbox = an_outbox()
    for number in range(5):
        outbox.tell_each(Frame("s", number), 3)
    assert drained(outbox) == [2, 3, 4]
    assert outbox.dropped == 2


def test_changes_that_wait_too_long_become_one_that_says_as_much() -> None:
    outbox = an_outbox()
    count = BOOK_DIFFS_MAX + 3
    for number in range(1, count + 1):
        outbox.tell_depth(a_change(number, (100 + number % 2, number)))
    said = drained(outbox)
    # The first 65 became one; those after it wait for themselves.
    assert len(said) == 3
    assert [each["U"] for each in said] == [1, BOOK_DIFFS_MAX + 2, BOOK_DIFFS_MAX + 3]
    assert said[0]["u"] == BOOK_DIFFS_MAX + 1
    assert sorted(said[0]["b"]) == [[100, BOOK_DIFFS_MAX], [101, BOOK_DIFFS_MAX + 1]]
    assert said[-1]["u"] == count


def test_a_change_that_has_grown_past_its_bound_ends_the_connection() -> None:
    outbox = an_outbox()
    wide = [(ticks, 1) for ticks in range(1, MERGED_LEVELS_MAX + 2)]
    for number in range(1, BOOK_DIFFS_MAX + 2):
        assert outbox.close_code is None
        outbox.tell_depth(a_change(number, *(wide if number == 1 else ())))
    assert outbox.close_code == CLOSE_POLICY
    assert outbox.drain() == []


def test_what_must_be_told_is_never_dropped_but_its_reader_is() -> None:
    outbox = an_outbox()
    for _ in range(OUTBOX_EVENTS_MAX):
        outbox.tell(b"x")
    assert len(outbox) == OUTBOX_EVENTS_MAX
    outbox.tell(b"x")
    assert outbox.close_code == CLOSE_POLICY
    outbox.tell_latest("", Frame("s", 1))
    outbox.tell_each(Frame("s", 1), 1)
    outbox.tell_depth(a_change(1))
    assert outbox.drain() == []


def test_a_stream_that_is_let_go_leaves_nothing_behind() -> None:
    outbox = an_outbox()
    outbox.tell_each(Frame("one", 1), 3)
    outbox.tell_latest("k", Frame("one", 2))
    outbox.tell_latest("k", Frame("other", 3))
    outbox.forget("one")
    assert drained(outbox) == [3]
