"""Accounts read from a real engine, the sums by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exchange.commands import AdjustPositionMargin, Borrow, SetLeverage, SetMarginMode
from exchange.events import AnyEvent, BalanceChanged, PositionChanged
from exchange.gateway.native.translate import balance_say, said
from exchange.publisher import Desk
from exchange.views.accounts import Accounts, scopes
from exchange.views.board import Board
from exchange.wire import BalanceSay, PositionSay
from matching.types import Side
from risk.account import Job
from tests.story import Story, of, units

PERP = "BTC-USDT-PERP"


class Watched(Story):
    """A story with a board beside it, and the desk that reads both."""

    def __init__(self) -> None:
        self.board: Board | None = None
        super().__init__()
        self.board = Board(self.engine.instruments)
        self.board.restore(self.engine)
        self.desk = Accounts(self.engine, self.board)

    def _apply(self, kind: type, /, **fields: Any) -> list[AnyEvent]:
        events = super()._apply(kind, **fields)
        if self.board is not None:
            self.board.on_group([events])
        return events

    def long(self, **more: Any) -> int:
        """An account that bought 0.1 BTC of the perpetual at 50000 from another."""
        maker = self.account(perp_USDT="100000")
        taker = self.account(perp_USDT="10000")
        if more.pop("isolated", False):
            self.ok(SetMarginMode, account_id=taker, symbol=PERP, isolated=True)
        self.sell(maker, PERP, "1", "50000")
        self.buy(taker, PERP, "0.1", "50000")
        return taker

    def borrower(self) -> int:
        """An account with 10000 USDT in cross margin that borrowed 0.1 BTC."""
        account_id = self.account(margin_USDT="10000")
        self.ok(
            Borrow, account_id=account_id, wallet="margin", asset="BTC", amount_minor=units("0.1")
        )
        return account_id


@pytest.fixture
def venue() -> Watched:
    return Watched()


def test_the_desk_answers_what_the_publisher_asks(venue: Watched) -> None:
    desk: Desk = venue.desk
    account_id = venue.account()
    assert desk.is_user(account_id)
    assert not desk.is_user(1)  # The house's own.
    assert not desk.is_user(account_id + 50)
    assert desk.last_n(account_id) == venue.person(account_id).event_n > 0
    assert desk.last_n(account_id + 50) == 0


def test_a_new_account_is_told_whole(venue: Watched) -> None:
    account_id = venue.account("mine", spot_USDT="1000.5", perp_USDT="7")
    told = venue.desk.account(account_id)
    assert (told.account_id, told.env, told.label, told.epoch) == (account_id, "paper", "mine", 1)
    assert told.time == venue.now_ms
    assert [(b.wallet, b.asset, b.total, b.free, b.net) for b in told.balances] == [
        ("perp", "USDT", "7", "7", "7"),
        ("spot", "USDT", "1000.5", "1000.5", "1000.5"),
    ]
    assert (told.loans, told.positions) == ([], [])
    assert [margin.wallet for margin in told.margins] == ["perp"]
    assert told.settings["margin_leverage"] == 3
    assert told.last_seq == venue.person(account_id).event_n
    assert msgspec.json.decode(msgspec.json.encode(told), type=type(told)) == told


def test_what_an_order_holds_is_not_free(venue: Watched) -> None:
    account_id = venue.account(spot_USDT="1000")
    venue.buy(account_id, "BTC-USDT", "0.01", "40000")
    (balance,) = venue.desk.account(account_id).balances
    # 0.01 x 40000 = 400 held.
    assert (balance.total, balance.free, balance.locked) == ("1000", "600", "400")


def test_a_balance_read_is_the_balance_told(venue: Watched) -> None:
    account_id = venue.borrower()
    told: dict[tuple[str, str], BalanceSay] = {}
    for event in of(venue.events, BalanceChanged):
        if event.account_id == account_id:
            told[event.wallet, event.asset] = balance_say(event, {})
    read = venue.desk.account(account_id).balances
    # 10000 USDT, and 0.1 BTC at 50000.
    assert [(each.asset, each.value) for each in read] == [("BTC", "5000"), ("USDT", "10000")]
    for each in read:
        each.value = None  # Which moves with the index, and so is told to who asks alone.
    assert read == [told[key] for key in sorted(told)]


def test_a_loan_is_told_with_what_it_costs(venue: Watched) -> None:
    account_id = venue.borrower()
    (loan,) = venue.desk.account(account_id).loans
    rate = "0.000003"  # 0.0003 % an hour.
    # The first hour is charged at once (M7): 0.1 x 0.000003 = 0.0000003 BTC.
    assert (loan.wallet, loan.asset, loan.principal) == ("margin", "BTC", "0.1")
    assert (loan.hourly_rate, loan.interest) == (rate, "0.0000003")
    by_asset = {each.asset: each for each in venue.desk.account(account_id).balances}
    assert (by_asset["BTC"].total, by_asset["BTC"].net) == ("0.1", "-0.0000003")


def test_the_rate_told_is_the_one_last_fixed(venue: Watched) -> None:
    assert venue.board is not None
    before = venue.desk.hourly_rate_e12("BTC")
    assert before == 3_000_000
    venue.board.rates_e12 = {"BTC": 7}
    assert venue.desk.hourly_rate_e12("BTC") == 7


def test_a_margin_wallet_has_its_level(venue: Watched) -> None:
    account_id = venue.borrower()
    margin = venue.desk.margin(account_id, "margin")
    # Assets: 10000 + 0.1 x 50000 = 15000. Debt: (0.1 + 0.0000003) x 50000 = 5000.015.
    assert (margin.assets, margin.debt) == ("15000", "5000.015")
    # 15000 / 5000.015 = 2.999991000026...
    assert margin.level.startswith("2.99999100002")
    assert (margin.call_level, margin.liquidation_level, margin.leverage) == ("1.3", "1.1", 3)
    assert (margin.state, margin.available) == ("normal", None)


def test_without_a_debt_the_level_is_999(venue: Watched) -> None:
    account_id = venue.account(margin_USDT="5")
    margin = venue.desk.margin(account_id, "margin")
    assert (margin.level, margin.collateral_level, margin.debt) == ("999", None, "0")


def test_a_margin_call_shows_in_the_state(venue: Watched) -> None:
    account_id = venue.account(margin_BTC="1")
    venue.ok(
        Borrow,
        account_id=account_id,
        wallet="margin",
        asset="USDT",
        amount_minor=units("20000"),
    )
    assert venue.desk.margin(account_id, "margin").state == "normal"
    # (24000 + 20000) / 20000.2 is 2.2; at 5000 it is 1.25, below the call level of 1.3.
    venue.index("BTC", "5000")
    margin = venue.desk.margin(account_id, "margin")
    assert margin.state == "called"
    assert margin.level.startswith("1.2499")


def test_a_cross_position_is_told_at_its_mark(venue: Watched) -> None:
    account_id = venue.long()
    (position,) = venue.desk.account(account_id).positions
    assert position == PositionSay(
        symbol=PERP,
        side="long",
        qty="0.100",
        entry_price="50000",
        mark_price="50000",
        notional="5000",
        unrealised="0",
        margin_mode="cross",
        leverage=10,
        margin="500",  # 5000 / 10
        maintenance="20",  # 5000 x 0.004
        liquidation_price=None,  # 10000 of balance behind 5000 of position: no price ends it.
        bankruptcy_price=None,
        roe="0",
        adl_rank=5,  # The only long there is.
    )
    margin = venue.desk.margin(account_id, "perp")
    assert (margin.settle, margin.balance) == ("USDT", "9997.5")
    # The taker's fee of 0.05 % x 5000 = 2.5 is paid: 9997.5 / 20 = 499.875.
    assert (margin.assets, margin.debt, margin.level) == ("9997.5", "20", "499.875")
    assert (margin.available, margin.leverage, margin.call_level) == ("9497.5", None, None)
    assert margin.withdrawable == "9497.5"


def test_the_index_moves_a_position_and_its_gauge(venue: Watched) -> None:
    account_id = venue.long()
    venue.index("BTC", "51000")
    (position,) = venue.desk.account(account_id).positions
    mark = units(position.mark_price)
    # 0.1 BTC x (mark - 50000)
    assert units(position.unrealised) == (mark - units("50000")) // 10
    (gauge,) = venue.desk.gauges(account_id)
    assert (gauge.wallet, gauge.unrealised) == ("perp", position.unrealised)
    assert units(gauge.assets) == units("9997.5") + units(position.unrealised)


def test_an_isolated_position_is_a_scope_of_its_own(venue: Watched) -> None:
    account_id = venue.long(isolated=True)
    scope = f"perp/{PERP}"
    assert scopes(venue.engine.risk, venue.person(account_id)) == ["perp", scope]
    (position,) = venue.desk.account(account_id).positions
    assert (position.margin_mode, position.leverage) == ("isolated", 10)
    assert position.liquidation_price is not None
    assert position.bankruptcy_price is not None
    margin = venue.desk.margin(account_id, scope)
    assert (margin.wallet, margin.assets, margin.debt) == (scope, position.margin, "20")
    assert margin.leverage == 10
    venue.ok(AdjustPositionMargin, account_id=account_id, symbol=PERP, amount_minor=units("100"))
    more = venue.desk.margin(account_id, scope)
    assert units(more.assets) == units(margin.assets) + units("100")
    perp, isolated = venue.desk.gauges(account_id)
    assert (perp.unrealised, isolated.unrealised) == ("0", "0")


def test_a_position_told_is_the_position_read(venue: Watched) -> None:
    account_id = venue.long()
    last = [e for e in of(venue.events, PositionChanged) if e.account_id == account_id][-1]
    assert venue.desk.position(last) == venue.desk.account(account_id).positions[0]


def test_a_position_that_is_gone_is_flat(venue: Watched) -> None:
    account_id = venue.long()
    opened = [e for e in of(venue.events, PositionChanged) if e.account_id == account_id][-1]
    buyer = venue.account(perp_USDT="100000")
    venue.buy(buyer, PERP, "0.1", "49999")
    venue.sell(account_id, PERP, "0.1", "49999")
    closed = [e for e in of(venue.events, PositionChanged) if e.account_id == account_id][-1]
    flat = venue.desk.position(closed)
    assert (flat.side, flat.qty, flat.entry_price, flat.margin) == ("flat", "0.000", "0", "0")
    # An event of before is still told as it was, at the present mark.
    before = venue.desk.position(opened)
    assert (before.side, before.qty, before.entry_price) == ("long", "0.100", "50000")
    assert before.liquidation_price is None


def test_settings_tell_what_was_chosen(venue: Watched) -> None:
    account_id = venue.account()
    venue.ok(SetLeverage, account_id=account_id, symbol=PERP, leverage=25)
    settings = venue.desk.account(account_id).settings
    assert settings["symbols"][PERP] == {"leverage": 25, "margin_mode": "cross"}


def test_a_scope_with_nothing_in_it_is_empty_and_not_an_error(venue: Watched) -> None:
    account_id = venue.account()
    for scope in ("margin", "isolated:BTC-USDT", "perp", f"perp/{PERP}", "spot"):
        margin = venue.desk.margin(account_id, scope)
        assert (margin.wallet, margin.assets, margin.debt, margin.level) == (scope, "0", "0", "999")
    assert venue.desk.gauges(account_id) == []


def test_every_event_of_a_busy_story_can_be_said(venue: Watched) -> None:
    assert venue.board is not None
    long_id, borrower_id = venue.long(isolated=True), venue.borrower()
    venue.place(borrower_id, Side.SELL, "BTC-USDT", "0.05", "50000", wallet="margin")
    venue.wait(9 * 3_600_000)  # Interest and funding fall due.
    # The long bought at 50000 with 500 of margin: near 45200 it is liquidated, into this bid.
    venue.index("BTC", "45300")
    venue.buy(venue.account(perp_USDT="100000"), PERP, "1", "45150")
    venue.index("BTC", "45100")
    instruments = venue.engine.instruments
    messages = [said(event, instruments, venue.desk) for event in venue.events]
    channels = {message[0].split(".")[0] for message in messages if message}
    assert {"orders", "fills", "balances", "positions", "ledger", "margin"} <= channels
    assert {"book", "trades", "mark", "funding", "liquidations", "status"} <= channels
    assert PERP not in venue.person(long_id).positions
    for message in messages:
        assert msgspec.json.encode(message)


def test_a_board_restored_shows_what_the_board_before_it_showed(venue: Watched) -> None:
    venue.long()
    before = venue.board
    assert before is not None
    after = Board(venue.engine.instruments)
    after.restore(venue.engine)
    for symbol in venue.engine.instruments:
        assert after.depth.snapshot(symbol, 50) == before.depth.snapshot(symbol, 50)
        assert after.marks.open_lots(symbol) == before.marks.open_lots(symbol)
        mark, was = after.marks.mark(symbol), before.marks.mark(symbol)
        assert (mark and mark.mark_e8) == (was and was.mark_e8)
        index, was_index = after.marks.index(symbol), before.marks.index(symbol)
        assert (index and index.index_e8) == (was_index and was_index.index_e8)
    assert after.states == before.states
    assert (after.seq, after.time_ms) == (before.seq, before.time_ms)
    assert after.marks.open_lots(PERP) == 100  # 0.1 BTC in lots of 0.001.


def test_a_liquidating_scope_says_so(venue: Watched) -> None:
    account_id = venue.borrower()
    venue.person(account_id).liquidating["margin"] = Job()
    assert venue.desk.margin(account_id, "margin").state == "liquidating"
