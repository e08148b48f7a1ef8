"""The progress bar: one line on a terminal, nothing anywhere else."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, TextIO

from clients.load.driver import Timer
from clients.load.plan import NS_PER_S, Plan
from clients.load.record import Record

EVERY_S: Final = 0.25
WIDTH: Final = 24
_CLEAR: Final = "\r\x1b[2K"


class Progress:
    """Draws on a terminal; on any other stream it keeps silent."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shows = stream.isatty()
        self._task: asyncio.Task[None] | None = None

    def say(self, text: str) -> None:
        """Show this line in place of the one before."""
        if self._shows:
            self._stream.write(_CLEAR + text)
            self._stream.flush()

    def follow(self, plan: Plan, record: Record, timer: Timer) -> None:
        """From now on, show how far the plan is."""
        if self._shows:
            self._task = asyncio.create_task(self._follow(plan, record, timer))

    async def end(self) -> None:
        """Take the line away."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self.say("")

    async def _follow(self, plan: Plan, record: Record, timer: Timer) -> None:
        while True:
            self.say(progress_line(plan, record, timer.now_ns()))
            await asyncio.sleep(EVERY_S)


def progress_line(plan: Plan, record: Record, now_ns: int) -> str:
    """How far it is, and what came so far."""
    share = min(1.0, now_ns / plan.ends_ns)
    full = round(share * WIDTH)
    bar = "#" * full + "." * (WIDTH - full)
    if now_ns < plan.measured_from_ns:
        return f"[{bar}] {share:4.0%}  warming up, {record.warm_up:,} sent"
    left_s = max(0, plan.ends_ns - now_ns) / NS_PER_S
    return (
        f"[{bar}] {share:4.0%}  {record.sent:,} sent, {record.done:,} done,"
        f" {record.refused:,} refused, {len(record.waiting):,} on their way, {left_s:.0f} s left"
    )
