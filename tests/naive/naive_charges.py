"""A naive twin of funding and interest: who held and owed what, and what each had to pay for it."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import NamedTuple

from exchange.engine import Engine
from exchange.events import (
    AnyEvent,
    Deleveraged,
    Filled,
    FundingCharged,
    FundingFixed,
    InterestCharged,
    InterestFixed,
    LiquidationStepped,
    LoanChanged,
)
from risk.ledger import FIRST_ACCOUNT, POOL
from risk.parameters import AssetParameters
from tests.naive.naive_money import E8, E12, ZERO, amount, rate, up

E18 = 10**18


class Debt(NamedTuple):
    """What a loan owed before a command, in whole units."""

    principal: Fraction
    interest: Fraction


class Charges:
    """Remembers what everybody held and owed before a command, and judges what it charged."""

    def __init__(self, engine: Engine) -> None:
        self.begin(engine)

    def begin(self, engine: Engine) -> None:
        """A command comes."""
        self.held: dict[tuple[int, str], list[int]] = {}
        self.owed: dict[tuple[int, str, str], Debt] = {}
        for account in engine.risk.accounts.values():
            for leg, position in account.positions.items():
                of_symbol = self.held.setdefault((account.id, leg.partition("/")[0]), [])
                of_symbol.append(position.lots)
            for (wallet, asset), loan in account.loans.items():
                debt = Debt(amount(loan.principal_minor), Fraction(loan.interest_e18, E18))
                self.owed[account.id, wallet, asset] = debt
        self.cash = {
            each.asset: amount(engine.risk.ledger.house(POOL, each.asset).minor)
            for each in engine.venue.assets
        }

    def agree(self, engine: Engine, events: list[AnyEvent]) -> None:
        """Everybody paid for what they had at the boundary, and nothing else (P10, M7)."""
        for place, event in enumerate(events):
            before = events[:place]
            if isinstance(event, FundingFixed):
                self._agree_on_funding(engine, event, events, before)
            elif isinstance(event, InterestFixed):
                self._agree_on_interest(engine, event, events, before)

    # -- funding -------------------------------------------------------------------------------

    def _agree_on_funding(
        self, engine: Engine, fixed: FundingFixed, events: list[AnyEvent], before: list[AnyEvent]
    ) -> None:
        paid: dict[int, list[int]] = {}
        for event in events:
            if not isinstance(event, FundingCharged) or event.symbol != fixed.symbol:
                continue
            if event.due_ms == fixed.due_ms:
                assert event.flow_minor == _flow(engine, fixed, event.lots), event
                paid.setdefault(event.account_id, []).append(event.lots)
        if any(isinstance(each, Filled | Deleveraged | LiquidationStepped) for each in before):
            return  # Positions at the boundary are not those from before the command.
        due = {who: sorted(lots) for (who, on), lots in self.held.items() if on == fixed.symbol}
        told = {who: lots for who, lots in due.items() if who >= FIRST_ACCOUNT}
        assert {who: sorted(lots) for who, lots in paid.items()} == told, (fixed, paid, due)
        everybody = [_flow(engine, fixed, lots) for each in due.values() for lots in each]
        assert -len(everybody) < sum(everybody) <= 0 or not everybody, (fixed, everybody)

    # -- interest ------------------------------------------------------------------------------

    def _agree_on_interest(
        self, engine: Engine, fixed: InterestFixed, events: list[AnyEvent], before: list[AnyEvent]
    ) -> None:
        paid = {}
        for event in events:
            if not isinstance(event, InterestCharged) or event.due_ms != fixed.due_ms:
                continue
            if event.wallet != "perp":
                assert event.rate_e12 == fixed.rates_e12[event.asset]
                paid[event.account_id, event.wallet, event.asset] = Debt(
                    Fraction(event.charged_e18, E18), Fraction(event.interest_e18, E18)
                )
        if any(isinstance(each, LoanChanged) for each in before):
            return
        told = {key: debt for key, debt in self.owed.items() if key[0] >= FIRST_ACCOUNT}
        assert paid.keys() == told.keys(), (fixed, paid.keys(), told.keys())
        for each in engine.venue.assets:
            assert rate(fixed.rates_e12[each.asset]) == self._rate(each), each.asset
        for key, debt in told.items():
            bears = debt.principal + (debt.interest if engine.venue.compound else 0)
            charge = up(bears * rate(fixed.rates_e12[key[2]]), 18)
            assert paid[key] == Debt(charge, debt.interest + charge), (key, paid[key], charge)

    def _rate(self, asset: AssetParameters) -> Fraction:
        """The pool's rate: its own, or by the share that is lent, each slope rounded up."""
        if asset.curve is None:
            return rate(asset.hourly_rate_e12)
        lent = sum(
            (debt.principal for key, debt in self.owed.items() if key[2] == asset.asset), ZERO
        )
        curve, share = asset.curve, lent / (lent + self.cash[asset.asset])
        kink = Fraction(curve.kink_e12, E12)
        gentle, steep = min(share, kink) / kink, max(ZERO, share - kink) / (1 - kink)
        return (
            rate(curve.base_e12)
            + up(rate(curve.slope_e12) * gentle, 12)
            + up(rate(curve.steep_e12) * steep, 12)
        )


def _flow(engine: Engine, fixed: FundingFixed, lots: int) -> int:
    """What a position receives, rounded down: minus its signed value times the rate (P10)."""
    instrument, mark = engine.instruments[fixed.symbol], amount(fixed.mark_e8)
    quantity = lots * amount(instrument.face_minor)
    value = quantity / mark if instrument.kind == "inverse" else quantity * mark
    return floor(-value * rate(fixed.rate_e12) * E8)
