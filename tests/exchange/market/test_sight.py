"""Sight: prints, fair prices and orders as agents see and make them."""

from exchange.commands import FeedPrices, SetSymbolState
from exchange.market.prices import FixedPrices
from exchange.market.sight import (
    Sight,
    lots_at_least,
    standing_prints,
    take,
    value_to_lots,
    wallet_of,
)
from exchange.venue import default_venue
from matching.types import Side, TimeInForce
from risk.account import Account
from tests.exchange.market.stage import CONTRACT, PAIR, START_MS, Stage, small_venue

E8 = 100_000_000


def sight(stage: Stage) -> Sight:
    prints = standing_prints(stage.engine)
    return Sight(1, START_MS + 2_500, 1_000, stage.engine, FixedPrices({}), prints)


def test_the_prints_that_stand_are_those_of_the_venues_feed() -> None:
    stage = Stage(small_venue(), [])
    assert standing_prints(stage.engine) == {}
    feed = stage.engine.venue.feeds[0]
    stage.send(FeedPrices(feed=feed, prices_e8={"BTC": 7 * E8}, stale_ms=1_000))
    assert standing_prints(stage.engine) == {"BTC": 7 * E8}


def test_a_pair_against_bitcoin_is_worth_the_quotient() -> None:
    stage = Stage(default_venue(1, START_MS, symbols=["ETH-BTC"]), [])
    pair = stage.engine.instruments["ETH-BTC"]
    assert sight(stage).fair_e8(pair) is None
    feed = stage.engine.venue.feeds[0]
    prices = {"BTC": 40_000 * E8, "ETH": 3_000 * E8}
    stage.send(FeedPrices(feed=feed, prices_e8=prices, stale_ms=1_000))
    assert sight(stage).fair_e8(pair) == 7_500_000  # 3,000 / 40,000 = 0.075


def test_a_halted_or_unmarked_instrument_is_not_open() -> None:
    stage = Stage(small_venue(), [])
    pair, contract = (stage.engine.instruments[symbol] for symbol in (PAIR, CONTRACT))
    assert sight(stage).is_open(pair)
    assert not sight(stage).is_open(contract)  # It has no mark yet.
    stage.send(SetSymbolState(symbol=PAIR, state="HALT"))
    assert not sight(stage).is_open(pair)


def test_values_become_lots_rounded_down() -> None:
    pair = small_venue().instruments[0]
    # 100 USDT at 30,000 is 0.00333 BTC, 333 lots of 0.00001.
    assert value_to_lots(pair, 30_000 * E8, 100 * E8) == 333
    # 5 USDT and a tenth: 5.5 / 30,000 = 0.000183, so 18 lots and one more.
    assert lots_at_least(pair, 30_000 * E8) == 19


def test_a_taking_order_never_goes_past_its_limit() -> None:
    pair = small_venue().instruments[0]
    account = Account(100, "agent", "x")
    buy = take(account, pair, Side.BUY, 5, 123_456_789)  # 1.2345... is 1.23 or 1.24.
    sell = take(account, pair, Side.SELL, 5, 123_456_789)
    assert (buy.price_ticks, sell.price_ticks) == (123, 124)
    assert buy.tif is TimeInForce.IOC
    assert (buy.wallet, wallet_of(small_venue().instruments[1])) == ("spot", "perp")


def test_a_step_is_the_same_for_all_moments_in_it() -> None:
    stage = Stage(small_venue(), [])
    assert sight(stage).step == START_MS // 1_000 + 2
    assert sight(stage).account("nobody") is None
