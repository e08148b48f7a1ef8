"""The hub from events by hand: who hears what, at which pace, from where on."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.events import Answered, DepthChanged, Liquidated, Marked, Traded
from exchange.gateway.binance.streams.outbox import Outbox
from exchange.views.depth import Snapshot
from tests.exchange.events_by_hand import PERP, START_MS, event
from tests.exchange.gateway.binance.streams.listening import COIN, Floor, heard

SECOND_MS = 1_000


def a_change(number: int, *bids: tuple[int, int], **more: Any) -> Any:
    return event(DepthChanged, first_id=number, last_id=number, bids=list(bids), **more)


def test_news_come_with_their_group_and_only_to_those_who_hold_them() -> None:
    floor = Floor()
    one = floor.reader("spot", "btcusdt@trade", "BTCUSDT@trade")
    other = floor.reader("um", "btcusdt@trade")
    floor.tell(event(Traded))
    assert [name for name, _ in heard(one)] == ["btcusdt@trade", "BTCUSDT@trade"]
    assert heard(other) == []


def test_aggregates_end_with_their_taker_their_price_and_their_group() -> None:
    floor = Floor()
    reader = floor.reader("spot", "btcusdt@aggTrade")
    floor.tell(
        event(Traded, trade_id=1),
        event(Traded, trade_id=2),
        event(Traded, trade_id=3, price_ticks=5_000_001),
        event(Traded, trade_id=4, price_ticks=5_000_001, taker_order_id=9),
    )
    floor.tell(event(Traded, trade_id=5, price_ticks=5_000_001, taker_order_id=9))
    assert [(data["f"], data["l"]) for _, data in heard(reader)] == [(1, 2), (3, 3), (4, 4), (5, 5)]


def test_slices_of_one_order_at_one_moment_are_one_aggregate() -> None:
    floor = Floor()
    reader = floor.reader("spot", "btcusdt@aggTrade")
    later = event(Traded, trade_id=3, time_ms=START_MS + 1)
    floor.hub.on_group([[event(Traded, trade_id=1)], [event(Traded, trade_id=2)], [later]])
    assert [(data["f"], data["l"]) for _, data in heard(reader)] == [(1, 2), (3, 3)]


def test_a_book_is_told_at_each_pace_without_a_gap() -> None:
    floor = Floor()
    floor.tell(a_change(1, (100, 1)))  # Before anybody listened.
    reader = floor.reader("spot", "btcusdt@depth", "btcusdt@depth@100ms", "btcusdt@depth@0ms")
    ids: dict[str, list[tuple[int, int]]] = {}
    for step in range(1, 31):
        floor.tell(a_change(step + 1, (100, step)))
        floor.hub.pulse(step * 100)
        for name, data in heard(reader):
            ids.setdefault(name, []).append((data["U"], data["u"]))
    assert ids["btcusdt@depth@0ms"] == [(number, number) for number in range(2, 32)]
    assert ids["btcusdt@depth@100ms"] == [(number, number) for number in range(2, 32)]
    # The first pulse tells at once; then once a second, at 1,000, 2,000 and 3,000 ms.
    assert ids["btcusdt@depth"] == [(2, 2), (3, 11), (12, 21), (22, 31)]


def test_a_book_rebuilt_from_snapshot_and_changes_is_the_book() -> None:
    floor = Floor()
    reader = floor.reader("um", "btcusdt@depth@100ms")
    book: dict[str, str] = {}
    for number in range(1, 400):
        change = (100 + number * 7 % 13, number % 5)
        floor.tell(a_change(number, change, symbol=PERP.symbol))
        if number % 3 == 0:
            floor.hub.pulse(number * 100)
        if number == 200:  # A reader who was away all the time, and now begins to read.
            assert len(reader) <= 64
    floor.hub.pulse(40_000)
    last_id = 0
    for _, data in heard(reader):
        assert (data["U"], data["pu"]) == (last_id + 1, last_id)
        last_id = data["u"]
        book.update(data["b"])
    assert last_id == 399
    whole = floor.board.depth.snapshot(PERP.symbol, 100)
    assert {price: qty for price, qty in book.items() if float(qty)} == {
        PERP.price_text(ticks): PERP.qty_text(lots) for ticks, lots in whole.bids
    }


def test_levels_are_told_when_the_book_has_changed() -> None:
    floor = Floor()
    floor.tell(a_change(1, *((number, 1) for number in range(1, 9))))
    reader = floor.reader("spot", "btcusdt@depth5@100ms")
    ((_, first),) = heard(reader)
    assert first["lastUpdateId"] == 1
    assert [price for price, _ in first["bids"]] == [f"0.0{n}000000" for n in (8, 7, 6, 5, 4)]
    floor.hub.pulse(100)
    assert heard(reader) == []
    floor.tell(a_change(2, (8, 0)))
    floor.hub.pulse(200)
    ((_, second),) = heard(reader)
    assert second["lastUpdateId"] == 2
    assert second["bids"][0][0] == "0.07000000"


def test_levels_of_futures_follow_each_other() -> None:
    floor = Floor()
    reader = floor.reader("um", "btcusdt@depth5@0ms", "btcusdt@depth10")
    heard(reader)
    for number in (1, 2):
        floor.tell(a_change(number, (100, number), symbol=PERP.symbol))
    floor.hub.pulse(250)
    said = [(name, data["U"], data["u"], data["pu"]) for name, data in heard(reader)]
    # Unread, the first of each is gone; what it would follow is named all the same.
    assert said == [("btcusdt@depth5@0ms", 2, 2, 1), ("btcusdt@depth10", 1, 2, 0)]


def test_the_best_is_told_when_it_has_changed() -> None:
    floor = Floor()
    reader = floor.reader("um", "!bookTicker")
    assert {data["s"] for _, data in heard(reader)} == {"BTCUSDT"}
    floor.tell(a_change(1, (100, 1), symbol=PERP.symbol))
    floor.tell(a_change(2, (99, 1), symbol=PERP.symbol))  # Behind the best.
    assert [(data["u"], data["b"]) for _, data in heard(reader)] == [(1, "10.0")]


def test_marks_come_at_their_pace_in_exchange_time() -> None:
    floor = Floor()
    reader = floor.reader("um", "btcusdt@markPrice", "btcusdt@markPrice@1s", "!markPrice@arr@1s")
    counts: dict[str, int] = {}
    start_ms = START_MS // 3_000 * 3_000
    for second in range(6):
        floor.tell(event(Marked, time_ms=start_ms + second * SECOND_MS))
        for name, data in heard(reader):
            counts[name] = counts.get(name, 0) + 1
            assert isinstance(data, list) is name.startswith("!")
    assert counts == {"btcusdt@markPrice": 2, "btcusdt@markPrice@1s": 6, "!markPrice@arr@1s": 6}


def test_a_mark_that_stands_is_told_again_as_time_passes() -> None:
    floor = Floor()
    reader = floor.reader("um", "btcusdt@markPrice@1s")
    start_ms = START_MS // SECOND_MS * SECOND_MS
    floor.tell(event(Marked, time_ms=start_ms))
    ((_, marked),) = heard(reader)
    for second in (1, 2):  # Only time passes.
        floor.tell(event(Answered, time_ms=start_ms + second * SECOND_MS))
        ((_, again),) = heard(reader)
        assert again == {**marked, "E": start_ms + second * SECOND_MS}
        floor.tell(event(Answered, time_ms=start_ms + second * SECOND_MS + 500))
        assert heard(reader) == []


def test_a_pair_of_coin_contracts_tells_its_marks_as_a_list_and_its_index() -> None:
    floor = Floor()
    reader = floor.reader("cm", "btcusd@markPrice@1s", "btcusd@indexPrice@1s")
    floor.tell(event(Marked, symbol=COIN.symbol))
    marks, index = heard(reader)
    assert [each["s"] for each in marks[1]] == ["BTCUSD_PERP"]
    assert (index[1]["e"], index[1]["i"]) == ("indexPriceUpdate", "BTCUSD")


def test_forced_trades_are_told() -> None:
    floor = Floor()
    reader = floor.reader("um", "btcusdt@forceOrder", "!forceOrder@arr")
    floor.tell(event(Liquidated))
    said = heard(reader)
    assert [name for name, _ in said] == ["btcusdt@forceOrder", "!forceOrder@arr"]
    assert said[0][1] == said[1][1]


def test_lists_of_tickers_carry_only_what_has_changed() -> None:
    floor = Floor()
    reader = floor.reader("spot", "!miniTicker@arr", "btcusdt@ticker")
    assert heard(reader) == []  # Nothing has traded yet.
    floor.tell(event(Traded))
    floor.hub.pulse(1_000)
    assert [(name, len(data)) for name, data in heard(reader)] == [
        ("!miniTicker@arr", 1),
        ("btcusdt@ticker", 23),
    ]
    floor.hub.pulse(2_000)
    assert heard(reader) == []
    floor.tell(event(Traded, trade_id=2))
    floor.hub.pulse(2_500)
    assert heard(reader) == []  # Once a second.
    floor.hub.pulse(3_000)
    assert len(heard(reader)) == 2


def test_candles_come_with_the_pulse_and_to_a_new_reader_at_once() -> None:
    floor = Floor()
    floor.tell(event(Traded))
    names = ("btcusdt@kline_1m", "btcusdt@kline_1h")
    reader = floor.reader("spot", *names)
    assert [(name, data["k"]["n"]) for name, data in heard(reader)] == [(n, 1) for n in names]
    floor.tell(event(Traded, trade_id=2))
    floor.hub.pulse(250)
    assert [(name, data["k"]["n"]) for name, data in heard(reader)] == [(n, 2) for n in names]


def test_an_index_that_is_known_greets() -> None:
    floor = Floor()
    floor.tell(event(Marked))
    reader = floor.reader("um", "btcusdt@markPrice")
    assert [data["e"] for _, data in heard(reader)] == ["markPriceUpdate"]


def test_a_listen_key_is_a_name_like_any_other() -> None:
    floor = Floor()
    floor.hub.private.resolver = lambda product, key: 100 if key == "Key1" else None
    reader = floor.reader("spot", "Key1", "btcusdt@trade")
    floor.hub.private.push("Key1", {"e": "executionReport"})
    assert heard(reader) == [("Key1", {"e": "executionReport"})]
    floor.hub.drop(reader, "spot", "Key1")
    assert not floor.hub.private.is_held("Key1")


@pytest.mark.parametrize("name", ["btcusdt@depth@100ms", "btcusdt@ticker", "btcusdt@depth5"])
def test_what_nobody_holds_is_not_computed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    floor = Floor()
    reader = floor.reader("spot", name)
    floor.hub.drop(reader, "spot", name)
    floor.hub.drop(reader, "spot", name)

    def unwanted(*_: Any) -> Snapshot:
        raise AssertionError("nobody holds the stream")

    monkeypatch.setattr(floor.board.depth, "snapshot", unwanted)
    monkeypatch.setattr(floor.board.tickers, "get", unwanted)
    floor.tell(event(Traded), a_change(1, (100, 1)))
    floor.hub.pulse(10_000)
    assert heard(reader) == []


def test_two_readers_get_the_same_bytes() -> None:
    floor = Floor()
    one, two = (floor.reader("spot", "btcusdt@trade") for _ in range(2))
    floor.tell(event(Traded))
    (first,), (second,) = one.drain(), two.drain()
    assert first is second


def test_a_reader_that_never_reads_keeps_a_bounded_queue() -> None:
    floor = Floor()
    reader: Outbox = floor.reader("spot", "btcusdt@trade", "btcusdt@bookTicker")
    for number in range(1, 1_000):
        floor.tell(event(Traded, trade_id=number), a_change(number, (100, number)))
    assert len(reader) == 256 + 1  # The newest trades, and the newest best.
