"""Tests of the choice of a build: which is found, which refused, and that both are one engine."""

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from exchange import build
from tests.exchange.tapes import Tape, an_hour_at_the_market, order

SHAPE = re.compile(r"^cdef class (\w+)(?:\(\w+\))?:\n((?:(?:    .*)?\n)+)", re.MULTILINE)
FIELD = re.compile(r"^    cdef public .*?(\w+)$", re.MULTILINE)
TELL = "import exchange.build; print(exchange.build.running())"


class House:
    """A checkout with one marked module, and the real code that chooses its build."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("matching", "exchange"):
            (root / name).mkdir(parents=True)
        for path in ("exchange/__init__.py", "exchange/build.py"):
            (root / path).write_bytes((build.ROOT / path).read_bytes())
        (root / "matching" / "__init__.py").touch()
        (root / "matching" / "reasons.py").write_text("UNMARKED = True\n")
        (root / "matching" / "book.pxd").write_text("cdef class Book:\n    pass\n")
        self.book = root / "matching" / "book.py"
        self.book.write_text("# cython: overflowcheck=True\n")

    def compile(self, folder: Path = build.BUILT) -> Path:
        """Put an empty file where the book's extension would lie, made of what is there now."""
        (root := self.root / folder).mkdir(parents=True, exist_ok=True)
        file = build.extensions(self.root, root)["matching.book"]
        file.touch()
        return file

    def faults(self) -> list[str]:
        return build.faults(self.root, self.root / build.BUILT)

    def tell(self, choice: str | None) -> subprocess.CompletedProcess[str]:
        """Which build a process runs that is told this choice."""
        environment = {k: v for k, v in os.environ.items() if k != build.VARIABLE}
        if choice is not None:
            environment[build.VARIABLE] = choice
        command = [sys.executable, "-c", TELL]
        return subprocess.run(
            command, env=environment, cwd=self.root, capture_output=True, text=True, check=False
        )


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


def test_a_module_is_marked_by_its_first_line(house: House) -> None:
    assert build.marked(house.root) == {"matching.book": house.book}


def test_what_was_compiled_from_these_sources_is_fresh(house: House) -> None:
    assert house.faults() == ["matching/book.py is not compiled"]
    house.compile()
    assert house.faults() == []


def test_an_edited_source_makes_its_extension_stale(house: House) -> None:
    house.compile()
    house.book.write_text("# cython: overflowcheck=True\nEDITED = 1\n")
    assert house.faults() == ["matching/book.py has changed since it was compiled"]


def test_an_edited_shape_makes_every_extension_stale(house: House) -> None:
    house.compile()
    (house.root / "matching" / "types.pxd").write_text("cdef class Order:\n    pass\n")
    assert house.faults() == ["matching/book.py has changed since it was compiled"]


def test_an_extension_of_another_python_is_none(house: House) -> None:
    file = house.compile()
    file.rename(file.with_name(file.name.replace(EXTENSION_SUFFIXES[0], ".cpython-22-other.so")))
    assert house.faults() == ["matching/book.py is not compiled"]


@pytest.mark.parametrize("choice", ["auto", "compiled"])
def test_what_is_fresh_runs_where_it_is_asked_for(house: House, choice: str) -> None:
    house.compile()
    assert house.tell(choice).stdout == "compiled\n"


@pytest.mark.parametrize("choice", [None, "pure"])
def test_a_checkout_is_pure_unless_asked(house: House, choice: str | None) -> None:
    house.compile()
    assert house.tell(choice).stdout == "pure\n"


def test_what_was_installed_compiled_runs_compiled_unless_asked(house: House) -> None:
    house.compile(build.INSTALLED)
    assert house.tell(None).stdout == "compiled\n"
    assert house.tell("pure").stdout == "pure\n"


def test_auto_runs_interpreted_where_nothing_is_compiled(house: House) -> None:
    run = house.tell("auto")
    assert (run.stdout, run.stderr) == ("pure\n", "")


def test_auto_passes_over_what_is_stale_and_says_so(house: House) -> None:
    house.compile()
    house.book.write_text("# cython: overflowcheck=True\nEDITED = 1\n")
    run = house.tell("auto")
    assert run.stdout == "pure\n"
    assert "matching/book.py has changed since it was compiled" in run.stderr
    assert "scripts/build" in run.stderr


