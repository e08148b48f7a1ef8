"""A whole venue under random commands: every invariant, naive twins, replay and recovery.

Twenty thousand commands are obeyed in an ordinary run. `PAPERTAPE_SIMULATION_COMMANDS=1000000`
asks for so many, and prints how far it is; `PAPERTAPE_SIMULATION_SEED=7` begins at another life.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from exchange.events import AnyEvent
from tests.simulation.random_life import Life
from tests.simulation.random_money import OTHER_ACTIONS
from tests.simulation.random_orders import ORDER_ACTIONS

ACTIONS = ORDER_ACTIONS | OTHER_ACTIONS
OFTEN = {
    "meet": 5,
    "contract_order": 4,
    "gap": 4,
    "spot_order": 3,
    "guard": 3,
    "lay_out": 3,
    "strange_order": 2,
    "lever": 3,
    "wait": 3,
    "hide": 3,
    "amend": 3,
}
DRAWN = [name for name in ACTIONS for _ in range(OFTEN.get(name, 1))]
COMMANDS = 20_000  # In the suite, in lives of so many:
COMMANDS_OF_A_LIFE = 500
SHRINKING_TRIES = 150

Plan = list[tuple[str, int]]

# What a random venue has seen when it has seen everything: every event there is, every way a
# liquidation can go on and end, for every kind of scope, and these reasons to refuse or end.
EVENTS = {event.__name__ for event in get_args(AnyEvent)}
LIQUIDATIONS = {
    *("end bankrupt", "end closed", "end restored"),
    *("end of isolated:", "end of margin", "end of perp", "end of perp/", "end of perp:"),
    *("step sold", "step bought", "step repaid", "step takeover", "step fee", "step surplus"),
    *("step netted", "step fund", "step adl", "step socialized"),
    *("cover of insurance", "cover of margin_insurance"),
}
HAPPENINGS = {
    *("accepted", "amended", "cancelled", "expired", "filled", "rejected", "triggered", "restart"),
    *("changed in its place", "replaced"),
}
TOLD_REASONS = """
ACCOUNT_LIQUIDATING ACCOUNT_RESET AMOUNT_NOT_POSITIVE ASSET_NOT_IN_WALLET BORROW_LIMIT
BRACKET_EXCEEDED CANCELLED_BY_USER CLOSE_POSITION_TAKES_NO_QTY COLLATERAL_TOO_LOW
COMBINATION_NOT_ALLOWED DUPLICATE_ID EXECUTION_PRICE_RANGE EXPIRED_BY_TIME EXPIRY_IN_PAST
EXPIRY_MISSING FIELD_OUT_OF_RANGE FOK_UNFILLABLE ICEBERG_PARTS INSUFFICIENT_BALANCE
INSUFFICIENT_INVENTORY INSUFFICIENT_MARGIN LEVERAGE_OUT_OF_RANGE LIQUIDATION
MARKET_QTY_OUT_OF_RANGE MAX_AMENDS MAX_ASSET MAX_ICEBERGS MAX_POSITION
MULTI_ASSET_ON NOTHING_OWED NOTHING_TO_AMEND
NOTIONAL_TOO_SMALL NOT_BORROWABLE NO_DUST NO_LIQUIDITY NO_POSITION PERCENT_PRICE
POSITION_NOT_ISOLATED POSITION_OPEN POSITION_SIDE_MISMATCH PRICE_BAND PRICE_MISSING
PRICE_NOT_ALLOWED PRICE_OUT_OF_RANGE QTY_MISSING QTY_OUT_OF_RANGE REDUCE_ONLY_TRIMMED
REDUCE_ONLY_WOULD_INCREASE SAME_WALLET SELF_TRADE SIDE_EFFECT_NOT_ALLOWED SYMBOL_NOT_TRADING
UNKNOWN_ASSET UNKNOWN_ORDER UNKNOWN_SYMBOL UNKNOWN_WALLET WOULD_TAKE WOULD_TRIGGER
"""
EXPECTED = EVENTS | LIQUIDATIONS | HAPPENINGS | set(TOLD_REASONS.split())


# -- seeded lives ------------------------------------------------------------------------------


def plan_of(seed: int) -> Iterator[tuple[str, int]]:
    """What befalls a life, without an end: actions and their own seeds."""
    random = Random(seed)
    while True:
        yield random.choice(DRAWN), random.randrange(2**32)


def live(seed: int) -> Life:
    """A life; where it fails, the failure tells the shortest plan found that fails as well."""
    life, plan = Life(seed), []
    try:
        for step in plan_of(seed):
            plan.append(step)
            life.act(ACTIONS, *step)
            if life.commands >= COMMANDS_OF_A_LIFE:
                break
        life.replay()
    except Exception as failure:
        shortest = shrunk(seed, plan)
        failure.add_note(f"life {seed} fails after {len(plan)} actions; so does {shortest}")
        raise
    return life


def fails(seed: int, plan: Plan) -> bool:
    """Whether a life fails by a plan."""
    life = Life(seed)
    try:
        for step in plan:
            life.act(ACTIONS, *step)
        life.replay()
    except Exception:
        return True
    return False


def shrunk(seed: int, plan: Plan) -> Plan:
    """A shorter plan that fails too: parts are left out, first large ones, for so many tries."""
    part, tries = len(plan) // 2, 0
    while part:
        place = 0
        while place < len(plan) and tries < SHRINKING_TRIES:
            tries += 1
            shorter = plan[:place] + plan[place + part :]
            if fails(seed, shorter):
                plan = shorter
            else:
                place += part
        part //= 2
    return plan


@pytest.mark.timeout(0)
def test_twenty_thousand_random_commands_keep_every_invariant_and_agree_with_the_twins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = os.environ.get("PAPERTAPE_SIMULATION_COMMANDS")
    wanted, seed = int(asked or COMMANDS), int(os.environ.get("PAPERTAPE_SIMULATION_SEED", "0"))
    seen: Counter[str] = Counter()
    done, began = 0, time.monotonic()
    while done < wanted:
        life = live(seed)
        done += life.commands
        seen += life.seen
        if asked:
            pace = done / (time.monotonic() - began)
            with capsys.disabled():
                print(f"life {seed}: {done:,} of {wanted:,} commands, {pace:,.0f} a second")
        seed += 1
    assert done >= wanted
    assert done < COMMANDS or set(seen) >= EXPECTED, sorted(EXPECTED - set(seen))


def test_a_failing_life_is_shrunk_to_what_makes_it_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A life that cannot bear a certain action fails by that action alone."""

    def breaks(life: Life, random: Random) -> None:
        raise AssertionError(life, random)

    monkeypatch.setitem(ACTIONS, "breaks", breaks)
    plan = [("convert_dust", place) for place in range(12)]
    plan.insert(7, ("breaks", 1))
    assert fails(3, plan)
    assert shrunk(3, plan) == [("breaks", 1)]
    assert not fails(3, plan[:7])


# -- lives that Hypothesis thinks of -----------------------------------------------------------


class AnyLife(RuleBasedStateMachine):
    """The same actions in an order Hypothesis chooses, and shrinks where it fails."""

    @initialize(seed=st.integers(0, 63))
    def begin(self, seed: int) -> None:
        self.life = Life(seed)

    @rule(name=st.sampled_from(sorted(ACTIONS)), seed=st.integers(0, 2**16))
    def act(self, name: str, seed: int) -> None:
        self.life.act(ACTIONS, name, seed)

    def teardown(self) -> None:
        if hasattr(self, "life"):
            self.life.replay()


@pytest.mark.timeout(1_200)
def test_no_order_of_actions_breaks_a_venue() -> None:
    """For longer under `--hypothesis-profile long`."""
    usual = settings.get_profile("ci").max_examples
    chosen = settings().max_examples
    options = settings(
        max_examples=20 if chosen == usual else chosen,
        stateful_step_count=50,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(AnyLife, settings=options)
