"""A naive twin of spot margin: what wallets are worth and owe, and what they may do.

It reads balances, loans and settings, and the index everybody is told, and says from MECHANICS
alone (M3 to M5) what each wallet is worth. Nothing is kept, nothing is rounded.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from exchange.engine import Engine
from risk.account import Account
from risk.ledger import POOL
from risk.parameters import CollateralTier, SpotParameters
from tests.naive.naive_money import E12, ZERO, amount, balance, is_fresh, price, rate


class MarginScope(NamedTuple):
    """A margin wallet at the index (M3), in USDT, and the levels that apply to it (M4)."""

    assets: Fraction
    debts: Fraction
    collateral: Fraction
    leverage: int
    initial: Fraction
    transfer: Fraction
    call: Fraction
    liquidation: Fraction

    @property
    def level(self) -> Fraction | None:
        """Assets / debts; None without a debt."""
        return self.assets / self.debts if self.debts else None

    @property
    def collateral_level(self) -> Fraction | None:
        """Collateral / debts; None without a debt."""
        return self.collateral / self.debts if self.debts else None


def margin_scopes(engine: Engine, account: Account) -> dict[str, MarginScope]:
    """Every margin wallet that owes something (M3, M4)."""
    wallets = {loan.wallet for loan in account.loans.values()}
    return {wallet: margin_scope(engine, account, wallet) for wallet in sorted(wallets)}


def margin_scope(engine: Engine, account: Account, wallet: str) -> MarginScope:
    """One margin wallet: assets, debts with interest, collateral after haircuts."""
    assets = debts = ZERO
    for each in engine.venue.assets:
        worth = price(engine, each.asset)
        assets += balance(account, wallet, each.asset) * worth
        loan = account.loans.get((wallet, each.asset))
        if loan is not None:
            owed = amount(loan.principal_minor) + Fraction(loan.interest_e18, 10**18)
            debts += owed * worth
    collateral = _collateral(engine, account, wallet)
    if wallet == "margin":
        (bounds,) = (x for x in engine.venue.cross if x.leverage == account.margin_leverage)
        levels = (bounds.borrow_e12, bounds.transfer_e12, bounds.call_e12, bounds.liquidation_e12)
        return MarginScope(assets, debts, collateral, bounds.leverage, *map(rate, levels))
    spot = _pair(engine, wallet)
    step = spot.isolated[min(_tier(engine, account, spot), len(spot.isolated) - 1)]
    levels = (step.initial_e12, 2 * E12, step.call_e12, step.liquidation_e12)
    return MarginScope(assets, debts, collateral, step.leverage, *map(rate, levels))


def _collateral(
    engine: Engine, account: Account, wallet: str, asset: str = "", more: Fraction = ZERO
) -> Fraction:
    """What the wallet counts with `more` of an asset: slab by slab on cross margin (M3)."""
    total = ZERO
    for each in engine.venue.assets:
        held = balance(account, wallet, each.asset) + (more if each.asset == asset else ZERO)
        # What has no fresh price counts towards nothing new (T27).
        value = held * price(engine, each.asset) if is_fresh(engine, each.asset) else ZERO
        floor = ZERO
        for tier in each.collateral if wallet == "margin" else (CollateralTier(None, E12),):
            top = value if tier.cap_minor is None else min(value, amount(tier.cap_minor))
            total += max(ZERO, top - floor) * rate(tier.ratio_e12)
            floor = max(floor, top)
    return total


def _pair(engine: Engine, wallet: str) -> SpotParameters:
    (spot,) = (x for x in engine.venue.spots if x.symbol == wallet.removeprefix("isolated:"))
    return spot


def _tier(
    engine: Engine, account: Account, spot: SpotParameters, asset: str = "", more: int = 0
) -> int:
    """The place of the loan tier: the larger of those that base and quote lead to (M4), with
    `more` minor units borrowed of an asset; behind the last where the loan fits none."""
    instrument = engine.instruments[spot.symbol]
    places = []
    for name, limits in (
        (instrument.base, [each.base_limit_minor for each in spot.isolated]),
        (instrument.quote, [each.quote_limit_minor for each in spot.isolated]),
    ):
        loan = account.loans.get((f"isolated:{spot.symbol}", name))
        principal = (loan.principal_minor if loan else 0) + (more if name == asset else 0)
        places.append(sum(limit < principal for limit in limits))
    return max(places)


def may_borrow(engine: Engine, account: Account, wallet: str, asset: str, minor: int) -> bool:
    """Whether a loan would leave collateral / debts at the initial level (M5), within the account's
    limit, the tiers of the pair (M4), and what the pool has left (M2)."""
    scope = margin_scope(engine, account, wallet)
    (terms,) = (each for each in engine.venue.assets if each.asset == asset)
    principal = sum(each.principal_minor for each in account.loans.values() if each.asset == asset)
    if not is_fresh(engine, asset) or principal + minor > terms.borrow_limit_minor:
        return False
    if minor > engine.risk.ledger.house(POOL, asset).minor:
        return False
    initial = scope.initial
    if wallet != "margin":
        spot = _pair(engine, wallet)
        place = _tier(engine, account, spot, asset, minor)
        if place >= len(spot.isolated):
            return False
        initial = rate(spot.isolated[place].initial_e12)
    debts = scope.debts + amount(minor) * price(engine, asset)
    return _collateral(engine, account, wallet, asset, amount(minor)) >= initial * debts


def may_take_out(engine: Engine, account: Account, wallet: str, asset: str, minor: int) -> bool:
    """Whether what stays after a transfer is twice the debt after haircuts (M5), or nothing is
    owed; what an order holds stays, and beside a debt what has no fresh price (T27)."""
    pocket = account.pockets.get((wallet, asset))
    if pocket is None or minor > pocket.minor - pocket.locked:
        return False
    scope = margin_scope(engine, account, wallet)
    if not scope.debts:
        return True
    left = _collateral(engine, account, wallet, asset, -amount(minor))
    return is_fresh(engine, asset) and left >= scope.transfer * scope.debts
