"""Tape files: every known layout is read, every bad row is refused by line and reason."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from exchange.market.tape_file import Row, TapeError, TapeFile, read_price, read_time

HEADER = "timestamp,open,high,low,close,volume\n"
MINUTES = (
    "2022-01-01 00:00:00.000000,100.5,101.0,100.0,100.75,2000.5\n"
    "2022-01-01 00:01:00.000000,100.75,102.0,100.5,101.5,1000\n"
)
NEW_YEAR_MS = 1_640_995_200_000
KLINE = "{},1.5,2.5,1.0,2.0,10.0,{},15.123456789,3,5.0,7.5,0\n"


def written(tmp_path: Path, text: str, name: str = "tape.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def rows(path: Path) -> list[Row]:
    return list(TapeFile(path).rows(0))


def test_candles_with_a_header_are_read(tmp_path: Path) -> None:
    file = TapeFile(written(tmp_path, HEADER + MINUTES))
    assert file.is_bars
    assert file.row_ms == 60_000
    first, second = file.rows(0)
    assert first == Row(
        NEW_YEAR_MS, 10_050_000_000, 10_100_000_000, 10_000_000_000, 10_075_000_000, 200_050_000_000
    )
    assert second == file.last
    assert second.time_ms == NEW_YEAR_MS + 60_000


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000])
def test_times_may_be_seconds_milliseconds_or_microseconds(tmp_path: Path, unit: int) -> None:
    opens = [NEW_YEAR_MS // 1_000 * unit, (NEW_YEAR_MS // 1_000 + 60) * unit]
    path = written(tmp_path, "".join(KLINE.format(at, at + 59 * unit) for at in opens))
    first, second = rows(path)
    assert (first.time_ms, second.time_ms) == (NEW_YEAR_MS, NEW_YEAR_MS + 60_000)
    assert first.close_e8 == 200_000_000
    assert first.quote_minor == 1_512_345_678  # The ninth digit is dropped.


def test_a_dump_of_candles_may_have_its_header(tmp_path: Path) -> None:
    names = (
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
        "taker_buy_volume,taker_buy_quote_volume,ignore\n"
    )
    (row,) = rows(written(tmp_path, names + KLINE.format(NEW_YEAR_MS, 0)))
    assert row.quote_minor == 1_512_345_678


@pytest.mark.parametrize(
    "line",
    [
        f"1,0.5,10,1,2,{NEW_YEAR_MS},True,True\n",  # Aggregated trades of spot,
        f"1,0.5,10,1,2,{NEW_YEAR_MS},True\n",  # of contracts,
        f"1,0.5,10,5,{NEW_YEAR_MS},False,True\n",  # and single trades.
    ],
)
def test_dumps_of_trades_are_read(tmp_path: Path, line: str) -> None:
    file = TapeFile(written(tmp_path, line))
    assert not file.is_bars
    assert list(file.rows(0)) == [
        Row(NEW_YEAR_MS, 50_000_000, 50_000_000, 50_000_000, 50_000_000, 0)
    ]


def test_trades_with_a_header_are_read(tmp_path: Path) -> None:
    text = f"agg_trade_id,price,quantity,transact_time\n9,0.25,1,{NEW_YEAR_MS}\n"
    (row,) = rows(written(tmp_path, text))
    assert (row.time_ms, row.close_e8) == (NEW_YEAR_MS, 25_000_000)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("2022-01-01 00:02,1,2,1\n", "4 columns instead of 6"),
        ("yesterday,1,2,1,1,5\n", "'yesterday' is no time"),
        ("2022-01-01 00:02,one,2,1,1,5\n", "'one' is no price"),
        ("2022-01-01 00:02,0,2,0,1,5\n", "must be greater than zero"),
        ("2022-01-01 00:02,1e-5,2,1,1,5\n", "'1e-5' is no price"),
        ("2022-01-01 00:02,1,2,1,1,much\n", "'much' is no volume"),
        ("2022-01-01 00:02,3,2,1,1,5\n", "the high lies below"),
        ("2022-01-01 00:02,2,3,2,1,5\n", "the low lies above"),
        ("2022-01-01 00:00:30,1,2,1,1,5\n", "before that of the row above"),
        ("2022-01-01 00:01,1,2,1,1,5\n", "the time of the row above"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_reason(
    tmp_path: Path, line: str, says: str
) -> None:
    path = written(tmp_path, HEADER + MINUTES + line)
    with pytest.raises(TapeError) as refused:
        TapeFile(path)
    assert refused.value.line == 4
    assert says in refused.value.reason
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        (HEADER, "no rows"),
        ("a,b,c\n1,2,3\n", "neither those of candles nor of trades"),
        ("1,2,3\n", "no known dump"),
        ("PK\x03\x04", "unpack it first"),
    ],
)
def test_a_file_that_is_no_tape_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(TapeError, match=says):
        TapeFile(written(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match=r"nowhere\.csv"):
        TapeFile(tmp_path / "nowhere.csv")


def test_rows_are_found_by_time_in_a_large_file(tmp_path: Path) -> None:
    many = 20_000  # About a megabyte: a search by halves has halves to choose.
    lines = "".join(
        KLINE.format(NEW_YEAR_MS + at * 60_000, NEW_YEAR_MS + at * 60_000) for at in range(many)
    )
    file = TapeFile(written(tmp_path, lines))
    assert file.last.time_ms == NEW_YEAR_MS + (many - 1) * 60_000
    for minute in (0, 1, 777, 12_345, many - 1):
        at_ms = NEW_YEAR_MS + minute * 60_000
        assert next(file.rows(at_ms)).time_ms == at_ms
        assert next(file.rows(at_ms + 59_999)).time_ms == at_ms
    assert next(file.rows(0)).time_ms == NEW_YEAR_MS
    assert sum(1 for _ in file.rows(NEW_YEAR_MS + (many - 10) * 60_000)) == 10


def test_two_readers_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    lines = "".join(KLINE.format(NEW_YEAR_MS + at * 60_000, 0) for at in range(2_000))
    file = TapeFile(written(tmp_path, lines))
    one, two = file.rows(0), file.rows(0)
    assert [next(one) for _ in range(1_500)] == [next(two) for _ in range(1_500)]
    assert next(one) == next(two)


def test_threads_read_one_file_at_once(tmp_path: Path) -> None:
    many = 3_000
    lines = "".join(KLINE.format(NEW_YEAR_MS + at * 60_000, 0) for at in range(many))
    file = TapeFile(written(tmp_path, lines))
    wanted = [NEW_YEAR_MS + at * 60_000 for at in range(many)]

    def times(_: int) -> list[int]:
        return [row.time_ms for row in file.rows(0)]

    switched_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # So that they meet between two steps, whatever the machine.
    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(times, range(12))) == [wanted] * 12
    finally:
        sys.setswitchinterval(switched_s)


def test_a_time_with_a_zone_is_taken_at_its_word() -> None:
    assert read_time("2022-01-01T01:00:00+01:00") == NEW_YEAR_MS
    assert read_time("2022-01-01T00:00:00Z") == NEW_YEAR_MS


def test_a_price_is_exact() -> None:
    assert read_price("0.00000001") == 1
    with pytest.raises(ValueError, match="8 decimal places"):
        read_price("0.000000001")
