"""Wallets of several assets under random trades, prices and transfers: nobody is overlooked, and
the same commands leave the same venue (P18)."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from exchange.commands import FeedPrices, ResetAccount, SetMultiAsset, Transfer
from exchange.engine import Engine
from exchange.events import (
    AnyEvent,
    CollateralConverted,
    InterestCharged,
    LiquidationEnded,
    LiquidationStarted,
)
from matching.types import Side
from risk.account import PERP, Account
from risk.ledger import CONVERSION
from risk.margin_worth import max_transfer_out
from risk.perp_worth import perp_worth
from tests.risk.stories import ETH_PERP, with_asset
from tests.story import FOREVER_MS, Story, again, refusal, small_venue, units

PEOPLE = st.integers(0, 2)
PERPS = ("BTC-USDT-PERP", ETH_PERP)
PRICES = {"BTC": Fraction(50_000), "ETH": Fraction(2_500)}
RATIOS = {"USDT": Fraction(1), "BTC": Fraction(95, 100), "ETH": Fraction(9, 10)}
_TINY = Fraction(1, 10**16)


def naive_balance(engine: Engine, account: Account) -> Fraction:
    """V76 from scratch, with the open profit: in whole quote."""
    risk = engine.risk
    total = Fraction(0)
    for (wallet, asset), pocket in account.pockets.items():
        if wallet == PERP:
            held = Fraction(pocket.minor, 10**8)
            held -= Fraction(account.perp_interest_e18.get(asset, 0), 10**18)
            counts = RATIOS[asset] if pocket.minor > 0 else 1
            total += held * Fraction(risk.price_e8(asset) or 0, 10**8) * counts
    for position in account.positions.values():
        size = Fraction(position.lots, 1_000)
        mark = Fraction(risk.mark_e8(position.symbol) or 0, 10**8)
        total += size * mark - Fraction(position.cost_minor, 10**8)
    return total


class SeveralAssets(RuleBasedStateMachine):
    """Three people with coins and little of the quote, who trade with one who is rich."""

    seen: ClassVar[Counter[str]] = Counter()

    @initialize()
    def open(self) -> None:
        venue = small_venue(
            grid_ms=10_000,
            sample_ms=30_000,
            convert_above_minor=units("3000"),
            insurance_minor=units("200000"),
        )
        self.story = Story(with_asset(venue, "ETH", perp_ratio_e12=9 * 10**11))
        self.prices = dict(PRICES)
        self.rich = self.story.account("rich", perp_USDT="100000000", spot_USDT="10000000")
        self.people = [self.story.account(f"person {n}") for n in range(3)]
        for person in self.people:
            self.fund(person)
        self.wait(1)

    def fund(self, person: int) -> None:
        story = self.story
        story.ok(SetMultiAsset, account_id=person, on=True)
        for asset, amount in (("BTC", "0.3"), ("ETH", "6"), ("USDT", "500")):
            story.deposit(person, PERP, asset, amount)

    def note(self, events: list[AnyEvent]) -> None:
        """`check` has run after the command (I1, I5, I9); the wallets agree with the naive sum."""
        self.seen.update(type(event).__name__ for event in events)
        reason = refusal(events)
        if reason is not None:
            self.seen[reason.name] += 1
        engine = self.story.engine
        for number in self.people:
            account = engine.risk.accounts[number]
            told = Fraction(perp_worth(engine.risk, account).balance_e16, 10**16)
            assert 0 <= naive_balance(engine, account) - told < _TINY
            coins = [account.minor(PERP, asset) for asset in ("BTC", "ETH")]
            assert all(minor >= 0 for minor in coins)
            if not account.positions and not any(coins) and not account.liquidating:
                due = engine.risk.watch.awaits(number, PERP)
                assert due or account.minor(PERP, "USDT") >= 0

    def do(self, kind: type, **fields: Any) -> None:
        self.note(self.story.do(kind, **fields))

    # -- what happens --------------------------------------------------------------------------

    @rule(steps=st.sampled_from([1, 1, 3, 360]))
    def wait(self, steps: int) -> None:
        self.note(self.story.wait(steps * 10_000))

    @rule(base=st.sampled_from(["BTC", "ETH"]), percent=st.sampled_from([-40, -12, -4, 4, 12, 50]))
    def gap(self, base: str, percent: int) -> None:
        cents = round(self.prices[base] * (100 + percent))
        cents = max(int(PRICES[base] * 20), min(int(PRICES[base] * 500), cents))
        self.prices[base] = Fraction(cents, 100)
        self.note(self.story.index(base, f"{cents // 100}.{cents % 100:02}"))

    @rule(
        base=st.sampled_from(["BTC", "ETH"]), stale_ms=st.sampled_from([0, FOREVER_MS, FOREVER_MS])
    )
    def feed(self, base: str, stale_ms: int) -> None:
        """A feed that may go stale: then the wallets that hold the asset wait."""
        prices = {base: int(self.prices[base] * 10**8)}
        self.do(FeedPrices, feed="reference", prices_e8=prices, stale_ms=stale_ms)

    @rule(
        person=PEOPLE,
        symbol=st.sampled_from(PERPS),
        side=st.sampled_from(Side),
        size=st.sampled_from([20_000, 150_000, 500_000]),
        depth=st.sampled_from([0, 1, 2]),
    )
    def trade(self, person: int, symbol: str, side: Side, size: int, depth: int) -> None:
        """A market order against so many halves of it, so that a part may go to nobody."""
        story = self.story
        lots = max(1, int(size * 1_000 / self.prices[symbol[:3]]))
        qty, half = (f"{n // 1_000}.{n % 1_000:03}" for n in (lots, max(1, lots // 2)))
        price = f"{int(self.prices[symbol[:3]])}"
        for _ in range(depth):
            self.note(story.place(self.rich, side.opposite, symbol, half, price))
        self.note(story.place(self.people[person], side, symbol, qty, leverage=25))

    @rule(base=st.sampled_from(["BTC", "ETH"]))
    def bid(self, base: str) -> None:
        """Somebody buys what the house has to sell."""
        self.note(self.story.buy(self.rich, f"{base}-USDT", "2", f"{int(self.prices[base])}"))

    @rule(person=PEOPLE, asset=st.sampled_from(["USDT", "BTC", "ETH"]))
    def leave_with_all(self, person: int, asset: str) -> None:
        """The most that may leave does, and a unit more does not."""
        risk = self.story.engine.risk
        account = self.story.person(self.people[person])
        most = max_transfer_out(risk, account, PERP, asset)
        way = {"account_id": account.id, "source": PERP, "target": "spot", "asset": asset}
        over = self.story.do(Transfer, amount_minor=most + 1, **way)
        assert refusal(over) is not None
        self.note(over)
        if most:
            self.do(Transfer, amount_minor=most, **way)

    @rule(person=PEOPLE, asset=st.sampled_from(["USDT", "BTC", "ETH"]))
    def bring_back(self, person: int, asset: str) -> None:
        account = self.story.person(self.people[person])
        way = {"account_id": account.id, "source": "spot", "target": PERP, "asset": asset}
        self.do(Transfer, amount_minor=max(1, account.free("spot", asset)), **way)

    @rule(person=PEOPLE, on=st.booleans())
    def switch(self, person: int, on: bool) -> None:
        self.do(SetMultiAsset, account_id=self.people[person], on=on)

    @rule(person=PEOPLE, doubt=st.integers(0, 4))
    def start_over(self, person: int, doubt: int) -> None:
        if not doubt:
            self.do(ResetAccount, account_id=self.people[person])
            self.fund(self.people[person])

    # -- in the end ----------------------------------------------------------------------------

    def teardown(self) -> None:
        """Replay and restart leave the same; what the house took it can sell."""
        if not hasattr(self, "story"):
            return
        story = self.story
        replayed = Engine(story.venue)
        told = [event for command in story.commands for event in replayed.apply(command)]
        assert (replayed.digest(), told) == (story.engine.digest(), story.events)
        assert again(story.engine).digest() == story.engine.digest()
        for base in PRICES:
            self.feed(base, FOREVER_MS)
            story.index(base, f"{int(self.prices[base])}")
            story.buy(self.rich, f"{base}-USDT", "50", f"{int(self.prices[base])}")
        house = story.engine.risk.accounts[CONVERSION]
        for _ in range(30):
            if not any(pocket.minor for pocket in house.pockets.values()):
                break
            story.wait(30_000)
        assert not any(house.free("spot", base) for base in PRICES), house.pockets


EXAMPLES = 80


@pytest.mark.timeout(600)
def test_p18_wallets_of_several_assets_live_through_anything() -> None:
    SeveralAssets.seen = Counter()
    options = settings(
        max_examples=EXAMPLES,
        stateful_step_count=80,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(SeveralAssets, settings=options)
    wanted = (CollateralConverted, LiquidationStarted, LiquidationEnded, InterestCharged)
    assert {kind.__name__ for kind in wanted} <= set(SeveralAssets.seen), SeveralAssets.seen
