"""Prehistory: no holes, all intervals agree, and it ends where the market begins."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.market.bars import TRADES_PER_MINUTE, Bar, join
from exchange.market.prehistory import FUNDINGS, TRADES, Prehistory
from exchange.market.tape import Tape
from exchange.venue import default_venue
from exchange.wire import INTERVALS_MS

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
START_MS = 1_700_000_012_345  # In the middle of a minute, an hour and a day.
SYMBOLS = ["BTC-USDT", "GALA-USDT", "ETH-BTC", "SOL-USDT-PERP"]


def history(
    seed: int = 1, start_ms: int = START_MS, recorded: dict[str, Tape] | None = None
) -> Prehistory:
    venue = default_venue(seed, start_ms)
    start = {asset.asset: asset.start_price_e8 for asset in venue.assets}
    return Prehistory(seed, start_ms, venue.instruments, start, recorded)


PAST = history()


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("interval_ms", INTERVALS_MS.values())
def test_every_interval_has_a_thousand_candles_without_holes(symbol: str, interval_ms: int) -> None:
    found = PAST.candles(symbol, interval_ms, PAST.end_ms - 1_002 * interval_ms, PAST.end_ms)
    assert len(found) >= 1_000
    assert all(right.open_ms - left.open_ms == interval_ms for left, right in pairwise(found))
    assert all(left.close == right.open for left, right in pairwise(found))
    assert all(bar.open_ms % interval_ms == 0 for bar in found)
    assert found[-1].open_ms <= PAST.end_ms - MINUTE_MS < found[-1].open_ms + interval_ms


@pytest.mark.parametrize(
    ("symbol", "ticks"),
    [
        ("BTC-USDT", 5_000_000),  # 50,000 / 0.01
        ("GALA-USDT", 3_000),  # 0.03 / 0.00001
        ("ETH-BTC", 5_000),  # 2,500 / 50,000 / 0.00001
        ("SOL-USDT-PERP", 10_000),  # 100 / 0.01
    ],
)
def test_the_last_candle_closes_at_the_start_price(symbol: str, ticks: int) -> None:
    for interval_ms in INTERVALS_MS.values():
        start_ms = PAST.end_ms - 2 * interval_ms
        assert PAST.candles(symbol, interval_ms, start_ms, PAST.end_ms)[-1].close == ticks


def test_no_more_candles_are_made_than_are_asked_for() -> None:
    first = PAST.candles("BTC-USDT", MINUTE_MS, 0, PAST.end_ms, limit=7)
    assert len(first) == 7
    # A thousand and ten days before the midnight before the start.
    assert first[0].open_ms == START_MS // DAY_MS * DAY_MS - 1_010 * DAY_MS
    assert len(PAST.candles("BTC-USDT", MINUTE_MS, 0, PAST.end_ms)) == 5_000


@settings(max_examples=25)
@given(
    st.sampled_from(SYMBOLS),
    st.sampled_from(list(INTERVALS_MS.values())),
    st.integers(0, 40 * DAY_MS),
    st.integers(0, 3),
)
def test_every_candle_is_the_sum_of_its_minutes(
    symbol: str, interval_ms: int, ago_ms: int, seed: int
) -> None:
    past = history(seed)
    end_ms = past.end_ms - ago_ms
    (candle, *_) = past.candles(symbol, interval_ms, end_ms - interval_ms, end_ms)
    minutes = past.candles(symbol, MINUTE_MS, candle.open_ms, candle.open_ms + interval_ms)
    assert join(minutes, candle.open_ms) == candle
    for bar in (candle, *minutes):
        assert 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        assert bar.lots * bar.low <= bar.units <= bar.lots * bar.high


def test_the_same_bars_come_whatever_was_asked_before() -> None:
    one, two = history(5), history(5)
    two.candles("BTC-USDT", DAY_MS, 0, two.end_ms)
    two.candles("BTC-USDT", 3 * MINUTE_MS, two.end_ms - DAY_MS, two.end_ms)
    span = (one.end_ms - 600 * MINUTE_MS, one.end_ms)
    assert one.candles("BTC-USDT", MINUTE_MS, *span) == two.candles("BTC-USDT", MINUTE_MS, *span)
    assert one.candles("BTC-USDT", MINUTE_MS, *span) != PAST.candles("BTC-USDT", MINUTE_MS, *span)


@pytest.mark.parametrize("start_ms", [START_MS, 1_700_006_400_000, 1_700_006_460_000])
def test_a_start_on_midnight_or_a_minute_after_leaves_no_hole(start_ms: int) -> None:
    past = history(1, start_ms)
    found = past.candles("BTC-USDT", HOUR_MS, past.end_ms - 30 * HOUR_MS, past.end_ms)
    assert all(right.open_ms - left.open_ms == HOUR_MS for left, right in pairwise(found))
    assert found[-1].open_ms == (start_ms - 1) // HOUR_MS * HOUR_MS
    assert found[-1].close == 5_000_000


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_last_trades_make_up_the_last_minutes(symbol: str) -> None:
    trades = PAST.trades(symbol)
    assert [trade.trade_id for trade in trades] == list(range(1, TRADES + 1))
    assert trades[0].time_ms >= START_MS - 4 * HOUR_MS
    assert trades[-1].time_ms < START_MS
    minutes = TRADES // TRADES_PER_MINUTE
    bars = PAST.candles(symbol, MINUTE_MS, PAST.end_ms - minutes * MINUTE_MS, PAST.end_ms)
    for bar in bars:
        span = range(bar.open_ms, bar.open_ms + MINUTE_MS)
        prices = [(t.price_ticks, t.lots) for t in trades if t.time_ms in span]
        told = [price for price, _ in prices]
        made = Bar(
            bar.open_ms,
            told[0],
            max(told),
            min(told),
            told[-1],
            sum(lots for _, lots in prices),
            sum(price * lots for price, lots in prices),
            len(prices),
        )
        assert made == bar


@pytest.mark.parametrize("interval_ms", [8 * HOUR_MS, HOUR_MS, 90_000])
def test_nine_hundred_funding_rates_lie_before_the_start(interval_ms: int) -> None:
    found = PAST.funding("BTC-USDT-PERP", interval_ms)
    assert len(found) == FUNDINGS
    assert found[-1].due_ms < START_MS <= found[-1].due_ms + interval_ms
    assert all(right.due_ms - left.due_ms == interval_ms for left, right in pairwise(found))
    eighths = 8 * HOUR_MS // interval_ms
    rates = [each.rate_e12 * eighths for each in found]
    assert max(map(abs, rates)) <= 3_000_000_000  # 0.3 % in eight hours
    assert 50_000_000 < sum(rates) / FUNDINGS < 500_000_000  # Mostly longs pay, about 0.01 %.
    assert min(rates) < 0


def test_a_funding_mark_is_the_price_of_its_moment() -> None:
    last = PAST.funding("BTC-USDT-PERP", 8 * HOUR_MS)[-1]
    (minute,) = PAST.candles("BTC-USDT-PERP", MINUTE_MS, last.due_ms, last.due_ms + MINUTE_MS)
    assert last.mark_e8 == minute.open * 10_000_000  # A tick is 0.1.


def test_a_perpetual_keeps_close_to_its_coin() -> None:
    span = (PAST.end_ms - 500 * MINUTE_MS, PAST.end_ms)
    spot = PAST.candles("BTC-USDT", MINUTE_MS, *span)
    perp = PAST.candles("BTC-USDT-PERP", MINUTE_MS, *span)
    for coin, contract in zip(spot, perp, strict=True):
        assert abs(contract.close * 10 / coin.close - 1) < 0.001


def minute_tape(tmp_path: Path, minutes: int, missing: range = range(0)) -> Tape:
    first_ms = START_MS // MINUTE_MS * MINUTE_MS - minutes * MINUTE_MS
    path = tmp_path / "btc.csv"
    rows = [
        f"{first_ms + at * MINUTE_MS},{40_000 + at},{40_010 + at},{39_990 + at},{40_001 + at},90000"
        for at in range(minutes + 10)
        if at not in missing
    ]
    path.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    return Tape(path)


def test_a_tapes_earlier_minutes_are_the_history(tmp_path: Path) -> None:
    past = history(recorded={"BTC": minute_tape(tmp_path, 300)})
    found = past.candles("BTC-USDT", MINUTE_MS, past.end_ms - 1_000 * MINUTE_MS, past.end_ms)
    assert len(found) == 1_000
    assert all(right.open_ms - left.open_ms == MINUTE_MS for left, right in pairwise(found))
    last = found[-1]
    assert (last.open, last.high, last.low, last.close) == (
        4_029_900,
        4_030_900,
        4_028_900,
        4_030_000,
    )
    assert last.lots == 223_325  # 90,000 USDT / 40,300 / 0.00001, rounded down
    # What is made up before it closes at the tape's first open.
    assert found[699].close == found[700].open == 4_000_000
    hours = past.candles("BTC-USDT", HOUR_MS, past.end_ms - 9 * HOUR_MS, past.end_ms)
    for hour in hours:
        minutes = past.candles("BTC-USDT", MINUTE_MS, hour.open_ms, hour.open_ms + HOUR_MS)
        assert join(minutes, hour.open_ms) == hour
    assert len(past.trades("BTC-USDT")) == TRADES
    assert len(past.candles("BTC-USDT-PERP", DAY_MS, 0, past.end_ms)) > 1_000


def test_a_minute_that_the_tape_lacks_is_flat(tmp_path: Path) -> None:
    past = history(recorded={"BTC": minute_tape(tmp_path, 300, missing=range(100, 110))})
    start_ms = past.end_ms - 300 * MINUTE_MS
    found = past.candles("BTC-USDT", MINUTE_MS, start_ms + 105 * MINUTE_MS, past.end_ms)
    assert len(found) == 195
    assert {found[0].open, found[0].high, found[0].low, found[0].close} == {4_010_000}


def test_a_tape_that_begins_with_the_market_leaves_all_to_the_seed(tmp_path: Path) -> None:
    past = history(recorded={"BTC": minute_tape(tmp_path, 0)})
    assert past.candles("BTC-USDT", DAY_MS, 0, past.end_ms)[-1].close == 5_000_000
