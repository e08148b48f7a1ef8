"""Servers of a benchmark run apart, and tell what they use."""

from __future__ import annotations

import os

import pytest

from exchange.bench.processes import (
    Process,
    Took,
    bare_process,
    exchange_process,
    metric,
    open_account,
    sync_p50_us,
)


def test_an_exchange_is_opened_for_the_benchmark_and_leaves_nothing(tmp_path) -> None:
    with exchange_process(str(tmp_path)) as served:
        account = open_account(served.said["url"])
        assert account.key
        assert account.secret
        assert metric(served.said["url"], "papertape_commands_total") > 0
        assert served.peak_rss_mb() > 10
        assert served.cpu_s() > 0
        (folder,) = tmp_path.iterdir()
        assert any(folder.joinpath("journal").iterdir())
    assert list(tmp_path.iterdir()) == []


def test_a_bare_server_says_where_it_is() -> None:
    with bare_process("picows") as bare:
        assert bare.said["url"].startswith("http://127.0.0.1:")


def test_what_does_not_start_is_no_server() -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        Process(["-c", "raise SystemExit(3)"])


def test_stretches_add_up_and_tell_their_rates() -> None:
    both = Took(100, 0.5, 0.25).and_(Took(300, 1.5, 0.75))
    assert both == (400, 2.0, 1.0)
    assert both.per_s == 200  # 400 in 2 s,
    assert both.cpu_us == 2_500  # and 1 s of the processor over 400.


def test_a_sync_takes_time(tmp_path: os.PathLike[str]) -> None:
    assert sync_p50_us(str(tmp_path), 3, 100) > 0
