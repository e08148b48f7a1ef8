"""The engine and its twin, given the same commands: event by event they must tell the same."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import msgspec

from exchange.commands import AnyCommand, Continue, Deposit, OpenAccount
from exchange.engine import Engine
from exchange.events import (
    Answered,
    AnyEvent,
    AuctionIndicated,
    AuctionUncrossed,
    Filled,
    OrderChanged,
    OrderListChanged,
    SymbolStateChanged,
    Traded,
)
from matching.types import Side
from tests.twin.market import BOUNDS, PERP, Bounds, venue_of
from tests.twin.twin_commands import Twin, levels
from tests.twin.twin_state import Told

RICH_MINOR = 10**16
POCKETS = (("spot", "USDT"), ("spot", "BTC"), ("perp", "USDT"))
WHOLE_EVERY = (
    25  # Commands, after which books, positions and the engine's own checks are looked at.
)


class Duel:
    """Engine and twin side by side, and what was seen of them."""

    def __init__(self, people: int = 4, bounds: dict[str, Bounds] = BOUNDS) -> None:
        venue = venue_of(bounds)
        self.engine = Engine(venue)
        self.now_ms = venue.start_ms
        self.commands: list[AnyCommand] = []
        self.seen: Counter[str] = Counter()
        self.digest = hashlib.blake2b(digest_size=16)
        self.people = [self._rich(n) for n in range(people)]
        self.twin = Twin(bounds, venue.start_ms)
        self.twin.countdowns = {}

    def _rich(self, n: int) -> int:
        """An account that nothing is refused to for want of money."""
        opened = self._apply(OpenAccount(label=f"person {n}"))[-1]
        assert isinstance(opened, Answered)
        for wallet, asset in POCKETS:
            what: dict[str, Any] = {"wallet": wallet, "asset": asset}
            self._apply(Deposit(account_id=opened.result_id, amount_minor=RICH_MINOR, **what))
        return opened.result_id

    def _apply(self, command: AnyCommand) -> list[AnyEvent]:
        """A command and all its pending work; the answer last."""
        stamped = self._stamped(command)
        events = self.engine.apply(stamped)
        told = events[:-1]
        while self.engine.pending_work:
            told += self.engine.apply(self._stamped(Continue()))[:-1]
        return [*told, events[-1]]

    def _stamped(self, command: Any) -> Any:
        return msgspec.structs.replace(command, seq=self.engine.seq + 1, time_ms=self.now_ms)

    def do(self, command: AnyCommand, wait_ms: int = 0) -> list[Told]:
        """Give both a command, after a while; what both told."""
        self.now_ms += wait_ms
        stamped = self._stamped(command)
        self.commands.append(stamped)
        mine = [each for event in self._apply(command) if (each := told_by(event))]
        its = self.twin.obey(stamped)
        if mine != its:
            raise AssertionError(difference(stamped, mine, its))
        self.digest.update(repr(mine).encode())
        self._note(stamped, its)
        if len(self.commands) % WHOLE_EVERY == 0:
            self.compare_whole()
        return its

    def compare_whole(self) -> None:
        """Books, open orders and positions are the same, and the engine finds itself sound."""
        self.engine.check()
        for symbol, board in self.twin.boards.items():
            book = self.engine.books[symbol]
            for side in Side:
                assert book.levels(side, 999) == levels(board)[side.name], (symbol, side)
                for ticks, _ in levels(board)[side.name]:
                    line = [order.order_id for order in book.queue(side, ticks)]
                    assert line == board.book.queue(side, ticks), (symbol, side, ticks)
        for account_id in self.people:
            account = self.engine.risk.accounts[account_id]
            assert list(account.orders) == [o.order_id for o in self.twin.open_orders(account_id)]
            assert account.lots(PERP) == self.twin.positions.get(account_id, 0)

    def _note(self, command: AnyCommand, told: list[Told]) -> None:
        self.seen[type(command).__name__] += 1
        for what, *more in told:
            self.seen[what] += 1
            for word in more:
                if isinstance(word, str):
                    self.seen[f"{what} {word}"] += 1


def told_by(event: AnyEvent) -> Told | None:
    """What an event says of orders, trades, lists, auctions and answers; None of all the rest."""
    match event:
        case OrderChanged():
            return _order(event)
        case Traded():
            ids = event.maker_order_id, event.taker_order_id
            what = (event.symbol, event.trade_id, event.price_ticks, event.lots)
            return ("trade", *what, event.taker_side.name, *ids)
        case Filled():
            order = (event.symbol, event.trade_id, event.order_id, event.side.name)
            return ("fill", event.account_id, *order, event.price_ticks, event.lots, event.maker)
        case OrderListChanged():
            legs = [(order_id, status.name) for order_id, _, status in event.legs]
            who = (event.account_id, event.list_id, event.symbol, event.kind.name)
            reason = event.reason.name if event.reason else None
            return ("list", *who, event.status.name, reason, legs, event.bracket)
        case SymbolStateChanged():
            return ("state", event.symbol, event.state)
        case AuctionIndicated():
            return ("indicated", event.symbol, *_found(event))
        case AuctionUncrossed():
            return ("uncrossed", event.symbol, *_found(event))
        case Answered():
            more = [event.details["cancel_refused"]] if "cancel_refused" in event.details else []
            return ("answer", event.reason.name if event.reason else None, event.result_id, *more)
    return None


def _found(event: AuctionIndicated | AuctionUncrossed) -> tuple[int, int, int]:
    return event.price_ticks, event.lots, event.imbalance_lots


def _order(event: OrderChanged) -> Told:
    return (
        *("order", event.happening, event.account_id, event.order_id, event.symbol),
        *(event.side.name, event.type.name, event.tif.name),
        *(event.price_ticks, event.lots, event.filled_lots, event.filled_units),
        *(event.prevented_lots, event.open_lots, event.status.name),
        event.reason.name if event.reason else None,
        *(event.trigger_ticks, event.triggered_ms, event.iceberg_lots, event.list_id),
        *(event.post_only, event.reduce_only, event.placed_ms),
        event.before,
    )


def difference(command: AnyCommand, mine: list[Told], its: list[Told]) -> str:
    """Where engine and twin part."""
    lines = [f"after {command}"]
    for place in range(max(len(mine), len(its))):
        left = mine[place] if place < len(mine) else "nothing"
        right = its[place] if place < len(its) else "nothing"
        if left == right:
            lines.append(f"  both   {left}")
        else:
            lines += [f"  engine {left}", f"  twin   {right}"]
            break
    return "\n".join(lines)
