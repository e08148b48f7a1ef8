"""Who waits for what comes of a command: a future, or whoever wants to be called at once."""

from __future__ import annotations

from typing import Protocol

from exchange.events import AnyEvent


class Answer(Protocol):
    """What the sequencer tells; `asyncio.Future` is one. Nothing of it may raise."""

    def done(self) -> bool:
        """Whether nobody waits any more."""

    def set_result(self, events: list[AnyEvent], /) -> None:
        """The command was obeyed, or refused: its events, the answer last."""

    def set_exception(self, error: Exception, /) -> None:
        """Nobody knows whether it was."""
