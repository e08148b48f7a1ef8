"""Stops and take-profits on a venue under random commands: every invariant, replay, recovery."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from exchange.commands import SetSymbolState
from exchange.events import AnyEvent, AuctionUncrossed, OrderChanged
from matching.types import (
    MARKET_TYPES,
    TRIGGER_TYPES,
    OrderType,
    SelfTrade,
    Side,
    TimeInForce,
    TradingState,
    TriggerSource,
)
from tests.simulation.random_venue import PEOPLE, SIZES, RandomVenue
from tests.story import of

EXAMPLES = 60
_DEFAULT_EXAMPLES = settings.get_profile("default").max_examples
KINDS = sorted(TRIGGER_TYPES)
SPOT, PERP = "BTC-USDT", "BTC-USDT-PERP"  # Few books, so that people meet.
HOW: list[dict[str, Any]] = [
    {},
    {},
    {"reduce_only": True},
    {"trigger": TriggerSource.MARK},
    {"trigger": TriggerSource.MARK, "price_protect": True},
    {"price_protect": True},
    {"tif": TimeInForce.GTD, "expire_ms": 25_000},
]


class RandomTriggers(RandomVenue):
    """Four people who trade, guard what they have, and set off each other's stops."""

    def __init__(self) -> None:
        super().__init__()
        self.woken: Counter[int] = Counter()

    def note(self, events: list[AnyEvent]) -> None:
        super().note(events)
        self.seen["uncrossed"] += len(of(events, AuctionUncrossed))
        for told in of(events, OrderChanged):
            self.seen[told.happening] += 1
            if told.happening == "triggered":
                self.woken[told.order_id] += 1
                assert self.woken[told.order_id] == 1, "I12: it woke before"

    @rule(
        person=PEOPLE,
        other=PEOPLE,
        symbol=st.sampled_from([SPOT, PERP, PERP]),
        size=st.sampled_from(SIZES),
        away=st.sampled_from([-90, -60, -20, 0, 20, 60, 90]),
    )
    def meet(self, person: int, other: int, symbol: str, size: Fraction, away: int) -> None:
        """One sells to another, or to whoever bids more: the last price moves."""
        more = {"wallet": "perp"} if symbol == PERP else {}
        self.order(other, symbol, Side.BUY, size, away, **more)
        self.order(person, symbol, Side.SELL, size, away, **more)

    @rule(
        person=PEOPLE,
        symbol=st.sampled_from([SPOT, PERP, PERP]),
        side=st.sampled_from(Side),
        size=st.sampled_from(SIZES),
        away=st.sampled_from([-100, -50, 50, 100]),
        reduce_only=st.booleans(),
    )
    def rest(
        self, person: int, symbol: str, side: Side, size: Fraction, away: int, reduce_only: bool
    ) -> None:
        more = {"wallet": "perp", "reduce_only": reduce_only} if symbol == PERP else {}
        self.order(person, symbol, side, size, away, **more)

    @rule(
        person=PEOPLE,
        symbol=st.sampled_from([SPOT, PERP]),
        side=st.sampled_from(Side),
        size=st.sampled_from(SIZES),
        kind=st.sampled_from(KINDS),
        away=st.sampled_from([-80, -30, -10, 10, 30, 80]),
        further=st.sampled_from([-20, 0, 20]),
        how=st.sampled_from(HOW),
        borrow=st.booleans(),
        trails=st.sampled_from([0, 0, 0, 10, 30]),
    )
    def stop(
        self,
        *,
        person: int,
        symbol: str,
        side: Side,
        size: Fraction,
        kind: OrderType,
        away: int,
        further: int,
        how: dict[str, Any],
        borrow: bool,
        trails: int,
    ) -> None:
        """A trigger `away` basis points from the reference, and its limit `further` than that."""
        more = how | {"type": kind, "trigger_ticks": self.ticks(symbol, away)}
        if symbol == PERP:
            more["wallet"] = "perp"
        elif borrow:
            more |= {"wallet": "margin", "side_effect": 1}
        if kind is OrderType.TRAILING_STOP or trails:
            more["trailing_bps"] = trails or 20
        if trails == 10:  # It follows from the next price on.
            more["trigger_ticks"] = 0
        if kind in MARKET_TYPES:
            more["price_ticks"] = 0
        self.order(person, symbol, side, size, away + further, **more)

    @rule(
        person=PEOPLE,
        kind=st.sampled_from([OrderType.STOP, OrderType.TAKE_PROFIT]),
        away=st.sampled_from([10, 30, 80]),
        source=st.sampled_from(TriggerSource),
    )
    def guard(self, person: int, kind: OrderType, away: int, source: TriggerSource) -> None:
        """What closes a position that the person has, on either side of the market."""
        held = self.story.person(self.people[person]).lots(PERP)
        if not held:
            return
        falls = (kind is OrderType.STOP) == (held > 0)
        ticks = self.ticks(PERP, -away if falls else away)
        side = Side.SELL if held > 0 else Side.BUY
        more = {"type": kind, "trigger": source, "trigger_ticks": ticks, "close_position": True}
        self.order(person, PERP, side, SIZES[0], 0, wallet="perp", price_ticks=0, lots=0, **more)

    @rule(
        symbol=st.sampled_from([SPOT, PERP]),
        orders=st.lists(
            st.tuples(
                PEOPLE,
                st.sampled_from(Side),
                st.sampled_from(SIZES),
                st.sampled_from([-60, -20, 0, 20, 60]),
                st.sampled_from(SelfTrade),
            ),
            min_size=2,
            max_size=6,
        ),
        wait_ms=st.sampled_from([0, 6_000]),
    )
    def auction(
        self,
        symbol: str,
        orders: list[tuple[int, Side, Fraction, int, SelfTrade]],
        wait_ms: int,
    ) -> None:
        """A book collects what people bid and ask, for a while, and opens."""
        more: dict[str, Any] = {"wallet": "perp"} if symbol == PERP else {}
        self.note(self.story.do(SetSymbolState, symbol=symbol, state="auction"))
        for person, side, size, away, stp in orders:
            self.order(person, symbol, side, size, away, stp=stp, **more)
        self.note(self.story.wait(wait_ms))
        self.note(self.story.do(SetSymbolState, symbol=symbol, state="trading"))
        assert self.story.engine.trading.states[symbol] is TradingState.TRADING

    def ticks(self, symbol: str, basis_points: int) -> int:
        """The reference price, moved by so much."""
        instrument = self.story.engine.instruments[symbol]
        price = self.prices[instrument.base] * (10_000 + basis_points) / 10_000
        return int(price * 10**8 / instrument.tick_e8)


@pytest.mark.timeout(1_200)
def test_i8_i12_i13_stops_wake_once_and_leave_a_sound_venue() -> None:
    RandomTriggers.seen = Counter()
    chosen = settings().max_examples
    options = settings(
        max_examples=EXAMPLES if chosen == _DEFAULT_EXAMPLES else chosen // 4,
        stateful_step_count=80,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(RandomTriggers, settings=options)
    expected = {"triggered", "amended", "WOULD_TRIGGER", "Traded", "uncrossed"}
    assert expected <= {name for name, count in RandomTriggers.seen.items() if count}
