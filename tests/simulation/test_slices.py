"""Work in slices: whatever a command may do at most, the end is that of doing all at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.commands import AnyCommand, Borrow, Continue, SetMarginMode, SetMultiAsset, Transfer
from exchange.events import (
    AnyEvent,
    BalanceChanged,
    CollateralConverted,
    FundingCharged,
    InterestCharged,
    LiquidationEnded,
)
from matching.limits import WORK_PER_COMMAND_MAX
from matching.types import Side
from risk import scan
from risk import scopes as risk_scopes
from risk.account import Account
from risk.grid import fall_due
from risk.instants import Instant
from risk.margin_worth import margin_worth
from risk.parameters import HOUR_MS
from risk.perp_worth import cross_state, perp_worth, position_worth
from risk.state import RiskState
from tests.story import Story, of, small_venue, standing, units

PERPS = ("BTC-USDT-PERP", "ETH-USDT-PERP")
START = {"BTC": 50_000, "ETH": 2_500}
GRID_MS = 60_000
UNBOUNDED = 10**9

people = st.lists(
    st.tuples(
        st.sampled_from(["long", "short", "isolated", "coins", "loan", "both"]),
        st.sampled_from(PERPS),
        st.integers(1, 8),  # What is traded or lent, in tenths of what they can.
    ),
    min_size=20,
    max_size=30,
)
paths = st.lists(
    st.tuples(
        st.sampled_from(["BTC", "ETH"]),
        st.sampled_from([-25, -12, -6, -2, 0, 3, 7, 15, 30]),  # Percent.
        st.sampled_from([1, 2, 59, 60, 120]),  # Grid points until the next.
    ),
    min_size=2,
    max_size=5,
)


class Sliced(Story):
    """A story whose commands may do so much at most."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.slices = 0
        venue = small_venue(grid_ms=GRID_MS, sample_ms=GRID_MS, convert_above_minor=0)
        perps = [msgspec.structs.replace(each, interval_ms=HOUR_MS) for each in venue.perps]
        super().__init__(msgspec.structs.replace(venue, perps=tuple(perps)))
        self.wait(GRID_MS)  # There are prices from the first grid point on.

    def _apply(self, kind: type, /, **fields: Any) -> list[AnyEvent]:
        self.slices += kind is Continue
        command: AnyCommand = kind(seq=self.engine.seq + 1, time_ms=self.now_ms, **fields)
        with patch("exchange.engine.WORK_PER_COMMAND_MAX", self.budget):
            events = self.engine.apply(command)
        self.events += events
        return events


def lived(
    budget: int, crowd: list[tuple[str, str, int]], path: list[tuple[str, int, int]]
) -> Sliced:
    """The same people and the same prices, with so much work a command."""
    story = Sliced(budget)
    house = story.account("house", perp_USDT="90000000")
    for base, price in START.items():
        symbol = f"{base}-USDT-PERP"
        for side in ("buy", "sell"):
            for step in (1, 4, 10):
                away = price * (100 - step if side == "buy" else 100 + step) // 100
                getattr(story, side)(house, symbol, "40", str(away))
    for kind, symbol, tenths in crowd:
        join(story, house, kind, symbol, tenths)
    prices = {base: float(price) for base, price in START.items()}
    for base, percent, points in path:
        prices[base] = round(prices[base] * (100 + percent) / 100, 2)
        story.index(base, f"{prices[base]:.2f}")
        story.now_ms = story.now_ms // GRID_MS * GRID_MS
        story.wait(points * GRID_MS)
    story.engine.check()
    return story


def join(story: Story, house: int, kind: str, symbol: str, tenths: int) -> None:
    """Somebody with 2,000 USDT, at up to ten times leverage, or with a loan of up to twice it; or
    with coins of that worth alone, which pay even for a fee."""
    base = symbol.partition("-")[0]
    account = story.account(kind, perp_USDT="2000", margin_USDT="2000")
    qty = 2_000 * tenths / START[base]
    if kind == "coins":
        story.ok(SetMultiAsset, account_id=account, on=True)
        coin, much = ("ETH", "0.8") if base == "BTC" else ("BTC", "0.04")
        story.deposit(account, "perp", coin, much)
        every = {"asset": "USDT", "amount_minor": units("2000")}
        story.ok(Transfer, account_id=account, source="perp", target="spot", **every)
    if kind == "isolated":
        story.ok(SetMarginMode, account_id=account, symbol=symbol, isolated=True)
    if kind != "loan":
        side = Side.SELL if kind == "short" else Side.BUY
        price = str(START[base])
        story.place(account, side, symbol, f"{qty:.2f}", price)
        story.place(house, side.opposite, symbol, f"{qty:.2f}", price)
    if kind in ("loan", "both"):
        amount = units(f"{0.2 * qty:.4f}")
        story.do(Borrow, account_id=account, wallet="margin", asset=base, amount_minor=amount)


def state_of(story: Story) -> dict[str, Any]:
    """The whole state, but for what counts commands: events of an account and depth updates."""
    state = standing(story.engine)
    del state["depths"]
    for account in state["risk"]["accounts"]:
        del account["event_n"]
    return state


