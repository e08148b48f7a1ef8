"""The style as a test: what reviewers would otherwise have to see.

Each rule is a pure function from a source to what is wrong with it, and is tried on a planted
fault too, so that it can fail. Where a planted word is in two halves, the whole one would be a
fault of this file.
"""

import ast
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("matching", "risk", "exchange", "clients")
FUNCTION_LINES_MAX = 50
FILE_LINES_MAX = 500
SCRIPT_LINES_MAX = 60
COLUMNS_MAX = 100

DOOR = PurePosixPath("exchange/gateway/binance")
CORE_FOLDERS = ("matching", "risk")
CORE_MODULES = ("engine", "commands", "events", "schedule", "snapshot")
IMPURE = frozenset(
    {"aiohttp", "asyncio", "datetime", "decimal", "fractions", "logging", "os", "pathlib"}
    | {"random", "redis", "secrets", "socket", "sqlite3", "subprocess", "threading", "time", "uuid"}
)
MADE_BY_TOOLS = frozenset({"__pycache__", "vendor", ".hypothesis"})
VAGUE = frozenset({"utils", "util", "helpers", "helper", "manager", "common", "base"})
LEFTOVER = re.compile(r"\b(TO[D]O|FIX[M]E|NotImplemented[E]rror)\b")
DIALECT = re.compile(r"\b[A-Z0-9]{2,6}USDT\b|(?<![\w.-])-2010\b|\bexecutionReport\b")
MACHINE_PATH = re.compile(r"(?<![\w.~}])/(home|root|Users|tmp|work|workspace|builds|mnt)/\w")


# The rules: from a source to what is wrong with it, as "line: what".


def long_functions(source: str) -> list[str]:
    """Functions of more than 50 lines, the docstring not counted."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = span(node)
            if ast.get_docstring(node, clean=False) is not None:
                lines -= span(node.body[0])
            if lines > FUNCTION_LINES_MAX:
                found.append(f"{node.lineno}: {node.name} has {lines} lines")
    return found


def long_file(source: str, lines_max: int = FILE_LINES_MAX) -> list[str]:
    """A file of more lines than one wants to read."""
    lines = len(source.splitlines())
    return [f"{lines}: the file has {lines} lines, more than {lines_max}"] * (lines > lines_max)


def wide_lines(source: str) -> list[str]:
    """Lines of more than 100 columns."""
    numbered = enumerate(source.splitlines(), start=1)
    return [f"{n}: {len(line)} columns" for n, line in numbered if len(line) > COLUMNS_MAX]


def inexact_numbers(source: str) -> list[str]:
    """Float literals, float, Decimal, and true division, which makes a float of integers."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float() | complex()):
                found.append(f"{node.lineno}: the literal {ast.unparse(node)}")
            case ast.Name(id="float" | "Decimal" | "Fraction") as name:
                found.append(f"{node.lineno}: {name.id}")
            case ast.Attribute(attr="Decimal" | "Fraction") as attribute:
                found.append(f"{node.lineno}: {attribute.attr}")
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                found.append(f"{node.lineno}: a true division; integers want //")
    return found


def impure_imports(source: str) -> list[str]:
    """Imports of what has a clock, a socket, a file, a log or dice."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), level=0):
                modules = [module]
            case _:
                continue
        found += [f"{node.lineno}: imports {m}" for m in modules if m.split(".")[0] in IMPURE]
    return found


def leftovers(source: str) -> list[str]:
    """Notes to oneself, and code that is yet to be written."""
    return grep(LEFTOVER, source)


def vague_modules(path: PurePosixPath) -> list[str]:
    """Names of folders and modules that say nothing of what is in them."""
    words = {word for part in path.with_suffix("").parts for word in part.split("_")}
    return [f"1: the path holds the word {word!r}" for word in sorted(words & VAGUE)]


def vague_classes(source: str) -> list[str]:
    """Classes named for holding things together, not for what they are."""
    classes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef))
    return [
        f"{node.lineno}: class {node.name}"
        for node in classes
        if any(word.lower() in VAGUE for word in re.findall(r"[A-Z][a-z]+", node.name))
    ]


def missing_docstring(source: str) -> list[str]:
    """A module that does not open by saying what it is, in a sentence."""
    opening = (ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0]
    return [] if re.search(r"[.:]$", opening) else ["1: the module opens with no sentence"]


def dialect_words(source: str) -> list[str]:
    """Words of a foreign wire, which stop at its door."""
    return grep(DIALECT, source)


def machine_paths(source: str) -> list[str]:
    """Absolute paths of somebody's machine."""
    return grep(MACHINE_PATH, source)


