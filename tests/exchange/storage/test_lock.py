"""One process a data directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.storage.lock import DirectoryInUse, DirectoryLock

HOLDER = """
import sys
from pathlib import Path
from exchange.storage.lock import DirectoryLock

lock = DirectoryLock.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def holder_of(directory: Path) -> subprocess.Popen[str]:
    """Another process that holds the directory until its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def ended(process: subprocess.Popen[str]) -> None:
    process.communicate()


def test_a_directory_is_made_and_held(tmp_path: Path) -> None:
    with DirectoryLock.take(tmp_path / "deep" / "data") as lock:
        assert (lock.directory / "lock").read_text() == f"{os.getpid()}\n"


def test_a_second_holder_is_told_who_holds_it(tmp_path: Path) -> None:
    process = holder_of(tmp_path)
    with pytest.raises(DirectoryInUse, match=f"in use by process {process.pid};") as caught:
        DirectoryLock.take(tmp_path)
    assert caught.value.pid == process.pid
    assert str(tmp_path) in str(caught.value)
    ended(process)
    DirectoryLock.take(tmp_path).release()


def test_even_one_process_holds_it_only_once(tmp_path: Path) -> None:
    with DirectoryLock.take(tmp_path), pytest.raises(DirectoryInUse):
        DirectoryLock.take(tmp_path)


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    process = holder_of(tmp_path)
    process.kill()
    ended(process)
    DirectoryLock.take(tmp_path).release()


def test_a_released_directory_can_be_taken_again(tmp_path: Path) -> None:
    lock = DirectoryLock.take(tmp_path)
    lock.release()
    lock.release()
    DirectoryLock.take(tmp_path).release()


def test_a_holder_who_wrote_no_pid_is_still_refused(tmp_path: Path) -> None:
    with DirectoryLock.take(tmp_path):
        (tmp_path / "lock").write_text("")
        with pytest.raises(DirectoryInUse, match="another process") as caught:
            DirectoryLock.take(tmp_path)
    assert caught.value.pid is None
