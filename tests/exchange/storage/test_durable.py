"""Files put in place whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exchange.storage import durable
from exchange.storage.durable import sync_directory, sync_file, write_durably


def test_a_file_is_written_in_parts_and_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_durably(path, b"one ", b"two", mode=0o600)
    assert path.read_bytes() == b"one two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")

    def failing_sync(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(durable, "sync_file", failing_sync)
    with pytest.raises(OSError, match="Input/output"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_sync_of_what_cannot_be_synced_raises(tmp_path: Path) -> None:
    sync_directory(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_directory(tmp_path / "absent")
    with pytest.raises(OSError, match="Bad file descriptor"):
        sync_file(10_000_000)
