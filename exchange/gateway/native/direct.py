"""Operations that are one command: begun at once, answered by a call, and no task for either.

Most of what a bot asks is of this kind, and a task and a future for each cost as much as the
matching of an order.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from exchange.commands import AnyCommand, PlaceOrder
from exchange.events import AnyEvent
from exchange.gateway.calls import Caller
from exchange.gateway.doors import Doors
from exchange.gateway.native.asking import Done, refused
from exchange.gateway.native.trading import (
    amend_wish,
    cancel_wish,
    changed,
    ordered,
    place_wish,
    placed_before,
)
from exchange.wire import PlacedSay

# What came of an operation: its result, one that is yet to be awaited, or why there is none.
Outcome = Any | Coroutine[Any, Any, Any] | Exception
Tell = Callable[[Outcome], None]


class Direct(NamedTuple):
    """`wish` makes the command (an ApiError refuses it), `told` says what came of it."""

    wish: Callable[[Doors, Any, Caller], AnyCommand]
    told: Callable[[Doors, Done, Any], Any]


def _placed(
    doors: Doors, done: Done, command: PlaceOrder
) -> PlacedSay | Coroutine[Any, Any, PlacedSay]:
    if done.answer.repeated:  # It may be long gone from memory.
        return placed_before(doors, command.account_id, done.answer.result_id)
    return changed(doors, done, command.account_id, done.answer.result_id)


DIRECT: Final[dict[str, Direct]] = {
    "order.place": Direct(place_wish, _placed),
    "order.cancel": Direct(cancel_wish, ordered),
    "order.amend": Direct(amend_wish, ordered),
}


class Told:
    """A command under way for somebody (`exchange.answering.Answer`): `tell` hears what came."""

    __slots__ = ("_command", "_direct", "_doors", "_tell")

    def __init__(self, doors: Doors, direct: Direct, command: AnyCommand, tell: Tell) -> None:
        self._doors = doors
        self._direct = direct
        self._command = command
        self._tell = tell

    def done(self) -> bool:
        """Whether nobody waits any more; an answer to a connection that is gone does no harm."""
        return False

    def set_result(self, events: list[AnyEvent]) -> None:
        """The command was obeyed, or refused."""
        outcome: Outcome
        try:
            done = Done(events)
            if done.answer.reason is not None:
                outcome = refused(self._doors, done.answer, self._command)
            else:
                outcome = self._direct.told(self._doors, done, self._command)
        except Exception as error:
            outcome = error
        self._tell(outcome)

    def set_exception(self, error: Exception) -> None:
        """Nobody knows whether it was."""
        self._tell(error)
