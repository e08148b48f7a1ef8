"""Tests of the average price of the last minutes, by hand and against a plain list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matching.average import SLOT_MS, WINDOW_SLOTS, Average

WINDOW_MS = SLOT_MS * WINDOW_SLOTS


def test_s9_each_price_counts_by_its_quantity() -> None:
    average = Average()
    assert average.price_e8(0, 10) is None
    average.note(0, 100, 3)
    average.note(5_000, 110, 1)  # The same slot.
    average.note(20_000, 120, 4)
    # (300 + 110 + 480) / 8 = 111.25 ticks of 10.
    assert average.price_e8(20_000, 10) == 1_112


def test_s9_after_five_minutes_a_trade_counts_no_more() -> None:
    average = Average()
    average.note(0, 100, 3)
    average.note(60_000, 200, 1)
    assert average.price_e8(WINDOW_MS - 1, 1) == 125
    assert average.price_e8(WINDOW_MS, 1) == 200
    assert average.price_e8(WINDOW_MS + 60_000, 1) is None
    average.note(WINDOW_MS, 300, 1)
    assert len(average.state()) == 2


@given(
    st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 9), st.integers(1, 9)), min_size=1)
)
def test_it_is_what_a_plain_list_says_and_survives_a_restart(
    trades: list[tuple[int, int, int]],
) -> None:
    average, now_ms, plain = Average(), 0, list[tuple[int, int, int]]()
    for later_ms, ticks, lots in trades:
        now_ms += later_ms
        average.note(now_ms, ticks, lots)
        plain.append((now_ms // SLOT_MS, ticks, lots))
        within = [each for each in plain if each[0] > now_ms // SLOT_MS - WINDOW_SLOTS]
        units, total = sum(t * q for _, t, q in within), sum(q for _, _, q in within)
        assert average.price_e8(now_ms, 7) == units * 7 // total
        assert len(average.state()) <= WINDOW_SLOTS
    assert Average(average.state()).state() == average.state()
