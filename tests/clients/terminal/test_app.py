"""Tests of the command that starts the desk."""

import argparse
import builtins
import importlib
import sys
from pathlib import Path

import pytest

from clients.terminal.app import Identity, add_arguments, find_identity, main


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture
def stored(tmp_path: Path) -> str:
    (tmp_path / "demo.json").write_text('{"url":"http://127.0.0.1:9","key":"dk","secret":"ds"}')
    return str(tmp_path)


ENVIRONMENT = {"PAPERTAPE_KEY": "ek", "PAPERTAPE_SECRET": "es", "PAPERTAPE_URL": "http://e"}


def test_an_argument_goes_before_the_environment_and_that_before_the_store(stored: str) -> None:
    args = arguments("--key", "ak", "--secret", "as", "--url", "http://a", "--data", stored)
    assert find_identity(args, ENVIRONMENT) == Identity("http://a", "ak", "as")
    args = arguments("--data", stored)
    assert find_identity(args, ENVIRONMENT) == Identity("http://e", "ek", "es")
    assert find_identity(args, {}) == Identity("http://127.0.0.1:9", "dk", "ds")


def test_an_address_given_goes_with_the_stored_key(stored: str) -> None:
    args = arguments("--data", stored, "--url", "http://a")
    assert find_identity(args, {}) == Identity("http://a", "dk", "ds")


def test_without_any_key_there_is_only_an_address(tmp_path: Path) -> None:
    args = arguments("--data", str(tmp_path))
    assert find_identity(args, {}) == Identity("http://127.0.0.1:8080", None, None)


def test_a_stored_key_that_cannot_be_read_is_named(tmp_path: Path, capsys) -> None:
    (tmp_path / "demo.json").write_text("not json")
    assert main(arguments("--data", str(tmp_path))) == 1
    assert "demo.json is not a stored key" in capsys.readouterr().err


def test_where_nobody_answers_it_says_so(capsys) -> None:
    args = arguments("--url", "http://127.0.0.1:1", "--key", "k", "--secret", "s")
    assert main(args) == 1
    assert "UNREACHABLE" in capsys.readouterr().err


def test_without_textual_it_says_what_to_install(monkeypatch, capsys) -> None:
    monkeypatch.delitem(sys.modules, "clients.terminal.screen", raising=False)

    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name="textual")

    monkeypatch.setattr(importlib, "import_module", missing)
    assert main(arguments()) == 1
    assert "pip install 'papertape[terminal]'" in capsys.readouterr().err


def test_the_command_line_itself_needs_no_textual(monkeypatch) -> None:
    real = builtins.__import__

    def without(name: str, *more, **named):
        if name.split(".", maxsplit=1)[0] in ("textual", "textual_plotext", "plotext", "rich"):
            raise ModuleNotFoundError(name=name)
        return real(name, *more, **named)

    for name in [name for name in sys.modules if name.startswith("clients.terminal.app")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    module = __import__("clients.terminal.app", fromlist=["add_arguments"])
    module.add_arguments(argparse.ArgumentParser())
