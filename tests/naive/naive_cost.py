"""A naive twin of what a contract order must find free, and what of it is kept back (P4, P5)."""

from __future__ import annotations

from fractions import Fraction

from exchange.engine import Engine
from matching.types import Order, Side
from risk.account import Account
from risk.fees import rates_e12
from tests.naive.naive_money import ZERO, amount, balance, is_fresh, price, rate, up
from tests.naive.naive_perp import MINOR, Leg, cross_perp, legs


def kept_back(engine: Engine, account: Account, order: Order) -> Fraction:
    """What an order that came to rest untouched keeps back beside its margin (V37, V38): the loss
    it would open with, the taker fee, and for isolated margin the fee to close at bankruptcy.

    Nothing where the order only closes. In the settle asset.
    """
    (leg,) = (each for each in legs(engine, account) if each.name == order.leg)
    without = leg._replace(orders=tuple(each for each in leg.orders if each is not order))
    taker = rate(rates_e12(engine.risk, account, "perp").taker_e12)
    value, lots = leg.comes_to(order), order.open_lots
    opening = min(lots, max(0, _reach(leg, order)))
    adds = leg.initial + leg.order_margin > without.initial + without.order_margin
    if not adds and not opening:
        return ZERO
    if not leg.isolated:
        opening = lots
    opened = up(value * opening / lots, MINOR)
    kept = up(opened * taker, MINOR) + up((value - opened) * taker, MINOR)
    if leg.isolated:
        kept += up(_at_bankruptcy(leg, order, opened) * taker, MINOR)
    return kept + _open_loss(leg, order, opening, opened)


def _reach(leg: Leg, order: Order) -> int:
    """How far its side's orders can take the position in their direction."""
    same = sum(each.open_lots for each in leg.orders if each.side is order.side)
    return same + (leg.lots if order.side is Side.BUY else -leg.lots)


def _at_bankruptcy(leg: Leg, order: Order, opened: Fraction) -> Fraction:
    """What the opened part comes to where its margin is gone: at price x (1 -/+ 1 / L), which of
    an inverse contract are coins x (1 +/- 1 / L)."""
    loses = -1 if (order.side is Side.BUY) is not leg.inverse else 1
    # Of a short the price is above: the fee is reckoned there.
    return opened * (leg.leverage + loses) / leg.leverage


def _open_loss(leg: Leg, order: Order, lots: int, opened: Fraction) -> Fraction:
    """What the opened part would be down at the mark at once (V38)."""
    size = lots * amount(leg.instrument.face_minor)
    at_mark = size / leg.mark if leg.inverse else size * leg.mark
    direction = 1 if (order.side is Side.BUY) is not leg.inverse else -1
    return up(max(ZERO, direction * (opened - at_mark)), MINOR)


def may_leave_collateral(engine: Engine, account: Account, asset: str, minor: int) -> bool:
    """Whether an amount may leave a wallet of several assets (P5, P18): what stays, counted as
    collateral at fresh prices and less open losses, carries positions and orders."""
    pocket = account.pockets.get(("perp", asset))
    if pocket is None or minor > pocket.minor - pocket.locked or not is_fresh(engine, asset):
        return False
    (terms,) = (each for each in engine.venue.assets if each.asset == asset)
    counts = rate(terms.perp_ratio_e12) * price(engine, asset)
    if not counts:
        return True
    cross = cross_perp(engine, account)
    stays = ZERO
    for each in engine.venue.assets:
        held = balance(account, "perp", each.asset)
        if held > 0 and is_fresh(engine, each.asset):
            stays += held * rate(each.perp_ratio_e12) * price(engine, each.asset)
        elif held < 0:
            stays += held * price(engine, each.asset)
        owed = Fraction(account.perp_interest_e18.get(each.asset, 0), 10**18)
        stays -= owed * price(engine, each.asset)
    open_loss = min(ZERO, cross.balance - cross.wallet)
    return stays - amount(minor) * counts + open_loss >= cross.initial + cross.orders + cross.kept
