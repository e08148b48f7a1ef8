"""The parser, and what becomes of errors."""

from __future__ import annotations

import argparse

import pytest

from exchange import __version__, build
from exchange.cli.commands import main, parser
from exchange.cli.output import Failure, UsageError

COMMANDS = (
    *("serve", "demo", "buy", "sell", "positions", "orders", "balances", "keys", "verify"),
    *("core", "gateway", "cluster"),
    *("replay", "terminal", "load", "bots", "bench", "why", "faucet", "compare"),
)


def subcommands(command: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def test_every_command_of_the_design_page_is_there() -> None:
    assert set(subcommands(parser())) == set(COMMANDS)
    assert set(subcommands(subcommands(parser())["keys"])) == {"create", "list", "revoke", "admin"}


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in {"terminal", "load"}])
def test_every_command_teaches_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"papertape {command}" in capsys.readouterr().out


def test_help_shows_a_first_minute(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "papertape buy BTC-USDT-PERP 0.1 --leverage 10" in capsys.readouterr().out


def test_the_version_tells_which_build_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"papertape {__version__} ({build.running()})\n"


def test_another_build_is_executed_with_the_rest_of_the_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    executed: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(build, "execute_again", lambda *call: executed.append(call))
    with pytest.raises(SystemExit):
        main(["bench", "mark", "--build", "compiled", "--help"])
    assert executed == [("compiled", ["bench", "mark", "--help"])]


def test_a_build_nobody_knows_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--build", "fast"]) == 2
    assert "--build takes one of auto, pure, compiled" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["fly"], ["buy"], ["serve", "--port", "x"]])
def test_wrong_use_is_exit_code_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: papertape" in captured.err


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError("use it so"), 2), (Failure("no luck"), 1), (KeyboardInterrupt(), 130)],
)
def test_an_error_is_a_line_on_stderr_and_a_code(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def failing(_: object) -> int:
        raise error

    monkeypatch.setattr("exchange.cli.trade.orders", failing)
    assert main(["orders"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    expected = f"papertape: {error}\n" if str(error) else ""
    assert captured.err == expected
