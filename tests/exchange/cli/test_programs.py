"""Programs of their own behind the one command."""

from __future__ import annotations

import importlib
import sys
import types
from argparse import ArgumentParser, Namespace

import pytest

from exchange.cli import programs
from exchange.cli.commands import main
from exchange.cli.output import Failure


class Program(types.ModuleType):
    """A program that notes how it was called."""

    def __init__(self) -> None:
        super().__init__("program", "Does something.")
        self.given: Namespace | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--count", type=int, default=1)

    def main(self, args: Namespace) -> int:
        self.given = args
        return 7


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    made = Program()
    for _, _, module in programs.PROGRAMS:
        monkeypatch.setitem(sys.modules, module, made)
    return made


@pytest.mark.parametrize("words", [words for words, _, _ in programs.PROGRAMS])
def test_a_program_gets_its_own_options_and_gives_its_own_code(
    program: Program, words: tuple[str, ...]
) -> None:
    assert main([*words, "x", "--count", "3"]) == 7
    assert program.given == Namespace(name="x", count=3)


def test_a_program_teaches_itself(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bots", "run", "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "papertape bots run" in out
    assert "Does something." in out


def test_half_a_name_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench"])
    assert ended.value.code == 2


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'textual'", name="textual.app")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(Failure, match=r"papertape\[terminal\]"):
        programs.loaded("clients.terminal.app")


def test_a_fault_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'clients.oops'", name="clients.oops")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ModuleNotFoundError):
        programs.loaded("clients.terminal.app")


@pytest.mark.parametrize(("words", "module"), [(w, m) for w, _, m in programs.PROGRAMS])
def test_every_program_that_is_named_is_there(words: tuple[str, ...], module: str) -> None:
    if words == ("terminal",):
        pytest.importorskip("textual", reason="the terminal is an extra")
    found = importlib.import_module(module)
    assert callable(found.add_arguments)
    assert callable(found.main)
