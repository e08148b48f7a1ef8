"""Tests of what is told: whoever adds up the events knows what the engine knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchange.commands import Borrow, SetLeverage, SetMarginMode
from exchange.events import (
    Answered,
    BalanceChanged,
    Filled,
    LedgerPosted,
    LoanChanged,
    OrderChanged,
    PositionChanged,
    SettingChanged,
    Traded,
)
from exchange.telling import _PRIVATE, _PUBLIC
from matching.types import SelfTrade, Status
from risk import records
from risk.account import Account, position_wallet
from risk.ledger import FIRST_ACCOUNT
from tests.exchange.eventful import eventful, the_rest
from tests.story import START_MS, Story, of, units

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"
HOUR = 3_600_000


@pytest.fixture(scope="module", params=["before the crash", "after it"])
def lived(request: pytest.FixtureRequest) -> Story:
    """With orders, loans and positions open; and with everything that ended."""
    story = Story()
    eventful(story)
    if request.param == "after it":
        the_rest(story)
    return story


@pytest.fixture
def story() -> Story:
    return Story()


def people(story: Story) -> Iterator[Account]:
    accounts = story.engine.risk.accounts
    return (account for number, account in accounts.items() if number >= FIRST_ACCOUNT)


# -- adding up ---------------------------------------------------------------------------------


def test_a7_the_ledger_lines_of_a_wallet_add_up_to_its_balance_line_by_line(lived: Story) -> None:
    sums: dict[tuple[int, str, str], int] = {}
    for line in of(lived.events, LedgerPosted):
        key = (line.account_id, line.wallet, line.asset)
        sums[key] = sums.get(key, 0) + line.change_minor
        assert line.change_minor
        assert line.balance_minor == sums[key], line
    assert sums
    for account in people(lived):
        for (wallet, asset), pocket in account.pockets.items():
            assert sums.get((account.id, wallet, asset), 0) == pocket.minor


def test_the_last_word_on_a_balance_is_what_is_there(lived: Story) -> None:
    last = {
        (told.account_id, told.wallet, told.asset): told
        for told in of(lived.events, BalanceChanged)
    }
    for account in people(lived):
        for (wallet, asset), pocket in account.pockets.items():
            if wallet.startswith("perp/"):
                assert (account.id, wallet, asset) not in last  # The position tells of it.
                continue
            told = last.get((account.id, wallet, asset))
            loan = account.loans.get((wallet, asset))
            owed = (loan.principal_minor, loan.interest_e18) if loan else (0, 0)
            found = (pocket.minor, pocket.locked, *owed)
            if told is None:
                assert found == (0, 0, 0, 0)
                continue
            assert found == (
                told.total_minor,
                told.locked_minor,
                told.borrowed_minor,
                told.interest_e18,
            )


def test_the_last_word_on_a_position_is_what_is_held(lived: Story) -> None:
    last = {(told.account_id, told.symbol): told for told in of(lived.events, PositionChanged)}
    assert last
    for (account_id, symbol), told in last.items():
        account = lived.engine.risk.accounts[account_id]
        held = account.positions.get(symbol)
        assert (told.lots, told.cost_minor) == ((held.lots, held.cost_minor) if held else (0, 0))
        assert told.margin_minor == account.minor(position_wallet(symbol), "USDT")
        if held:
            setting = account.setting(symbol)
            assert (told.leverage, told.isolated) == (setting.leverage, setting.isolated)
    for account in people(lived):
        assert {(account.id, symbol) for symbol in account.positions} <= last.keys()


def test_the_last_word_on_an_order_is_how_it_stands(lived: Story) -> None:
    last = {told.order_id: told for told in of(lived.events, OrderChanged)}
    working = {
        number
        for number, told in last.items()
        if told.status in (Status.NEW, Status.PARTIALLY_FILLED)
    }
    standing = {order.order_id: order for each in people(lived) for order in each.orders.values()}
    assert working == standing.keys()
    for number, order in standing.items():
        told = last[number]
        assert (told.lots, told.open_lots, told.filled_lots, told.filled_units) == (
            order.lots,
            order.open_lots,
            order.filled_lots,
            order.filled_units,
        )


def test_i7_every_order_that_ended_accounts_for_all_of_its_lots(lived: Story) -> None:
    last = {told.order_id: told for told in of(lived.events, OrderChanged)}
    for told in last.values():
        if told.status is Status.FILLED and told.lots:
            assert told.filled_lots + told.prevented_lots == told.lots
        fills = [fill for fill in of(lived.events, Filled) if fill.order_id == told.order_id]
        assert sum(fill.lots for fill in fills) == told.filled_lots
        assert sum(fill.lots * fill.price_ticks for fill in fills) == told.filled_units


def test_i7_each_trade_has_one_maker_and_one_taker(lived: Story) -> None:
    trades = of(lived.events, Traded)
    numbers: dict[str, int] = {}
    for trade in trades:
        numbers[trade.symbol] = numbers.get(trade.symbol, 0) + 1
        assert trade.trade_id == numbers[trade.symbol]
        sides = [
            fill
            for fill in of(lived.events, Filled)
            if (fill.symbol, fill.trade_id) == (trade.symbol, trade.trade_id)
        ]
        assert all(
            (fill.lots, fill.price_ticks) == (trade.lots, trade.price_ticks) for fill in sides
        )
        assert [fill.maker for fill in sides if fill.maker] in ([], [True])
        assert {fill.order_id for fill in sides} <= {trade.maker_order_id, trade.taker_order_id}


def test_the_last_word_on_a_loan_is_its_principal(lived: Story) -> None:
    last = {told.loan_id: told.principal_minor for told in of(lived.events, LoanChanged)}
    owed = {
        loan.loan_id: loan.principal_minor for each in people(lived) for loan in each.loans.values()
    }
    assert {number: minor for number, minor in last.items() if minor} == owed


# -- one command -------------------------------------------------------------------------------


def test_a_balance_is_told_once_a_command_at_its_end_however_often_it_changed(
    story: Story,
) -> None:
    """Three fills: lines of the ledger for each, and of every balance the end alone."""
    maker, taker = story.account(spot_BTC="1"), story.account(spot_USDT="1000")
    for price in ("50000", "50001", "50002"):
        story.sell(maker, SPOT, "0.001", price)
    events = story.buy(taker, SPOT, "0.003")
    assert len(of(events, Filled)) == 6
    balances = of(events, BalanceChanged)
    places = [(told.account_id, told.wallet, told.asset) for told in balances]
    assert sorted(places) == [
        (maker, "spot", "BTC"),
        (maker, "spot", "USDT"),
        (taker, "spot", "BTC"),
        (taker, "spot", "USDT"),
    ]
    assert events[-5:] == [*balances, events[-1]]
    assert isinstance(events[-1], Answered)


def test_a_command_that_moves_nothing_tells_of_no_balance(story: Story) -> None:
    story.account(spot_USDT="1000")
    assert [type(event) for event in story.wait(1)] == [Answered]


def test_m7_an_hour_of_interest_is_told_on_the_balance_that_owes_it(story: Story) -> None:
    """500 at 0.001 %: 0.005 at the moment of borrowing, and 0.005 at the top of the hour."""
    one = story.account(margin_USDT="1000")
    story.ok(Borrow, account_id=one, wallet="margin", asset="USDT", amount_minor=units("500"))
    (told,) = of(story.wait(START_MS + HOUR - story.now_ms), BalanceChanged)
    assert (told.account_id, told.wallet, told.asset) == (one, "margin", "USDT")
    assert (told.borrowed_minor, told.interest_e18) == (units("500"), 10**16)


def test_an_order_is_told_as_it_was_placed_and_as_it_ended(story: Story) -> None:
    one, two = story.account(spot_USDT="9000"), story.account(spot_BTC="1")
    placed = story.buy(one, SPOT, "0.1", "50000", client_id="mine")
    (new,) = of(placed, OrderChanged)
    assert (new.happening, new.status, new.client_id) == ("accepted", Status.NEW, "mine")
    assert (new.lots, new.open_lots, new.filled_lots) == (10_000, 10_000, 0)
    assert (new.placed_ms, new.time_ms) == (story.now_ms, story.now_ms)
    story.now_ms += 10
    told = of(story.sell(two, SPOT, "0.04", "50000"), OrderChanged)
    maker, taker = told
    assert (maker.account_id, maker.happening, maker.status) == (
        one,
        "filled",
        Status.PARTIALLY_FILLED,
    )
    assert (maker.filled_lots, maker.open_lots) == (4_000, 6_000)
    assert maker.time_ms == maker.placed_ms + 10
    assert (taker.account_id, taker.status, taker.open_lots) == (two, Status.FILLED, 0)


def test_s8_a_prevented_order_is_told_with_what_it_lost(story: Story) -> None:
    one = story.account(spot_USDT="9000", spot_BTC="1")
    story.buy(one, SPOT, "0.01", "50000")
    maker, taker = of(
        story.sell(one, SPOT, "0.03", "50000", stp=SelfTrade.EXPIRE_MAKER), OrderChanged
    )
    assert (maker.happening, maker.status) == ("expired", Status.EXPIRED_IN_MATCH)
    assert (maker.prevented_lots, maker.open_lots) == (1_000, 0)
    assert (taker.happening, taker.open_lots) == ("accepted", 3_000)


def test_an_isolated_margin_is_told_with_its_position_and_not_as_a_wallet(story: Story) -> None:
    """0.1 at 50,000 and 10x: 500."""
    one, two = story.account(perp_USDT="9000"), story.account(perp_USDT="9000")
    story.ok(SetMarginMode, account_id=one, symbol=PERP, isolated=True)
    story.sell(two, PERP, "0.1", "50000")
    events = story.buy(one, PERP, "0.1", "50000")
    (mine,) = [told for told in of(events, PositionChanged) if told.account_id == one]
    assert (mine.lots, mine.isolated, mine.margin_minor) == (100, True, units("500"))
    assert {told.wallet for told in of(events, BalanceChanged)} == {"perp"}
    lines = [line for line in of(events, LedgerPosted) if line.wallet == f"perp/{PERP}"]
    assert [(line.change_minor, line.reason) for line in lines] == [(units("500"), "margin")]


@pytest.mark.parametrize("isolated", [False, True])
def test_a_new_leverage_is_told_of_the_position_that_has_it(story: Story, isolated: bool) -> None:
    one, two = story.account(perp_USDT="9000"), story.account(perp_USDT="9000")
    story.ok(SetMarginMode, account_id=one, symbol=PERP, isolated=isolated)
    story.sell(two, PERP, "0.1", "50000")
    story.buy(one, PERP, "0.1", "50000")
    events = story.ok(SetLeverage, account_id=one, symbol=PERP, leverage=20)
    (setting,) = of(events, SettingChanged)
    assert (setting.name, setting.value) == ("leverage", "20")
    (position,) = of(events, PositionChanged)
    assert position.leverage == 20
    assert position.margin_minor == (units("250") if isolated else 0)


# -- records -----------------------------------------------------------------------------------


def test_every_record_of_the_risk_engine_becomes_an_event_of_the_same_fields() -> None:
    """Seq, moment, and for a private one the number come from the exchange."""
    kinds = {
        kind
        for kind in vars(records).values()
        if isinstance(kind, type) and hasattr(kind, "_fields") and kind is not records.Booked
    }
    assert _PRIVATE.keys() | _PUBLIC.keys() == kinds
    for table, added in ((_PRIVATE, ("seq", "time_ms", "n")), (_PUBLIC, ("seq", "time_ms"))):
        for kind, event in table.items():
            names = [name for name in event.__struct_fields__ if name not in added]
            assert names == list(kind._fields), kind  # type: ignore[attr-defined]
