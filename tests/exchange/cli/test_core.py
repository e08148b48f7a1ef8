"""`papertape core` as people type it: what it refuses, and what it says once it runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exchange.cli.commands import main, parser
from exchange.cli.core import config_of, tell
from exchange.cli.output import UsageError
from exchange.cluster.core import DATA
from exchange.storage.lock import DirectoryLock
from tests.exchange.cluster.redis_rig import DurableRedis, redis_of_its_own


def given(*words: str) -> argparse.Namespace:
    return parser().parse_args(["core", "--redis", "redis://localhost", *words])


def test_flags_win_over_the_file_and_its_own_directory_is_the_default(tmp_path: Path) -> None:
    assert config_of(given()).storage.data == DATA
    assert config_of(given("--data", "here")).storage.data == "here"
    file = tmp_path / "papertape.toml"
    file.write_text('seed = 4\n[storage]\ndata = "there"\n')
    config = config_of(given("--config", str(file), "--speed", "60", "--agents", "off"))
    assert (config.storage.data, config.seed, config.speed) == ("there", 4, 60)
    assert not config.market.agents
    assert config_of(given("--tape", "x.csv")).market.prices == "tape"
    with pytest.raises(UsageError):
        config_of(given("--seed", "-1"))


@pytest.mark.parametrize(
    "words",
    [
        ("--redis", "http://localhost"),
        ("--redis", "redis://localhost", "--venue", "NO!"),
        ("--redis", "redis://localhost", "--redis-password", "seen"),
        ("--redis", "redis://localhost", "--redis-ca", "ca.pem"),
        ("--redis", "redis://localhost", "--seed", "-1"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["core", *words]) == 2
    assert capsys.readouterr().err


@pytest.fixture(scope="module")
def forgetting() -> Iterator[DurableRedis]:
    with redis_of_its_own("--appendonly", "no") as server:
        yield server


def test_a_redis_that_would_forget_is_refused_with_what_to_do(
    forgetting: DurableRedis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["core", "--redis", forgetting.url, "--data", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "appendonly" in said
    assert "--allow-forgetting" in said


def test_a_directory_in_use_is_refused(
    forgetting: DurableRedis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with DirectoryLock.take(tmp_path):
        assert main(["core", "--redis", forgetting.url, "--data", str(tmp_path)]) == 1
    assert "in use" in capsys.readouterr().err


def test_it_says_who_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    core: Any = SimpleNamespace(name="host:1:ab", forgetful=None)
    tell(core, Path("here"), as_json=True)
    assert json.loads(capsys.readouterr().out) == {"core": "host:1:ab", "data": "here"}
    core.forgetful = "no appendonly"
    tell(core, Path("here"), as_json=True)
    assert json.loads(capsys.readouterr().out)["forgetful"] == "no appendonly"
    tell(core, Path("here"), as_json=False)
    said = capsys.readouterr().out
    assert "host:1:ab" in said
    assert "no appendonly" in said
