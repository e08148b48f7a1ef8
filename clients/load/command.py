"""Open-loop load over WebSockets, with honest latencies.

Requests go out at times fixed beforehand, whether or not earlier ones were answered, and latencies
count from those times: an exchange that stalls shows it, and a generator that falls behind says so.
It opens accounts of its own on an exchange on this machine, and cancels its orders at the end.
Ctrl-C gives the report so far.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import ipaddress
import math
import os
import secrets
import signal
import sys
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import msgspec

from clients.api import websocket_url
from clients.errors import PapertapeError
from clients.load import opening
from clients.load.driver import Line, WallTimer, drive
from clients.load.plan import (
    CONNECTIONS_MAX,
    DEFAULT_MIX,
    KINDS,
    NS_PER_S,
    Kind,
    Plan,
    Shape,
    make_plan,
)
from clients.load.progress import Progress
from clients.load.record import Record
from clients.load.report import Report, SlowSay, lines_of, make_report
from clients.load.server_side import between, read_metrics
from clients.load.wording import Wording
from clients.rest import Rest
from clients.signing import Signer

DEFAULT_URL: Final = "http://127.0.0.1:8080"
DEFAULT_SYMBOLS: Final = "BTC-USDT,ETH-USDT,BTC-USDT-PERP,ETH-USDT-PERP"
TIDY_S: Final = 3.0  # How long tidying up may take; an exchange that is gone keeps nobody waiting.


class Target(msgspec.Struct, frozen=True):
    """Where the load goes: REST and metrics to `url`, WebSockets to `ws`; a key, or none."""

    url: str
    ws: str
    key: str | None = None
    secret: str | None = None
    slow_readers: int = 0


# -- the command line --------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `papertape load`."""
    add = parser.add_argument
    add("--url", default=os.environ.get("PAPERTAPE_URL", DEFAULT_URL), help="the exchange")
    add("--ws", help="its WebSocket if not below --url: ws://127.0.0.1:8081/v1/ws, the fast port")
    add("--connections", type=int, default=20, metavar="N", help="each with its own account (20)")
    add("--rate", type=float, default=200.0, metavar="R", help="requests a second in all (200)")
    add("--ramp", type=float, metavar="FROM", help="climb evenly to --rate, from this rate")
    add("--seconds", type=float, default=10.0, metavar="S", help="measured time (10)")
    add("--warm-up", type=float, default=2.0, metavar="S", help="time before it, unmeasured (2)")
    add("--seed", type=int, default=1, metavar="K", help="the same seed asks the same (1)")
    add("--symbols", default=DEFAULT_SYMBOLS, metavar="S,S", help=f"({DEFAULT_SYMBOLS})")
    mix = ",".join(f"{kind}={weight}" for kind, weight in DEFAULT_MIX.items())
    add("--mix", default=mix, metavar="KIND=WEIGHT,...", help=f"what is asked ({mix})")
    add(
        "--slow-readers",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="so many more connections, as a share of them, hear everything and hardly read (0)",
    )
    add("--key", help="trade on this key's account instead of new ones")
    add("--secret", help="the secret of --key, or the PEM text of its Ed25519 key")
    add("--json", action="store_true", help="print the report as one JSON object")


def main(args: argparse.Namespace) -> int:
    """Run the load; 0 with a report, 2 for options that cannot be.

    1 if nothing was answered, or every connection was lost; there is a report then too.
    """
    progress = Progress(sys.stderr)
    try:
        target = target_of(args)
        plan = make_plan(shape_of(args))
        report = asyncio.run(Run(target, plan, progress).report())
    except ValueError as error:
        return _fail(str(error), 2)
    except PapertapeError as error:
        return _fail(str(error), 1)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _fail("stopped before the first request", 1)
    if args.json:
        print(msgspec.json.encode(report).decode())
    else:
        print("\n".join(lines_of(report)))
    if not report.done + report.refused:
        return _fail("nothing was answered", 1)
    if report.lost_all:
        return _fail("every connection was lost", 1)
    return 0


def _fail(text: str, code: int) -> int:
    print(f"papertape load: {text}", file=sys.stderr)
    return code


def shape_of(args: argparse.Namespace) -> Shape:
    """The shape that the options ask for."""
    return Shape(
        seed=args.seed,
        connections=args.connections,
        rate=args.rate,
        seconds=args.seconds,
        symbols=tuple(dict.fromkeys(filter(None, map(str.strip, args.symbols.split(","))))),
        warm_up_s=args.warm_up,
        ramp_from=args.ramp,
        mix=mix_of(args.mix),
    )


def mix_of(text: str) -> dict[Kind, int]:
    """`place=3,cancel=1` as weights; a ValueError says what it may be."""
    mix: dict[Kind, int] = {}
    known: dict[str, Kind] = {kind: kind for kind in KINDS}
    for part in filter(None, text.split(",")):
        name, _, weight = part.strip().partition("=")
        if name not in known or not (weight.isascii() and weight.isdigit()):
            raise ValueError(f"--mix takes KIND=WEIGHT of {', '.join(KINDS)}, not {part!r}")
        mix[known[name]] = int(weight)
    return mix


