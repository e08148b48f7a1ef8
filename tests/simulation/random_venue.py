"""A venue that Hypothesis drives command by command, and what must hold after each of them."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any, ClassVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from exchange.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    ConvertDust,
    FeedPrices,
    PlaceOrder,
    ResetAccount,
    SetSymbolState,
    Transfer,
)
from exchange.engine import Engine
from exchange.events import AnyEvent
from matching.reasons import Reason
from matching.types import OrderType, Side
from risk.money import E8, E12
from risk.parameters import HOUR_MS, FeeAsset, FeeSchedule, FeeTier
from tests.simulation.agreement import agree, agree_after_scan, agree_on_decisions
from tests.story import START_MS, Story, refusal, small_venue

GRID_MS = 10_000
PEOPLE = st.integers(0, 3)
SPOTS = ("BTC-USDT", "ETH-USDT", "ETH-BTC")
PERPS = ("BTC-USDT-PERP", "ETH-USDT-PERP")
WALLETS = ("spot", "margin", "perp", "isolated:BTC-USDT", "isolated:ETH-USDT", "nowhere")
DEPOSITS = {
    "spot_USDT": "200000",
    "spot_BTC": "2",
    "spot_ETH": "20",
    "margin_USDT": "20000",
    "margin_ETH": "2",
    "isolated:BTC-USDT_USDT": "5000",
    "isolated:ETH-USDT_USDT": "3000",
    "perp_USDT": "20000",
}
SIZES = (Fraction(100), Fraction(3_000), Fraction(40_000))  # In USDT.
TIERS = tuple(
    FeeTier(usdt * E8, maker * E12 // 10_000, taker * E12 // 10_000)
    for usdt, maker, taker in ((0, 2, 10), (2_000, 0, 7), (60_000, -1, 5))
)
GAPS = (-40, -15, -7, -3, -1, 1, 3, 8, 18, 60)  # Percent.


class RandomVenue(RuleBasedStateMachine):
    """Four people, three spot books and two contracts; prices, time and money move at random."""

    seen: ClassVar[Counter[str]] = Counter()

    @initialize(asset=st.sampled_from(("received", "quote")))
    def open(self, asset: FeeAsset) -> None:
        """Ten minutes before a day begins, with tiers that a few trades reach, and rebates."""
        venue = small_venue(
            grid_ms=GRID_MS,
            sample_ms=3 * GRID_MS,
            start_ms=START_MS - HOUR_MS // 6,
            fees=FeeSchedule(spot=TIERS, perp=TIERS, asset=asset),
        )
        perps = [msgspec.structs.replace(each, interval_ms=HOUR_MS) for each in venue.perps]
        self.story = Story(msgspec.structs.replace(venue, perps=tuple(perps)))
        self.people = [self.story.account(f"person {n}", **DEPOSITS) for n in range(4)]
        self.prices = {"BTC": Fraction(50_000), "ETH": Fraction(2_500)}
        self.kept: tuple[bytes, int, int] | None = None
        self.wait(1)

    # -- what happens after every command ------------------------------------------------------

    def do(self, kind: type, **fields: Any) -> list[AnyEvent]:
        """A command; `check()` has run after it, and the reports agree with the twin's sums."""
        events = self.story.do(kind, **fields)
        self.note(events)
        agree(self.story.engine, events)
        return events

    def note(self, events: list[AnyEvent]) -> None:
        self.seen.update(type(event).__name__ for event in events)
        reason = refusal(events)
        if reason is not None:
            self.seen[reason.name] += 1

    def look_around(self, events: list[AnyEvent]) -> None:
        """After a scan: nobody it missed (I9), nobody uncalled (M9), nobody wronged."""
        agree_on_decisions(self.story.engine, events)
        agree_after_scan(self.story.engine)

    # -- time and prices -----------------------------------------------------------------------

    @rule(steps=st.sampled_from([1, 1, 1, 3, 6, 360]))
    def wait(self, steps: int) -> None:
        """Grid points pass; 360 of them cross a funding and an interest boundary."""
        story = self.story
        story.now_ms = (story.now_ms // GRID_MS) * GRID_MS
        # The last of them alone, so that what it did can be told from what came before.
        if steps > 1:
            self.note(story.wait((steps - 1) * GRID_MS))
        events = story.wait(GRID_MS)
        self.note(events)
        self.look_around(events)

    @rule(base=st.sampled_from(["BTC", "ETH"]), percent=st.sampled_from(GAPS))
    def gap(self, base: str, percent: int) -> None:
        """An administrator's price: it acts within its own command."""
        events = self.story.index(base, self.next_price(base, percent))
        self.note(events)
        self.look_around(events)
        agree(self.story.engine, events)

    @rule(
        base=st.sampled_from(["BTC", "ETH"]),
        percent=st.sampled_from([-2, -1, 1, 2]),
        stale_ms=st.sampled_from([0, 10_000, 10**9, 10**9]),
    )
    def feed(self, base: str, percent: int, stale_ms: int) -> None:
        """A feed's price, which may be stale soon: then its index is frozen."""
        price = int(Fraction(self.next_price(base, percent)) * 10**8)
        feed = self.story.venue.feeds[0]
        self.do(FeedPrices, feed=feed, prices_e8={base: price}, stale_ms=stale_ms)
        self.wait(1)

    def next_price(self, base: str, percent: int) -> str:
        """The price moved by so much, within reason, as decimal text."""
        cents = round(self.prices[base] * (100 + percent))
        lowest, highest = (8_000, 400_000) if base == "BTC" else (400, 20_000)
        cents = max(lowest * 100, min(highest * 100, cents))
        self.prices[base] = Fraction(cents, 100)
        return f"{cents // 100}.{cents % 100:02}"

    @rule(
        symbol=st.sampled_from(SPOTS + PERPS),
        state=st.sampled_from(["halt", "cancel_only", "post_only", "trading", "closed"]),
    )
    def restrict(self, symbol: str, state: str) -> None:
        self.do(SetSymbolState, symbol=symbol, state=state)
        self.wait(1)
        if state != "trading":
            self.do(SetSymbolState, symbol=symbol, state="trading")

    # -- money ---------------------------------------------------------------------------------

    @rule(
        person=PEOPLE,
        ways=st.tuples(st.sampled_from(WALLETS), st.sampled_from(WALLETS)),
        asset=st.sampled_from(["USDT", "USDT", "BTC", "ETH", "XYZ"]),
        amount=st.sampled_from([-1, 10**6, 10**9, 10**12]),
    )
    def transfer(self, person: int, ways: tuple[str, str], asset: str, amount: int) -> None:
        self.do(
            Transfer,
            account_id=self.people[person],
            source=ways[0],
            target=ways[1],
            asset=asset,
            amount_minor=amount,
        )

    @rule(person=PEOPLE)
    def convert_dust(self, person: int) -> None:
        self.do(ConvertDust, account_id=self.people[person])

    @rule(person=PEOPLE, doubt=st.integers(0, 5))
    def reset(self, person: int, doubt: int) -> None:
        if doubt:
            return  # Who starts over too often has nothing that could go wrong.
        account = self.story.person(self.people[person])
        self.do(ResetAccount, account_id=account.id)
        assert not any((account.positions, account.loans, account.orders))
        for name, amount in DEPOSITS.items():
            wallet, asset = name.rsplit("_", 1)
            self.story.deposit(account.id, wallet, asset, amount)

    # -- orders that are there -----------------------------------------------------------------

    def an_order(self, person: int, which: int) -> int:
        """The id of one of a person's open orders; an unknown one where there is none."""
        orders = list(self.story.person(self.people[person]).orders)
        return orders[which % len(orders)] if orders else 10**9

    @rule(person=PEOPLE, which=st.integers(0, 5))
    def cancel(self, person: int, which: int) -> None:
        order_id = self.an_order(person, which)
        self.do(CancelOrder, account_id=self.people[person], order_id=order_id)

    @rule(
        person=PEOPLE,
        which=st.integers(0, 5),
        size=st.sampled_from([1, 50, 90, 100, 150]),
        moved=st.sampled_from([0, 0, -30, 5, 40]),
    )
    def amend(self, person: int, which: int, size: int, moved: int) -> None:
        """Size in percent; the price moved by so many hundredths of a percent."""
        account = self.story.person(self.people[person])
        order = account.orders.get(self.an_order(person, which))
        if order is None:
            return
        before = order.state()
        events = self.do(
            AmendOrder,
            account_id=account.id,
            order_id=order.order_id,
            lots=max(1, order.lots * size // 100),
            price_ticks=max(1, order.price_ticks * (10_000 + moved) // 10_000) if moved else 0,
        )
        reason = refusal(events)
        if reason is not None and reason is not Reason.WOULD_TAKE:
            assert order.state() == before  # A refused replacement leaves the old order be.

    @rule(person=PEOPLE, symbol=st.sampled_from(["", *SPOTS, *PERPS]))
    def cancel_all(self, person: int, symbol: str) -> None:
        self.do(CancelAll, account_id=self.people[person], symbol=symbol)

    # -- what is left behind -------------------------------------------------------------------

    @precondition(lambda self: self.kept is None)
    @rule()
    def keep(self) -> None:
        """A snapshot somewhere on the way, as bytes."""
        engine = self.story.engine
        kept = msgspec.msgpack.encode(engine.state())
        self.kept = kept, len(self.story.commands), len(self.story.events)

    def teardown(self) -> None:
        """Replay gives the same state and events; so does going on from a snapshot."""
        if not hasattr(self, "story"):
            return
        story = self.story
        assert _told(Engine(story.venue), story, 0) == (story.engine.digest(), story.events)
        encoded = msgspec.msgpack.encode(story.engine.state())
        copy = Engine.restored(story.venue, msgspec.msgpack.decode(encoded))
        copy.check()
        assert copy.digest() == story.engine.digest()
        if self.kept is not None:
            state, commands, events = self.kept
            copy = Engine.restored(story.venue, msgspec.msgpack.decode(state))
            told = _told(copy, story, commands)
            assert told == (story.engine.digest(), story.events[events:])

    # -- orders --------------------------------------------------------------------------------

    def order(
        self, person: int, symbol: str, side: Side, size: Fraction, basis_points: int, **more: Any
    ) -> list[AnyEvent]:
        """An order near the reference price; `basis_points` from it, or None for the market."""
        story = self.story
        instrument = story.engine.instruments[symbol]
        reference = self.prices[instrument.base]
        quote_usdt = Fraction(1)
        if instrument.quote == "BTC":
            quote_usdt = self.prices["BTC"]
        price = reference / quote_usdt * (10_000 + basis_points) / 10_000
        fields: dict[str, Any] = {
            "account_id": self.people[person],
            "symbol": symbol,
            "side": side,
            "lots": max(1, int(size / reference * 10**8 / instrument.lot_minor)),
        }
        if "expire_ms" in more:
            more["expire_ms"] += story.now_ms
        if more.get("type") is not OrderType.MARKET:
            fields["price_ticks"] = max(1, int(price * 10**8 / instrument.tick_e8))
        return self.do(PlaceOrder, **(fields | more))


def _told(engine: Engine, story: Story, first: int) -> tuple[str, list[AnyEvent]]:
    """The digest and the events of an engine that obeys a story's commands from one of them on."""
    events = [event for command in story.commands[first:] for event in engine.apply(command)]
    return engine.digest(), events
