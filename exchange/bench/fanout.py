"""One channel told to many readers, against the bare broadcast of the library: `bench fanout`.

Orders meet one by one on a real exchange, and every trade goes to all readers of the pair's
channel; the yardstick sends the same bytes to as many, in turns. So many messages are under way at
a time: the next goes out when the first of them has reached everybody.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final, NamedTuple

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from exchange.bench.echo import LIBRARIES
from exchange.bench.measure import calibration_per_s, show_progress
from exchange.bench.orders_flow import BITCOINS, MEETING_PRICE, QTY, SPOT
from exchange.bench.pipes import FRAME_BYTES_MAX, Pipe, client_frame, connected
from exchange.bench.processes import (
    Process,
    Took,
    bare_process,
    exchange_process,
    open_account,
)
from exchange.build import running
from exchange.process import loop_factory

ROUNDS: Final = 5
CHANNEL: Final = f"trades.{SPOT}"
FILES_BESIDE: Final = 200  # Open files of a process besides its readers' sockets.
MAKERS_QTY: Final = "5"  # What rests to be bought, in all.
AT_ONCE: Final = 50  # Connections that are opened at a time.


_BUY: Final = client_frame(
    msgspec.json.encode(
        {
            "id": 1,
            "op": "order.place",
            "symbol": SPOT,
            "side": "buy",
            "type": "limit",
            "qty": QTY,
            "price": str(MEETING_PRICE),
            "tif": "IOC",
        }
    )
)


class Sizes(NamedTuple):
    """What a run is made of."""

    readers: int = 1_000
    messages: int = 1_000
    in_flight: int = 8


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of `bench fanout`."""
    usual = Sizes()
    for name, about in (
        ("readers", "readers of the channel, a WebSocket each"),
        ("messages", "trades that are told to all of them"),
        ("in-flight", "messages under way at a time"),
    ):
        default = getattr(usual, name.replace("-", "_"))
        parser.add_argument(
            f"--{name}", type=int, default=default, help=f"{about} (default {default})"
        )
    parser.add_argument("--port", choices=tuple(LIBRARIES), default="fast", help="whose WebSockets")
    parser.add_argument("--packed", action="store_true", help="MessagePack in place of JSON")
    parser.add_argument("--data", metavar="DIR", help="where the journal lies for as long")
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")


def main(args: Namespace) -> int:
    """Run and print."""
    sizes = Sizes(args.readers, args.messages, args.in_flight)
    if min(sizes) < 1:
        print("bench fanout: everything is at least 1", file=sys.stderr)
        return 2
    _let_open(sizes.readers)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        report = runner.run(run(sizes, args.port, args.data, packed=args.packed))
    print(json.dumps(report) if args.json else text(report))
    return 0


def _let_open(readers: int) -> None:
    """Let this process, and those it starts, have the sockets open that they need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * readers + FILES_BESIDE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def run(sizes: Sizes, port: str, folder: str | None, *, packed: bool) -> dict[str, Any]:
    """Measure and report."""
    calibration = calibration_per_s()
    with ExitStack() as stack:
        served = stack.enter_context(exchange_process(folder))
        bare = stack.enter_context(bare_process(LIBRARIES[port], "broadcast"))
        address = f"{served.said['fast_url' if port == 'fast' else 'url']}/v1/ws"
        trader = await _trader(served, address)
        crowd, listeners = Crowd(), Crowd()
        await crowd.gather(address, sizes.readers, packed=packed)
        await listeners.gather(bare.said["url"], sizes.readers)
        speaker = await connected(bare.said["url"])
        await crowd.hear(1, 1, lambda: trader.shout(_BUY))
        told = crowd.last
        shout = client_frame(told)
        trades, broadcast = await _in_turns(
            sizes,
            (served, crowd, lambda: trader.shout(_BUY)),
            (bare, listeners, lambda: speaker.shout(shout)),
        )
        peak_mb = served.peak_rss_mb()
    return {
        "bench": "fanout",
        "build": running(),
        "port": port,
        "packed": packed,
        **sizes._asdict(),
        "bytes": len(told),
        "commands": trades.messages // sizes.readers,
        "seconds": round(trades.seconds, 6),
        "rate_per_s": round(trades.per_s),
        "broadcast_per_s": round(broadcast.per_s),
        "ratio_to_broadcast": round(trades.per_s / broadcast.per_s, 4),
        "server_us_per_delivery": round(trades.cpu_us, 3),
        "broadcast_us_per_delivery": round(broadcast.cpu_us, 3),
        "peak_rss_mb": round(peak_mb, 1),
        "calibration_per_s": round(calibration),
    }


async def _trader(served: Process, address: str) -> Pipe:
    """Who buys, from another's order that rests and is large enough."""
    pipes = []
    for _ in range(2):
        account = await asyncio.to_thread(open_account, served.said["url"])
        pipes.append(await connected(address))
        await pipes[-1].login(account)
    maker, taker = pipes
    await maker.ask("faucet", wallet="spot", asset="BTC", amount=BITCOINS)
    resting = {"symbol": SPOT, "side": "sell", "type": "limit", "qty": MAKERS_QTY}
    await maker.ask("order.place", price=str(MEETING_PRICE), **resting)
    for _ in range(4):  # What the trades of a long run cost.
        await taker.ask("faucet", wallet="spot", asset="USDT", amount="100000")
    return taker


