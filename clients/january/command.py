"""`scripts/january TAPE`: a month of recorded prices against the real exchange."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from clients.api import Papertape
from clients.january.people import Trader, four_traders
from clients.january.report import Fate, fate_of, table, utc
from clients.january.server import Server, ServerFailed

HOUR_MS = 3_600_000
STEP_MS = HOUR_MS
POLL_S = 0.5

EXAMPLES = """\
examples:
  scripts/january january.csv              in lock-step, as fast as it goes: repeatable to the cent
  scripts/january january.csv --speed 7200 two hours of market a second
  scripts/january january.csv --kill       SIGKILL in the middle, and a restart
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the month and print what became of everybody; 1 if the audit found anything."""
    args = _parser().parse_args(arguments)
    if not args.tape.is_file():
        print(f"january: there is no file {args.tape}", file=sys.stderr)
        return 2
    try:
        return asyncio.run(_month(args))
    except ServerFailed as failure:
        print(f"january: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/january",
        description="Four traders with 1,000 USDT each live through a recorded month.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tape", type=Path, help="CSV of one-minute candles of BTC")
    parser.add_argument("--speed", type=float, help="run freely at this speed, not in lock-step")
    parser.add_argument("--begin", default="2022-01-01", help="first day, UTC (2022-01-01)")
    parser.add_argument("--end", default="2022-02-01", help="day after the last (2022-02-01)")
    parser.add_argument("--kill", action="store_true", help="SIGKILL in the middle, and restart")
    parser.add_argument("--seed", type=int, default=1, help="of the house agents (1)")
    parser.add_argument("--agent-step-ms", type=int, default=60_000, help="how often agents act")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


async def _month(args: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="january-") as directory:
        server = Server(
            Path(directory), args.tape, seed=args.seed, agent_step_ms=args.agent_step_ms
        )
        server.start()
        try:
            month = Month(server, args)
            fates = await month.run()
        finally:
            server.stop()
        verified = server.verify()
    problems = sorted(set(month.problems))
    if args.json:
        told = {"fates": [asdict(fate) for fate in fates], "problems": problems}
        print(json.dumps(told | {"verified": verified, "seconds": round(month.seconds, 1)}))
    else:
        print(table(fates))
        print(f"\naudit: {'; '.join(problems) or 'clean throughout'}")
        print(f"verify: {json.dumps(verified)}")
        print(f"the month took {month.seconds:.0f} s")
    return 1 if problems else 0


class Month:
    """The month under way: time, the traders, and what the auditor said at every step."""

    def __init__(self, server: Server, args: argparse.Namespace) -> None:
        self._server = server
        self._args = args
        self._begin_ms, self._end_ms = _moment(args.begin), _moment(args.end)
        self._traders: list[Trader] = four_traders()
        self.problems: list[str] = []
        self.seconds = 0.0

    async def run(self) -> list[Fate]:
        """From the first moment of the tape to the end of the month."""
        started = time.monotonic()
        async with Papertape(self._server.url, admin_key=self._server.admin_key) as admin:
            await self._step_to(admin, self._begin_ms)
            for trader in self._traders:
                await trader.enter(self._server.url)
            middle_ms = (self._begin_ms + self._end_ms) // 2
            await self._pass(admin, middle_ms)
            if self._args.kill:
                self._kill_and_restart()
            await self._pass(admin, self._end_ms)
            fates = []
            for trader in self._traders:
                await trader.heard_all()
                fates.append(await fate_of(trader, self._args.tape))
                await trader.leave()
        self.seconds = time.monotonic() - started
        return fates

    def _kill_and_restart(self) -> None:
        self._server.kill()
        self._server.start()

    async def _pass(self, admin: Papertape, until_ms: int) -> None:
        if self._args.speed is None:
            await self._step_to(admin, until_ms)
            return
        await admin.set_clock(speed=self._args.speed)
        while (now := await admin.time()).exchange_time < until_ms:
            await self._look(admin, now.exchange_time)
            await asyncio.sleep(POLL_S)
        await admin.set_clock(pause=True)

    async def _step_to(self, admin: Papertape, until_ms: int) -> None:
        """Lock-step: time moves only when told, and only as far."""
        now_ms = (await admin.time()).exchange_time
        while now_ms < until_ms:
            step_ms = min(STEP_MS, until_ms - now_ms)
            now_ms = (await admin.set_clock(step_ms=step_ms)).exchange_time
            await self._look(admin, now_ms)

    async def _look(self, admin: Papertape, now_ms: int) -> None:
        audit = await admin.audit()
        if not audit.ok:
            self.problems += [f"{utc(now_ms)}: {problem}" for problem in audit.problems]
        self.problems += [
            f"{utc(now_ms)}: {name} lacks {-float(missing)}"
            for name, missing in audit.deficits.items()
        ]
        if sys.stderr.isatty():
            done = 100 * (now_ms - self._begin_ms) / (self._end_ms - self._begin_ms)
            print(f"\r{utc(now_ms)}  {max(0.0, done):5.1f} %", end="", file=sys.stderr)
            if now_ms >= self._end_ms:
                print(file=sys.stderr)


def _moment(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


if __name__ == "__main__":
    sys.exit(main())
