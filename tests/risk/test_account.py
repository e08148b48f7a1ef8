"""Tests of what an account is: names of wallets, sums of its open orders, what it owes."""

from __future__ import annotations

import msgspec

from matching.types import Side
from risk.account import (
    LONG,
    ONE_WAY,
    POSITION_SIDES,
    SHORT,
    Account,
    Loan,
    OpenOrders,
    closes_leg,
    isolated_wallet,
    leg_of,
    position_wallet,
    side_of,
)
from risk.position import Position


def test_interest_owed_is_rounded_up_to_a_unit() -> None:
    loan = Loan(1, "margin", "USDT")
    loan.principal_minor = 100
    loan.interest_e18 = 1
    assert loan.owed_minor == 101
    assert loan.owed_e18 == 100 * 10**10 + 1


def test_open_orders_count_each_side_for_itself() -> None:
    sums = OpenOrders()
    sums.add(Side.BUY, 5, 500)
    sums.add(Side.SELL, 2, 220)
    sums.add(Side.BUY, -5, -500)
    assert sums.values() == (0, 220, 0, 2, 0)


def test_wallets_have_one_name_each() -> None:
    assert isolated_wallet("BTC-USDT") == "isolated:BTC-USDT"
    assert position_wallet("BTC-USDT-PERP/LONG") == "perp/BTC-USDT-PERP/LONG"


def test_p2_a_leg_is_named_by_its_contract_and_in_hedge_mode_its_side() -> None:
    legs = [leg_of("BTC-USDT-PERP", side) for side in POSITION_SIDES]
    assert legs == ["BTC-USDT-PERP", "BTC-USDT-PERP/LONG", "BTC-USDT-PERP/SHORT"]
    assert [side_of(leg) for leg in legs] == [ONE_WAY, LONG, SHORT]
    account = Account(100, "user", "")
    for leg, lots in ((legs[2], -1), (legs[1], 1)):
        account.positions[leg] = Position(leg, lots, lots)
    assert account.legs("BTC-USDT-PERP") == legs[1:]
    assert account.legs("ETH-USDT-PERP") == []
    assert {held.symbol for held in account.positions.values()} == {"BTC-USDT-PERP"}


def test_p2_an_order_that_names_the_other_side_closes() -> None:
    assert [closes_leg(Side.BUY, side) for side in POSITION_SIDES] == [False, False, True]
    assert [closes_leg(Side.SELL, side) for side in POSITION_SIDES] == [False, True, False]


def test_a_restored_account_is_the_account() -> None:
    account = Account(100, "user", "label")
    loan = account.loans["margin", "USDT"] = Loan(3, "margin", "USDT")
    loan.principal_minor, loan.interest_e18 = 5, 7 * 10**30  # Beyond 64 bits.
    account.positions["BTC-USDT-PERP"] = Position("BTC-USDT-PERP", -2, -9)
    account.own_setting("BTC-USDT-PERP").leverage = 33
    account.recent["a"] = (b"hash", 4)
    account.called["margin"] = 12
    account.hedge = True
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(account.state()))
    assert Account.restored(state).state() == account.state()
    assert account.exposed
