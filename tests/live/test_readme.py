"""The README does what it says: its commands and its bot run against a real demo."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.exchanges import Exchange, papertape

README = Path(__file__).parents[2] / "README.md"
RUNS_WITHIN_S = 90


def blocks(language: str, heading: str) -> list[str]:
    """The code blocks of a language under a heading, in their order."""
    section = README.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def commands() -> list[str]:
    """Every `papertape` line of the first trade."""
    lines = "".join(blocks("sh", "Your first trade")).splitlines()
    return [line for line in lines if line.startswith("papertape ")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Exchange]]:
    """A demo as the README starts it, in a folder of its own and on free ports."""
    folder = tmp_path_factory.mktemp("readme")
    log = folder / "demo.log"
    command = papertape("demo", "--json", "--port", "0", "--fast-port", "0")
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
    exchange = Exchange(process, log)
    try:
        exchange.wait_until_open()
        yield folder, exchange
        assert exchange.stop(signal.SIGINT) == 0
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _run(folder: Path, *command: str) -> str:
    bare = {name: value for name, value in os.environ.items() if "PAPERTAPE" not in name}
    done = subprocess.run(
        command,
        cwd=folder,
        env=bare,
        capture_output=True,
        text=True,
        timeout=RUNS_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_every_command_of_the_first_trade_works(demo: tuple[Path, Exchange]) -> None:
    folder, exchange = demo
    said = {}
    for line in commands():
        words = shlex.split(line, comments=True)[1:]
        if words[0] in ("bots", "load"):  # The README's exchange is where they look by themselves.
            words += ["--url", exchange.url]
        if words[0] == "load":
            words += ["--ws", exchange.fast_url.replace("http", "ws", 1) + "/v1/ws"]
        said[" ".join(words[:2])] = _run(folder, *papertape(*words))
    assert "filled" in said["buy BTC-USDT-PERP"]
    assert "long 10x" in said["positions"]
    assert "60000.00" in said["orders"]
    assert "papertape-data: sound" in said["verify papertape-data"]
    assert len(said) >= 8


def test_the_first_bot_trades(demo: tuple[Path, Exchange]) -> None:
    folder, exchange = demo
    (program,) = blocks("python", "Your first bot")
    program = program.replace("http://127.0.0.1:8080", exchange.url)
    told = _run(folder, sys.executable, "-c", program)
    assert told.startswith("filled at ")
    assert "trades.BTC-USDT-PERP" in told