Side = tuple[Process, "Crowd", Callable[[], None]]  # A server, its readers, who says the next.


async def _in_turns(sizes: Sizes, ours: Side, bare: Side) -> tuple[Took, Took]:
    """What telling took on either side."""
    count = max(1, sizes.messages // ROUNDS)
    trades = broadcast = Took()
    for turn in range(ROUNDS + 1):
        one = await _told(*ours, count, sizes.in_flight)
        other = await _told(*bare, count, sizes.in_flight)
        if turn:  # The first is to warm up.
            trades, broadcast = trades.and_(one), broadcast.and_(other)
        show_progress("measured", turn, ROUNDS)
    return trades, broadcast


async def _told(
    process: Process, crowd: Crowd, say: Callable[[], None], count: int, in_flight: int
) -> Took:
    cpu_s, started = process.cpu_s(), time.perf_counter()
    await crowd.hear(count, in_flight, say)
    seconds = time.perf_counter() - started
    return Took(count * len(crowd.readers), seconds, process.cpu_s() - cpu_s)


class Reader(WSListener):
    """One of a crowd: it counts what it hears there."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self.transport: WSTransport

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The connection stands."""
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A message came."""
        crowd = self._crowd
        crowd.heard += 1
        if crowd.heard >= crowd.next:
            crowd.reached(frame.get_payload_as_bytes())


class Crowd:
    """Readers of one message after another, and who says the next when it is time."""

    def __init__(self) -> None:
        self.readers: Sequence[Reader] = ()
        self.heard = 0  # Deliveries, of all readers together.
        self.next = 0  # So many, and something has reached everybody.
        self.last = b""
        self._step: Callable[[], None] = lambda: None

    async def gather(self, address: str, count: int, *, packed: bool = False) -> None:
        """Connect so many; at an exchange each subscribes to the channel."""
        url = address.replace("http", "ws", 1)
        headers = {"Sec-WebSocket-Protocol": "papertape.v1.msgpack"} if packed else None

        async def one() -> Reader:
            _, reader = await ws_connect(
                lambda: Reader(self), url, max_frame_size=FRAME_BYTES_MAX, extra_headers=headers
            )
            assert isinstance(reader, Reader)
            return reader

        readers: list[Reader] = []
        while len(readers) < count:
            few = min(AT_ONCE, count - len(readers))
            readers += await asyncio.gather(*(one() for _ in range(few)))
            show_progress("readers", len(readers), count)
        self.readers = readers
        if address.endswith("/v1/ws"):
            await self._subscribe(packed)

    async def _subscribe(self, packed: bool) -> None:
        codec = msgspec.msgpack if packed else msgspec.json
        kind = WSMsgType.BINARY if packed else WSMsgType.TEXT
        wish = codec.encode({"op": "subscribe", "channels": [CHANNEL]})
        for reader in self.readers:
            reader.transport.send(kind, wish)
        # Each is welcomed, and has its reply.
        await self._until(2 * len(self.readers))

    async def hear(self, count: int, in_flight: int, say: Callable[[], None]) -> None:
        """Have `count` messages said and heard by all, `in_flight` of them at a time."""
        everybody = len(self.readers)
        self.heard = 0
        said = min(in_flight, count)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def step() -> None:
            nonlocal said
            while self.heard >= self.next and self.next < count * everybody:
                self.next += everybody
                if said < count:
                    said += 1
                    say()
            if self.heard >= count * everybody and not done.done():
                done.set_result(None)

        self.next, self._step = everybody, step
        for _ in range(said):
            say()
        await done

    async def _until(self, deliveries: int) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def step() -> None:
            self.next = 2 * self.heard  # Nobody asks again.
            done.set_result(None)

        self.next, self._step = deliveries, step
        if self.heard < deliveries:
            await done

    def reached(self, payload: bytes) -> None:
        """Something has reached everybody."""
        self.last = payload
        self._step()


def text(report: Mapping[str, Any]) -> str:
    """The report for a reader."""
    return "\n".join(
        [
            f"{report['commands']} trades to {report['readers']} readers in {report['seconds']} s"
            f" on the {report['port']} port: {report['rate_per_s']} deliveries a second,"
            f" {report['build']}",
            f"{report['ratio_to_broadcast']} of the broadcast's {report['broadcast_per_s']};"
            f" {report['server_us_per_delivery']} us of the server's processor each, the"
            f" broadcast's {report['broadcast_us_per_delivery']}",
            f"{report['bytes']} bytes, {report['in_flight']} in flight; at most"
            f" {report['peak_rss_mb']} MiB; calibration {report['calibration_per_s']}",
        ]
    )
