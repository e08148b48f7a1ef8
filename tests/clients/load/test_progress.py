"""Tests of the progress bar: one line on a terminal, nothing anywhere else."""

import io

from clients.load.plan import NS_PER_S, make_plan
from clients.load.progress import Progress, progress_line
from clients.load.record import Record
from tests.clients.fake_exchange import eventually
from tests.clients.load.worlds import MS, World, shape


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_says_how_far_it_is_and_what_came() -> None:
    plan = make_plan(shape())
    record = Record(plan)
    for number, item in enumerate(plan.items[:400]):
        record.send(number, item, item.at_ns)
    for number in range(390):
        record.answer(number, "NOPE" if number == 200 else "", 4 * NS_PER_S)
    # One second of warm-up and ten measured: 5.5 s are half of it, twelve marks of 24.
    line = progress_line(plan, record, 5_500 * MS)
    bar = "#" * 12 + "." * 12
    assert line == f"[{bar}]  50%  300 sent, 289 done, 1 refused, 10 on their way, 6 s left"


def test_the_warm_up_is_called_so_and_the_end_is_no_more_than_all() -> None:
    plan = make_plan(shape())
    assert "warming up" in progress_line(plan, Record(plan), NS_PER_S - 1)
    last = progress_line(plan, Record(plan), 99 * NS_PER_S)
    assert "100%" in last
    assert "0 s left" in last


async def test_a_terminal_sees_the_line_and_at_the_end_a_clean_one() -> None:
    plan, terminal = make_plan(shape()), Terminal()
    progress = Progress(terminal)
    progress.say("opening")
    progress.follow(plan, Record(plan), World())
    await eventually(lambda: "warming up" in terminal.getvalue())
    await progress.end()
    assert "opening" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[2K")
    assert "\n" not in terminal.getvalue()


async def test_a_file_sees_nothing() -> None:
    plan, file = make_plan(shape()), io.StringIO()
    progress = Progress(file)
    progress.say("opening")
    progress.follow(plan, Record(plan), World())
    await progress.end()
    assert file.getvalue() == ""
