"""Tests of what a benchmark tells of its machine and process."""

import gc

import pytest

from exchange.bench.measure import (
    calibration_per_s,
    collector_at_rest,
    peak_rss_mb,
    resident_mb,
    show_progress,
)


def test_the_calibration_counts_steps_of_real_work() -> None:
    assert calibration_per_s(steps=1_000) > 0


def test_peak_memory_is_that_of_a_living_interpreter() -> None:
    assert 1 < peak_rss_mb() < 100_000


def fail_at_rest() -> None:
    with collector_at_rest():
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
        raise KeyError


def test_the_collector_rests_only_inside_and_even_after_a_failure() -> None:
    assert gc.isenabled()
    with pytest.raises(KeyError):
        fail_at_rest()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collector_at_rest():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_is_held_now_is_no_more_than_was_held_at_most() -> None:
    assert 1 < resident_mb() <= peak_rss_mb() * 1.01


def test_progress_is_for_a_person_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show_progress("commands", 1, 4)
    assert not capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    show_progress("commands", 1, 4)
    assert "commands: 25 % of 4" in capsys.readouterr().err