def untested(modules: Iterable[PurePosixPath], tests: Iterable[PurePosixPath]) -> list[str]:
    """Modules without a test module of their name, which may lie anywhere if the name is unique."""
    modules, tests = list(modules), set(tests)
    stems = [module.stem for module in modules]
    test_names = {test.name for test in tests}
    found = []
    for module in modules:
        name = f"test_{module.stem}.py"
        mirror = PurePosixPath("tests", module.parent, name)
        by_name = stems.count(module.stem) == 1 and name in test_names
        if mirror not in tests and not by_name:
            found.append(f"{module} has no {mirror}")
    return found


# What the rules are about, and the reading of it.


def span(node: ast.stmt) -> int:
    """The lines from a statement's first to its last; decorators not counted."""
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def grep(pattern: re.Pattern[str], source: str) -> list[str]:
    """Where the pattern occurs."""
    numbered = enumerate(source.splitlines(), start=1)
    return [f"{n}: {hit[0]}" for n, line in numbered for hit in [pattern.search(line)] if hit]


def files(*folders: str, ending: str = ".py") -> dict[PurePosixPath, str]:
    """The sources below these folders, by their path from the project's root."""
    found = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob(f"*{ending}")):
            inside = PurePosixPath(path.relative_to(ROOT).as_posix())
            if path.is_file() and not MADE_BY_TOOLS.intersection(inside.parts):
                found[inside] = path.read_text("utf-8", errors="replace")
    return found


def is_core(path: PurePosixPath) -> bool:
    """Does the file belong to the part that is a pure function of its commands?"""
    at_top = path.parent == PurePosixPath("exchange") and path.stem in CORE_MODULES
    return path.parts[0] in CORE_FOLDERS or at_top


def is_program(path: PurePosixPath) -> bool:
    """Is the file a module of its own, and not the door or the sign of a folder?"""
    return path.name not in ("__init__.py", "__main__.py")


def prose() -> dict[PurePosixPath, str]:
    """Everything that people read and tools run, code and documents alike."""
    found = files(*PACKAGES, "tests", "docs", "scripts", ".ci", ending="")
    for name in ("README.md", "CHANGELOG.md", "pyproject.toml", ".gitignore"):
        found[PurePosixPath(name)] = (ROOT / name).read_text("utf-8")
    return found


PROGRAM = files(*PACKAGES)
CORE = {path: source for path, source in PROGRAM.items() if is_core(path)}
PYTHON = PROGRAM | files("tests")
THIS = PurePosixPath("tests/test_tidy.py")


def none_of(rule: Callable[[str], list[str]], sources: Mapping[PurePosixPath, str]) -> None:
    """Fail with every fault that the rule finds, one a line, as editors like them."""
    found = [f"{path}:{what}" for path, source in sources.items() for what in rule(source)]
    assert not found, "\n" + "\n".join(found)


# Each rule over the house.


def test_functions_have_at_most_fifty_lines() -> None:
    none_of(long_functions, PYTHON)


def test_files_have_at_most_five_hundred_lines() -> None:
    none_of(long_file, PYTHON)


def test_scripts_have_at_most_sixty_lines() -> None:
    none_of(partial(long_file, lines_max=SCRIPT_LINES_MAX), files("scripts", ".ci", ending=""))


def test_lines_have_at_most_a_hundred_columns() -> None:
    none_of(wide_lines, PYTHON | files("scripts", ".ci", ending=""))


def test_the_core_counts_in_integers() -> None:
    none_of(inexact_numbers, CORE)


def test_the_core_imports_no_clock_no_socket_and_no_dice() -> None:
    none_of(impure_imports, CORE)


def test_nothing_is_left_for_later() -> None:
    none_of(leftovers, PYTHON)


def test_folders_and_modules_are_named_for_what_is_in_them() -> None:
    found = [f"{path}:{what}" for path in PYTHON for what in vague_modules(path)]
    assert not found, "\n" + "\n".join(found)


def test_classes_are_named_for_what_they_are() -> None:
    none_of(vague_classes, PYTHON)


def test_every_module_opens_with_a_sentence() -> None:
    none_of(missing_docstring, PYTHON)


def test_dialects_stop_at_the_door() -> None:
    inside = {
        path: s for path, s in files(*PACKAGES, ending="").items() if DOOR not in path.parents
    }
    none_of(dialect_words, inside)


def test_nothing_knows_the_machine_it_was_written_on() -> None:
    none_of(machine_paths, {path: source for path, source in prose().items() if path != THIS})


