"""What each stream says, field by field."""

from __future__ import annotations

from exchange.events import DepthChanged, Liquidated, Marked, Traded
from exchange.gateway.binance.streams import payloads
from exchange.gateway.binance.streams.payloads import NO_TRADES, Numbers
from exchange.views.candles import Candle
from exchange.views.depth import Bbo, Snapshot
from exchange.views.tickers import Ticker
from matching.types import Side
from tests.exchange.events_by_hand import MINUTE_MS, PERP, SPOT, START_MS, event
from tests.exchange.gateway.binance.streams.listening import COIN

SPOT_SAYS, PERP_SAYS, COIN_SAYS = Numbers(SPOT), Numbers(PERP), Numbers(COIN)
DAY_MS = 86_400_000


def test_a_trade_of_spot_and_of_futures() -> None:
    sold = event(Traded, taker_side=Side.SELL)
    assert payloads.trade(SPOT_SAYS, sold) == {
        "e": "trade",
        "E": START_MS,
        "s": "BTCUSDT",
        "t": 1,
        "p": "50000.00000000",
        "q": "0.01000000",
        "T": START_MS,
        "m": True,  # The buyer was the maker.
        "M": True,
    }
    said = payloads.trade(PERP_SAYS, event(Traded, price_ticks=500_001, lots=2))
    assert (said["p"], said["q"], said["m"], said["X"]) == ("50000.1", "0.002", False, "MARKET")
    assert "M" not in said


def test_fills_of_one_taker_at_one_price_are_one_aggregate() -> None:
    fills = [event(Traded, trade_id=number, lots=number) for number in (4, 5, 6)]
    said = payloads.agg_trade(SPOT_SAYS, fills)
    # 4 + 5 + 6 lots of 0.00001.
    assert (said["a"], said["f"], said["l"], said["q"]) == (4, 4, 6, "0.00015000")
    assert said["M"] is True


def test_a_candle_with_its_volumes_of_base_and_quote() -> None:
    # 3 lots at 100 ticks and 1 lot at 120; the latter was bought.
    candle = Candle(START_MS, 100, 120, 100, 120, 4, 420, 2, False, 1, 120)
    said = payloads.kline(SPOT_SAYS, "1m", candle, (7, 8), closed=True, time_ms=START_MS + 5)
    assert said == {
        "e": "kline",
        "E": START_MS + 5,
        "s": "BTCUSDT",
        "k": {
            "t": START_MS,
            "T": START_MS + MINUTE_MS - 1,
            "s": "BTCUSDT",
            "i": "1m",
            "f": 7,
            "L": 8,
            "o": "1.00000000",
            "c": "1.20000000",
            "h": "1.20000000",
            "l": "1.00000000",
            "v": "0.00004000",
            "n": 2,
            "x": True,
            "q": "0.00004200",  # 420 x 0.01 x 0.00001.
            "V": "0.00001000",
            "Q": "0.00001200",
            "B": "0",
        },
    }


def test_a_continuous_candle_is_named_after_its_pair() -> None:
    candle = Candle(START_MS, 10, 10, 10, 10)
    said = payloads.kline(
        COIN_SAYS, "1h", candle, NO_TRADES, closed=False, time_ms=START_MS, continuous=True
    )
    assert (said["e"], said["ps"], said["ct"]) == ("continuous_kline", "BTCUSD", "PERPETUAL")
    assert "s" not in said
    assert "s" not in said["k"]
    assert (said["k"]["f"], said["k"]["L"], said["k"]["q"]) == (-1, -1, "0.00000000")


def test_contracts_turn_over_coins_at_their_mean_price() -> None:
    # 50 contracts of 100 USD at 40,000 and 50 at 60,000: 10,000 USD at 50,000 are 0.2 BTC.
    units = 50 * 400_000 + 50 * 600_000
    assert COIN_SAYS.turnover(units, 100) == "0.20000000"
    assert COIN_SAYS.mean_e8(units, 100) == 50_000 * 10**8
    assert (COIN_SAYS.turnover(0, 0), COIN_SAYS.mean_e8(0, 0)) == ("0.00000000", 0)


