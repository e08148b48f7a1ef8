"""An exchange of its own for the month: started, killed and started again as a separate process."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

CONFIG: Final = """\
seed = {seed}
speed = {speed}

[server]
port = {port}
fast_port = 0

[market]
prices = "tape"
tape = {tape}
start_ms = {start_ms}
symbols = ["BTC-USDT", "BTC-USDT-PERP"]
agent_step_ms = {agent_step_ms}

[storage]
data = {data}
keep_journal = true

[limits]
weight_per_minute = 0
orders_per_10_seconds = 0
orders_per_day = 0
messages_per_second = 0
"""

START_WITHIN_S: Final = 120.0
RESTART_WITHIN_S: Final = 900.0  # It replays what it did since its last snapshot.
STOP_WITHIN_S: Final = 60.0
GONE_WITHIN_S: Final = 1.0  # Who does not answer any more is gone by then, or only slow.
FIRST_SPEED_MAX: Final = 60.0  # At which it opens; what it is asked for comes when all is ready.
LOG_PREFIX: Final = "papertape: "


class ServerFailed(Exception):
    """The exchange did not start, or ended; the text says why, in one line."""


@dataclass(frozen=True)
class Market:
    """What the exchange plays: from which moment, by which dice, on which port (0: any).

    With a speed of None its time stands, and moves only when it is stepped.
    """

    tape: Path
    start_ms: int
    seed: int = 1
    agent_step_ms: int = 60_000
    speed: float | None = None
    port: int = 0


class Server:
    """`papertape serve` on a directory: `async with`, so that no process outlives it.

    It has a process group of its own: a Ctrl-C in the terminal reaches us alone, who then stop it.
    """

    def __init__(self, directory: Path, market: Market) -> None:
        self.data = directory / "data"
        self.log = directory / "server.log"
        self.admin_key = secrets.token_hex(16)
        self.url = ""
        self._fast_port = 0
        self._port = market.port
        self._config = directory / "papertape.toml"
        self._process: asyncio.subprocess.Process | None = None
        self._write_config(directory, market)

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *_how: object) -> None:
        await self.stop()

    def _write_config(self, directory: Path, market: Market) -> None:
        # A tape is taken for the asset its name begins with; whatever the file is called, it is
        # bitcoin that is traded here.
        tape = directory / "BTC-tape.csv"
        tape.symlink_to(market.tape.resolve())
        text = CONFIG.format(
            seed=market.seed,
            speed=0.0 if market.speed is None else min(market.speed, FIRST_SPEED_MAX),
            port=market.port,
            tape=json.dumps(str(tape)),
            start_ms=market.start_ms,
            data=json.dumps(str(self.data)),
            agent_step_ms=market.agent_step_ms,
        )
        self._config.write_text(text, encoding="utf-8")

    async def start(self) -> None:
        """Start, and return once it trades; ServerFailed if it does not.

        A second start is on the ports of the first, so that whoever was connected comes back.
        """
        is_first = not self.url
        arguments = ["serve", "--json", "--config", str(self._config)]
        arguments += ["--port", str(self._port), "--fast-port", str(self._fast_port)]
        self._process = await _papertape(arguments, self.log, self.admin_key)
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(START_WITHIN_S if is_first else RESTART_WITHIN_S):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise ServerFailed("the exchange did not open its doors in time") from None
        if not line:
            raise await self.failure() or ServerFailed("the exchange did not start")
        opened = json.loads(line)
        self.url = opened["url"]
        self._port, self._fast_port = _port_of(self.url), _port_of(opened["fast_url"])

    async def failure(self) -> ServerFailed | None:
        """Why the exchange is gone; None if it still runs after a moment."""
        if self._process is None:
            return None
        try:
            async with asyncio.timeout(GONE_WITHIN_S):
                code = await self._process.wait()
        except TimeoutError:
            return None
        return ServerFailed(last_words(self.log, code))

    async def kill(self) -> None:
        """SIGKILL: no farewell, no last snapshot."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        self._process = None

    async def stop(self) -> None:
        """Ask it to stop, and wait for it; kill it if it does not, or nobody wants to wait."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        try:
            process.terminate()
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            pass
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def verify(self) -> dict[str, Any]:
        """What `papertape verify` says of the directory, once the exchange has stopped.

        It shows its progress on the terminal. ServerFailed where it says nothing.
        """
        process = await _papertape(["verify", str(self.data), "--json"], None, self.admin_key)
        assert process.stdout is not None
        try:
            said = await process.stdout.read()
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if not said:
            raise ServerFailed("the journal could not be verified")
        found: dict[str, Any] = json.loads(said)
        return found


def last_words(log: Path, code: int) -> str:
    """Why a process ended: its last complaint, or its exit code and the last line of its log."""
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    complaints = [line for line in lines if line.startswith(LOG_PREFIX)]
    if complaints:
        return complaints[-1].removeprefix(LOG_PREFIX)
    logged = f"; its log ends: {lines[-1]}" if lines else ""
    return f"the exchange ended with code {code}{logged}"


async def _papertape(
    arguments: list[str], log: Path | None, admin_key: str
) -> asyncio.subprocess.Process:
    """Start the program; what it says on stderr goes to a log, or to our own stderr."""
    # A key among the arguments could be read by everybody on the machine.
    environment = {**os.environ, "PAPERTAPE_ADMIN_KEY": admin_key}
    stderr = None if log is None else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "exchange", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=environment,
            start_new_session=True,
        )
    finally:
        if stderr is not None:
            os.close(stderr)


def _port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None, url
    return port
