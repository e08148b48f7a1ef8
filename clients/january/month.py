"""The month under way: time, the traders, and what the auditor said at every step."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clients.api import Papertape
from clients.errors import PapertapeError
from clients.january.people import Trader
from clients.january.progress import Progress
from clients.january.report import Fate, fate_of
from clients.january.server import Server
from clients.january.tape import utc

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
POLL_S: Final = 0.5
# How far into a step the exchange is killed: it should be hard at work.
KILLED_AFTER_S: Final = 0.05


@dataclass(frozen=True)
class Plan:
    """From when to when, how fast (None: in lock-step), and whether the exchange is killed."""

    begin_ms: int
    end_ms: int
    speed: float | None = None
    kill: bool = False
    agent_step_ms: int = MINUTE_MS

    @property
    def step_ms(self) -> int:
        """How far one step of lock-step goes: an hour, or less where agents are busier."""
        return max(MINUTE_MS, HOUR_MS * self.agent_step_ms // MINUTE_MS)

    @property
    def middle_ms(self) -> int:
        """When the exchange is killed."""
        return (self.begin_ms + self.end_ms) // 2


class Month:
    """`async with`: `live` through it, then ask for the `fates`.

    `now_ms` is how far it came, `problems` what the auditor found wrong in `audits` audits.
    """

    def __init__(
        self, server: Server, plan: Plan, traders: Sequence[Trader], progress: Progress
    ) -> None:
        self.now_ms = 0
        self.audits = 0
        self.problems: list[str] = []
        self.server = server
        self._plan = plan
        self._traders = traders
        self._progress = progress
        self._audited_seq = -1
        self._asked_to_stop = False
        self._admin = Papertape(server.url, admin_key=server.admin_key)

    async def __aenter__(self) -> Month:
        return self

    async def __aexit__(self, *_how: object) -> None:
        for trader in self._traders:
            await trader.leave()
        await self._admin.close()

    def ask_to_stop(self) -> None:
        """End the month where it is, behind the step under way."""
        self._asked_to_stop = True

    async def live(self) -> None:
        """From the first moment of the market to the end of the month, or to where it is stopped.

        PapertapeError where the exchange refuses something or is gone.
        """
        plan = self._plan
        if plan.speed is not None:
            await self._admin.set_clock(pause=True)
        await self._step_to(plan.begin_ms)
        for trader in self._traders:
            if self._asked_to_stop:
                return
            await trader.enter(self.server.url)
        self._progress.say(f"{len(self._traders)} positions are open at {utc(self.now_ms)}")
        if plan.kill:
            await self._pass(plan.middle_ms)
            await self._kill_and_restart()
        await self._pass(plan.end_ms)

    async def fates(self) -> list[Fate]:
        """What became of those who took a position."""
        fates = []
        for trader in self._traders:
            if trader.placed is None or trader.client is None:
                continue
            await trader.heard_all()
            pnl = await trader.client.pnl()
            fates.append(fate_of(trader, pnl))
        return fates

    # -- time ----------------------------------------------------------------------------------

    async def _pass(self, until_ms: int) -> None:
        """Let time come to a moment: at the speed that was asked for, or in lock-step."""
        speed = self._plan.speed
        if speed is not None and not self._asked_to_stop:
            await self._admin.set_clock(speed=speed, pause=False)
            # The last stretch is stepped, so that the month ends when it ends.
            last_ms = until_ms - round(2_000 * POLL_S * speed)
            while await self._time() < last_ms and not self._asked_to_stop:
                await self._look()
                await asyncio.sleep(POLL_S)
            await self._admin.set_clock(pause=True)
            await self._look()
        await self._step_to(until_ms)

    async def _step_to(self, until_ms: int) -> None:
        """Time moves only when told, and only as far; the steps end at round moments."""
        step_ms = self._plan.step_ms
        now_ms = await self._time()
        while now_ms < until_ms and not self._asked_to_stop:
            to_ms = min(now_ms - now_ms % step_ms + step_ms, until_ms)
            await self._admin.set_clock(step_ms=to_ms - now_ms)
            await self._look()
            now_ms = await self._time()

    async def _time(self) -> int:
        self.now_ms = (await self._admin.time()).exchange_time
        self._progress.at(self.now_ms)
        return self.now_ms

    async def _look(self) -> None:
        """Hear the auditor; it looks at most once a second."""
        audit = await self._admin.audit()
        if audit.checked_at_seq == self._audited_seq:
            return
        self._audited_seq = audit.checked_at_seq
        self.audits += 1
        found = [f"{each.invariant}: {each.says}" for each in audit.violations]
        found += [f"{name} lacks {missing}" for name, missing in audit.deficits.items()]
        for problem in found:
            if problem not in self.problems:
                self.problems.append(problem)
                self._progress.say(f"{utc(self.now_ms)}: the auditor found: {problem}")

    # -- the kill ------------------------------------------------------------------------------

    async def _kill_and_restart(self) -> None:
        """SIGKILL while the exchange is at work, and a second start on what it kept."""
        if self._asked_to_stop:
            return
        working = asyncio.create_task(self._admin.set_clock(step_ms=self._plan.step_ms))
        await asyncio.wait([working], timeout=KILLED_AFTER_S)
        await self.server.kill()
        try:
            await working
        except PapertapeError:
            how = "in the middle of a step"
        else:
            how = "between two steps"
        await self.server.start()
        now_ms = await self._time()
        self._progress.say(f"killed {how} and started again at {utc(now_ms)}")
