"""Tapes: bars play their four prices in order, gaps are flat, others follow, the end walks on."""

from itertools import pairwise
from pathlib import Path

import pytest

from exchange.market.prices import WalkPrices
from exchange.market.tape import Tape, TapePrices, open_tapes
from tests.exchange.market.test_prices import E8, correlation, played

START_MS = 1_640_995_200_000  # 1 January 2022
HEADER = "timestamp,open,high,low,close,volume\n"


def bars(*rows: tuple[int, str]) -> str:
    """(minute, open, high, low, close) as a file."""
    return HEADER + "".join(f"{START_MS + at * 60_000},{prices},1000\n" for at, prices in rows)


def tape(tmp_path: Path, text: str, name: str = "btc.csv") -> Tape:
    path = tmp_path / name
    path.write_text(text)
    return Tape(path)


def moments(one: Tape) -> list[tuple[int, float]]:
    """(ms after the start, price) of all that a tape plays."""
    found = []
    now_ms = one.next_ms(one.first_ms - 1)
    while now_ms is not None:
        price = one.price_at(now_ms)
        assert price is not None
        found.append((now_ms - START_MS, price / E8))
        now_ms = one.next_ms(now_ms)
    return found


def test_a_bar_that_rose_plays_its_low_before_its_high(tmp_path: Path) -> None:
    one = tape(tmp_path, bars((0, "10,13,9,12")))
    assert moments(one) == [(0, 10), (15_000, 9), (30_000, 13), (59_000, 12)]


def test_a_bar_that_fell_plays_its_high_before_its_low(tmp_path: Path) -> None:
    one = tape(tmp_path, bars((0, "12,13,9,10"), (1, "10,10,10,10")))
    assert moments(one)[:5] == [(0, 12), (15_000, 13), (30_000, 9), (59_000, 10), (60_000, 10)]


def test_longer_bars_play_in_proportion(tmp_path: Path) -> None:
    one = tape(tmp_path, bars((0, "10,13,9,12"), (60, "12,12,12,12")))
    assert [at for at, _ in moments(one)[:5]] == [0, 900_000, 1_800_000, 3_540_000, 3_600_000]
    assert one.stale_ms == 5_400_000


def test_a_minute_bar_stands_for_a_minute_and_a_half(tmp_path: Path) -> None:
    assert tape(tmp_path, bars((0, "1,1,1,1"), (1, "1,1,1,1"))).stale_ms == 90_000


def test_the_last_price_stands_through_a_gap(tmp_path: Path) -> None:
    one = tape(tmp_path, bars((0, "1,1,1,1"), (1, "2,2,2,2"), (9, "3,3,3,3")))
    assert one.price_at(START_MS + 5 * 60_000) == 2 * E8
    prices = TapePrices({"BTC": one}, WalkPrices(1, {"BTC": E8}, 60_000))
    made = played(prices, START_MS - 1, START_MS + 9 * 60_000, {})
    told = [at for at, _ in made]
    # Each print stands 90 s, and each full minute prints again what stands.
    assert all(later - earlier <= 60_000 for earlier, later in pairwise(told))


def test_trades_are_looked_at_once_a_second(tmp_path: Path) -> None:
    lines = f"timestamp,price\n{START_MS},5\n{START_MS + 200},6\n{START_MS + 900},7\n"
    one = tape(tmp_path, lines + f"{START_MS + 5_000},8\n")
    assert moments(one) == [(0, 5), (1_000, 7), (5_000, 8)]


def test_any_moment_may_be_asked_in_any_order(tmp_path: Path) -> None:
    text = bars(*((at, f"{at + 1},{at + 1},{at + 1},{at + 1}") for at in range(6_000)))
    one = tape(tmp_path, text)
    for minute in (5_999, 0, 3_000, 2_047, 2_048, 5_000, 1):
        assert one.price_at(START_MS + minute * 60_000 + 500) == (minute + 1) * E8
        assert one.next_ms(START_MS + minute * 60_000) == START_MS + minute * 60_000 + 15_000
    assert one.price_at(START_MS - 1) is None


