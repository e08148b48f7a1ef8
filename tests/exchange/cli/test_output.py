"""How commands speak."""

from __future__ import annotations

import io

import pytest

from exchange.cli.output import GREEN, complain, dash, painted, print_json, table
from exchange.wire import TimeSay


class Terminal(io.StringIO):
    """Somebody looks."""

    def isatty(self) -> bool:
        return True


def test_columns_are_aligned_words_left_and_numbers_right() -> None:
    drawn = table(("name", "qty"), [("BTC", "1.5"), ("DOGE", "12")])
    assert drawn.splitlines() == [
        "name  qty",
        "BTC   1.5",
        "DOGE   12",
    ]


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert painted("up", GREEN, Terminal()) == "\x1b[32mup\x1b[0m"
    assert painted("up", GREEN, io.StringIO()) == "up"
    monkeypatch.setenv("NO_COLOR", "1")
    assert painted("up", GREEN, Terminal()) == "up"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert painted("up", GREEN, Terminal()) == "up"


def test_a_record_is_printed_as_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(TimeSay(1, 2, 1.0, False, "paper"))
    assert capsys.readouterr().out == (
        '{"exchange_time":1,"wall_time":2,"speed":1.0,"paused":false,"env":"paper"}\n'
    )


def test_nothing_is_a_dash() -> None:
    assert (dash(None), dash(""), dash("0")) == ("-", "-", "0")


def test_nothing_that_is_shown_commands_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = table(("label",), [("\x1b[2Jgone\n",)])
    assert drawn.splitlines()[1] == "?[2Jgone?"
    complain("no \x1b]0;title\x07")
    assert capsys.readouterr().err == "papertape: no ?]0;title?\n"
