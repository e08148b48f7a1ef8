"""Tests of verify and recovery on a journal that has some of everything in it (I13).

A story is told twice: by hand, and by the real sequencer into a real journal, which stamps what was
asked anew and adds the ticks and slices itself. What it kept is then verified and recovered.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exchange.clock import SteppedClock
from exchange.commands import (
    AnyCommand,
    Borrow,
    CancelAll,
    CancelReplace,
    Continue,
    PlaceOrder,
    SetCountdown,
    SetMarginMode,
    SetPositionMode,
    Tick,
)
from exchange.engine import Engine
from exchange.events import AnyEvent, LiquidationStepped, OrderChanged
from exchange.recovery import SNAPSHOTS, recover
from exchange.sequencer import Sequencer
from exchange.snapshot import packed
from exchange.storage.snapshots import SnapshotStore
from exchange.verify import SnapshotVerdict, replay, verify
from matching.reasons import Reason
from matching.types import OrderType, Side, TriggerSource
from risk.account import LONG, SHORT
from risk.parameters import Venue
from tests.risk.stories import BTC, BTC_PERP, ETH_PERP, MINUTE, rich, slow_venue, trader
from tests.story import START_MS, Story, answer, refusal, units

COIN_PERP = "BTC-USD-PERP"
HOUR = 60 * MINUTE


def _venue() -> Venue:
    """A poor fund, an hour before midnight, one look at prices a minute."""
    venue = slow_venue(
        symbols=(BTC, "ETH-USDT", BTC_PERP, ETH_PERP, COIN_PERP),
        insurance_minor=units("5000"),
        coin_insurance=(),
    )
    return msgspec.structs.replace(venue, start_ms=START_MS + 23 * HOUR)


def _churn(story: Story, other: int) -> None:
    """As much is traded back and forth as makes another fee tier."""
    dealer = rich(story)
    for one, two in ((dealer, other), (other, dealer)):
        assert refusal(story.sell(one, BTC_PERP, "200", "50000")) is None
        assert refusal(story.buy(two, BTC_PERP, "200", "50000")) is None


def _hedge(story: Story, other: int) -> None:
    """Two isolated legs, the long of which ends when the price falls."""
    both = story.account("both", perp_USDT="6000")
    story.ok(SetPositionMode, account_id=both, hedge=True)
    story.ok(SetMarginMode, account_id=both, symbol=BTC_PERP, isolated=True)
    for leg, side, qty in ((LONG, Side.BUY, "0.2"), (SHORT, Side.SELL, "0.1")):
        more = {"position_side": leg, "leverage": 20}
        assert refusal(story.place(both, side, BTC_PERP, qty, "50000", **more)) is None
        assert refusal(story.place(other, side.opposite, BTC_PERP, qty, "50000")) is None
        story.place(both, side, BTC_PERP, "0.01", "45000" if leg == LONG else "55000", **more)


def _stops(story: Story, other: int) -> None:
    """A stop on the last price and a take-profit on the mark, of spot and of a contract."""
    careful = story.account("careful", spot_BTC="1", perp_USDT="20000")
    assert refusal(story.sell(careful, ETH_PERP, "2", "2500")) is None
    assert refusal(story.buy(other, ETH_PERP, "2", "2500")) is None
    stop = {"type": OrderType.STOP, "trigger_ticks": 4_800_000}
    assert refusal(story.sell(careful, BTC, "0.5", **stop)) is None
    take = {"type": OrderType.TAKE_PROFIT, "trigger_ticks": 230_000, "reduce_only": True}
    take["trigger"] = TriggerSource.MARK
    assert refusal(story.buy(careful, ETH_PERP, "2", **take)) is None


def _victims(story: Story, other: int) -> None:
    """A long and an inverse long, each too large for the fund."""
    long = story.account("long", perp_USDT="5000")
    assert refusal(story.sell(other, BTC_PERP, "2", "50000")) is None
    assert refusal(story.buy(long, BTC_PERP, "2", "50000", leverage=50)) is None
    coins = {"perp:BTC_BTC": "0.6"}
    inverse, short = story.account("coins", **coins), story.account("s", **{"perp:BTC_BTC": "10"})
    assert refusal(story.sell(short, COIN_PERP, "6000", "50000")) is None
    assert refusal(story.buy(inverse, COIN_PERP, "6000", "50000", leverage=50)) is None


def _margin(story: Story) -> None:
    """A loan by an order whose rest expires, and one by hand that is liquidated later."""
    seller = trader(story)
    story.sell(seller, BTC, "0.05", "49900")
    levered = story.account("levered", margin_USDT="1000", margin_ETH="2")
    wish: dict[str, Any] = {"wallet": "margin", "side_effect": 1}
    assert refusal(story.buy(levered, BTC, quote_minor=units("5000"), **wish)) is None
    amount = units("3000")
    story.ok(Borrow, account_id=levered, wallet="margin", asset="USDT", amount_minor=amount)
    story.buy(levered, BTC, "0.02", "49000", wallet="margin")


def _switched(story: Story) -> int:
    """A bid in another's stead, whose owner sets a countdown and is not heard of again."""
    silent = trader(story)
    old = answer(story.buy(silent, BTC, "0.01", "20000")).result_id
    place = PlaceOrder(
        account_id=silent, symbol=BTC, side=Side.BUY, lots=1_000, price_ticks=2_100_000
    )
    story.ok(CancelReplace, account_id=silent, order_id=old, place=place)
    story.ok(SetCountdown, account_id=silent, countdown_ms=START_MS)
    return silent


