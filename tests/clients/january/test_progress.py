"""Tests of the progress: where time is and what is left, on a terminal; milestones elsewhere."""

import io

import pytest

from clients.january.progress import Progress, duration

BEGIN_MS = 1_640_995_200_000  # 2022-01-01 00:00 UTC
HOUR_MS = 3_600_000


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_the_moment_the_share_and_what_is_left() -> None:
    clock = iter([100.0, 110.0])  # 10 s after the first look
    stream = Terminal()
    progress = Progress(stream, BEGIN_MS, BEGIN_MS + 10 * HOUR_MS, lambda: next(clock))
    progress.at(BEGIN_MS - HOUR_MS)
    assert stream.getvalue().endswith("2021-12-31 23:00:00    0.0 %")
    # 4 + 1 of 10 + 1 hours took 10 s, so the 6 that are left take 12.
    progress.at(BEGIN_MS + 4 * HOUR_MS)
    assert stream.getvalue().endswith("\r\x1b[K2022-01-01 04:00:00   40.0 %  12 s left")


def test_at_the_end_nothing_is_left_to_tell() -> None:
    stream = Terminal()
    progress = Progress(stream, BEGIN_MS, BEGIN_MS + HOUR_MS, lambda: 1.0)
    progress.at(BEGIN_MS)
    progress.at(BEGIN_MS + HOUR_MS)
    assert stream.getvalue().endswith("2022-01-01 01:00:00  100.0 %")


def test_a_milestone_takes_the_line_away_first() -> None:
    stream = Terminal()
    progress = Progress(stream, BEGIN_MS, BEGIN_MS + HOUR_MS)
    progress.at(BEGIN_MS)
    progress.say("it is open")
    assert stream.getvalue().endswith("\r\x1b[Kjanuary: it is open\n")
    progress.clear()
    assert stream.getvalue().endswith("it is open\n")


def test_a_file_gets_milestones_alone() -> None:
    stream = io.StringIO()
    progress = Progress(stream, BEGIN_MS, BEGIN_MS + HOUR_MS)
    progress.at(BEGIN_MS)
    progress.say("it is open")
    progress.clear()
    assert stream.getvalue() == "january: it is open\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7_260, "2 h 1 min")],
)
def test_a_duration_is_told_to_two_places(seconds: float, text: str) -> None:
    assert duration(seconds) == text
