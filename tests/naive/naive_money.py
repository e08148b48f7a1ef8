"""The naive twins' money: plain fractions of whole units, balances and prices as all can see."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from exchange.engine import Engine
from risk.account import Account
from risk.ledger import FIRST_ACCOUNT

E8 = 10**8
E12 = 10**12
ZERO = Fraction(0)

Scope = tuple[int, str]


def amount(minor: int) -> Fraction:
    """Minor units as whole units; a price of 10^-8 as a price."""
    return Fraction(minor, E8)


def rate(rate_e12: int) -> Fraction:
    """A rate as a fraction."""
    return Fraction(rate_e12, E12)


def up(value: Fraction, digits: int) -> Fraction:
    """A value rounded up to so many decimal places."""
    return Fraction(ceil(value * 10**digits), 10**digits)


def half_even(value: Fraction) -> Fraction:
    """A value rounded to the nearest minor unit, a half to the even one."""
    return Fraction(round(value * E8), E8)


def price(engine: Engine, asset: str) -> Fraction:
    """What an asset is worth at its index; nothing before its first price."""
    if asset == engine.venue.quote:
        return Fraction(1)
    index = engine.risk.indexes.get(f"{asset}-{engine.venue.quote}")
    return amount((index.index_e8 if index else None) or 0)


def is_fresh(engine: Engine, asset: str) -> bool:
    """Whether an asset has a price that is not frozen (P7)."""
    index = engine.risk.indexes.get(f"{asset}-{engine.venue.quote}")
    return asset == engine.venue.quote or bool(index and index.fresh)


def balance(account: Account, wallet: str, asset: str) -> Fraction:
    """What is in a wallet of an asset."""
    pocket = account.pockets.get((wallet, asset))
    return amount(pocket.minor if pocket else 0)


def customers(engine: Engine) -> Iterator[Account]:
    """Everybody but the house."""
    for account_id, account in sorted(engine.risk.accounts.items()):
        if account_id >= FIRST_ACCOUNT:
            yield account
