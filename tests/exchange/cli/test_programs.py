"""Programs of their own behind the one command."""

from __future__ import annotations

import importlib
import re
import sys
import types
from argparse import ArgumentParser, Namespace

import pytest

from exchange.cli import programs
from exchange.cli.commands import main, parser
from exchange.cli.output import Failure
from tests.exchange.cli.test_commands import subcommands


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


def test_the_help_of_all_names_every_command_and_every_program(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out.split("commands:")[1].split("a first minute:")[0]
    words = set(re.findall(r"[\w-]+", told))
    assert set(subcommands(parser())) <= words
    assert {word for names, _, _ in programs.PROGRAMS for word in names} <= words


@pytest.mark.parametrize(
    "module", [module for words, _, module in programs.PROGRAMS if words != ("terminal",)]
)
def test_every_program_but_the_desk_speaks_json_too(module: str) -> None:
    own = ArgumentParser()
    programs.loaded(module).add_arguments(own)
    assert "--json" in own.format_help()


def test_every_other_command_speaks_json() -> None:
    """Those of the parser itself; a program's options are its own."""
    own = {names[0] for names, _, _ in programs.PROGRAMS}
    waiting = [(name, each) for name, each in subcommands(parser()).items() if name not in own]
    checked = 0
    while waiting:
        name, command = waiting.pop()
        within = subcommands(command)
        waiting += [(f"{name} {each}", found) for each, found in within.items()]
        if not within:
            checked += 1
            assert "--json" in command.format_help(), name
    assert checked > 12