def test_every_module_has_a_test_module_of_its_name() -> None:
    found = untested(filter(is_program, PROGRAM), files("tests"))
    assert not found, "\n" + "\n".join(found)


def test_the_pure_contract_names_every_core_module_there_is() -> None:
    # import-linter will not hear of a module that is not there, so the list follows the house.
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (pure,) = (c for c in tables["tool"]["importlinter"]["contracts"] if c["id"] == "pure")
    at_top = [f"exchange.{path.stem}" for path in CORE if path.parts[0] == "exchange"]
    named, there = set(pure["source_modules"]), {*CORE_FOLDERS, *at_top}
    assert named == there, "in pyproject.toml, the contract 'pure' must name the same modules"


# Each rule on a planted fault, and on the nearest thing that is none.


def function_of(lines: int, docstring: int = 0) -> str:
    """A function of so many lines, and a docstring of so many besides."""
    text = [] if not docstring else [' """Says:', *["   more"] * (docstring - 2), ' """']
    return "\n".join(["def f():", *text, *[" pass"] * (lines - 1)])


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (long_functions, function_of(51)),
        (long_functions, "class C:\n  async " + function_of(51).replace("\n", "\n  ")),
        (long_file, "pass\n" * 501),
        (wide_lines, "x" * 101),
        (inexact_numbers, "rate = 0.5"),
        (inexact_numbers, "rate = 1e-8"),
        (inexact_numbers, "def f(x: float): ..."),
        (inexact_numbers, "x = Decimal(1)"),
        (inexact_numbers, "x = decimal.Decimal(1)"),
        (inexact_numbers, "x = a / b"),
        (inexact_numbers, "x /= b"),
        (impure_imports, "import time"),
        (impure_imports, "import os.path"),
        (impure_imports, "def f():\n from random import random"),
        (leftovers, "# TO" + "DO: later"),
        (leftovers, "raise NotImplemented" + "Error"),
        (vague_classes, "class OrderManager: ..."),
        (missing_docstring, "import this"),
        (missing_docstring, '"""Things"""'),
        (dialect_words, "symbol = 'BTCUSDT'"),
        (dialect_words, "code = -2010"),
        (dialect_words, "e = 'executionReport'"),
        (machine_paths, "open('/home/jane/x')"),
        (machine_paths, "see /tmp/x"),
    ],
)
def test_a_rule_sees_a_planted_fault(rule: Callable[[str], list[str]], fault: str) -> None:
    assert rule(fault)


@pytest.mark.parametrize(
    ("rule", "sound"),
    [
        (long_functions, function_of(50)),
        (long_functions, function_of(50, docstring=9)),
        (long_file, "pass\n" * 500),
        (wide_lines, "x" * 100),
        (inexact_numbers, "rate_e12 = 5 * 10**11 // 3"),
        (impure_imports, "from matching.types import Side\nfrom . import time"),
        (leftovers, "todos = NotImplemented"),
        (vague_classes, "class DataBaseline: ..."),
        (missing_docstring, '"""What it is.\n\nAnd more"""'),
        (dialect_words, "'BTC-USDT' '2022-2010' 'USDT'"),
        (machine_paths, "GET /v1/home/x ~/tmp/x ./tmp/x"),
    ],
)
def test_a_rule_lets_the_sound_pass(rule: Callable[[str], list[str]], sound: str) -> None:
    assert rule(sound) == []


def test_a_script_of_sixty_one_lines_is_seen() -> None:
    assert long_file("true\n" * 61, SCRIPT_LINES_MAX)
    assert not long_file("true\n" * 60, SCRIPT_LINES_MAX)


@pytest.mark.parametrize("path", ["risk/utils.py", "exchange/common/x.py", "clients/bot_base.py"])
def test_a_vague_path_is_seen(path: str) -> None:
    assert vague_modules(PurePosixPath(path))
    assert not vague_modules(PurePosixPath("exchange/database.py"))


def test_a_module_without_a_test_is_seen() -> None:
    book, depth = PurePosixPath("matching/book.py"), PurePosixPath("exchange/views/depth.py")
    other_depth = PurePosixPath("matching/depth.py")
    anywhere = PurePosixPath("tests/live/test_depth.py")
    mirror = PurePosixPath("tests/exchange/views/test_depth.py")
    assert untested([book], [anywhere]) == ["matching/book.py has no tests/matching/test_book.py"]
    assert untested([depth], [anywhere]) == []
    assert untested([depth], [mirror]) == []
    # Two modules of one name: a test of that name somewhere does not say which it tests.
    assert untested([depth, other_depth], [mirror, anywhere]) == [
        "matching/depth.py has no tests/matching/test_depth.py"
    ]