def test_bars_of_a_span_can_be_had(tmp_path: Path) -> None:
    one = tape(tmp_path, bars(*((at, f"{at + 1},{at + 1},{at + 1},{at + 1}") for at in range(9))))
    found = one.bars(START_MS + 2 * 60_000, START_MS + 5 * 60_000)
    assert [row.open_e8 // E8 for row in found] == [3, 4, 5]


def test_an_asset_without_a_tape_follows_it(tmp_path: Path) -> None:
    prices = [1_000 + (at * 7_919) % 97 for at in range(400)]
    one = tape(tmp_path, bars(*((at, f"{p},{p},{p},{p}") for at, p in enumerate(prices))))
    start = {"BTC": prices[0] * E8, "ETH": 2_500 * E8}
    source = TapePrices({"BTC": one}, WalkPrices(1, start, 15_000))
    standing = dict(start)
    moves: list[tuple[float, float]] = []
    for minute in range(399):
        before = dict(standing)
        played(source, START_MS + minute * 60_000, START_MS + (minute + 1) * 60_000, standing)
        btc, eth = (standing[asset] / before[asset] - 1 for asset in ("BTC", "ETH"))
        moves.append((btc, eth))
    assert correlation([m[0] for m in moves], [m[1] for m in moves]) > 0.8


def test_after_its_end_the_tape_walks_on(tmp_path: Path) -> None:
    one = tape(tmp_path, bars((0, "100,100,100,100"), (1, "200,200,200,200")))
    start = {"BTC": 100 * E8}
    source = TapePrices({"BTC": one}, WalkPrices(1, start))
    standing: dict[str, int] = {}
    played(source, START_MS - 1, one.last_ms, standing)
    assert standing["BTC"] == 200 * E8
    made = played(source, one.last_ms, one.last_ms + 60_000, standing)
    assert len(made) >= 59  # Bitcoin walks every second.
    assert standing["BTC"] != 200 * E8
    assert abs(standing["BTC"] / (200 * E8) - 1) < 0.05


def test_a_tape_started_in_the_middle_prints_at_once(tmp_path: Path) -> None:
    one = tape(tmp_path, bars(*((at, f"{at + 1},{at + 1},{at + 1},{at + 1}") for at in range(9))))
    source = TapePrices({"BTC": one}, WalkPrices(1, {"BTC": E8}))
    printed = source.prints(START_MS + 4 * 60_000 + 5_000, {})
    assert printed[0].prices_e8 == {"BTC": 5 * E8}


def test_what_a_tape_moved_is_told(tmp_path: Path) -> None:
    one = tape(tmp_path, bars((0, "100,100,100,100"), (1, "110,110,110,110")))
    walk = WalkPrices(1, {"BTC": E8, "ETH": E8})
    source = TapePrices({"BTC": one}, walk)
    assert source.moved("BTC", START_MS + 60_000, 60_000) == pytest.approx(0.1)
    assert source.moved("ETH", START_MS + 60_000, 60_000) == pytest.approx(
        0.1 * 0.88 * 110 / 85  # Its correlation, and how much livelier it is.
    )
    assert source.moved("BTC", START_MS, 60_000) == 0  # There was nothing before.


def test_a_file_is_told_its_asset_or_named_for_it(tmp_path: Path) -> None:
    for name in ("btc-perp-1m.csv", "prices.csv"):
        tape(tmp_path, bars((0, "1,1,1,1")), name)
    named, told = tmp_path / "btc-perp-1m.csv", tmp_path / "prices.csv"
    assert list(open_tapes(str(named), ["BTC", "ETH"])) == ["BTC"]
    assert list(open_tapes(f"{named},ETH={told}", ["BTC", "ETH"])) == ["BTC", "ETH"]
    assert list(open_tapes(str(told), ["BTC", "ETH"])) == ["BTC"]
    with pytest.raises(ValueError, match=r"XMR=.*no such asset"):
        open_tapes(f"XMR={told}", ["BTC"])


def test_a_real_month_plays_from_end_to_end(shared_dir: Path) -> None:
    (one,) = open_tapes(str(shared_dir / "data" / "btc-perp-1m-2022-01.csv"), ["BTC"]).values()
    assert one.file.row_ms == 60_000
    source = TapePrices({"BTC": one}, WalkPrices(1, {"BTC": E8}, 60_000))
    standing: dict[str, int] = {}
    low = 1 << 62
    for _, prices in played(source, one.first_ms - 1, one.last_ms, standing):
        low = min(low, prices["BTC"])
    assert standing["BTC"] == one.file.last.close_e8
    assert low < 34_000 * E8  # The fall of 24 January.
