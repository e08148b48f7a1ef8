"""Makers: a deep book at once, quotes that follow the price, and lines that rest."""

import pytest

from exchange.commands import (
    AmendOrder,
    CancelAll,
    Deposit,
    FeedPrices,
    OpenAccount,
    PlaceOrder,
    SetIndexPrice,
    Tick,
)
from exchange.events import Filled, Traded
from exchange.market.agents.makers import LINES, STALE_PER_S, Maker
from exchange.market.market import House
from exchange.market.prices import FixedPrices, WalkPrices
from exchange.market.sight import E8, standing_prints
from exchange.venue import default_venue
from matching.types import Side, TimeInForce
from risk.parameters import Venue
from tests.exchange.market.stage import CONTRACT, PAIR, START_MS, Stage, small_venue

START = {"BTC": 50_000 * E8}


def makers_only(venue: Venue | None = None) -> Stage:
    """A market of makers alone, at prices that stand until they are set."""
    venue = venue or small_venue("fixed")
    start = {a.asset: a.start_price_e8 for a in venue.assets if a.asset != "USDT"}
    makers = [
        Maker(
            1, each, start[each.base] * E8 // start.get(each.quote, E8), start.get(each.quote, E8)
        )
        for each in venue.instruments
    ]
    house = House(venue, FixedPrices(start), venue.start_ms, 1_000, makers, [])
    return Stage(venue, [house])


def opened(venue: Venue | None = None) -> Stage:
    stage = makers_only(venue)
    stage.run(4)
    return stage


def set_price(stage: Stage, price: int) -> None:
    stage.send(SetIndexPrice(base="BTC", quote="USDT", price_e8=price * E8))


def user(stage: Stage) -> int:
    account_id = stage.send(OpenAccount(kind="user")).result_id
    for wallet, asset in (("spot", "BTC"), ("spot", "USDT"), ("perp", "USDT")):
        stage.send(Deposit(account_id=account_id, wallet=wallet, asset=asset, amount_minor=10**15))
    return account_id


def test_every_book_opens_with_a_hundred_levels_a_side() -> None:
    stage = opened(default_venue(1, START_MS, prices="fixed"))
    for symbol in stage.engine.books:
        assert min(stage.levels(symbol)) >= 100, symbol
    assert stage.refused == []
    stage.engine.risk.check()


def test_quotes_lie_around_the_price_with_a_narrow_spread() -> None:
    stage = opened(default_venue(1, START_MS, prices="fixed"))
    prints = standing_prints(stage.engine)
    for symbol, instrument in stage.engine.instruments.items():
        if instrument.quote == "USDT" and instrument.kind == "spot":
            off_e8 = abs(stage.mid_e8(symbol) - prints[instrument.base])
            assert off_e8 <= instrument.tick_e8, symbol
    bitcoin = stage.engine.books[PAIR]
    assert bitcoin.best_ask_ticks - bitcoin.best_bid_ticks <= 2


@pytest.mark.parametrize(
    ("symbol", "least", "most"),
    [(PAIR, 300_000, 900_000), (CONTRACT, 300_000, 900_000), ("GALA-USDT", 15_000, 60_000)],
)
def test_depth_within_one_percent_is_that_of_a_real_venue(
    symbol: str, least: int, most: int
) -> None:
    stage = opened(default_venue(1, START_MS, prices="fixed"))
    instrument = stage.engine.instruments[symbol]
    mid = stage.mid_e8(symbol) // instrument.tick_e8
    for side in Side:
        near = [
            ticks * lots * instrument.unit_minor
            for ticks, lots in stage.engine.books[symbol].levels(side, 999)
            if abs(ticks - mid) * 100 <= mid
        ]
        assert least * E8 < sum(near) < most * E8


def test_nothing_is_moved_while_the_price_stands() -> None:
    stage = opened()
    assert {type(command) for command in stage.run(20)} == {Tick}


@pytest.mark.parametrize("price", [50_300, 49_700, 50_004, 45_000, 56_000])
def test_the_book_follows_a_jump_at_the_next_step(price: int) -> None:
    stage = opened()
    set_price(stage, price)
    stage.run(1)
    spread_e8 = 2 * stage.engine.instruments[PAIR].tick_e8
    assert abs(stage.mid_e8(PAIR) - price * E8) <= spread_e8
    assert not [event for event in stage.events if isinstance(event, Traded)]
    stage.run(30)  # The ladder is whole again.
    assert min(*stage.levels(PAIR), *stage.levels(CONTRACT)) >= 100
    stage.engine.risk.check()


def test_a_small_move_costs_few_commands() -> None:
    stage = opened()
    set_price(stage, 50_008)  # One line of the ladder is 0.015 % of 50,000: 7.5.
    sent = stage.run(1)
    # Three front levels and a line or two, on two sides of two books.
    assert 0 < len(sent) <= 2 * 2 * (3 + 2)
    assert all(isinstance(command, AmendOrder) for command in sent)


