"""One load test from its first account to its report: opened, driven, tidied up."""

from __future__ import annotations

import asyncio
import gc
import secrets
import signal
import sys
from contextlib import suppress
from typing import Final

from clients.load import opening
from clients.load.binance.lines import BinanceLines, open_slow_streams
from clients.load.binance.wording import BinanceWording
from clients.load.driver import OneEach, Routes, WallTimer, Wording, drive
from clients.load.line import Line
from clients.load.native_line import NativeLine
from clients.load.options import Target
from clients.load.plan import NS_PER_S, Plan
from clients.load.progress import Progress
from clients.load.record import Record
from clients.load.report import Report, SlowSay, make_report
from clients.load.server_side import between, read_build, read_metrics
from clients.load.wording import NativeWording
from clients.rest import Rest
from clients.signing import Signer

TIDY_S: Final = 3.0  # How long tidying up may take; an exchange that is gone keeps nobody waiting.


class Run:
    """One load test: `report` opens what it needs, drives the plan and tidies up."""

    def __init__(self, target: Target, plan: Plan, progress: Progress) -> None:
        self._target = target
        self._plan = plan
        self._progress = progress
        self._timer = WallTimer()
        self._record = Record(plan)
        self._aside = Record(plan)  # Of slow readers, and of who pays in and tidies up.
        self._name = f"load-{secrets.token_hex(3)}"
        self._rest = Rest(target.url, admin_key=target.admin_key)
        self._signers: list[Signer] = []
        self._native: list[NativeLine] = []
        self._binance: BinanceLines | None = None
        self._slow: list[Line] = []

    async def report(self) -> Report:
        """The report; also of a run that was cancelled when the load had begun."""
        task = asyncio.current_task()
        assert task is not None
        if sys.platform != "win32":  # Ctrl-C is the event loop's own doing; this is for `kill`.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            routes, wording = await self._open()
            return await self._drive(routes, wording, task)
        finally:
            await self._progress.end()
            await self._close()

    # -- opening -------------------------------------------------------------------------------

    async def _open(self) -> tuple[Routes, Wording]:
        """Markets, accounts, money, connections."""
        symbols = self._plan.shape.symbols
        markets = await opening.survey(self._rest, symbols)
        binance = self._target.dialect == "binance"
        lines = BinanceLines(self._plan, markets) if binance else None
        self._signers = await self._owners()
        if lines is None:
            await self._open_native(markets)
        else:
            await self._open_binance(lines, markets)
        # Opening many accounts takes a while under the exchange's limits: prices have moved.
        markets = await opening.survey(self._rest, symbols)
        if lines is None:
            return OneEach(self._native), NativeWording(markets, self._name)
        return lines, BinanceWording(markets, self._name, self._signers)

    async def _owners(self) -> list[Signer]:
        """Who each connection speaks for: the given key, or an account of its own."""
        count = self._plan.shape.connections
        if self._target.key is not None and self._target.secret is not None:
            return [Signer(self._target.key, self._target.secret)] * count
        say = self._progress.say
        return await opening.open_accounts(
            self._rest, count, lambda opened: say(f"opening accounts: {opened} of {count}")
        )

    async def _open_native(self, markets: opening.Markets) -> None:
        for number, signer in enumerate(self._signers):
            self._progress.say(f"connecting: {number} of {len(self._signers)}")
            self._native.append(await self._native_line(signer, self._record, number))
        owners = dict(zip(self._signers, self._native, strict=True))
        for number, line in enumerate(owners.values()):
            self._progress.say(f"paying in: {number} of {len(owners)}")
            await opening.fund(line, self._stakes(markets))
        for number in range(self._target.slow_readers):
            signer = self._signers[number % len(self._signers)]
            heard = self._plan.shape.symbols, self._aside, self._timer
            address = self._target.ws_of(number)
            self._slow.append(await opening.open_slow_reader(address, signer, *heard))

    async def _open_binance(self, lines: BinanceLines, markets: opening.Markets) -> None:
        """Money comes from the faucet, which the exchange's own protocol has."""
        self._binance = lines
        owners = dict.fromkeys(self._signers)
        for number, signer in enumerate(owners):
            self._progress.say(f"paying in: {number} of {len(owners)}")
            line = await self._native_line(signer, self._aside)
            try:
                await opening.fund(line, self._stakes(markets))
            finally:
                await line.close()
        for number, place in enumerate(lines.places):
            self._progress.say(f"connecting: {number} of {len(lines.places)}")
            signer, root = self._signers[place[0]], self._target.root_of(place[0])
            await lines.open(place, root, signer, self._record, self._timer)
        for number in range(self._target.slow_readers):
            heard = list(markets.values()), number, self._aside, self._timer
            self._slow.append(await open_slow_streams(self._target.root_of(number), *heard))

    async def _native_line(self, signer: Signer, record: Record, number: int = 0) -> NativeLine:
        return await opening.open_line(self._target.ws_of(number), signer, record, self._timer)

    def _stakes(self, markets: opening.Markets) -> dict[opening.Place, str]:
        sharers = len(self._signers) // len(dict.fromkeys(self._signers))
        return opening.stakes_of(markets.values(), sharers)

    # -- under load ----------------------------------------------------------------------------

    async def _drive(self, routes: Routes, wording: Wording, task: asyncio.Task[Report]) -> Report:
        plan, record, timer = self._plan, self._record, self._timer
        exchange = await read_build(self._target.url)
        before = await read_metrics(self._target.url)
        gc.collect()
        gc.freeze()  # The plan is there to stay: looking through it would cost the load time.
        timer.begin()
        self._progress.follow(plan, record, timer)
        try:
            await drive(plan, routes, wording, record, timer)
        except asyncio.CancelledError:
            task.uncancel()  # This is how it is stopped: the report so far is still wanted.
        finally:
            record.own = timer.own_work()
            gc.unfreeze()
        after = await read_metrics(self._target.url)
        slow = SlowSay(len(self._slow), self._aside.pushes, dict(self._aside.lost))
        return make_report(
            plan,
            record,
            url=self._addresses(),
            dialect=self._target.dialect,
            sockets=len(self._lines()),
            exchange=exchange,
            slow_readers=slow if self._slow else None,
            server=between(before, after, record.ended_ns / NS_PER_S),
        )

    def _addresses(self) -> str:
        """Where the WebSockets went, as the report tells it."""
        address = self._target.ws_of if self._binance is None else self._target.root_of
        return ", ".join(map(address, range(len(self._target.ws))))

    # -- the end -------------------------------------------------------------------------------

    def _lines(self) -> list[Line]:
        """Those of the plan."""
        return [*self._native, *(self._binance.lines if self._binance is not None else ())]

    async def _close(self) -> None:
        """Cancel what this run left resting, as far as that can be had soon, and hang up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TIDY_S):
                await asyncio.gather(*self._tidying(), return_exceptions=True)
        await asyncio.gather(*(line.close() for line in (*self._lines(), *self._slow)))
        await self._rest.close()

    def _tidying(self) -> list[opening.Tidying]:
        if self._binance is not None:
            return [self._tidy_by_native(signer) for signer in dict.fromkeys(self._signers)]
        one_account = self._target.key is not None
        return [self._tidy(line) for line in self._native[: 1 if one_account else None]]

    async def _tidy_by_native(self, signer: Signer) -> None:
        line = await self._native_line(signer, self._aside)
        try:
            await self._tidy(line)
        finally:
            await line.close()

    async def _tidy(self, line: NativeLine) -> None:
        if self._target.key is None:
            await opening.cancel_all(line)
        else:
            await opening.cancel_own(line, self._name)
