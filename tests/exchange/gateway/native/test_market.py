"""Public questions over the door."""

from __future__ import annotations

from pathlib import Path

from exchange.gateway.native.market import bracket_say
from risk.parameters import Bracket
from tests.exchange.gateway.rig import START_MS, Rig, Trader, running


async def test_time_tells_both_clocks(rig: Rig) -> None:
    said = (await rig.ask("GET", "/v1/time")).json
    assert said["exchange_time"] == START_MS
    assert said["wall_time"] > START_MS
    assert (said["env"], said["paused"]) == ("paper", True)


async def test_instruments_are_told_with_their_rules(rig: Rig) -> None:
    said = (await rig.ask("GET", "/v1/instruments")).json
    by_symbol = {one["symbol"]: one for one in said["instruments"]}
    assert list(by_symbol) == ["BTC-USDT", "ETH-USDT", "BTC-USDT-PERP"]
    spot, perp = by_symbol["BTC-USDT"], by_symbol["BTC-USDT-PERP"]
    assert (spot["kind"], spot["tick"], spot["lot"]) == ("spot", "0.01", "0.00001")
    assert (spot["maker_fee"], spot["taker_fee"], spot["notional_min"]) == ("0.001", "0.001", "5")
    assert (spot["margin"], spot["max_leverage"]) == (["cash", "cross", "isolated"], 10)
    assert (perp["kind"], perp["max_leverage"], perp["margin"]) == (
        "linear",
        125,
        ["cross", "isolated"],
    )
    assert perp["funding_interval_ms"] == 8 * 3_600_000
    assert perp["brackets"][0]["maintenance_rate"] == "0.004"
    usdt = next(one for one in said["assets"] if one["asset"] == "USDT")
    assert usdt["hourly_rate"] == "0.00001"
    assert usdt["collateral"] == [{"cap": None, "ratio": "1"}]


def test_a_bracket_tells_its_maintenance_amount_exactly() -> None:
    # 50,000 x (0.5 % - 0.4 %) = 50.
    bracket = Bracket(5 * 10**12, 60 * 10**12, 100, 5 * 10**9, 50 * 10**20)
    assert bracket_say(bracket) == {
        "floor": "50000",
        "cap": "600000",
        "leverage": 100,
        "maintenance_rate": "0.005",
        "maintenance_amount": "50",
    }


async def test_a_book_is_told_best_first_and_no_deeper_than_asked(rig: Rig, alice: Trader) -> None:
    for price in ("49000", "48000", "47000"):
        await alice.order("BTC-USDT", "buy", "0.01", price=price)
    book = (await rig.ask("GET", "/v1/book/BTC-USDT?limit=2")).json
    assert book["bids"] == [["49000.00", "0.01000"], ["48000.00", "0.01000"]]
    assert book["asks"] == []
    assert book["last_id"] > 0


async def test_a_trade_is_seen_in_tape_candle_and_ticker(
    rig: Rig, alice: Trader, bob: Trader
) -> None:
    for price in ("50000", "50010"):
        await alice.order("BTC-USDT-PERP", "sell", "0.1", price=price)
        await bob.order("BTC-USDT-PERP", "buy", "0.1")
    newest, first = (await rig.ask("GET", "/v1/trades/BTC-USDT-PERP")).json
    assert (newest["price"], first["price"]) == ("50010.0", "50000.0")
    target = f"/v1/trades/BTC-USDT-PERP?before_id={newest['trade_id']}"
    assert (await rig.ask("GET", target)).json == [first]
    (candle,) = (await rig.ask("GET", "/v1/candles/BTC-USDT-PERP?interval=5m")).json
    assert (candle["open"], candle["close"], candle["trades"]) == ("50000.0", "50010.0", 2)
    assert candle["closed"] is False
    ticker = (await rig.ask("GET", "/v1/ticker/BTC-USDT-PERP")).json
    assert (ticker["last"], ticker["volume"], ticker["trades"]) == ("50010.0", "0.200", 2)
    mark = (await rig.ask("GET", "/v1/mark/BTC-USDT-PERP")).json
    assert (mark["index"], mark["open_interest"]) == ("50000", "0.200")


