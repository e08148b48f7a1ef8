"""`verify` and `replay` on a directory that an exchange left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exchange.cli.commands import main
from exchange.cli.journals import moment_text, point
from exchange.cli.output import UsageError
from exchange.commands import AnyCommand, OpenAccount, Tick
from exchange.config import default_venue
from exchange.engine import Engine
from exchange.groups import encode_group
from exchange.recovery import JOURNAL, recover

START_MS = 1_700_000_000_000


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A venue's first three commands: its genesis, an account, a minute later."""
    recovered = recover(
        tmp_path, lambda: default_venue(1, START_MS, symbols=["BTC-USDT"], prices="fixed")
    )
    commands: list[AnyCommand] = [
        OpenAccount(seq=2, time_ms=START_MS + 1_000, label="alice"),
        Tick(seq=3, time_ms=START_MS + 60_000),
    ]
    for command in commands:
        recovered.journal.append_and_sync(command.seq, 1, encode_group([command]))
    recovered.journal.close()
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert main(list(words)) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def run_json(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return json.loads(run(capsys, *words, "--json")[0])


def test_a_sound_directory_is_called_sound(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = run(capsys, "verify", str(directory))
    assert "sound" in out
    assert "3 replayed, 0 to 3" in out
    assert err == ""  # No progress where nobody looks.
    said = run_json(capsys, "verify", str(directory))
    assert (said["ok"], said["to_seq"], said["problems"]) == (True, 3, [])
    assert said["digest"] in out


def test_paranoid_looks_behind_every_command(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    monkeypatch.setattr(Engine, "check", lambda engine: looked.append(engine.seq))
    run(capsys, "verify", str(directory), "--paranoid")
    assert looked == [1, 2, 3, 3]  # And once more at the end, as always.
    looked.clear()
    run(capsys, "replay", str(directory), "--paranoid", "--to", "2")
    assert looked == [1, 2]


def test_a_flipped_bit_is_found_and_is_a_failure(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    segment = next(
        path for path in (directory / JOURNAL).iterdir() if b"alice" in path.read_bytes()
    )
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b"alice", b"alicf"))
    out, _ = run(capsys, "verify", str(directory), code=1)
    assert "NOT SOUND" in out
    assert "  ! " in out


def test_a_state_is_rebuilt_up_to_a_command_or_a_moment(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = run_json(capsys, "replay", str(directory))
    assert (whole["seq"], whole["time"]) == (3, START_MS + 60_000)
    assert whole["state"]["seq"] == 3
    before = run_json(capsys, "replay", str(directory), "--to", "1")
    assert before["seq"] == 1
    assert before["digest"] != whole["digest"]
    at_moment = run_json(capsys, "replay", str(directory), "--to", str(START_MS + 59_999))
    assert at_moment["seq"] == 2
    out, _ = run(capsys, "replay", str(directory))
    assert "accounts  1 of users, 0 of agents" in out
    assert "BTC-USDT" in out
    assert whole["digest"] in out


def test_where_there_is_nothing_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("verify", "replay"):
        out, err = run(capsys, command, str(tmp_path / "nowhere"), code=1)
        assert (out == "") or "NOT SOUND" in out
        assert "no journal" in out + err


def test_a_point_is_a_number_or_a_moment() -> None:
    assert point(None) == (None, None)
    assert point("12000") == (12_000, None)
    assert point(str(START_MS)) == (None, START_MS)
    assert point("2023-11-14T22:13:20") == (None, START_MS)
    assert point("2023-11-14T23:13:20+01:00") == (None, START_MS)
    with pytest.raises(UsageError):
        point("yesterday")


def test_a_moment_is_told_in_utc() -> None:
    assert moment_text(START_MS + 5) == "2023-11-14T22:13:20.005Z"
