"""Tests of docs/why.md: its example is what the commands print, and its table has every kind."""

from __future__ import annotations

import re
from pathlib import Path

from exchange.cli.why import KINDS
from tests.exchange.cli.test_trade import Desk, desk

__all__ = ["desk"]  # The fixture: somebody at a terminal.

PAGE = (Path(__file__).parent.parent / "docs" / "why.md").read_text()


def test_the_table_has_a_line_for_every_kind() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(KINDS)


async def test_the_example_is_what_the_commands_print(desk: Desk) -> None:
    (block,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    commands = re.split(r"^\$ papertape ", block, flags=re.MULTILINE)[1:]
    assert len(commands) == 2
    for each in commands:
        line, _, printed = each.partition("\n")
        words = line.split()
        out = await desk.type(*words, code=1 if words[0] == "buy" else 0)
        assert out + desk.err == printed
