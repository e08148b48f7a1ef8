"""Tests of docs/audit.md: every invariant has its line, and what it names exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from matching.invariants import INVARIANTS

PAGE = Path(__file__).parent.parent / "docs" / "audit.md"
LINES = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| I")]


def test_every_invariant_has_its_line() -> None:
    assert [line.split("|")[1].strip() for line in LINES] == list(INVARIANTS)


def test_what_a_line_names_exists() -> None:
    named = {name for line in LINES for name in re.findall(r"`((?:\w+\.)+\w+)`", line)}
    assert len(named) >= len(INVARIANTS)
    for name in named:
        assert exists(name), name
    assert not exists("risk.invariants.check_nothing")


def test_what_is_asserted_is_named_where_it_is_asserted() -> None:
    """Each id whose line names code, not tests alone, stands in that code."""
    for line in LINES:
        invariant = line.split("|")[1].strip()
        sources = [source(name) for name in re.findall(r"`((?:\w+\.)+\w+)`", line)]
        if "| tests |" not in line and invariant != "I13":
            assert any(re.search(rf"\b{invariant}\b", text) for text in sources), invariant


def module_of(name: str) -> tuple[str, list[str]]:
    """The longest part of a dotted name that is a module, and the names in it."""
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        if _is_module(parts[:size]):
            return ".".join(parts[:size]), parts[size:]
    raise AssertionError(name)


def _is_module(parts: list[str]) -> bool:
    root = PAGE.parent.parent / Path(*parts)
    return root.with_suffix(".py").is_file() or root.is_dir()


def exists(name: str) -> bool:
    """Whether a dotted name leads to something."""
    module, rest = module_of(name)
    found: object = importlib.import_module(module)
    for part in rest:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def source(name: str) -> str:
    """The text of the module a dotted name leads into."""
    path = PAGE.parent.parent / Path(*module_of(name)[0].split("."))
    return path.with_suffix(".py").read_text(encoding="utf-8")