def test_compiled_refuses_to_start_with_what_is_stale(house: House) -> None:
    house.compile()
    house.book.write_text("# cython: overflowcheck=True\nEDITED = 1\n")
    run = house.tell("compiled")
    assert (run.returncode, run.stdout) == (1, "")
    assert "matching/book.py has changed since it was compiled" in run.stderr
    assert "scripts/build" in run.stderr


def test_compiled_refuses_to_start_without_extensions(house: House) -> None:
    run = house.tell("compiled")
    assert run.returncode == 1
    assert "matching/book.py is not compiled" in run.stderr


def test_a_choice_nobody_knows_is_refused(house: House) -> None:
    run = house.tell("fast")
    assert run.returncode == 1
    assert "PAPERTAPE_BUILD is 'fast'" in run.stderr


@pytest.mark.parametrize(
    ("line", "wanted", "rest"),
    [
        (["serve"], None, ["serve"]),
        (["serve", "--build", "auto", "--port", "0"], "auto", ["serve", "--port", "0"]),
        (["--build=pure", "bench", "mark"], "pure", ["bench", "mark"]),
        (["--version", "--build"], "", ["--version"]),
    ],
)
def test_the_build_is_taken_out_of_a_line(line: list[str], wanted: str, rest: list[str]) -> None:
    assert build.asked(line) == (wanted, rest)


def test_another_build_is_the_same_line_executed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    executed: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda *call: executed.append(call))
    monkeypatch.setattr(sys, "orig_argv", ["py", "-O", "papertape", "--build", "pure", "serve"])
    monkeypatch.setattr(sys, "argv", ["papertape", "--build", "pure", "serve"])
    build.execute_again("pure", ["serve"])
    ((program, command, environment),) = executed
    assert (program, command) == (sys.executable, ["py", "-O", "papertape", "serve"])
    assert environment[build.VARIABLE] == "pure"


# The project's own marked modules.


def test_every_marked_module_checks_for_overflow() -> None:
    sources = build.marked(build.ROOT)
    assert {"matching.book", "matching.types"} <= sources.keys()
    for module, path in sources.items():
        assert "overflowcheck=True" in path.read_text("utf-8").splitlines()[0], module


def test_a_shape_has_a_marked_source_and_names_every_slot_of_its_classes() -> None:
    sources = build.marked(build.ROOT)
    for path in build.shape_files(build.ROOT):
        module = ".".join(path.relative_to(build.ROOT).with_suffix("").parts)
        assert module in sources, path
        shapes = SHAPE.findall(path.read_text("utf-8"))
        for name, fields in shapes:
            slots = getattr(import_module(module), name).__slots__
            assert sorted(FIELD.findall(fields)) == sorted(slots), name


def test_this_process_runs_what_it_was_told() -> None:
    if os.environ.get(build.VARIABLE) == "compiled":
        assert build.running() == "compiled"
    for module in build.marked(build.ROOT):
        is_source = str(import_module(module).__file__).endswith(".py")
        assert is_source == (build.running() == "pure"), module


def verified(directory: Path, choice: str) -> dict[str, object]:
    """What `papertape verify` says of a data directory in a build."""
    command = [sys.executable, "-m", "exchange", "verify", str(directory), "--json"]
    environment = {**os.environ, build.VARIABLE: choice}
    run = subprocess.run(
        command, env=environment, cwd=build.ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, object] = json.loads(run.stdout)
    return told


def test_either_build_replays_the_journal_and_the_snapshot_of_the_other(tmp_path: Path) -> None:
    if build.faults(build.ROOT, build.ROOT / build.BUILT):
        pytest.skip("only one build is here: scripts/build makes the other")
    tape = Tape(tmp_path)
    an_hour_at_the_market(tape)
    tape.snapshot()
    tape.do(order("49000"))
    digest = tape.engine.digest()
    tape.close()
    for choice in ("pure", "compiled"):
        told = verified(tmp_path, choice)
        assert told["ok"] is True, told
        assert told["digest"] == digest
