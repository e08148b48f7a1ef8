"""Tests of the compiling: what it makes, where it leaves it, and what it says where it cannot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from exchange import build, compiling

SOURCE = """\
# cython: overflowcheck=True
class Sum:
    def __init__(self):
        self.total = 0

    def add(self, lots):
        self.total += lots
        return self.total
"""
SHAPE = """\
cdef class Sum:
    cdef public long long total
    cpdef object add(self, long long lots)
"""
PLAY = """\
import exchange.build
from matching import book
assert not book.__file__.endswith(".py"), book.__file__
sums = book.Sum()
print(sums.add(2**62))
try:
    sums.add(2**62)
except OverflowError:
    print("caught", sums.total)
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A checkout with one marked module, and the code that finds its extension."""
    for path in ("exchange/__init__.py", "exchange/build.py"):
        copy = tmp_path / path
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes((build.ROOT / path).read_bytes())
    for name in ("matching", "risk"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "matching" / "book.py").write_text(SOURCE)
    (tmp_path / "matching" / "book.pxd").write_text(SHAPE)
    return tmp_path


def compiled(house: Path) -> dict[str, Path]:
    return compiling.compile_marked(house, house / build.BUILT, house / "build" / "cython")


def sources(house: Path) -> set[str]:
    folders = (house / name for name in build.FOLDERS)
    return {path.name for folder in folders for path in folder.rglob("*") if path.is_file()}


def compiled_or_skip(house: Path) -> dict[str, Path]:
    try:
        return compiled(house)
    except compiling.ToolsMissing as reason:
        pytest.skip(f"no extension can be made here: {reason}")


def test_an_extension_is_made_of_a_copy_and_catches_what_overflows(house: Path) -> None:
    before = sources(house)
    files = compiled_or_skip(house)
    assert files == build.extensions(house, house / build.BUILT)
    assert build.faults(house, house / build.BUILT) == []
    assert sources(house) == before
    run = subprocess.run(
        [sys.executable, "-c", PLAY],
        env={**os.environ, build.VARIABLE: "compiled"},
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == f"{2**62}\ncaught {2**62}\n", run.stderr


def test_what_cython_does_not_take_is_told_and_leaves_nothing(
    house: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (house / "matching" / "book.py").write_text(SOURCE.replace("def add(self, lots)", "def add()"))
    with pytest.raises(compiling.CannotCompile) as raised:
        compiled(house)
    if isinstance(raised.value, compiling.ToolsMissing):
        pytest.skip(f"no extension can be made here: {raised.value}")
    assert "Cython refuses" in str(raised.value)
    assert not (house / build.BUILT).exists()


def test_without_a_c_compiler_it_says_so_and_older_extensions_are_gone(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = house / build.BUILT / "matching.book.0123456789abcdef.so"
    old.parent.mkdir(parents=True)
    old.touch()
    monkeypatch.setattr(compiling, "find_spec", lambda name: name)
    monkeypatch.setenv("CC", "no-such-compiler -pthread")
    with pytest.raises(compiling.ToolsMissing, match="no C compiler: there is no no-such-compiler"):
        compiled(house)
    assert not old.parent.exists()


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler to look for them")
def test_without_the_headers_of_python_it_says_what_to_install(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "find_spec", lambda name: name)
    monkeypatch.setenv("CC", "cc -nostdinc")  # It finds no header at all.
    with pytest.raises(compiling.ToolsMissing, match=r"cc finds no Python\.h"):
        compiled(house)


def test_without_cython_it_says_what_to_install(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "find_spec", lambda name: None)
    with pytest.raises(compiling.ToolsMissing, match="Cython and setuptools not installed"):
        compiled(house)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (compiling.ToolsMissing("no C compiler"), compiling.NO_TOOLS_CODE),
        (compiling.CannotCompile("the C compiler fails"), 1),
    ],
)
def test_the_command_tells_what_is_missing_from_what_failed(
    house: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reason: compiling.CannotCompile,
    code: int,
) -> None:
    def refuse(*paths: Path) -> dict[str, Path]:
        raise reason

    monkeypatch.setattr(compiling, "ROOT", house)
    monkeypatch.setattr(compiling, "compile_marked", refuse)
    assert compiling.main() == code
    assert str(reason) in capsys.readouterr().err


def test_the_command_leaves_what_is_fresh(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (house / build.BUILT).mkdir(parents=True)
    for file in build.extensions(house, house / build.BUILT).values():
        file.touch()
    monkeypatch.setattr(compiling, "ROOT", house)
    assert compiling.main() == 0
    assert "fresh" in capsys.readouterr().err
