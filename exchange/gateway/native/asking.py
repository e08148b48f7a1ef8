"""A command sent to the engine on behalf of a caller, and what came of it."""

from __future__ import annotations

from typing import Any

from exchange.commands import AnyCommand
from exchange.events import Answered, AnyEvent
from exchange.gateway.calls import ApiError, Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.hints import hint
from exchange.why.numbers import texts
from matching.reasons import Reason
from risk.account import Account


class Done:
    """A command that was obeyed: its events, and the answer at their end."""

    __slots__ = ("answer", "events")

    def __init__(self, events: list[AnyEvent]) -> None:
        answer = events[-1]
        assert isinstance(answer, Answered), "the last event answers the command"
        self.events = events
        self.answer = answer

    def of(self, kind: type[Any], **wanted: Any) -> list[Any]:
        """The events of one kind whose fields have these values, in their order."""
        return [
            event
            for event in self.events
            if type(event) is kind
            and all(getattr(event, name) == value for name, value in wanted.items())
        ]


async def obeyed(doors: Doors, command: AnyCommand) -> Done:
    """Submit a command and wait until it is durable and done; a refusal is an ApiError."""
    done = Done(await doors.sequencer.submit(command))
    if done.answer.reason is not None:
        raise refused(doors, done.answer, command)
    return done


def refused(doors: Doors, answer: Answered, command: AnyCommand) -> ApiError:
    """A refusal with its numbers as text, what would help, and by what to ask `why`."""
    assert answer.reason is not None
    error = refusal(answer.reason, hint(answer.reason, command, doors.engine.risk))
    instrument = doors.board.instruments.get(str(answer.details.get("symbol", "")))
    error.details.update(texts(answer.details, instrument, doors.engine.venue.quote))
    if answer.asker_id and doors.desk.is_user(answer.asker_id):
        error.details["why"] = f"reject/{answer.seq}"
    return error


def account_id_of(caller: Caller) -> int:
    """The caller's account; NOT_AUTHENTICATED where it speaks for none."""
    if caller.account_id is None:
        raise refusal(Reason.NOT_AUTHENTICATED)
    return caller.account_id


def account_of(doors: Doors, caller: Caller) -> Account:
    """The caller's account as the engine has it; it is read, never changed."""
    account = doors.engine.risk.accounts.get(account_id_of(caller))
    if account is None:
        raise refusal(Reason.UNKNOWN_ACCOUNT)
    return account