async def test_what_memory_no_longer_holds_comes_from_the_history(
    rig: Rig, alice: Trader, bob: Trader, monkeypatch
) -> None:
    for price in ("50000", "50010", "50020"):
        await alice.order("BTC-USDT-PERP", "sell", "0.1", price=price)
        await bob.order("BTC-USDT-PERP", "buy", "0.1")
        await rig.doors.sequencer.step(60_000)
    whole_tape = (await rig.ask("GET", "/v1/trades/BTC-USDT-PERP")).json
    target = "/v1/candles/BTC-USDT-PERP"
    whole = (await rig.ask("GET", target)).json
    assert [candle["close"] for candle in whole] == ["50000.0", "50010.0", "50020.0", "50020.0"]
    board = rig.doors.board
    kept, running = board.trades.recent("BTC-USDT-PERP", 1), board.candles
    monkeypatch.setattr(board.trades, "recent", lambda *_: kept)  # Only the newest is left.
    assert (await rig.ask("GET", "/v1/trades/BTC-USDT-PERP")).json == whole_tape
    last = running.get("BTC-USDT-PERP", "1m", limit=1)
    monkeypatch.setattr(board.candles, "get", lambda *_: last)
    assert (await rig.ask("GET", target)).json == whole
    assert (await rig.ask("GET", f"{target}?limit=2")).json == whole[-2:]
    start_ms = whole[1]["open_time"]
    from_start = (await rig.ask("GET", f"{target}?start_ms={start_ms}&limit=2")).json
    assert from_start == whole[1:3]


async def test_a_spot_pair_has_an_index_and_no_funding(rig: Rig) -> None:
    mark = (await rig.ask("GET", "/v1/mark/BTC-USDT")).json
    assert (mark["index"], mark["mark"]) == ("50000", None)
    assert (await rig.ask("GET", "/v1/funding/BTC-USDT")).json == []


async def test_funding_is_told_newest_first(rig: Rig) -> None:
    await rig.doors.sequencer.step(17 * 3_600_000)  # Two or three boundaries of eight hours.
    rates = (await rig.ask("GET", "/v1/funding/BTC-USDT-PERP")).json
    times = [rate["time"] for rate in rates]
    assert len(times) >= 2
    assert times == sorted(times, reverse=True)
    target = f"/v1/funding/BTC-USDT-PERP?before_ms={times[0]}&limit=1"
    (earlier,) = (await rig.ask("GET", target)).json
    assert earlier["time"] == times[1]


async def test_the_audit_says_that_all_adds_up(rig: Rig, alice: Trader) -> None:
    said = (await rig.ask("GET", "/v1/audit")).json
    assert (said["ok"], said["violations"]) == (True, [])
    assert said["checked_at_seq"] > 0
    assert said["assets"]["USDT"]["sum"] == "0"


async def test_a_contract_tells_what_one_of_it_is_and_what_it_settles_in(tmp_path: Path) -> None:
    symbols = ("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
    async with running(tmp_path, symbols=symbols) as rig:
        said = (await rig.ask("GET", "/v1/instruments")).json
    by_name = {each["symbol"]: each for each in said["instruments"]}
    told = ("kind", "settle", "multiplier", "multiplier_asset", "funding_interval_ms")
    spot, linear, inverse = (tuple(by_name[name][field] for field in told) for name in symbols)
    assert spot == ("spot", "USDT", None, None, None)
    assert linear == ("linear", "USDT", "1", "BTC", 28_800_000)
    assert inverse == ("inverse", "BTC", "100", "USD", 28_800_000)
    assert by_name["BTC-USD-PERP"]["lot"] == "1"
    first = by_name["BTC-USD-PERP"]["brackets"][0]  # In coin.
    assert (first["floor"], first["cap"], first["leverage"]) == ("0", "5", 125)
