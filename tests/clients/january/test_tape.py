"""Tests of the tape: every layout that the exchange plays tells the same bars here."""

from pathlib import Path

import pytest

from clients.january.tape import Bar, Tape, TapeError, time_ms, utc

MINUTE_MS = 60_000
FIRST_MS = 1_640_991_600_000  # 2021-12-31 23:00 UTC: 18,992 days and 23 hours since 1970.
BARS = [("46000.0", "46010.5", "45990.0", "46001.0"), ("46001.0", "46200.0", "46000.0", "46150.0")]


def written(path: Path, lines: list[str]) -> Tape:
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return Tape(path)


def named(times: list[str], head: str = "timestamp,open,high,low,close,volume") -> list[str]:
    return [head, *(f"{time},{','.join(bar)},7" for time, bar in zip(times, BARS, strict=True))]


def dump(times: list[str], head: list[str]) -> list[str]:
    """A public dump of klines: twelve columns."""
    rest = "7,0,322000,12,3,138000,0"
    rows = [f"{time},{','.join(bar)},{rest}" for time, bar in zip(times, BARS, strict=True)]
    return head + rows


KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)


@pytest.mark.parametrize(
    "lines",
    [
        named(["2021-12-31 23:00:00.000000", "2021-12-31 23:01:00.000000"]),
        named(["2021-12-31T23:00:00Z", "2021-12-31T23:01:00Z"]),
        named(["2022-01-01T00:00:00+01:00", "2022-01-01T00:01:00+01:00"]),
        named(["1640991600", "1640991660"]),
        named(["1640991600000", "1640991660000"], "Open Time,Open,High,Low,Close,Volume"),
        dump(["1640991600000", "1640991660000"], []),
        dump(["1640991600000000", "1640991660000000"], []),
        dump(["1640991600000", "1640991660000"], [KLINES]),
    ],
    ids=["iso", "iso-z", "iso-zone", "s", "ms-titles", "dump-ms", "dump-us", "dump-header"],
)
def test_every_layout_tells_the_same_bars(tmp_path: Path, lines: list[str]) -> None:
    tape = written(tmp_path / "t.csv", lines)
    assert (tape.first_ms, tape.end_ms) == (FIRST_MS, FIRST_MS + 2 * MINUTE_MS)
    assert tape.bar_at(FIRST_MS + MINUTE_MS - 1) == Bar(FIRST_MS, *BARS[0])
    assert tape.bar_at(FIRST_MS + MINUTE_MS) == Bar(FIRST_MS + MINUTE_MS, *BARS[1])
    assert tape.bar_at(FIRST_MS + 9 * MINUTE_MS) == Bar(FIRST_MS + MINUTE_MS, *BARS[1])
    assert tape.bar_at(FIRST_MS - 1) is None


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    lines = ["close,low,open,volume,date,high", "4,1,2,99,1640991600,5"]
    assert written(tmp_path / "t.csv", lines).bar_at(FIRST_MS) == Bar(FIRST_MS, "2", "5", "1", "4")


def test_a_tape_covers_what_lies_between_its_first_bar_and_the_end_of_its_last(
    tmp_path: Path,
) -> None:
    tape = written(tmp_path / "t.csv", named(["1640991600", "1640991660"]))
    assert tape.covers(FIRST_MS, FIRST_MS + 2 * MINUTE_MS)
    assert not tape.covers(FIRST_MS - 1, FIRST_MS + MINUTE_MS)
    assert not tape.covers(FIRST_MS, FIRST_MS + 2 * MINUTE_MS + 1)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([""], "holds no candles"),
        (["timestamp,open,high,low,close"], "holds no candles"),
        (["timestamp,price", "1640991600,7"], "not those of candles"),
        (["1640991600,1,2,3,4"], "5 columns and no header"),
        (named(["1640991600", "soon"]), "line 3 is no candle"),
        (["timestamp,open,high,low,close", "1640991600,1,2"], "line 2 is no candle"),
    ],
)
def test_what_is_no_tape_is_refused_in_a_line(tmp_path: Path, lines: list[str], why: str) -> None:
    with pytest.raises(TapeError) as refused:
        written(tmp_path / "t.csv", lines)
    assert why in str(refused.value)
    assert str(tmp_path / "t.csv") in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="No such file"):
        Tape(tmp_path / "no.csv")
    (tmp_path / "t.zip").write_bytes(b"PK\x03\x04\xff\xfe\x00\x00")
    with pytest.raises(TapeError):
        Tape(tmp_path / "t.zip")


def test_moments_are_written_in_utc_and_whole_where_they_are() -> None:
    assert utc(FIRST_MS) == "2021-12-31 23:00:00"
    assert utc(FIRST_MS + 37_005) == "2021-12-31 23:00:37.005"
    assert time_ms("2021-12-31 23:00:37.005") == FIRST_MS + 37_005
