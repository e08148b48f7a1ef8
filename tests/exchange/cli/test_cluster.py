"""`papertape cluster`: one command for all of it, from its start to a Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from exchange.cli.commands import main
from tests.conftest import needed_redis
from tests.live.exchanges import CONFIG, ENDS_WITHIN_S, papertape


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--gateways", "0"), "at least one gateway"),
        (("--redis", "nonsense"), "redis://"),
        (("--venue", "No", "--redis", "redis://h"), "--venue"),
    ],
)
def test_a_mistake_is_said_before_anything_starts(
    words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["cluster", "--data", str(tmp_path / "c"), *words]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


def test_it_runs_until_a_ctrl_c_and_leaves_nothing_running(tmp_path: Path) -> None:
    needed_redis()
    config = tmp_path / "papertape.toml"
    config.write_text(CONFIG, encoding="utf-8")
    command = papertape(
        *("cluster", "--gateways", "2", "--standby", "--port", "0", "--json"),
        *("--data", tmp_path / "c", "--config", config, "--venue", "class-7b"),
    )
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        parts = json.loads(process.stdout.readline())["parts"]
        assert set(parts) == {"redis", "core-1", "core-2", "gateway-1", "gateway-2"}
        for name in ("gateway-1", "gateway-2"):
            with urllib.request.urlopen(f"{parts[name]['url']}/healthz") as answer:
                said = json.load(answer)
            assert (said["status"], said["venue"]) == ("ok", "class-7b")
        process.send_signal(signal.SIGINT)
        assert process.wait(ENDS_WITHIN_S) == 0
    assert not [each for each in parts.values() if Path(f"/proc/{each['pid']}").exists()]
    assert "Traceback" not in (tmp_path / "log").read_text()
