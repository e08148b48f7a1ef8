"""A whole venue that lives under random commands, each of them judged by the naive twins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any

import msgspec

from exchange.commands import AnyCommand, PlaceOrder, SetMultiAsset, SetPositionMode, Tick
from exchange.engine import Engine
from exchange.events import (
    AnyEvent,
    CollateralConverted,
    FundCovered,
    InterestCharged,
    LiquidationEnded,
    LiquidationStepped,
    OrderChanged,
)
from matching.types import MARKET_TYPES, OrderType, Side
from risk.ledger import CONVERSION, INSURANCE, LIQUIDATION
from risk.money import E8, E12
from risk.parameters import (
    HOUR_MS,
    FeeAsset,
    FeeSchedule,
    FeeTier,
    Grant,
    IsolatedTier,
    RateCurve,
    Venue,
)
from tests.naive.naive_charges import Charges
from tests.naive.naive_money import customers
from tests.simulation.agreement import (
    agree,
    agree_after_scan,
    agree_on_collateral,
    agree_on_cost,
    agree_on_decisions,
    agree_on_limits,
    agree_on_refusal,
    fund_changed_by_its_rules,
    nobody_is_below_zero,
)
from tests.story import START_MS, Story, of, refusal, small_venue

GRID_MS = 10_000
SPOTS = ("BTC-USDT", "ETH-USDT", "ETH-BTC")
LINEAR = ("BTC-USDT-PERP", "ETH-USDT-PERP")
INVERSE = "BTC-USD-PERP"
PERPS = (*LINEAR, INVERSE)
BASES = ("BTC", "ETH")
DEPOSITS = {
    "spot_USDT": "200000",
    "spot_BTC": "2",
    "spot_ETH": "20",
    "margin_USDT": "20000",
    "margin_ETH": "2",
    "isolated:BTC-USDT_USDT": "5000",
    "isolated:ETH-USDT_USDT": "3000",
    "perp_USDT": "20000",
    "perp:BTC_BTC": "0.5",
}
HEDGED, SEVERAL_ASSETS = (1, 4), (3,)  # Places among the people, at the beginning.
PEOPLE = 5
FILTERS = {"icebergs_max": 1, "amends_max": 1}
PAIR_FILTERS = {  # In lots of 0.00001 BTC and of 0.001 ETH; amounts in 10^-8.
    "BTC-USDT": {"position_lots_max": 500_000},
    "ETH-USDT": {"base_order_max_minor": 15 * E8},
    "ETH-BTC": {"market_lots_max": 10_000},
}
FEE_TIERS = tuple(
    FeeTier(usdt * E8, maker * E12 // 10_000, taker * E12 // 10_000)
    for usdt, maker, taker in ((0, 2, 10), (2_000, 0, 7), (60_000, -1, 5))
)
LOAN_TIERS = tuple(
    IsolatedTier(
        leverage,
        initial_e12=initial * E12 // 1_000,
        call_e12=call * E12 // 1_000,
        liquidation_e12=liquidation * E12 // 1_000,
        base_limit_minor=quote * E8 // 50_000,
        quote_limit_minor=quote * E8,
    )
    for leverage, initial, call, liquidation, quote in (
        (10, 1_110, 1_090, 1_050, 10_000),
        (5, 1_250, 1_180, 1_150, 50_000),
        (3, 1_500, 1_350, 1_180, 250_000),
    )
)

Action = Callable[["Life", Random], None]


def some_venue(random: Random) -> Venue:
    """Ten minutes before a day begins: tiers that a few trades reach, small funds and pools, and
    every switch of the rules one way or the other."""
    fee_assets: tuple[FeeAsset, ...] = ("received", "quote")
    poor = random.random() < 0.5
    venue = small_venue(
        symbols=SPOTS + PERPS,
        grid_ms=GRID_MS,
        sample_ms=3 * GRID_MS,
        start_ms=START_MS - HOUR_MS // 6,
        fees=FeeSchedule(spot=FEE_TIERS, perp=FEE_TIERS, asset=random.choice(fee_assets)),
        first_charge=random.choice(("borrow", "next_hour")),
        compound=random.random() < 0.3,
        surplus=random.choice(("user", "fund")),
        socialized_loss=random.random() < 0.5,
        index_rule=random.choice(("weighted_median", "outlier_mean")),
        contract_leg=random.choice(("median", "last")),
        insurance_minor=(200 if poor else 100_000) * E8,
        coin_insurance=(Grant("perp:BTC", "BTC", E8 // 100 if poor else 10 * E8),),
        margin_insurance_minor=(5 if poor else 50_000) * E8,
        convert_above_minor=5_000 * E8,
    )
    curve = RateCurve(E12 // 100_000, E12 * 8 // 10, E12 // 50_000, E12 // 5_000)
    return msgspec.structs.replace(
        venue,
        perps=tuple(msgspec.structs.replace(each, interval_ms=HOUR_MS) for each in venue.perps),
        spots=tuple(msgspec.structs.replace(each, isolated=LOAN_TIERS) for each in venue.spots),
        instruments=tuple(
            msgspec.structs.replace(each, **FILTERS, **PAIR_FILTERS.get(each.symbol, {}))
            for each in venue.instruments
        ),
        assets=tuple(
            msgspec.structs.replace(
                each, curve=curve, pool_capital_minor=25 * E8, borrow_limit_minor=12 * E8
            )
            if each.asset == "ETH"
            else each
            for each in venue.assets
        ),
    )


class Life:
    """Five people in different modes, three spot books, three contracts; all that befalls them."""

    def __init__(self, seed: int) -> None:
        self.story = Story(some_venue(Random(seed)))
        self.seen: Counter[str] = Counter()
        self.charges = Charges(self.story.engine)
        self.people = [self.story.account(f"person {n}", **DEPOSITS) for n in range(PEOPLE)]
        self.prices = {"BTC": Fraction(50_000), "ETH": Fraction(2_500)}
        for place in HEDGED:
            self.story.ok(SetPositionMode, account_id=self.people[place], hedge=True)
        for place in SEVERAL_ASSETS:
            self.story.ok(SetMultiAsset, account_id=self.people[place], on=True)
            self.story.deposit(self.people[place], "perp", "ETH", "5")
        self.wait(1)

    @property
    def engine(self) -> Engine:
        """The engine as it is now."""
        return self.story.engine

    @property
    def commands(self) -> int:
        """How many commands it has obeyed."""
        return len(self.story.commands)

    def act(self, actions: dict[str, Action], name: str, seed: int) -> None:
        """One of the actions; the seed says how."""
        actions[name](self, Random(seed))

    # -- commands ------------------------------------------------------------------------------

    def do(self, kind: type, /, **fields: Any) -> list[AnyEvent]:
        """A command; `check()` has run after it, and all twins are asked."""
        self.charges.begin(self.engine)
        funds = {asset: self._fund(asset) for asset in ("USDT", "BTC")}
        place = len(self.story.commands)
        events = self.story.do(kind, **fields)
        self.note(events)
        self.judge(self.story.commands[place], events, funds)
        return events

    def note(self, events: list[AnyEvent]) -> None:
        """Remember what kinds of things happened."""
        self.seen.update(type(event).__name__ for event in events)
        for event in events:
            if isinstance(event, OrderChanged):
                self.seen[event.happening] += 1
                if event.before is not None:
                    stays = event.before[0] == event.order_id
                    self.seen["changed in its place" if stays else "replaced"] += 1
                if event.reason is not None:
                    self.seen[event.reason.name] += 1
            elif isinstance(event, LiquidationStepped):
                self.seen[f"step {event.step}"] += 1
            elif isinstance(event, FundCovered):
                self.seen[f"cover of {event.fund}"] += 1
            elif isinstance(event, LiquidationEnded):
                self.seen[f"end {event.result}"] += 1
                self.seen[f"end of {_kind(event.scope)}"] += 1
        reason = refusal(events)
        if reason is not None:
            self.seen[reason.name] += 1

    def judge(self, wish: AnyCommand, events: list[AnyEvent], funds: dict[str, int | None]) -> None:
        """What the twins say of the state, and of what was told."""
        engine = self.engine
        agree(engine, events)
        agree_on_decisions(engine, events)
        nobody_is_below_zero(engine)
        self.charges.agree(engine, events)
        for asset, before_minor in funds.items():
            idle = before_minor is not None and self._fund(asset) is not None
            if idle and not _fund_dealt(events):
                fund_changed_by_its_rules(engine, asset, before_minor or 0, events)
        if isinstance(wish, PlaceOrder):
            agree_on_cost(engine, events)
            agree_on_refusal(engine, wish, events)
        accounts = list(customers(engine))
        account = accounts[self.commands % len(accounts)]
        wallet, assets = (
            ("margin", ("USDT", "BTC", "ETH")),
            ("isolated:BTC-USDT", ("USDT", "BTC")),
            ("isolated:ETH-BTC", ("BTC", "ETH")),
        )[self.commands // 5 % 3]
        agree_on_limits(engine, account, wallet, assets[self.commands // 15 % len(assets)])
        if account.multi_asset:
            agree_on_collateral(engine, account, ("USDT", "BTC", "ETH")[self.commands // 5 % 3])

    def _fund(self, asset: str) -> int | None:
        """What the fund of perpetuals has, while it holds no position, and nothing that it will be
        paid for: positions that the house took over, or collateral that it sells."""
        fund, *others = (self.engine.risk.accounts[each] for each in _WORKS_FOR_THE_FUND)
        if any(each.positions for each in (fund, *others)):
            return None
        if any(pocket.minor for each in others for pocket in each.pockets.values()):
            return None
        return fund.minor("perp" if asset == "USDT" else f"perp:{asset}", asset)

    def wait(self, steps: int) -> list[AnyEvent]:
        """Grid points pass; the last by itself, so that what it did can be told from the rest."""
        story = self.story
        story.now_ms = (story.now_ms // GRID_MS) * GRID_MS
        events = []
        while steps > 0:
            # A boundary of the hour is a command of its own, for the twin that watches charges.
            to_hour = (HOUR_MS - story.now_ms % HOUR_MS) // GRID_MS
            pace = 1 if to_hour == 1 else min(max(1, steps - 1), to_hour - 1)
            story.now_ms += pace * GRID_MS
            steps -= pace
            events = self.tick()
        agree_after_scan(self.engine)
        return events

    def tick(self) -> list[AnyEvent]:
        """Time passes, up to what the story's clock shows."""
        return self.do(Tick)

    # -- orders --------------------------------------------------------------------------------

    def order(
        self, person: int, symbol: str, side: Side, size: Fraction, basis_points: int, **more: Any
    ) -> list[AnyEvent]:
        """An order worth `size` USDT, so many basis points above the reference price."""
        instrument = self.engine.instruments[symbol]
        reference = self.prices[instrument.base]
        quote_usdt = self.prices["BTC"] if instrument.quote == "BTC" else Fraction(1)
        price = reference / quote_usdt * (10_000 + basis_points) / 10_000
        fields: dict[str, Any] = {
            "account_id": self.people[person],
            "symbol": symbol,
            "side": side,
            "lots": self.lots(symbol, size),
        }
        if instrument.kind != "spot":
            fields["wallet"] = "perp"
            if self.story.person(self.people[person]).hedge and "position_side" not in more:
                fields["position_side"] = 1 if side is Side.BUY else 2
        if more.pop("by_amount", False):
            fields |= {"lots": 0, "quote_minor": int(size / quote_usdt * E8)}
        if "expire_ms" in more:
            more["expire_ms"] += self.story.now_ms
        if more.get("type", OrderType.LIMIT) not in MARKET_TYPES:
            fields["price_ticks"] = max(1, int(price * E8 / instrument.tick_e8))
        return self.do(PlaceOrder, **(fields | more))

    def lots(self, symbol: str, size: Fraction) -> int:
        """As many lots as are worth so much USDT; one at least."""
        instrument = self.engine.instruments[symbol]
        lot_usdt = Fraction(instrument.face_minor, E8)
        if instrument.kind != "inverse":
            lot_usdt *= self.prices[instrument.base]
        return max(1, int(size / lot_usdt))

    def ticks(self, symbol: str, basis_points: int) -> int:
        """The reference price of an instrument, so many basis points above, in ticks."""
        instrument = self.engine.instruments[symbol]
        price = self.prices[instrument.base] * (10_000 + basis_points) / 10_000
        if instrument.quote == "BTC":
            price /= self.prices["BTC"]
        return max(1, int(price * E8 / instrument.tick_e8))

    # -- snapshots -----------------------------------------------------------------------------

    def restart(self) -> None:
        """Through a snapshot and back: the same state; the copy lives on in its place."""
        engine = self.engine
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(engine.state()))
        copy = Engine.restored(self.story.venue, state)
        copy.check()
        assert copy.digest() == engine.digest()
        self.story.engine = copy
        self.seen["restart"] += 1

    def replay(self) -> None:
        """All commands again, without a restart in between: the same state and the same events."""
        twin = Engine(self.story.venue)
        told = [event for command in self.story.commands for event in twin.apply(command)]
        assert told == self.story.events
        assert twin.digest() == self.engine.digest()


_WORKS_FOR_THE_FUND = (INSURANCE, LIQUIDATION, CONVERSION)


def _kind(scope: str) -> str:
    """Of which kind a scope is, without its names."""
    for start in ("isolated:", "perp/", "perp:"):
        if scope.startswith(start):
            return start
    return scope


def _fund_dealt(events: list[AnyEvent]) -> bool:
    """Whether the fund took over a position, or was paid by multi-asset wallets."""
    took = any(step.step == "fund" for step in of(events, LiquidationStepped))
    earned = any(charge.wallet == "perp" for charge in of(events, InterestCharged))
    return took or earned or bool(of(events, CollateralConverted))
