"""The administrator's: index prices, the clock, trading states."""

from __future__ import annotations

import math

from exchange.clock import Clock, FollowingClock, ScaledClock, SteppedClock
from exchange.commands import SetSymbolState
from exchange.gateway.calls import ApiError, Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.amounts import index_command
from exchange.gateway.native.asking import obeyed
from exchange.gateway.native.asks import (
    IndexSay,
    PairPriceAsk,
    SymbolStateAsk,
    SymbolStateSay,
)
from exchange.gateway.native.market import time_say
from exchange.gateway.native.orders import known_instrument
from exchange.wire import ClockAsk, TimeSay
from matching.instrument import amount_text
from matching.reasons import Reason


async def set_index(doors: Doors, ask: PairPriceAsk, caller: Caller) -> IndexSay:
    """An index price; index and mark have moved when this answers."""
    base, dash, quote = ask.pair.partition("-")
    if not dash or not base or not quote:
        raise refusal(
            Reason.UNKNOWN_SYMBOL, "a pair is written as BTC-USDT", field="pair", given=ask.pair
        )
    command = index_command(base, quote, ask.price)
    await obeyed(doors, command)
    return IndexSay(pair=ask.pair, price=amount_text(command.price_e8))


async def set_state(doors: Doors, ask: SymbolStateAsk, caller: Caller) -> SymbolStateSay:
    """A trading state."""
    known_instrument(ask.symbol, doors.board.instruments)
    await obeyed(doors, SetSymbolState(symbol=ask.symbol, state=ask.state))
    return SymbolStateSay(symbol=ask.symbol, state=doors.board.states[ask.symbol])


async def set_clock(doors: Doors, ask: ClockAsk, caller: Caller) -> TimeSay:
    """Speed, pause and step of exchange time; a step is done, all that fell due in it included."""
    if ask.speed is None and ask.pause is None and ask.step_ms is None:
        raise refusal(Reason.MISSING_FIELD, "name speed, pause or step_ms", field="speed")
    clock = doors.clock
    if isinstance(clock, ScaledClock):
        _run_or_pause(clock, ask)
        doors.sequencer.retime()
    elif not isinstance(clock, SteppedClock) or ask.speed is not None or ask.pause is False:
        raise ApiError(
            Reason.NOT_ALLOWED_NOW.name,
            _why_not(clock),
            {},
            409,
        )
    if ask.step_ms is not None:
        await doors.sequencer.step(ask.step_ms)
    return time_say(doors)


def _why_not(clock: Clock) -> str:
    if isinstance(clock, SteppedClock):
        return "this clock only moves by step_ms"
    if isinstance(clock, FollowingClock):
        return "exchange time is kept by the core: start that with --speed X to have another"
    return "exchange time is the wall's here; start with --speed X to set, pause or step it"


def _run_or_pause(clock: ScaledClock, ask: ClockAsk) -> None:
    if ask.speed is not None:
        assert math.isfinite(ask.speed), "the record has an upper bound"
        clock.set_speed(ask.speed)
    if ask.pause is not None:
        (clock.pause if ask.pause else clock.resume)()
