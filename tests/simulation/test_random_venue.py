"""A whole venue under random commands: every invariant, a naive twin, replay and recovery."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from exchange.commands import (
    AdjustPositionMargin,
    Borrow,
    Repay,
    SetLeverage,
    SetMarginLeverage,
    SetMarginMode,
)
from exchange.events import (
    FeeTierChanged,
    FundingCharged,
    InterestCharged,
    LiquidationEnded,
    LiquidationStarted,
    LoanChanged,
    MarginCalled,
    Traded,
)
from matching.types import OrderType, Side, TimeInForce
from risk.account import MARGIN
from risk.margin_worth import max_borrow
from risk.perp_report import perp_report
from tests.simulation.random_venue import (
    LIMITS,
    MARKETS,
    PEOPLE,
    PERPS,
    SIZES,
    SPOTS,
    WALLETS,
    RandomVenue,
)

EXAMPLES = 90  # In the suite; each is up to 80 commands with all that follows from them.
_DEFAULT_EXAMPLES = settings.get_profile("default").max_examples


# -- the two sides of the venue ----------------------------------------------------------------


class SpotRules(RandomVenue):
    """Spot cash, cross and isolated margin."""

    @rule(
        person=PEOPLE,
        symbol=st.sampled_from(SPOTS),
        side=st.sampled_from(Side),
        size=st.sampled_from(SIZES),
        away=st.sampled_from([-40, -10, 0, 10, 40]),
        wallet=st.sampled_from(["spot", "margin", "isolated"]),
        side_effect=st.sampled_from([0, 1, 1, 2, 3]),
        how=st.sampled_from(LIMITS),
    )
    def limit(
        self,
        *,
        person: int,
        symbol: str,
        side: Side,
        size: Fraction,
        away: int,
        wallet: str,
        side_effect: int,
        how: dict[str, Any],
    ) -> None:
        name = f"isolated:{symbol}" if wallet == "isolated" else wallet
        effect = side_effect if wallet != "spot" else 0
        self.order(person, symbol, side, size, away, wallet=name, side_effect=effect, **how)

    @rule(
        person=PEOPLE,
        symbol=st.sampled_from(SPOTS),
        side=st.sampled_from(Side),
        size=st.sampled_from(SIZES),
        wallet=st.sampled_from(["spot", "margin", "isolated"]),
        side_effect=st.sampled_from([0, 1, 2, 3]),
        how=st.sampled_from(MARKETS),
    )
    def market(
        self,
        person: int,
        symbol: str,
        side: Side,
        size: Fraction,
        wallet: str,
        side_effect: int,
        how: dict[str, Any],
    ) -> None:
        name = f"isolated:{symbol}" if wallet == "isolated" else wallet
        more = how | {"wallet": name, "side_effect": side_effect, "type": OrderType.MARKET}
        self.order(person, symbol, side, size, 0, **more)

    @rule(
        person=PEOPLE,
        cross=st.booleans(),
        symbol=st.sampled_from(SPOTS),
        side=st.sampled_from(Side),
        percent=st.sampled_from([30, 95]),
    )
    def lever(self, person: int, cross: bool, symbol: str, side: Side, percent: int) -> None:
        """Put a wallet and so much of what it may borrow into one trade with somebody's cash."""
        risk = self.story.engine.risk
        account = self.story.person(self.people[person])
        wallet = MARGIN if cross else f"isolated:{symbol}"
        instrument = self.story.engine.instruments[symbol]
        asset = instrument.quote if side is Side.BUY else instrument.base
        minor = account.free(wallet, asset)
        minor += max_borrow(risk, account, wallet, asset) * percent // 100
        size = Fraction(minor, 10**8) * (self.prices[asset] if asset != "USDT" else 1)
        if not size:
            return
        other = self.people[(person + 1) % len(self.people)]
        for gift in (instrument.base, instrument.quote):
            self.story.deposit(other, "spot", gift, "10000000" if gift == "USDT" else "1000")
        self.order((person + 1) % len(self.people), symbol, side.opposite, size, 0)
        how = {"wallet": wallet, "side_effect": 1, "tif": TimeInForce.IOC}
        self.order(person, symbol, side, size, 0, **how)

    @rule(
        person=PEOPLE,
        wallet=st.sampled_from(WALLETS),
        asset=st.sampled_from(["USDT", "BTC", "ETH"]),
        amount=st.sampled_from([0, 10**6, 10**8, 10**11, 10**12]),
        paying=st.booleans(),
    )
    def loan(self, person: int, wallet: str, asset: str, amount: int, paying: bool) -> None:
        kind = Repay if paying else Borrow
        who = self.people[person]
        self.do(kind, account_id=who, wallet=wallet, asset=asset, amount_minor=amount)

    @rule(person=PEOPLE, leverage=st.sampled_from([3, 5, 4]))
    def margin_leverage(self, person: int, leverage: int) -> None:
        self.do(SetMarginLeverage, account_id=self.people[person], leverage=leverage)