def told(story: Story) -> list[tuple[Any, ...]]:
    """Every payment of funding and interest that was told, in order."""
    return [
        (type(each), each.account_id, each.due_ms)
        for each in story.events
        if isinstance(each, FundingCharged | InterestCharged)
    ]


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(people, paths, st.integers(1, 50))
def test_in_slices_of_any_size_everything_ends_as_if_done_at_once(
    crowd: list[tuple[str, str, int]], path: list[tuple[str, int, int]], budget: int
) -> None:
    """Funding, interest, scans, cascades of liquidations and catch-up over hours."""
    sliced, whole = lived(budget, crowd, path), lived(UNBOUNDED, crowd, path)
    assert whole.slices == 0
    assert state_of(sliced) == state_of(whole)
    assert sorted(map(str, told(sliced))) == sorted(map(str, told(whole)))


def test_the_budget_of_the_venue_comes_to_the_same_as_well() -> None:
    crowd = [(("both", "coins")[n % 4 == 2], PERPS[n % 2], 1 + n % 8) for n in range(30)]
    path = [("BTC", -12, 60), ("ETH", 15, 120), ("BTC", -25, 60)]
    sliced, whole = lived(WORK_PER_COMMAND_MAX, crowd, path), lived(UNBOUNDED, crowd, path)
    assert lived(7, crowd, path).slices > 50
    assert of(whole.events, LiquidationEnded)
    assert of(whole.events, CollateralConverted)
    assert state_of(sliced) == state_of(whole)
    assert of_balances(sliced) == of_balances(whole)


def of_balances(story: Story) -> dict[tuple[int, str, str], int]:
    """The last balance that everybody was told."""
    return {
        (each.account_id, each.wallet, each.asset): each.total_minor
        for each in story.events
        if isinstance(each, BalanceChanged)
    }


# -- nobody is read before it has settled ------------------------------------------------------


class ReadTooEarly(AssertionError):
    """Somebody looked at an account that had not settled what was pending."""


@contextmanager
def guarded() -> Iterator[None]:
    """Whoever asks what an account is worth finds it settled, or fails; wherever it asks from."""
    with ExitStack() as stack:
        for reader in (perp_worth, cross_state, position_worth, margin_worth):
            for name, module in list(sys.modules.items()):
                if name.startswith("risk.") and getattr(module, reader.__name__, None) is reader:
                    stack.enter_context(patch.object(module, reader.__name__, _watched(reader)))
        yield


def _watched(reader: Callable[..., Any]) -> Callable[..., Any]:
    def read(state: RiskState, account: Account, *rest: Any) -> Any:
        if account.exposed and state.instants.since(account.settled):
            raise ReadTooEarly(account.id)
        return reader(state, account, *rest)

    return read


def test_nobody_reads_an_account_that_has_not_settled() -> None:
    crowd = [("both", PERPS[n % 2], 1 + n % 8) for n in range(20)]
    with guarded():
        lived(3, crowd, [("BTC", -12, 60), ("ETH", 15, 120), ("BTC", -25, 60)])


def test_a_read_that_comes_too_early_would_be_seen() -> None:
    crowd = [("long", PERPS[0], 3)] * 5
    with guarded():
        story = lived(3, crowd, [])
        risk = story.engine.risk
        fall_due(risk, story.now_ms // HOUR_MS * HOUR_MS + HOUR_MS)
        someone = next(each for each in risk.accounts.values() if each.positions)
        with pytest.raises(ReadTooEarly):
            risk_scopes.perp_state(risk, someone, "perp")
        risk.settle(someone)
        risk_scopes.perp_state(risk, someone, "perp")


# -- what one command does ---------------------------------------------------------------------


def test_no_command_settles_or_checks_more_accounts_than_it_may() -> None:
    """2,000 accounts with a position each at a funding instant; then all of them are touched."""
    story = Sliced(WORK_PER_COMMAND_MAX)
    house = story.account("house", perp_USDT="900000000")
    for _ in range(2_000):
        join(story, house, "long", PERPS[0], 1)
    risk = story.engine.risk
    work: list[int] = []
    settle, check = RiskState._settle_funding, scan._check

    def settled(state: RiskState, account: Account, instant: Instant) -> None:
        work[-1] += 1
        settle(state, account, instant)

    def checked(state: RiskState, account: Account, scope: str) -> Any:
        work[-1] += 1
        return check(state, account, scope)

    apply = story.engine.apply

    def counted(command: AnyCommand) -> list[AnyEvent]:
        work.append(0)
        return apply(command)

    with (
        patch.object(RiskState, "_settle_funding", settled),
        patch.object(scan, "_check", checked),
        patch.object(story.engine, "apply", counted),
    ):
        story.wait(HOUR_MS - story.now_ms % HOUR_MS)
        for account_id in list(risk.accounts):
            risk.watch.touch(account_id, "perp")
        story.index("BTC", "51000")
    assert sum(work) >= 2 * 2_001
    assert max(work) <= WORK_PER_COMMAND_MAX
