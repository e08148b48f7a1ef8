"""A queue in a file without a name."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.storage.spool import Spool


def test_what_goes_in_first_comes_out_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for data in (b"one", b"", b"three"):
        spool.append(data)
    assert len(spool) == 3
    assert [spool.take(), spool.take(), spool.take(), spool.take()] == [b"one", b"", b"three", None]
    spool.close()


@given(deeds=st.lists(st.one_of(st.none(), st.binary(max_size=50)), max_size=60))
def test_it_is_a_queue_whatever_is_done_with_it(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[bytes | None]
) -> None:
    spool = Spool(tmp_path_factory.getbasetemp())
    twin: list[bytes] = []
    for deed in deeds:
        if deed is None:
            assert spool.take() == (twin.pop(0) if twin else None)
        else:
            spool.append(deed)
            twin.append(deed)
        assert len(spool) == len(twin)
        assert spool.size_bytes == sum(4 + len(data) for data in twin)
    spool.close()


def test_it_gives_its_disk_back_when_it_runs_empty(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(b"x" * 10_000)
    spool.append(b"y")
    spool.take()
    assert os.fstat(spool._file.fileno()).st_size > 10_000
    spool.take()
    assert os.fstat(spool._file.fileno()).st_size == 0
    spool.close()


def test_it_leaves_no_name_behind(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(b"x")
    assert os.listdir(tmp_path) == []
    spool.close()


def test_what_does_not_fit_is_not_half_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool.append(b"one")

    def full(fd: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space left"):
            spool.append(b"two")
    spool.append(b"three")
    assert [spool.take(), spool.take(), spool.take()] == [b"one", b"three", None]
    spool.close()