class PerpRules(RandomVenue):
    """Perpetual contracts on cross and isolated margin."""

    @rule(
        person=PEOPLE,
        symbol=st.sampled_from(PERPS),
        side=st.sampled_from(Side),
        size=st.sampled_from(SIZES),
        away=st.sampled_from([-40, -10, 0, 10, 40]),
        reduce_only=st.sampled_from([False, False, True]),
        leverage=st.sampled_from([0, 0, 3, 20, 125]),
        how=st.sampled_from(LIMITS),
    )
    def contract_limit(
        self,
        *,
        person: int,
        symbol: str,
        side: Side,
        size: Fraction,
        away: int,
        reduce_only: bool,
        leverage: int,
        how: dict[str, Any],
    ) -> None:
        more = how | {"wallet": "perp", "reduce_only": reduce_only, "leverage": leverage}
        self.order(person, symbol, side, size, away, **more)

    @rule(
        person=PEOPLE,
        symbol=st.sampled_from(PERPS),
        side=st.sampled_from(Side),
        size=st.sampled_from(SIZES),
        reduce_only=st.booleans(),
        how=st.sampled_from(MARKETS),
    )
    def contract_market(
        self,
        person: int,
        symbol: str,
        side: Side,
        size: Fraction,
        reduce_only: bool,
        how: dict[str, Any],
    ) -> None:
        more = how | {"wallet": "perp", "reduce_only": reduce_only, "type": OrderType.MARKET}
        self.order(person, symbol, side, size, 0, **more)

    @rule(
        person=PEOPLE,
        symbol=st.sampled_from(PERPS),
        side=st.sampled_from(Side),
        percent=st.sampled_from([20, 90]),
        leverage=st.sampled_from([5, 25, 50]),
    )
    def meet(self, person: int, symbol: str, side: Side, percent: int, leverage: int) -> None:
        """Two people take the two sides of a position, with so much of what both have."""
        other = (person + 1) % len(self.people)
        risk = self.story.engine.risk
        available = min(
            perp_report(risk, self.story.person(self.people[each])).available_minor
            for each in (person, other)
        )
        size = Fraction(available, 10**8) * leverage * percent / 100
        how: dict[str, Any] = {"wallet": "perp", "leverage": leverage}
        self.order(other, symbol, side.opposite, size, 0, **how)
        self.order(person, symbol, side, size, 0, tif=TimeInForce.IOC, **how)

    @rule(
        person=PEOPLE, symbol=st.sampled_from(PERPS), leverage=st.sampled_from([1, 5, 10, 50, 126])
    )
    def leverage(self, person: int, symbol: str, leverage: int) -> None:
        self.do(SetLeverage, account_id=self.people[person], symbol=symbol, leverage=leverage)

    @rule(
        person=PEOPLE, symbol=st.sampled_from(PERPS), isolated=st.sampled_from([True, True, False])
    )
    def margin_mode(self, person: int, symbol: str, isolated: bool) -> None:
        self.do(SetMarginMode, account_id=self.people[person], symbol=symbol, isolated=isolated)

    @rule(
        person=PEOPLE,
        symbol=st.sampled_from(PERPS),
        amount=st.sampled_from([-(10**12), -(10**10), -(10**8), 10**9, 10**11]),
    )
    def position_margin(self, person: int, symbol: str, amount: int) -> None:
        who = self.people[person]
        self.do(AdjustPositionMargin, account_id=who, symbol=symbol, amount_minor=amount)


class WholeVenue(SpotRules, PerpRules):
    """Both sides at once: liquidations of the one move the money of the other."""


# -- the tests ---------------------------------------------------------------------------------


def run(machine: type[RandomVenue]) -> set[str]:
    """Run a machine (for longer under `--hypothesis-profile long`); the words it has met."""
    machine.seen = Counter()
    chosen = settings().max_examples
    options = settings(
        max_examples=EXAMPLES if chosen == _DEFAULT_EXAMPLES else chosen // 4,
        stateful_step_count=80,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(machine, settings=options)
    return set(machine.seen)


def names(*events: type) -> set[str]:
    return {event.__name__ for event in events}


@pytest.mark.timeout(1_200)
def test_random_spot_margin_keeps_every_invariant() -> None:
    met = run(SpotRules)
    assert names(Traded, LoanChanged, InterestCharged, MarginCalled, LiquidationStarted) <= met
    assert names(FeeTierChanged) <= met


@pytest.mark.timeout(1_200)
def test_random_perpetuals_keep_every_invariant() -> None:
    met = run(PerpRules)
    assert names(Traded, FundingCharged, LiquidationStarted, LiquidationEnded) <= met


@pytest.mark.timeout(1_200)
def test_a_random_whole_venue_keeps_every_invariant() -> None:
    assert names(Traded) <= run(WholeVenue)
