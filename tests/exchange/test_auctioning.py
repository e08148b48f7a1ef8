"""Tests of trading states, auctions and circuit breakers on the engine (S13, S14)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exchange.commands import AmendOrder, CancelOrder, Continue, PlaceOrder, SetSymbolState
from exchange.events import (
    AuctionIndicated,
    AuctionUncrossed,
    Filled,
    LiquidationEnded,
    LiquidationStarted,
    OrderChanged,
    SymbolStateChanged,
    Traded,
)
from matching.reasons import Reason
from matching.types import OrderType, SelfTrade, Side, TimeInForce, TradingState
from tests.story import Story, again, answer, flat_fees, of, refusal, standing, units, venue_with
from tests.vectors import vectors

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"


def state(story: Story, name: str, symbol: str = SPOT) -> list[Any]:
    return story.do(SetSymbolState, symbol=symbol, state=name)


def rich(story: Story) -> int:
    deposits = {"spot_USDT": "1000000", "spot_BTC": "100", "perp_USDT": "1000000"}
    return story.account(**deposits)


@pytest.fixture
def story() -> Story:
    return Story()


# -- the design's vectors ----------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["auction"], on="engine"))
def test_s14_a_book_uncrosses_as_the_design_says(vector: dict[str, Any]) -> None:
    """The index stands at the reference, 100 unless a step says so; nobody has traded yet."""
    taker_e12 = 1_000_000_000  # 0.1 %; makers pay half.
    tick = {"tick": vector["inputs"]["instrument"]["tick_size"], "lot": "0.00001"}
    venue = venue_with(SPOT, **tick)
    fees = flat_fees(spot_maker_e12=taker_e12 // 2, spot_taker_e12=taker_e12)
    story = Story(msgspec.structs.replace(venue, fees=fees))
    story.index("BTC", "100")
    ids: dict[str, int] = {}
    owners: dict[str, int] = {}
    events: list[Any] = []
    for step in vector["inputs"]["steps"]:
        if step["do"] == "state":
            state(story, step["state"])
        elif step["do"] == "reference_price":
            story.index("BTC", step["price"])
        elif step["do"] == "place":
            owner = owners[step["id"]] = rich(story)
            placed = story.place(owner, Side[step["side"]], SPOT, step["quantity"], step["price"])
            ids[step["id"]] = answer(placed).result_id
            assert not of(placed, Traded)
        else:
            events = state(story, "trading")
    expected = vector["expected"]
    market = story.engine.instruments[SPOT]
    (told,) = of(events, AuctionUncrossed)
    assert market.price_text(told.price_ticks) == expected["price"]
    lots = (told.lots * market.lot_minor, told.imbalance_lots * market.lot_minor)
    assert lots == (units(expected["volume"]), units(expected["imbalance"]))
    for name, text in expected["executed"].items():
        filled = [each for each in of(events, Filled) if each.order_id == ids[name]]
        assert sum(each.lots for each in filled) * market.lot_minor == units(text), name
        assert not any(each.maker for each in filled)  # Both sides pay the taker's rate.
        assert all(each.rate_e12 == taker_e12 for each in filled)
        order = story.person(owners[name]).orders.get(ids[name])
        left = order.open_lots * market.lot_minor if order else 0
        assert left == units(expected["open"].get(name, "0")), name
    assert {each.price_ticks for each in of(events, Traded)} == {told.price_ticks}


# -- states ------------------------------------------------------------------------------------


def test_s13_before_an_auction_orders_may_only_be_cancelled(story: Story) -> None:
    someone = rich(story)
    order_id = answer(story.buy(someone, SPOT, "0.1", "49000")).result_id
    state(story, "pre_open")
    for price in ("49000", ""):
        assert refusal(story.buy(someone, SPOT, "0.1", price)) is Reason.SYMBOL_NOT_TRADING
    amend = {"account_id": someone, "order_id": order_id}
    assert refusal(story.do(AmendOrder, **amend, lots=5_000)) is Reason.SYMBOL_NOT_TRADING
    story.ok(CancelOrder, **amend)


def test_s13_an_auction_collects_limit_orders_that_wait_and_nothing_else(story: Story) -> None:
    someone, other = rich(story), rich(story)
    state(story, "auction")
    for refused in (
        {"price": ""},
        {"price": "50000", "post_only": True},
        {"price": "50000", "tif": TimeInForce.IOC},
        {"price": "50000", "tif": TimeInForce.FOK},
        {"price": "49000", "type": OrderType.STOP_LIMIT, "trigger_ticks": 4_900_000},
    ):
        price = refused.pop("price")
        events = story.sell(someone, SPOT, "0.1", str(price), **refused)
        assert refusal(events) is Reason.SYMBOL_NOT_TRADING
    ask = answer(story.sell(someone, SPOT, "0.1", "49000")).result_id
    assert not of(story.buy(other, SPOT, "0.1", "51000"), Traded)
    book = story.engine.books[SPOT]
    assert book.best_bid_ticks > book.best_ask_ticks  # It may cross, here alone (I6).
    story.ok(CancelOrder, account_id=someone, order_id=ask)


def test_s13_a_stop_limit_that_woke_is_collected_where_it_is_amended(story: Story) -> None:
    """From its trigger on it is a limit order like any other."""
    someone, other = rich(story), rich(story)
    asleep = {"type": OrderType.STOP_LIMIT, "trigger_ticks": 5_000_000}
    story.sell(someone, SPOT, "0.1", "49999")
    story.buy(other, SPOT, "0.1", "49999")
    order_id = answer(story.buy(someone, SPOT, "0.1", "49000", **asleep)).result_id
    story.sell(someone, SPOT, "0.1", "50000")
    story.buy(other, SPOT, "0.1", "50000")
    state(story, "auction")
    amend = {"account_id": someone, "order_id": order_id}
    events = story.ok(AmendOrder, **amend, price_ticks=4_800_000)
    (amended,) = story.person(someone).orders.values()
    assert (amended.order_id, amended.price_ticks) == (answer(events).result_id, 4_800_000)


@pytest.mark.parametrize("name", ["halt", "cancel_only", "pre_open"])
def test_i6_a_crossed_book_leaves_its_auction_by_the_uncross_alone(story: Story, name: str) -> None:
    one, two = rich(story), rich(story)
    state(story, "auction")
    story.sell(one, SPOT, "0.1", "49000")
    bid = answer(story.buy(two, SPOT, "0.1", "51000")).result_id
    assert refusal(state(story, name)) is Reason.BOOK_CROSSED
    story.ok(CancelOrder, account_id=two, order_id=bid)
    assert refusal(state(story, name)) is None
    assert story.engine.trading.states[SPOT] is TradingState[name.upper()]


def test_a_better_price_than_the_limit_is_freed_and_the_rest_stays_held(story: Story) -> None:
    buyer, seller = story.account(spot_USDT="20000"), rich(story)
    state(story, "auction")
    story.buy(buyer, SPOT, "0.3", "51000")  # Holds 15,300.
    story.sell(seller, SPOT, "0.1", "50000")
    (told,) = of(state(story, "trading"), AuctionUncrossed)
    assert told.price_ticks == 5_100_000  # Buyers are left over: the highest price.
    person = story.person(buyer)
    # 0.1 at 51,000 is paid, 0.2 at 51,000 is still held.
    assert person.minor("spot", "USDT") == units("14900")
    assert person.free("spot", "USDT") == units("4700")


def test_s8_what_self_trade_prevention_leaves_crossed_is_uncrossed_in_turn(story: Story) -> None:
    one, two = rich(story), rich(story)
    state(story, "auction")
    story.buy(one, SPOT, "0.1", "51000")
    story.buy(two, SPOT, "0.1", "50500")
    story.sell(one, SPOT, "0.1", "50000", stp=SelfTrade.EXPIRE_MAKER)
    events = state(story, "trading")
    # Its own bid expires; the ask meets the other's.
    (trade,) = of(events, Traded)
    assert trade.lots == 10_000
    assert story.engine.trading.states[SPOT] is TradingState.TRADING
    story.engine.check()


def test_on_a_perpetual_positions_and_what_orders_hold_come_out_right(story: Story) -> None:
    long, short = rich(story), rich(story)
    state(story, "auction", PERP)
    story.buy(long, PERP, "0.5", "50100")
    story.buy(long, PERP, "0.5", "49000")
    story.sell(short, PERP, "0.7", "50000")
    events = state(story, "trading", PERP)
    (told,) = of(events, AuctionUncrossed)
    assert (told.price_ticks, told.lots) == (500_000, 500)  # Sellers are left over: the lowest.
    assert (story.person(long).lots(PERP), story.person(short).lots(PERP)) == (500, -500)
    left = {each.price_ticks: each.open_lots for each in story.person(short).orders.values()}
    assert left == {500_000: 200}


# -- slices and restarts -----------------------------------------------------------------------


def crowded(story: Story) -> list[int]:
    """300 sales, each of its own, against one buyer, collected."""
    state(story, "auction")
    buyer = rich(story)
    sellers = [rich(story) for _ in range(3)]
    for number in range(300):
        story.sell(sellers[number % 3], SPOT, "0.001", "50000")
    story.buy(buyer, SPOT, "0.3", "50000")
    return [buyer, *sellers]


def apply(story: Story, kind: type, /, **fields: Any) -> list[Any]:
    """One command, and nothing of what it leaves pending."""
    engine = story.engine
    events = engine.apply(kind(seq=engine.seq + 1, time_ms=story.now_ms, **fields))
    engine.check()
    return list(events)


def test_an_uncross_goes_on_in_slices_and_the_book_stands_meanwhile(story: Story) -> None:
    buyer, *_ = crowded(story)
    events = apply(story, SetSymbolState, symbol=SPOT, state="trading")
    assert 0 < len(of(events, Traded)) < 300
    assert story.engine.pending_work
    assert story.engine.trading.states[SPOT] is TradingState.AUCTION
    restored = again(story.engine)
    assert restored.digest() == story.engine.digest()
    late: dict[str, Any] = {"account_id": buyer, "symbol": SPOT, "side": Side.SELL, "lots": 1_000}
    twins = []
    for engine in (story.engine, restored):
        story.engine = engine
        told = apply(story, PlaceOrder, **late, price_ticks=5_000_000)
        while engine.pending_work:
            told += apply(story, Continue)
        twins.append(told)
        assert engine.trading.states[SPOT] is TradingState.TRADING
    assert twins[0] == twins[1]
    (whole,) = of(twins[0], AuctionUncrossed)
    assert whole.lots == 30_000
    assert standing(story.engine) == standing(restored)


def test_during_an_uncross_orders_are_turned_away(story: Story) -> None:
    buyer, *_ = crowded(story)
    apply(story, SetSymbolState, symbol=SPOT, state="trading")
    assert story.engine.trading.make_ready(SPOT) is Reason.BUSY
    assert story.engine.trading.make_ready(PERP) is None
    assert story.person(buyer).orders


def test_where_it_would_trade_is_indicated_at_the_grid_points(story: Story) -> None:
    one, two = rich(story), rich(story)
    state(story, "auction")
    story.sell(one, SPOT, "0.1", "49000")
    assert not of(story.wait(5_000), AuctionIndicated)
    story.buy(two, SPOT, "0.3", "51000")
    (told,) = of(story.wait(5_000), AuctionIndicated)
    assert (told.price_ticks, told.lots, told.imbalance_lots) == (5_100_000, 10_000, 20_000)
    assert not of(story.wait(60_000), AuctionIndicated)  # It stands.


def test_t11_stops_wake_by_the_price_of_the_auction(story: Story) -> None:
    one, two = rich(story), rich(story)
    story.sell(one, SPOT, "0.01", "50000")
    story.buy(two, SPOT, "0.01", "50000")
    more = {"type": OrderType.STOP, "trigger_ticks": 4_900_000}
    stop = answer(story.sell(one, SPOT, "0.01", **more)).result_id
    state(story, "auction")
    story.sell(one, SPOT, "0.1", "48500")
    story.buy(two, SPOT, "0.3", "48500")
    events = state(story, "trading")
    told = [each.happening for each in of(events, OrderChanged) if each.order_id == stop]
    assert told == ["triggered", "filled"]


# -- the circuit breaker -----------------------------------------------------------------------


def broken(symbol: str = SPOT) -> Story:
    """A breaker of 5 % and one minute; a first trade at 50,000."""
    story = Story(venue_with(symbol, breaker_move_bps=500, breaker_auction_ms=60_000))
    one, two = rich(story), rich(story)
    story.sell(one, symbol, "0.01", "50000")
    story.buy(two, symbol, "0.01", "50000")
    return story


@pytest.mark.parametrize("symbol", [SPOT, PERP])
def test_s13_a_move_of_its_size_leads_to_an_auction_that_ends_by_itself(symbol: str) -> None:
    story = broken(symbol)
    one, two = rich(story), rich(story)
    if symbol == PERP:
        story.index("BTC", "52000")
    story.sell(one, symbol, "0.01", "52400")
    events = story.buy(two, symbol, "0.01", "52400")
    assert not of(events, SymbolStateChanged)  # 4.8 %.
    story.sell(one, symbol, "0.01", "52500")
    events = story.buy(two, symbol, "0.01", "52500")
    assert [each.state for each in of(events, SymbolStateChanged)] == ["auction"]
    story.sell(one, symbol, "0.01", "52000")
    story.buy(two, symbol, "0.01", "52600")
    assert not of(story.wait(55_000), Traded)
    events = story.wait(6_000)
    assert [each.state for each in of(events, SymbolStateChanged)] == ["trading"]
    assert len(of(events, Traded)) == 1


def test_s2_who_is_past_their_date_does_not_trade_when_an_auction_ends_by_itself() -> None:
    """Its date lies between two grid points, the later of which opens the book."""
    story = broken()
    one, two = rich(story), rich(story)
    story.sell(one, SPOT, "0.01", "52500")
    story.buy(two, SPOT, "0.01", "52500")  # For a minute from now on the book collects.
    expire_ms = story.now_ms + 59_500
    story.sell(one, SPOT, "0.01", "52000", tif=TimeInForce.GTD, expire_ms=expire_ms)
    story.buy(two, SPOT, "0.01", "52600")
    events = story.wait(60_000)
    assert [each.state for each in of(events, SymbolStateChanged)] == ["trading"]
    assert not of(events, Traded)
    (expired,) = (each for each in of(events, OrderChanged) if each.happening == "expired")
    assert (expired.account_id, expired.reason) == (one, Reason.EXPIRED_BY_TIME)


@pytest.mark.parametrize("restart", [False, True], ids=["on it goes", "after a restart"])
def test_s13_a_book_that_took_limit_orders_alone_opens_as_that_again(restart: bool) -> None:
    story = broken()
    one, two = rich(story), rich(story)
    state(story, "limit_only")
    story.sell(one, SPOT, "0.02", "52500")
    story.buy(two, SPOT, "0.01", "52500")
    assert story.engine.trading.states[SPOT] is TradingState.AUCTION
    if restart:
        restored = again(story.engine)
        assert restored.digest() == story.engine.digest()
        story.engine = restored
    events = story.wait(61_000)
    assert [each.state for each in of(events, SymbolStateChanged)] == ["limit_only"]
    assert refusal(story.buy(two, SPOT, "0.01")) is Reason.SYMBOL_NOT_TRADING
    assert of(story.buy(two, SPOT, "0.01", "52500"), Traded)


def test_s14_an_auction_may_trade_beyond_the_execution_range() -> None:
    # What a taker may do is 10 % around the index of 50,000: to 55,000. An auction has no taker;
    # its orders passed the entry bands (a bid to 1.2, an ask to 5 times the reference).
    story = Story()
    one, two = rich(story), rich(story)
    state(story, "auction")
    story.sell(one, SPOT, "0.01", "55000.01")
    story.buy(two, SPOT, "0.01", "60000")
    assert refusal(story.buy(two, SPOT, "0.01", "60000.01")) is Reason.PERCENT_PRICE
    (trade,) = of(state(story, "trading"), Traded)
    # 55000.01 to 60000 tie: the price is the one nearest to the reference.
    assert trade.price_ticks == 5_500_001


def test_s13_the_trade_that_trips_it_stands_and_so_does_what_it_swept(story: Story) -> None:
    story = broken()
    one, two = rich(story), rich(story)
    for price in ("52500", "53000"):
        story.sell(one, SPOT, "0.01", price)
    events = story.buy(two, SPOT, "0.02", "53000")  # A match is carried out to its end (A6).
    assert [each.price_ticks for each in of(events, Traded)] == [5_250_000, 5_300_000]
    assert of(events, SymbolStateChanged)


def test_stops_that_woke_before_the_book_stood_keep_their_turn() -> None:
    story = broken()
    one, two = rich(story), rich(story)
    more = {"type": OrderType.STOP, "trigger_ticks": 5_240_000}
    stop = answer(story.buy(two, SPOT, "0.01", **more)).result_id
    story.sell(one, SPOT, "0.01", "52500")
    events = story.buy(two, SPOT, "0.01", "52500")
    told = [each.happening for each in of(events, OrderChanged) if each.order_id == stop]
    assert told == []  # It woke by this trade, but the book stands.
    restored = again(story.engine)
    assert restored.digest() == story.engine.digest()
    story.engine = restored
    story.sell(one, SPOT, "0.01", "52600")
    events = story.wait(65_000)
    told = [each.happening for each in of(events, OrderChanged) if each.order_id == stop]
    assert told == ["triggered", "filled"]


def test_s13_liquidations_wait_for_the_auction_and_interest_goes_on() -> None:
    story = Story(venue_with(PERP, breaker_move_bps=500, breaker_auction_ms=600_000))
    long, short = story.account(perp_USDT="3000"), rich(story)
    story.sell(short, PERP, "0.5", "50000")
    story.buy(long, PERP, "0.5", "50000", leverage=20)
    state(story, "auction", PERP)
    assert not of(story.index("BTC", "44000"), LiquidationStarted)
    assert not of(story.wait(5_000), LiquidationStarted)
    assert of(state(story, "trading", PERP), LiquidationStarted)
    assert not story.person(long).positions


def test_a_breaker_is_the_same_after_a_restart() -> None:
    story = broken()
    restored = again(story.engine)
    assert restored.digest() == story.engine.digest()
    one, two = rich(story), rich(story)
    story.sell(one, SPOT, "0.01", "52500")
    story.engine = again(story.engine)
    assert of(story.buy(two, SPOT, "0.01", "52500"), SymbolStateChanged)


def test_without_parameters_there_is_no_breaker(story: Story) -> None:
    assert not story.engine.trading.breakers
    with pytest.raises(ValueError, match="breaker"):
        venue_with(SPOT, breaker_move_bps=500)


def test_s13_a_liquidation_that_trips_the_breaker_ends_once_the_book_opens() -> None:
    story = broken(PERP)
    # 1,345 - 12.5 fee - 1,250 loss = 82.5 against 0.4 % of 23,750 = 95.
    long, short, bidder = story.account(perp_USDT="1345"), rich(story), rich(story)
    story.sell(short, PERP, "0.5", "50000")
    story.buy(long, PERP, "0.5", "50000", leverage=50)
    story.buy(bidder, PERP, "0.1", "49500")
    story.buy(bidder, PERP, "0.1", "47400")  # 5.2 % below the last price.
    events = story.index("BTC", "47500")
    assert of(events, LiquidationStarted)
    assert story.engine.trading.states[PERP] is TradingState.AUCTION
    story.wait(70_000)
    assert story.engine.trading.states[PERP] is TradingState.TRADING
    # 0.1 sold at 49,500 brings 200 more than the mark: what is left is above maintenance.
    assert [each.result for each in of(story.events, LiquidationEnded)] == ["restored"]
    assert not story.person(long).liquidating
    told = [each.state for each in of(story.events, SymbolStateChanged)]
    assert told == ["auction", "trading"]