def target_of(args: argparse.Namespace) -> Target:
    """Where the options point; a ValueError for anywhere but this machine."""
    url = args.url.rstrip("/")
    ws = args.ws or websocket_url(url)
    if urlsplit(ws).scheme not in ("ws", "wss"):
        raise ValueError(f"a WebSocket is at ws://... or wss://..., not {ws!r}")
    for address in (url, ws):
        if not _is_loopback(urlsplit(address).hostname or ""):
            raise ValueError(
                f"{address} is not on this machine; a load test is for an exchange of your own, at"
                " localhost, 127.0.0.1 or ::1 (for one elsewhere, run it there)"
            )
    if (args.key is None) != (args.secret is None):
        raise ValueError("--key and --secret come together")
    if not 0 <= args.slow_readers < math.inf:
        raise ValueError("--slow-readers is a share of the connections, such as 0.1")
    slow = math.ceil(args.slow_readers * args.connections)
    if slow > CONNECTIONS_MAX:
        raise ValueError(f"{slow} slow readers are too many; at most {CONNECTIONS_MAX} may be")
    return Target(url, ws, args.key, args.secret, slow)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# -- the run -----------------------------------------------------------------------------------


class Run:
    """One load test: `report` opens what it needs, drives the plan and tidies up."""

    def __init__(self, target: Target, plan: Plan, progress: Progress) -> None:
        self._target = target
        self._plan = plan
        self._progress = progress
        self._timer = WallTimer()
        self._record = Record(plan)
        self._slow_record = Record(plan)
        self._name = f"load-{secrets.token_hex(3)}"
        self._rest = Rest(target.url)
        self._lines: list[Line] = []
        self._slow: list[Line] = []

    async def report(self) -> Report:
        """The report; also of a run that was cancelled when the load had begun."""
        task = asyncio.current_task()
        assert task is not None
        if sys.platform != "win32":  # Ctrl-C is the event loop's own doing; this is for `kill`.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            wording = await self._open()
            return await self._drive(wording, task)
        finally:
            await self._progress.end()
            await self._close()

    async def _open(self) -> Wording:
        """Markets, accounts, money, connections."""
        plan, target, progress = self._plan, self._target, self._progress
        markets = await opening.survey(self._rest, plan.shape.symbols)
        signers = await self._signers()
        for signer in signers:
            progress.say(f"connecting: {len(self._lines)} of {len(signers)}")
            line = await opening.open_line(target.ws, signer, self._record, self._timer)
            self._lines.append(line)
        owners = dict(zip(signers, self._lines, strict=True))
        stakes = opening.stakes_of(markets.values(), sharers=len(signers) // len(owners))
        for number, line in enumerate(owners.values()):
            progress.say(f"paying in: {number} of {len(owners)}")
            await opening.fund(line, stakes)
        for number in range(target.slow_readers):
            signer = signers[number % len(signers)]
            heard = plan.shape.symbols, self._slow_record, self._timer
            self._slow.append(await opening.open_slow_reader(target.ws, signer, *heard))
        # Opening many accounts takes a while under the exchange's limits: prices have moved.
        return Wording(await opening.survey(self._rest, plan.shape.symbols), self._name)

    async def _signers(self) -> list[Signer]:
        """Who each connection speaks for: the given key, or an account of its own."""
        count = self._plan.shape.connections
        if self._target.key is not None and self._target.secret is not None:
            return [Signer(self._target.key, self._target.secret)] * count
        say = self._progress.say
        return await opening.open_accounts(
            self._rest, count, lambda opened: say(f"opening accounts: {opened} of {count}")
        )

    async def _drive(self, wording: Wording, task: asyncio.Task[Report]) -> Report:
        plan, record, timer = self._plan, self._record, self._timer
        before = await read_metrics(self._target.url)
        gc.collect()
        gc.freeze()  # The plan is there to stay: looking through it would cost the load time.
        timer.begin()
        self._progress.follow(plan, record, timer)
        try:
            await drive(plan, self._lines, wording, record, timer)
        except asyncio.CancelledError:
            task.uncancel()  # This is how it is stopped: the report so far is still wanted.
        finally:
            gc.unfreeze()
        after = await read_metrics(self._target.url)
        slow = SlowSay(len(self._slow), self._slow_record.pushes, dict(self._slow_record.lost))
        return make_report(
            plan,
            record,
            url=self._target.ws,
            slow_readers=slow if self._slow else None,
            server=between(before, after, record.ended_ns / NS_PER_S),
        )

    async def _close(self) -> None:
        """Cancel what this run left resting, as far as that can be had soon, and hang up."""
        if self._target.key is None:
            tidying = [opening.cancel_all(line) for line in self._lines]
        else:
            tidying = [opening.cancel_own(line, self._name) for line in self._lines[:1]]
        with suppress(TimeoutError):
            async with asyncio.timeout(TIDY_S):
                await asyncio.gather(*tidying, return_exceptions=True)
        await asyncio.gather(*(line.close() for line in (*self._lines, *self._slow)))
        await self._rest.close()
