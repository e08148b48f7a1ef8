"""What waits for a reader: bounded, conflated, in order."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.bounds import BOOK_DIFFS_MAX, OUTBOX_BYTES_MAX, OUTBOX_EVENTS_MAX
from exchange.outbox import CLOSE_SLOW, Outbox
from exchange.wire import Push


class Wire:
    """An outbox with the books it may ask for, and a count of its wake-ups."""

    def __init__(self, packed: bool = False) -> None:
        self.woken = 0
        self.books = 0
        self.outbox = Outbox(packed, self.fresh, self.wake)

    def wake(self) -> None:
        self.woken += 1

    def fresh(self, channel: str, packed: bool) -> bytes:
        self.books += 1
        return f"{channel} packed={packed} {self.books}".encode()


def push(number: int, packed: bool = False) -> bytes:
    codec: Any = msgspec.msgpack if packed else msgspec.json
    encoded: bytes = codec.encode(Push("trades.X", number, 0, {"price": "1.10"}))
    return encoded


def test_what_must_be_told_comes_in_its_order() -> None:
    wire = Wire()
    for number in range(3):
        wire.outbox.tell(b"%d" % number)
    assert len(wire.outbox) == 3
    assert wire.outbox.drain() == [b"0", b"1", b"2"]
    assert wire.outbox.drain() == []


def test_it_wakes_its_sender_once_until_it_is_drained() -> None:
    wire = Wire()
    wire.outbox.tell(b"a")
    wire.outbox.tell_latest("bbo.X", b"b")
    assert wire.woken == 1
    wire.outbox.drain()
    wire.outbox.tell(b"c")
    assert wire.woken == 2


def test_of_a_state_only_the_newest_waits_and_it_waits_at_the_end() -> None:
    wire = Wire()
    wire.outbox.tell_latest("bbo.X", b"old")
    wire.outbox.tell_latest("bbo.Y", b"other")
    wire.outbox.tell_latest("bbo.X", b"new")
    assert wire.outbox.drain() == [b"other", b"new"]
    assert wire.outbox.dropped == 1


def test_the_oldest_news_are_dropped_and_the_gap_is_told() -> None:
    wire = Wire()
    for number in range(10):
        wire.outbox.tell_each("trades.X", push(number), 3)
    frames = [msgspec.json.decode(frame) for frame in wire.outbox.drain()]
    assert [(frame["seq"], frame.get("gap")) for frame in frames] == [(7, 7), (8, None), (9, None)]
    assert frames[0]["data"] == {"price": "1.10"}
    assert wire.outbox.dropped == 7
    # What is drained leaves no gap behind it.
    wire.outbox.tell_each("trades.X", push(10), 3)
    assert wire.outbox.drain() == [push(10)]


def test_a_gap_is_told_in_messagepack_too() -> None:
    wire = Wire(packed=True)
    for number in range(3):
        wire.outbox.tell_each("trades.X", push(number, packed=True), 1)
    (frame,) = wire.outbox.drain()
    told = msgspec.msgpack.decode(frame)
    assert (told["seq"], told["gap"]) == (2, 2)


def test_a_book_with_too_many_differences_starts_again_from_a_snapshot() -> None:
    wire = Wire()
    for _ in range(BOOK_DIFFS_MAX):
        wire.outbox.tell_diff("book.X", b"diff")
    wire.outbox.tell(b"reply")
    wire.outbox.tell_diff("book.X", b"one too many")
    wire.outbox.tell_diff("book.X", b"contained in the snapshot")
    assert wire.books == 0  # It is taken when it is sent, so that it is fresh.
    assert wire.outbox.drain() == [b"reply", b"book.X packed=False 1"]
    assert wire.outbox.dropped == BOOK_DIFFS_MAX + 2
    wire.outbox.tell_diff("book.X", b"next")
    assert wire.outbox.drain() == [b"next"]


def test_a_book_begins_with_a_snapshot_and_goes_on_with_differences() -> None:
    wire = Wire()
    wire.outbox.tell_book("book.X")
    wire.outbox.tell_diff("book.X", b"contained in the snapshot")
    assert wire.outbox.drain() == [b"book.X packed=False 1"]
    wire.outbox.tell_diff("book.X", b"next")
    assert wire.outbox.drain() == [b"next"]


def test_a_channel_nobody_listens_to_any_more_is_dropped() -> None:
    wire = Wire()
    wire.outbox.tell_latest("bbo.X", b"a")
    wire.outbox.tell_book("book.X")
    wire.outbox.tell_each("trades.X", push(1), 1)
    wire.outbox.tell_each("trades.X", push(2), 1)
    wire.outbox.tell_diff("book.Y", b"b")
    for channel in ("bbo.X", "book.X", "trades.X", "never.heard"):
        wire.outbox.forget(channel)
    assert wire.outbox.drain() == [b"b"]
    assert wire.books == 0


@pytest.mark.parametrize(
    ("frame", "count"),
    [(b"x", OUTBOX_EVENTS_MAX), (b"x" * 2**20, OUTBOX_BYTES_MAX // 2**20)],
    ids=["events", "bytes"],
)
def test_a_reader_behind_with_what_must_be_told_is_closed(frame: bytes, count: int) -> None:
    wire = Wire()
    for _ in range(count):
        wire.outbox.tell(frame)
    assert wire.outbox.close_code is None
    wire.outbox.tell(frame)
    assert wire.outbox.close_code == CLOSE_SLOW
    assert wire.woken == 2  # To send, and to hang up.
    wire.outbox.tell(b"more")
    wire.outbox.tell_latest("bbo.X", b"more")
    wire.outbox.tell_each("trades.X", b"more", 1)
    wire.outbox.tell_diff("book.X", b"more")
    wire.outbox.tell_book("book.X")
    assert wire.outbox.drain() == []


def test_draining_in_time_keeps_a_reader_for_ever() -> None:
    wire = Wire()
    for _ in range(3):
        for _ in range(OUTBOX_EVENTS_MAX):
            wire.outbox.tell(b"x")
        assert len(wire.outbox.drain()) == OUTBOX_EVENTS_MAX
    assert wire.outbox.close_code is None


steps = st.lists(
    st.one_of(
        st.just(("tell", "")),
        st.tuples(
            st.sampled_from(["latest", "each", "diff", "book", "forget"]), st.sampled_from("XY")
        ),
        st.just(("drain", "")),
    ),
    max_size=60,
)


@given(steps)
def test_replies_come_whole_and_in_order_whatever_the_market_does(
    story: list[tuple[str, str]],
) -> None:
    wire = Wire()
    told, sent = 0, []
    for step, symbol in [*story, ("drain", "")]:
        if step == "tell":
            told += 1
            wire.outbox.tell(b"reply %d" % told)
        elif step == "latest":
            wire.outbox.tell_latest(f"bbo.{symbol}", b"bbo")
        elif step == "each":
            wire.outbox.tell_each(f"trades.{symbol}", push(1), 2)
        elif step == "diff":
            wire.outbox.tell_diff(f"book.{symbol}", b"diff")
        elif step == "book":
            wire.outbox.tell_book(f"book.{symbol}")
        elif step == "forget":
            for kind in ("bbo", "trades", "book"):
                wire.outbox.forget(f"{kind}.{symbol}")
        else:
            sent += wire.outbox.drain()
            assert len(wire.outbox) == 0
    replies = [frame for frame in sent if frame.startswith(b"reply")]
    assert replies == [b"reply %d" % number for number in range(1, told + 1)]
