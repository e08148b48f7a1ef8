"""Tests of what an account is: names of wallets, sums of its open orders, what it owes."""

from __future__ import annotations

import msgspec

from matching.types import Side
from risk.account import Account, Loan, OpenOrders, isolated_wallet, position_wallet
from risk.position import Position


def test_interest_owed_is_rounded_up_to_a_unit() -> None:
    loan = Loan(1, "margin", "USDT")
    loan.principal_minor = 100
    loan.interest_e18 = 1
    assert loan.owed_minor == 101
    assert loan.owed_e18 == 100 * 10**10 + 1


def test_open_orders_count_each_side_for_itself() -> None:
    sums = OpenOrders()
    sums.add(Side.BUY, 5, 100)
    sums.add(Side.SELL, 2, 110)
    sums.add(Side.BUY, -5, 100)
    assert sums.values() == (0, 220, 0, 2, 0)


def test_wallets_have_one_name_each() -> None:
    account = Account(100, "user", "")
    assert isolated_wallet("BTC-USDT") == "isolated:BTC-USDT"
    assert account.perp_pocket_wallet("BTC-USDT-PERP") == "perp"
    account.own_setting("BTC-USDT-PERP").isolated = True
    assert account.perp_pocket_wallet("BTC-USDT-PERP") == position_wallet("BTC-USDT-PERP")


def test_a_restored_account_is_the_account() -> None:
    account = Account(100, "user", "label")
    loan = account.loans["margin", "USDT"] = Loan(3, "margin", "USDT")
    loan.principal_minor, loan.interest_e18 = 5, 7 * 10**30  # Beyond 64 bits.
    account.positions["BTC-USDT-PERP"] = Position("BTC-USDT-PERP", -2, -9)
    account.own_setting("BTC-USDT-PERP").leverage = 33
    account.recent["a"] = (b"hash", 4)
    account.called["margin"] = 12
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(account.state()))
    assert Account.restored(state).state() == account.state()
    assert account.exposed
