"""What a run consisted of: commands by kind, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from exchange.commands import AnyCommand, PlaceOrder
from exchange.events import (
    Answered,
    AnyEvent,
    FundingCharged,
    InterestCharged,
    LiquidationStarted,
    MarginCalled,
    Traded,
)
from matching.types import TRIGGER_TYPES, OrderType, TimeInForce

_COUNTED: Final = {
    Traded: "trades",
    FundingCharged: "funding_charges",
    InterestCharged: "interest_charges",
    LiquidationStarted: "liquidations",
    MarginCalled: "margin_calls",
}


class Tally:
    """Counts commands and their events, so that a flow states what it was made of."""

    def __init__(self) -> None:
        self.commands = 0
        self.events = 0
        self.kinds: Counter[str] = Counter()
        self.wallets: Counter[str] = Counter()  # Of orders placed.
        self.rejects: Counter[str] = Counter()  # By reason.
        self.happened: Counter[str] = Counter()

    def count(self, commands: Sequence[AnyCommand], told: Iterable[list[AnyEvent]]) -> None:
        """Count a chunk of commands and the events of each."""
        for command, events in zip(commands, told, strict=True):
            self.commands += 1
            self.events += len(events)
            self.kinds[kind_of(command)] += 1
            if isinstance(command, PlaceOrder):
                self.wallets[command.wallet.partition(":")[0]] += 1
            answer = events[-1]
            assert isinstance(answer, Answered)
            if answer.reason is not None:
                self.rejects[answer.reason.name] += 1
            for event in events:
                name = _COUNTED.get(type(event))
                if name is not None:
                    self.happened[name] += 1

    def mix(self) -> dict[str, Any]:
        """Counts by kind, which add up to the commands, and shares of the whole."""
        margin = self.wallets["margin"] + self.wallets["isolated"]
        rejects = sum(self.rejects.values())
        return {
            "kinds": dict(sorted(self.kinds.items())),
            "order_wallets": dict(sorted(self.wallets.items())),
            "rejects_by_reason": dict(self.rejects.most_common()),
            **{name: self.happened[name] for name in _COUNTED.values()},
            "rejects": rejects,
            "share_of_fills": self._share(self.happened["trades"]),
            "share_of_rejects": self._share(rejects),
            "share_of_margin_orders": self._share(margin),
            "share_of_perpetual_orders": self._share(self.wallets["perp"]),
        }

    def _share(self, count: int) -> float:
        return round(count / self.commands, 4) if self.commands else 0.0


def kind_of(command: AnyCommand) -> str:
    """The kind of a command as the mix names it; orders by the way they execute."""
    if not isinstance(command, PlaceOrder):
        return type(command).__name__
    way = "limit"
    if command.type in TRIGGER_TYPES:
        way = "stop"
    elif command.reduce_only:
        way = "reduce_only"
    elif command.type is OrderType.MARKET:
        way = "market"
    elif command.post_only:
        way = "post_only"
    elif command.tif is not TimeInForce.GTC:
        way = command.tif.name.lower()
    return f"PlaceOrder.{way}"
