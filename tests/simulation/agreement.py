"""Whether the engine and its naive twins agree: on every sum of every scope, and every decision."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from exchange.commands import PlaceOrder
from exchange.engine import Engine
from exchange.events import (
    Answered,
    AnyEvent,
    Filled,
    FundCovered,
    IndexPriced,
    LiquidationStarted,
    LiquidationStepped,
    MarginCalled,
    Marked,
    OrderChanged,
)
from matching.reasons import Reason
from risk.account import Account
from risk.ledger import INSURANCE
from risk.loan_tiers import levels
from risk.margin_report import margin_report
from risk.margin_worth import margin_worth, max_borrow, max_transfer_out
from risk.perp_report import perp_report, position_report
from risk.perp_worth import perp_worth
from risk.scopes import perp_state
from tests.naive.naive_cost import kept_back, may_leave_collateral
from tests.naive.naive_levels import (
    must_be_called,
    must_be_liquidated,
    was_right_to_call,
    was_right_to_liquidate,
)
from tests.naive.naive_margin import MarginScope, margin_scope, may_borrow, may_take_out
from tests.naive.naive_money import customers, rate
from tests.naive.naive_perp import CrossPerp, cross_perp, legs, perp_scopes
from tests.story import of

E16 = 10**16
E28 = 10**28


def agree(engine: Engine, events: Iterable[AnyEvent]) -> None:
    """Every sum of every account, as the engine reckons it and as it reports it.

    While no price moved, of those alone whom the events concern: the others' sums are the same.
    """
    told = list(events)
    touched = {each.account_id for each in told if hasattr(each, "account_id")}
    moved = any(isinstance(each, Marked | IndexPriced) for each in told)
    for account in customers(engine):
        if moved or account.id in touched:
            agree_on_perpetuals(engine, account)
            agree_on_margin(engine, account)


# -- perpetuals --------------------------------------------------------------------------------


def agree_on_perpetuals(engine: Engine, account: Account) -> None:
    """Cross wallets, isolated positions, and what each position needs (P3, P4, P5)."""
    risk = engine.risk
    made = legs(engine, account)
    coins = sorted({each.settle for each in engine.venue.instruments if each.kind != "spot"})
    for asset in coins:
        wallet = "perp" if asset == engine.venue.quote else f"perp:{asset}"
        mine, its = perp_worth(risk, account, wallet), cross_perp(engine, account, wallet, made)
        assert Fraction(mine.balance_e16, E16) == its.balance, (account.id, wallet)
        assert Fraction(mine.initial_e16, E16) == its.initial, (account.id, wallet)
        assert Fraction(mine.orders_e16, E16) == its.orders, (account.id, wallet)
        assert Fraction(mine.held_e16, E16) == its.kept, (account.id, wallet)
        assert Fraction(mine.maintenance_e28, E28) == its.maintenance, (account.id, wallet)
        assert mine.available_minor == its.available * 10**8 // 1, (account.id, wallet)
        _agree_on_report(engine, account, asset, its)
    for scope, worth in perp_scopes(engine, account).items():
        balance_e16, maintenance_e28 = perp_state(risk, account, scope)
        assert Fraction(balance_e16, E16) == worth.balance, (account.id, scope)
        assert Fraction(maintenance_e28, E28) == worth.maintenance, (account.id, scope)
    for leg in made:
        if leg.lots:
            told = position_report(risk, account, leg.name)
            assert Fraction(told.notional_e16, E16) == leg.notional
            assert Fraction(told.unrealised_e16, E16) == leg.unrealised
            assert Fraction(told.initial_e16, E16) == leg.initial
            assert Fraction(told.margin_minor, 10**8) == (leg.margin if leg.isolated else 0)


def _agree_on_report(engine: Engine, account: Account, asset: str, its: CrossPerp) -> None:
    """The report is the same rounded for its reader: what is needed up, what is there down."""
    told = perp_report(engine.risk, account, asset)
    assert Fraction(told.margin_balance_e16, E16) == its.balance
    assert told.maintenance_e16 == -(-its.maintenance * E16 // 1)
    assert Fraction(told.order_margin_e16, E16) == its.orders + its.kept
    assert told.available_minor == its.available * 10**8 // 1
    if not account.multi_asset:
        free = account.free(f"perp:{asset}" if asset != engine.venue.quote else "perp", asset)
        most = min(max(0, free), its.withdrawable * 10**8 // 1)
        assert told.withdrawable_minor == most, (account.id, asset, told, its, free)


# -- spot margin -------------------------------------------------------------------------------


def agree_on_margin(engine: Engine, account: Account) -> None:
    """Assets, debts, collateral, levels and the loan tier of each margin wallet (M3, M4)."""
    wallets = {wallet for wallet, _ in account.pockets if wallet == "margin"}
    wallets |= {wallet for wallet, _ in account.pockets if wallet.startswith("isolated:")}
    for wallet in sorted(wallets):
        mine, its = (
            margin_worth(engine.risk, account, wallet),
            margin_scope(engine, account, wallet),
        )
        assert Fraction(mine.assets_e28, E28) == its.assets, (account.id, wallet)
        assert Fraction(mine.debts_e28, E28) == its.debts, (account.id, wallet)
        assert Fraction(mine.collateral_e28, E28) == its.collateral, (account.id, wallet)
        _agree_on_levels(engine, account, wallet, its)


def _agree_on_levels(engine: Engine, account: Account, wallet: str, its: MarginScope) -> None:
    told, bounds = margin_report(engine.risk, account, wallet), levels(engine.risk, account, wallet)
    assert told.leverage == bounds.leverage == its.leverage, (account.id, wallet)
    assert rate(bounds.initial_e12) == its.initial
    assert rate(told.call_e12) == rate(bounds.call_e12) == its.call
    assert rate(told.liquidation_e12) == rate(bounds.liquidation_e12) == its.liquidation
    for told_e12, level in (
        (told.level_e12, its.level),
        (told.collateral_level_e12, its.collateral_level),
    ):
        assert (told_e12 is None) == (level is None), (account.id, wallet)
        if told_e12 is not None and level is not None:
            assert told_e12 == level * 10**12 // 1, (account.id, wallet)


def agree_on_limits(engine: Engine, account: Account, wallet: str, asset: str) -> None:
    """The largest loan and the largest transfer are allowed, and one unit more is not (M5)."""
    most = max_borrow(engine.risk, account, wallet, asset)
    if most:
        assert may_borrow(engine, account, wallet, asset, most), (account.id, wallet, asset, most)
    assert not may_borrow(engine, account, wallet, asset, most + 1), (account.id, wallet, asset)
    most = max_transfer_out(engine.risk, account, wallet, asset)
    if most:
        assert may_take_out(engine, account, wallet, asset, most), (account.id, wallet, asset)
    assert not may_take_out(engine, account, wallet, asset, most + 1), (account.id, wallet, asset)


def agree_on_collateral(engine: Engine, account: Account, asset: str) -> None:
    """The largest amount that may leave a wallet of several assets may, and a unit more not."""
    most = max_transfer_out(engine.risk, account, "perp", asset)
    if most:
        assert may_leave_collateral(engine, account, asset, most), (account.id, asset, most)
    assert not may_leave_collateral(engine, account, asset, most + 1), (account.id, asset, most)


def agree_on_cost(engine: Engine, events: list[AnyEvent]) -> None:
    """An order that came to rest untouched keeps back what it must (P4).

    Where its owner lost or filled others by it, what it met is not there any more.
    """
    told = of(events, OrderChanged)
    if len(told) != 1 or of(events, Filled) or told[0].happening != "accepted":
        return
    account = engine.risk.accounts[told[0].account_id]
    order = account.orders.get(told[0].order_id)
    if order is None or order.wallet != "perp" or order.reduce_only or order.is_asleep:
        return
    kept = kept_back(engine, account, order)
    assert Fraction(order.hold_minor, 10**8) == kept, (order, order.hold_minor, kept)


def agree_on_refusal(engine: Engine, wish: PlaceOrder, events: list[AnyEvent]) -> None:
    """Who was refused for want of margin has less than was asked, and has just so much (P5)."""
    (told,) = of(events, Answered)[-1:]
    if told.reason is not Reason.INSUFFICIENT_MARGIN or "asked_e16" not in told.details:
        return
    asked, available = int(told.details["asked_e16"]), int(told.details["available_e16"])
    assert asked > available, told
    if wish.leverage:
        return  # What it was reckoned with was not kept.
    wallet = "perp"
    if engine.instruments[wish.symbol].kind == "inverse":
        wallet = f"perp:{engine.instruments[wish.symbol].settle}"
    its = cross_perp(engine, engine.risk.accounts[wish.account_id], wallet)
    assert Fraction(available, E16) == its.available * its.worth, (told, its)


# -- decisions ---------------------------------------------------------------------------------


def agree_on_decisions(engine: Engine, events: Iterable[AnyEvent]) -> None:
    """Who was called or liquidated had to be, by the numbers that were told."""
    for event in events:
        if isinstance(event, LiquidationStarted):
            assert was_right_to_liquidate(engine, event), event
        elif isinstance(event, MarginCalled) and (event.debts or not event.cleared):
            assert was_right_to_call(event), event


def agree_after_scan(engine: Engine) -> None:
    """Behind a scan nobody was missed (I9) and nobody uncalled (M9).

    Whom its own trades touched, the next scan looks at.
    """
    watch = engine.risk.watch
    missed = {each for each in must_be_liquidated(engine) if not watch.awaits(*each)}
    assert not missed, missed
    for account_id, wallet in must_be_called(engine):
        called = wallet in engine.risk.accounts[account_id].called
        assert called or watch.awaits(account_id, wallet), (account_id, wallet)


def nobody_is_below_zero(engine: Engine) -> None:
    """Neither cash nor margin wallets ever; a perpetual one only while a position or a liquidation
    explains it, or other assets stand behind it (I9)."""
    for account in customers(engine):
        for (wallet, asset), pocket in account.pockets.items():
            if pocket.minor >= 0 or (wallet == "perp" and account.multi_asset):
                continue
            assert wallet.startswith("perp"), (account.id, wallet, asset, pocket.minor)
            explained = wallet in account.liquidating or any(
                leg.lots and leg.scope == wallet for leg in legs(engine, account)
            )
            assert explained or engine.risk.watch.awaits(account.id, wallet), (account.id, wallet)


def fund_changed_by_its_rules(
    engine: Engine, asset: str, before_minor: int, events: list[AnyEvent]
) -> None:
    """I10: a fund that holds no position changes by fees and surplus in, and covers out."""
    wallet = "perp" if asset == engine.venue.quote else f"perp:{asset}"
    change = 0
    for step in of(events, LiquidationStepped):
        if step.asset == asset and step.scope.startswith("perp") and step.step in _INTO_THE_FUND:
            change += step.amount_minor
    for cover in of(events, FundCovered):
        if cover.asset == asset and cover.fund == "insurance":
            change -= cover.paid_minor
    now_minor = engine.risk.accounts[INSURANCE].minor(wallet, asset)
    assert now_minor - before_minor == change, (asset, before_minor, now_minor, change)


_INTO_THE_FUND = ("fee", "surplus")
