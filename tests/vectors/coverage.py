"""Which test runs which vector, and on what: the table of docs/vectors.md.

`python -m tests.vectors.coverage` writes it anew.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from tests.vectors import HERE, RUN_ON, On, document

ROOT: Final = HERE.parent.parent
PAGE: Final = ROOT / "docs" / "vectors.md"
BEGIN: Final = "<!-- The table is written by `python -m tests.vectors.coverage`. -->\n"
WORDS: Final[dict[On, str]] = {
    "engine": "the engine",
    "function": "a function of the engine",
    "convention": "another venue's convention",
}


class Run(NamedTuple):
    """That a test runs a vector, and on what."""

    id: str
    on: On
    node: str


def modules() -> Iterator[tuple[Path, ModuleType]]:
    """The test modules that read vectors."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if "from tests.vectors import" in path.read_text("utf-8"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield path.relative_to(ROOT), importlib.import_module(name)


def runs() -> list[Run]:
    """Every vector that is a parameter of a test, in the order of tests."""
    found: list[Run] = []
    for path, module in modules():
        for name, test in vars(module).items():
            for mark in getattr(test, "pytestmark", ()) if name.startswith("test_") else ():
                if mark.name == "parametrize" and mark.args[0] == "vector":
                    node = f"{path.as_posix()}::{name}"
                    found += [Run(each.id, _on(each), node) for each in mark.args[1]]
    return found


def _on(parameter: Any) -> On:
    """What `vectors` was told of this very parameter."""
    return next(on for each, on in RUN_ON if each is parameter)


def table() -> str:
    """A row a vector: what it ran on, the whole engine first, and the tests that run it."""
    rows = ["| id | what | run on | by |", "|---|---|---|---|"]
    told = runs()
    for id_, vector in document()["vectors"].items():
        mine = [run for run in told if run.id == id_]
        words = [WORDS[on] for on in WORDS if any(run.on == on for run in mine)]
        nodes = ", ".join(f"`{run.node.removeprefix('tests/')}`" for run in mine)
        what = vector["topic"] + ("" if vector["default"] else " *")
        rows.append(f"| {id_} | {what} | {', '.join(words)} | {nodes} |")
    return "\n".join(rows) + "\n"


def page(text: str) -> str:
    """A page's text with the present table behind its mark."""
    before, mark, _ = text.partition(BEGIN)
    assert mark, "the page has no mark for the table"
    return before + mark + "\n" + table()


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
