"""An exchange of its own for the month: started, killed and started again as a separate process."""

from __future__ import annotations

import json
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

CONFIG = """\
seed = {seed}
speed = 0.0

[server]
port = {port}
fast_port = {fast_port}

[market]
prices = "tape"
tape = {tape}
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

START_WITHIN_S = 120
STOP_WITHIN_S = 30


class ServerFailed(Exception):
    """The exchange did not start; the text says where its log lies."""


class Server:
    """`papertape serve` on a directory, with exchange time standing until it is stepped."""

    def __init__(self, directory: Path, tape: Path, *, seed: int, agent_step_ms: int) -> None:
        self.data = directory / "data"
        self.log = directory / "server.log"
        self.admin_key = secrets.token_hex(16)
        self._config = directory / "papertape.toml"
        self._process: subprocess.Popen[bytes] | None = None
        port, fast_port = _free_ports(2)
        self.url = f"http://127.0.0.1:{port}"
        self._config.write_text(
            CONFIG.format(
                seed=seed,
                port=port,
                fast_port=fast_port,
                tape=json.dumps(str(tape.resolve())),
                data=json.dumps(str(self.data)),
                agent_step_ms=agent_step_ms,
            ),
            encoding="utf-8",
        )

    def start(self) -> None:
        """Start, and return once it trades; ServerFailed if it does not."""
        command = [sys.executable, "-m", "exchange", "serve", "--json"]
        command += ["--config", str(self._config), "--admin-key", self.admin_key]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ServerFailed(f"the exchange did not start; its log is {self.log}")

    def kill(self) -> None:
        """SIGKILL: no farewell, no last snapshot."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """Ask it to stop, and wait for it."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        self._process.wait(STOP_WITHIN_S)
        self._process = None

    def verify(self) -> dict[str, Any]:
        """What `papertape verify` says of the directory, once the exchange has stopped."""
        command = [sys.executable, "-m", "exchange", "verify", str(self.data), "--json"]
        done = subprocess.run(command, check=True, capture_output=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def _free_ports(count: int) -> list[int]:
    """Ports nobody listens on; all held at once, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
