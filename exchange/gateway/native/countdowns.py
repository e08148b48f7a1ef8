"""The dead-man switch: orders that are cancelled unless their owner goes on asking for time."""

from __future__ import annotations

from exchange.commands import SetCountdown
from exchange.gateway.calls import Caller
from exchange.gateway.doors import Doors
from exchange.gateway.native.asking import account_id_of, obeyed
from exchange.gateway.native.orders import known_instrument
from exchange.wire import CancelAllAfterAsk, CountdownSay


async def cancel_all_after(doors: Doors, ask: CancelAllAfterAsk, caller: Caller) -> CountdownSay:
    """Count down to a moment of the wall, count anew, or (0) no longer."""
    if ask.symbol is not None:
        known_instrument(ask.symbol, doors.board.instruments)
    at_ms = doors.clock.wall_ms() + ask.countdown_ms if ask.countdown_ms else 0
    account_id = account_id_of(caller)
    command = SetCountdown(account_id=account_id, symbol=ask.symbol or "", countdown_ms=at_ms)
    await obeyed(doors, command)
    return CountdownSay(ask.symbol, ask.countdown_ms, at_ms or None)


def left_ms(doors: Doors, account_id: int) -> dict[str, int]:
    """What is left of an account's countdowns in wall time, by symbol; "all" is that of all."""
    now_ms = doors.clock.wall_ms()
    moments = doors.engine.trading.countdowns.of(account_id)
    return {symbol or "all": max(0, at_ms - now_ms) for symbol, at_ms in sorted(moments.items())}
