"""Makers: a deep book at once, quotes that follow the price, and lines that rest."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from exchange.market.agents.ladder import LINES, STALE_MAX
from exchange.market.agents.makers import Maker
from exchange.market.market import House
from exchange.market.prices import FixedPrices, WalkPrices
from exchange.market.sight import E8, standing_prints
from exchange.venue import default_venue
from matching.reasons import Reason
from matching.types import OrderType, Side, TimeInForce
from risk.parameters import Venue
from tests.exchange.market.stage import CONTRACT, PAIR, START_MS, Stage, small_venue

START = {"BTC": 50_000 * E8}


def makers_only(venue: Venue | None = None, step_ms: int = 1_000) -> Stage:
    """A market of makers alone, at prices that stand until they are set."""
    venue = venue or small_venue("fixed")
    start = {a.asset: a.start_price_e8 for a in venue.assets if a.asset != "USDT"}
    makers = [
        Maker(
            1, each, start[each.base] * E8 // start.get(each.quote, E8), start.get(each.quote, E8)
        )
        for each in venue.instruments
    ]
    house = House(venue, FixedPrices(start), venue.start_ms, step_ms, makers, [])
    return Stage(venue, [house])


def opened(venue: Venue | None = None) -> Stage:
    stage = makers_only(venue)
    stage.run(4)
    return stage


def set_price(stage: Stage, price: int) -> None:
    stage.send(SetIndexPrice(base="BTC", quote="USDT", price_e8=price * E8))


def user(stage: Stage, base: str = "BTC") -> int:
    account_id = stage.send(OpenAccount(kind="user")).result_id
    for wallet, asset in (("spot", base), ("spot", "USDT"), ("perp", "USDT")):
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
    assert len(sent) < 2 * (STALE_MAX + 20)
    assert stage.refused == []


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


def house_trades(stage: Stage) -> list[int]:
    """The trades in which both sides were accounts of makers."""
    labels = {a.id: a.label.split(":")[0] for a in stage.engine.risk.accounts.values()}
    sides = Counter(
        (event.symbol, event.trade_id)
        for event in stage.events
        if isinstance(event, Filled) and labels[event.account_id] in ("maker", "depth")
    )
    return [trade_id for (_, trade_id), count in sides.items() if count == 2]


MOVES_BP = st.lists(st.integers(-600, 600), min_size=3, max_size=12)


@settings(max_examples=25, deadline=None)
@given(moves_bp=MOVES_BP, step_ms=st.sampled_from([1_000, 15_000, 60_000]), takes=st.booleans())
def test_makers_never_trade_with_each_other_however_the_price_jumps(
    moves_bp: list[int], step_ms: int, takes: bool
) -> None:
    stage = makers_only(step_ms=step_ms)
    stage.run(2 * step_ms / 1_000 + 2)
    account_id = user(stage)
    price = 50_000
    for at, move_bp in enumerate(moves_bp):
        price = min(max(price + price * move_bp // 10_000, 30_000), 80_000)
        set_price(stage, price)
        stage.run(step_ms / 1_000)
        side = Side.BUY if at % 2 else Side.SELL
        if takes:
            stage.send(market_order(account_id, PAIR, side, 200_000))
            stage.send(market_order(account_id, CONTRACT, side.opposite, 3_000))
    assert house_trades(stage) == []
    refused = [reason for command, reason in stage.refused if command.time_ms]
    assert Reason.WOULD_TAKE not in refused
    assert Reason.INSUFFICIENT_MARGIN not in refused
    assert Reason.INSUFFICIENT_BALANCE not in refused
    stage.engine.risk.check()


def market_order(account_id: int, symbol: str, side: Side, lots: int) -> PlaceOrder:
    return PlaceOrder(
        account_id=account_id,
        symbol=symbol,
        side=side,
        type=OrderType.MARKET,
        lots=lots,
        wallet="spot" if symbol == PAIR else "perp",
    )


def hands(stage: Stage) -> tuple[int, int]:
    """The positions of front and ladder on the contract, in lots."""
    risk = stage.engine.risk
    front, ladder = (
        risk.accounts[risk.labels[f"{name}:{CONTRACT}"]].lots(CONTRACT)
        for name in ("maker", "depth")
    )
    return front, ladder


def test_both_accounts_come_to_hold_the_same() -> None:
    stage = opened()
    account_id = user(stage)
    # Large buys reach into the ladder, small sales end in the front: that is how they part.
    for _ in range(12):
        stage.send(market_order(account_id, CONTRACT, Side.BUY, 2_000))
        stage.run(3)
        for _ in range(10):
            stage.send(market_order(account_id, CONTRACT, Side.SELL, 200))
            stage.run(3)
        # Twelve near lines of 9,000 are 2,160 lots at 50; an order of 2,000 more may come on top.
        front, ladder = hands(stage)
        assert abs(front - ladder) < 2_160 + 2_000
    assert house_trades(stage) == []
    assert min(stage.levels(CONTRACT)) >= 99


def test_a_side_of_the_front_that_has_too_much_is_quoted_by_the_ladder() -> None:
    stage = opened()
    account_id = user(stage)
    for _ in range(6):  # Six times 400 are all taken from the front, which goes short.
        stage.send(market_order(account_id, CONTRACT, Side.BUY, 400))
        stage.run(3)
    front, ladder = hands(stage)
    assert front - ladder < -2_160
    asks = stage.engine.books[CONTRACT].queue(
        Side.SELL, stage.engine.books[CONTRACT].best_ask_ticks
    )
    risk = stage.engine.risk
    assert [order.account_id for order in asks] == [risk.labels[f"depth:{CONTRACT}"]]
    for _ in range(6):
        stage.send(market_order(account_id, CONTRACT, Side.BUY, 400))
        stage.run(3)
    front, ladder = hands(stage)
    assert abs(front - ladder) < 2_160
    assert stage.refused == []


def test_a_position_has_a_bound_and_margin_never_runs_out() -> None:
    stage = opened()
    account_id = user(stage)
    for _ in range(160):
        stage.send(market_order(account_id, CONTRACT, Side.BUY, 6_000))
        stage.run(2)
    # Twice 2,565,000 at 50 a lot are 102,600 lots; two orders of 6,000 may come on top.
    assert 90_000 < -min(hands(stage)) < 102_600 + 12_000
    makers = {stage.engine.risk.labels[f"{name}:{CONTRACT}"] for name in ("maker", "depth")}
    assert not [c for c, _ in stage.refused if getattr(c, "account_id", 0) in makers]
    # Who has too much only buys back now: nothing is asked any more, all bids are there.
    assert stage.engine.books[CONTRACT].best_bid_ticks
    assert not stage.engine.books[CONTRACT].best_ask_ticks
    stage.send(market_order(account_id, CONTRACT, Side.SELL, 6_000))
    before = sum(hands(stage))
    for _ in range(20):
        stage.send(market_order(account_id, CONTRACT, Side.SELL, 6_000))
        stage.run(2)
    assert sum(hands(stage)) > before + 20_000
    stage.run(10)
    assert stage.engine.books[CONTRACT].best_ask_ticks


def test_makers_who_hold_too_much_take_what_is_offered_between_their_quotes() -> None:
    contract = "ETH-USDT-PERP"  # Its spread of two ticks has a price in the middle.
    stage = opened(default_venue(1, START_MS, symbols=["ETH-USDT", contract], prices="fixed"))
    account_id = user(stage, "ETH")
    instrument, book = stage.engine.instruments[contract], stage.engine.books[contract]
    a_hundred = 100 * E8 // instrument.lot_minor
    for _ in range(9):  # 900 of 2,500 are 2.25 million: more than 250 near lines of 7,000.
        stage.send(market_order(account_id, contract, Side.BUY, a_hundred))
        stage.run(8)
    assert book.best_ask_ticks - book.best_bid_ticks == 2
    before = len(stage.events)
    offer = PlaceOrder(
        account_id=account_id,
        symbol=contract,
        side=Side.SELL,
        lots=a_hundred // 50,
        price_ticks=book.best_bid_ticks + 1,
        wallet="perp",
    )
    assert stage.send(offer).reason is None
    sent = stage.run(1)
    taken = [c for c in sent if isinstance(c, PlaceOrder) and c.reduce_only]
    assert [c.lots for c in taken] == [offer.lots]
    filled = [e for e in stage.events[before:] if isinstance(e, Filled)]
    assert {e.account_id for e in filled} == {account_id, taken[0].account_id}


def test_a_wall_that_is_too_large_to_take_is_not_quoted_through() -> None:
    stage = opened()
    account_id = user(stage)
    # 190 BTC: the makers have coins for some 160, and most of them are in their asks.
    wall = PlaceOrder(
        account_id=account_id, symbol=PAIR, side=Side.BUY, lots=19_000_000, price_ticks=4_995_000
    )
    assert stage.send(wall).reason is None
    set_price(stage, 49_000)
    stage.run(2)  # Before anybody's purse is looked at.
    book = stage.engine.books[PAIR]
    assert book.best_bid_ticks == 4_995_000
    assert Reason.WOULD_TAKE not in [reason for _, reason in stage.refused]
    assert house_trades(stage) == []