def test_far_levels_stay_in_place_and_in_their_queue() -> None:
    stage = opened()
    before = set(stage.engine.books[PAIR].orders)
    set_price(stage, 50_100)
    stage.run(5)
    after = set(stage.engine.books[PAIR].orders)
    # Fourteen of 7.5 lie in 100; with the front that is 2 x (14 + 3) of 204 orders, and some
    # lines at the ends of the bands.
    assert len(before & after) > 140


def test_a_large_jump_clears_the_ladder_with_one_command() -> None:
    stage = opened()
    set_price(stage, 52_000)
    sent = stage.run(1)
    assert sum(isinstance(command, CancelAll) for command in sent) == 2  # One for each book.
    assert len(sent) < 2 * (STALE_PER_S + 20)


def test_a_resting_order_is_filled_when_the_price_passes_it() -> None:
    stage = opened()
    account_id = user(stage)
    stage.send(
        PlaceOrder(
            account_id=account_id, symbol=PAIR, side=Side.BUY, lots=20_000, price_ticks=4_995_000
        )
    )
    set_price(stage, 49_900)
    stage.run(5)
    mine = [e for e in stage.events if isinstance(e, Filled) and e.account_id == account_id]
    assert sum(fill.lots for fill in mine) == 20_000
    assert {fill.price_ticks for fill in mine} == {4_995_000}


def test_a_level_that_was_taken_comes_back() -> None:
    stage = opened()
    account_id = user(stage)
    stage.send(
        PlaceOrder(
            account_id=account_id,
            symbol=PAIR,
            side=Side.BUY,
            lots=300_000,  # 3 BTC, through the front and a dozen lines.
            price_ticks=5_100_000,
            tif=TimeInForce.IOC,
        )
    )
    thin = stage.levels(PAIR)[1]
    assert thin < 100
    stage.run(6)
    assert stage.levels(PAIR)[1] >= 100


def test_makers_who_are_short_of_a_contract_ask_for_a_premium() -> None:
    stage = opened()
    before_e8 = stage.mid_e8(CONTRACT)
    account_id = user(stage)
    for _ in range(5):
        stage.send(
            PlaceOrder(
                account_id=account_id,
                symbol=CONTRACT,
                side=Side.BUY,
                lots=5_000,
                price_ticks=505_000,
                tif=TimeInForce.IOC,
                wallet="perp",
            )
        )
        stage.run(10)
    # 25 BTC are 1.25 million of the 2.25 million that lean by 0.18 %: about 0.1 %.
    assert 0.0007 < stage.mid_e8(CONTRACT) / before_e8 - 1 < 0.0013


def test_lines_depend_on_the_price_alone() -> None:
    instrument = small_venue().instruments[0]
    maker = Maker(1, instrument, 50_000 * E8, E8)
    lines = maker.lines(Side.BUY, 5_000_000)
    assert len(lines) == LINES
    assert lines == Maker(1, instrument, 50_000 * E8, E8).lines(Side.BUY, 5_000_000)
    moved = maker.lines(Side.BUY, 5_000_750)
    # One gap of 750 ticks up: one line enters, one leaves, and bands further out may shift by one.
    assert 1 <= len(lines.keys() - moved.keys()) <= 3
    both = lines.keys() & moved.keys()
    assert sum(lines[ticks] != moved[ticks] for ticks in both) <= 2


def test_no_line_lies_below_nothing() -> None:
    instrument = small_venue().instruments[0]
    maker = Maker(1, instrument, 50_000 * E8, E8)
    lines = maker.lines(Side.BUY, 100_000)  # A price fifty times lower than at the start.
    assert lines
    assert min(lines) > 0


def test_makers_wait_for_a_halted_market() -> None:
    stage = opened()
    stage.engine.trading.states[PAIR] = stage.engine.trading.states[PAIR].HALT
    set_price(stage, 50_500)
    sent = stage.run(3)
    assert not [c for c in sent if isinstance(c, PlaceOrder) and c.symbol == PAIR]
    assert stage.refused == []


def test_makers_move_in_the_very_step_of_a_print() -> None:
    venue = small_venue("walk")
    walk = WalkPrices(1, START)
    maker = Maker(1, venue.instruments[0], START["BTC"], E8)
    stage = Stage(venue, [House(venue, walk, venue.start_ms, 1_000, [maker], [])])
    stage.run(3)
    for _ in range(60):
        sent = stage.moment()
        if any(isinstance(command, FeedPrices) for command in sent):
            off_e8 = abs(stage.mid_e8(PAIR) - standing_prints(stage.engine)["BTC"])
            assert off_e8 <= 2 * venue.instruments[0].tick_e8
