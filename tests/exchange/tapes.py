"""A data directory written by hand: groups of commands, kept and obeyed as a sequencer would."""

from __future__ import annotations

from pathlib import Path

import msgspec

from exchange.commands import (
    AnyCommand,
    Continue,
    Deposit,
    FeedPrices,
    OpenAccount,
    PlaceOrder,
    Tick,
)
from exchange.engine import Engine
from exchange.events import AnyEvent, Traded
from exchange.groups import encode_group
from exchange.recovery import JOURNAL, SNAPSHOTS, recover
from exchange.snapshot import packed
from exchange.storage.journal import Journal
from exchange.storage.snapshots import SnapshotStore
from exchange.venue import default_venue
from matching.types import Side
from risk.parameters import Venue

START_MS = 1_700_000_000_000
USER = 100  # The first account that is opened.


def venue() -> Venue:
    return default_venue(1, START_MS, symbols=["BTC-USDT", "BTC-USDT-PERP"], prices="fixed")


class Tape:
    """A venue whose commands a test writes itself."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        recovered = recover(directory, venue)
        self.engine: Engine = recovered.engine
        self.journal: Journal = recovered.journal
        self.digests = {self.engine.seq: self.engine.digest()}

    def do(self, *wishes: AnyCommand, ms: int = 0) -> list[list[AnyEvent]]:
        """Keep and obey one group, `ms` after the one before."""
        seq, now_ms = self.engine.seq, self.engine.time_ms + ms
        commands = [
            msgspec.structs.replace(wish, seq=seq + place, time_ms=now_ms)
            for place, wish in enumerate(wishes, start=1)
        ]
        self.journal.append_and_sync(seq + 1, len(commands), encode_group(commands))
        groups = [self.engine.apply(command) for command in commands]
        self.digests[self.engine.seq] = self.engine.digest()
        return groups

    def snapshot(self) -> Path:
        """Write a snapshot of the state as it stands."""
        made = packed(self.engine)
        store = SnapshotStore(self.directory / SNAPSHOTS, keep=10)
        return store.write(made.seq, made.payload, made.digest, chain=self.journal.chain)

    def close(self) -> None:
        self.journal.close()


def order(price: str, lots: int = 10, side: Side = Side.BUY, **more: object) -> PlaceOrder:
    """An order on BTC-USDT at a price in whole USDT; a lot is 0.00001."""
    ticks = int(price) * 100
    return msgspec.structs.replace(
        PlaceOrder(account_id=USER, symbol="BTC-USDT", side=side, lots=lots, price_ticks=ticks),
        **more,
    )


def an_hour_at_the_market(tape: Tape) -> None:
    """Prices, accounts, orders that rest and trade, a position, and time that passes."""
    tape.do(FeedPrices(feed="reference", prices_e8={"BTC": 50_000 * 10**8}, stale_ms=10**12))
    tape.do(OpenAccount(label="one"), OpenAccount(label="two"), ms=10)
    tape.do(Deposit(account_id=USER + 1, wallet="spot", asset="BTC", amount_minor=10**8), ms=10)
    tape.do(*(order(str(49_000 + number), 100) for number in range(5)), ms=700)
    (sold,) = tape.do(order("49003", 150, Side.SELL, account_id=USER + 1), ms=400)
    assert sum(isinstance(event, Traded) for event in sold) == 2
    tape.do(_perp(USER, Side.BUY), _perp(USER + 1, Side.SELL), ms=900)
    for _ in range(4):
        tape.do(Tick(), ms=900_000)
        while tape.engine.pending_work:
            tape.do(Continue())


def _perp(account_id: int, side: Side) -> PlaceOrder:
    return PlaceOrder(
        account_id=account_id,
        symbol="BTC-USDT-PERP",
        side=side,
        lots=20,
        price_ticks=500_000,
        wallet="perp",
        leverage=5,
    )


def journal_of(directory: Path) -> Path:
    return directory / JOURNAL