def _first_half() -> tuple[Story, int]:
    story = Story(_venue())
    story.wait(MINUTE)  # From the first look on there are marks.
    other = rich(story)
    _churn(story, other)
    _hedge(story, other)
    _stops(story, other)
    _victims(story, other)
    _margin(story)
    silent = _switched(story)
    story.wait(2 * HOUR)  # Over midnight: a day of fees, an hour of funding and two of interest.
    return story, silent


def _second_half(story: Story, silent: int) -> None:
    """Prices fall in two steps: legs, coins, margin and stops all come to their turn."""
    story.ok(CancelAll, account_id=silent, countdown_ms=START_MS)
    buyer = trader(story)
    story.buy(buyer, BTC, "0.01", "47900")
    story.sell(trader(story), BTC, "0.01", "47900")
    story.index("ETH", "2200")
    story.index("BTC", "46000")
    story.wait(3 * MINUTE)
    story.index("ETH", "100")  # What stands behind the loans is worth little more than they.
    story.index("BTC", "30000")
    story.wait(30 * MINUTE)


async def _sequenced(
    directory: Path, commands: list[AnyCommand], half: int
) -> tuple[Engine, int, list[AnyEvent]]:
    """Submit what was asked at its times; a snapshot in the middle: (engine, its seq, events)."""
    recovered = recover(directory, _venue)
    engine, journal = recovered.engine, recovered.journal
    sequencer = Sequencer(
        engine, journal, SteppedClock(engine.time_ms), grid_ms=engine.venue.grid_ms
    )
    told: list[AnyEvent] = []
    sequencer.listeners.append(lambda groups: told.extend(e for events in groups for e in events))
    running = asyncio.create_task(sequencer.run())
    seq = 0

    def keep() -> int:
        made = packed(engine)
        store = SnapshotStore(directory / SNAPSHOTS)
        store.write(made.seq, made.payload, made.digest, chain=journal.chain)
        return made.seq

    for place, command in enumerate(commands):
        if place == half:
            seq = await sequencer.between_groups(keep)
        await sequencer.step(max(0, command.time_ms - sequencer.clock.now_ms()))
        if not isinstance(command, (Tick, Continue)):
            await sequencer.submit(command)
    sequencer.stop()
    await running
    journal.close()
    return engine, seq, told


async def test_i13_a_rich_journal_verifies_and_comes_back_from_its_middle_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.recovery.TAIL_COMMANDS_MIN", 0)  # However short the tail.
    story, silent = _first_half()
    half = len(story.commands)
    _second_half(story, silent)
    engine, seq, told = await _sequenced(tmp_path, story.commands, half)
    engine.check()
    assert 0 < seq < engine.seq

    report = verify(tmp_path)
    assert report.ok, report.problems
    assert report.digest == engine.digest()
    assert report.snapshots == [SnapshotVerdict(seq, True)]

    middle = recover(tmp_path, _venue)  # It starts from the snapshot.
    middle.journal.close()
    assert (middle.from_seq, middle.replayed) == (seq, engine.seq - seq)
    assert middle.engine.digest() == engine.digest()
    (tmp_path / SNAPSHOTS / f"{seq:020d}.snapshot").unlink()
    whole = replay(tmp_path)
    assert (whole.from_seq, whole.commands) == (0, engine.seq)
    assert whole.engine.digest() == engine.digest()

    # There was some of everything in it.
    happened = {type(event).__name__ for event in told}
    assert happened >= {
        "Deleveraged",
        "FeeTierChanged",
        "FundingCharged",
        "InterestCharged",
        "LiquidationEnded",
        "LoanChanged",
    }
    steps = {(each.step, each.symbol) for each in told if isinstance(each, LiquidationStepped)}
    assert steps >= {("fund", BTC_PERP), ("adl", BTC_PERP), ("adl", COIN_PERP)}
    scopes = {each.scope for each in told if isinstance(each, LiquidationStepped)}
    assert scopes >= {f"perp/{BTC_PERP}/LONG", "perp", "perp:BTC", "margin"}
    woken = {
        each.symbol
        for each in told
        if isinstance(each, OrderChanged) and each.happening == "triggered"
    }
    assert woken == {BTC, ETH_PERP}
    reasons = {each.reason for each in told if isinstance(each, OrderChanged)}
    assert Reason.CANCEL_ALL_AFTER in reasons