def test_a_ticker_agrees_with_itself() -> None:
    # From 400 to 500 ticks: 25 %; 1,350 ticks x lots of 3 lots are 450 ticks on average.
    bbo = Bbo(499, 1, 501, 2)
    ticker = Ticker(SPOT.symbol, 500, 400, 600, 300, 3, 1_350, 2, bbo)
    last = event(Traded, trade_id=9, lots=2)
    said = payloads.day_ticker(SPOT_SAYS, ticker, last, START_MS)
    assert said == {
        "e": "24hrTicker",
        "E": START_MS,
        "s": "BTCUSDT",
        "p": "1.00000000",
        "P": "25.000",
        "w": "4.50000000",
        "x": "4.00000000",
        "c": "5.00000000",
        "Q": "0.00002000",
        "b": "4.99000000",
        "B": "0.00001000",
        "a": "5.01000000",
        "A": "0.00002000",
        "o": "4.00000000",
        "h": "6.00000000",
        "l": "3.00000000",
        "v": "0.00003000",
        "q": "0.00013500",
        "O": START_MS - DAY_MS,
        "C": START_MS,
        "F": 8,
        "L": 9,
        "n": 2,
    }
    futures = payloads.day_ticker(COIN_SAYS, ticker, None, START_MS)
    assert not {"x", "b", "B", "a", "A"} & set(futures)
    assert (futures["ps"], futures["F"], futures["L"]) == ("BTCUSD", -1, -1)


def test_a_small_ticker_has_no_changes() -> None:
    ticker = Ticker(PERP.symbol, 500, 400, 600, 300, 3, 1_350, 2, Bbo(0, 0, 0, 0))
    assert payloads.mini_ticker(PERP_SAYS, ticker, START_MS) == {
        "e": "24hrMiniTicker",
        "E": START_MS,
        "s": "BTCUSDT",
        "c": "50.0",
        "o": "40.0",
        "h": "60.0",
        "l": "30.0",
        "v": "0.003",
        "q": "0.13500000",  # 1,350 x 0.1 x 0.001.
    }


def test_the_best_of_a_book_of_spot_has_no_name() -> None:
    bbo = Bbo(499, 1, 501, 2)
    best = {
        "u": 7,
        "s": "BTCUSDT",
        "b": "4.99000000",
        "B": "0.00001000",
        "a": "5.01000000",
        "A": "0.00002000",
    }
    assert payloads.book_ticker(SPOT_SAYS, bbo, 7, START_MS) == best
    said = payloads.book_ticker(PERP_SAYS, bbo, 7, START_MS)
    assert (said["e"], said["T"], said["E"]) == ("bookTicker", START_MS, START_MS)
    assert payloads.book_ticker(COIN_SAYS, bbo, 7, START_MS)["ps"] == "BTCUSD"


def test_a_change_of_a_book_names_its_ids() -> None:
    change = event(DepthChanged, first_id=4, last_id=6, bids=[(499, 0)], asks=[(501, 2)])
    assert payloads.depth(SPOT_SAYS, change) == {
        "e": "depthUpdate",
        "E": START_MS,
        "s": "BTCUSDT",
        "U": 4,
        "u": 6,
        "b": [["4.99000000", "0.00000000"]],
        "a": [["5.01000000", "0.00002000"]],
    }
    said = payloads.depth(PERP_SAYS, change)
    assert (said["T"], said["pu"]) == (START_MS, 3)


def test_levels_of_a_book_of_spot_and_of_futures() -> None:
    book = Snapshot(9, [(499, 1)], [(501, 2)])
    assert payloads.levels(SPOT_SAYS, book, 5, START_MS) == {
        "lastUpdateId": 9,
        "bids": [["4.99000000", "0.00001000"]],
        "asks": [["5.01000000", "0.00002000"]],
    }
    said = payloads.levels(PERP_SAYS, book, 5, START_MS)
    assert (said["e"], said["U"], said["u"], said["pu"]) == ("depthUpdate", 6, 9, 5)
    assert said["b"] == [["49.9", "0.001"]]


def test_a_mark_and_the_index_of_its_pair() -> None:
    assert payloads.mark_price(PERP_SAYS, event(Marked)) == {
        "e": "markPriceUpdate",
        "E": START_MS,
        "s": "BTCUSDT",
        "p": "50000.50000000",
        "i": "50000.00000000",
        "P": "50000.00000000",
        "r": "0.00010000",
        "T": START_MS + 8 * 3_600_000,
    }
    assert payloads.index_price(COIN_SAYS, event(Marked)) == {
        "e": "indexPriceUpdate",
        "E": START_MS,
        "i": "BTCUSD",
        "p": "50000.00000000",
    }


def test_a_forced_trade_is_the_order_it_was() -> None:
    said = payloads.force_order(PERP_SAYS, event(Liquidated))
    assert (said["e"], said["E"]) == ("forceOrder", START_MS)
    assert said["o"] == {
        "s": "BTCUSDT",
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "1.000",
        "p": "50000.0",
        "ap": "50000.0",
        "X": "FILLED",
        "l": "1.000",
        "z": "1.000",
        "T": START_MS,
    }
    assert payloads.force_order(COIN_SAYS, event(Liquidated))["o"]["ps"] == "BTCUSD"
