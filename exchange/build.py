"""Which build of the core runs: its sources as they stand, or extensions compiled from them.

A module is marked for compilation by its first line, `# cython: ...`.  An extension lies apart
from its source, where nothing finds it by chance, and its file name carries the hash of what it was
compiled from.  So it can neither hide an edited source nor be taken for another's.

PAPERTAPE_BUILD chooses, and is read when `exchange` is first imported: `pure`, `compiled`, or
`auto` (compiled where that is there and fresh).  Unset, it is `auto` where extensions were
installed with the package, and `pure` in a checkout.  All modules are of one build, never mixed.
"""

from __future__ import annotations

import hashlib
import os
import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

VARIABLE: Final = "PAPERTAPE_BUILD"
CHOICES: Final = ("auto", "pure", "compiled")
MARK: Final = b"# cython:"
ROOT: Final = Path(__file__).resolve().parent.parent
INSTALLED: Final = Path("exchange", "compiled")  # Where a wheel has them,
BUILT: Final = Path("build", "compiled")  # and where scripts/build leaves them in a checkout.
FOLDERS: Final = ("matching", "risk", "exchange", "exchange/bench")  # Marked modules lie here.
HASH_CHARS: Final = 16
HOW: Final = "run scripts/build, or choose PAPERTAPE_BUILD=pure"


class Extensions(MetaPathFinder):
    """Finds the modules that are compiled; asked before the finder of sources."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.files = files

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the extension of this name lies, if there is one."""
        file = self.files.get(fullname)
        return spec_from_file_location(fullname, file) if file else None


def running() -> str:
    """`compiled` when the book is an extension, else `pure`."""
    spec = find_spec("matching.book")
    assert spec is not None
    return "pure" if str(spec.origin).endswith(".py") else "compiled"


def choose() -> None:
    """Do as PAPERTAPE_BUILD says; SystemExit where it says what cannot be done."""
    installed = (ROOT / INSTALLED).is_dir()
    wanted = os.environ.get(VARIABLE) or ("auto" if installed else "pure")
    if wanted not in CHOICES:
        raise SystemExit(f"papertape: {VARIABLE} is {wanted!r}, and must be one of {CHOICES}")
    if wanted == "pure":
        return
    folder = ROOT / (INSTALLED if installed else BUILT)
    wrong = faults(ROOT, folder)
    if wrong and wanted == "compiled":
        raise SystemExit(f"papertape: {wrong[0]}; {HOW}")
    if wrong and folder.is_dir():
        print(f"papertape: {wrong[0]}; running interpreted; {HOW}", file=sys.stderr)
    if not wrong:
        sys.meta_path.insert(0, Extensions(extensions(ROOT, folder)))


def marked(root: Path) -> dict[str, Path]:
    """The sources marked for compilation, by the names of their modules."""
    sources = [path for name in FOLDERS for path in sorted((root / name).glob("*.py"))]
    return {
        ".".join(path.relative_to(root).with_suffix("").parts): path
        for path in sources
        if _begins(path)
    }


def extensions(root: Path, folder: Path) -> dict[str, Path]:
    """Where the extension of each marked module lies if it was compiled from what is there now.

    The shapes of the compiled classes (`*.pxd`) are part of every hash: a module compiled against
    another shape of an order would read the wrong bytes.
    """
    sources = marked(root)
    shapes = b"".join(path.read_bytes() for path in shape_files(root))
    files = {}
    for module, source in sources.items():
        digest = hashlib.sha256(shapes + source.read_bytes()).hexdigest()[:HASH_CHARS]
        files[module] = folder / f"{module}.{digest}{EXTENSION_SUFFIXES[0]}"
    return files


def faults(root: Path, folder: Path) -> list[str]:
    """What is wrong with the extensions in a folder, a sentence each; none where all are fresh."""
    found = []
    for module, file in extensions(root, folder).items():
        if file.is_file():
            continue
        older = list(folder.glob(f"{module}.*{EXTENSION_SUFFIXES[0]}"))
        source = f"{module.replace('.', '/')}.py"
        say = "has changed since it was compiled" if older else "is not compiled"
        found.append(f"{source} {say}")
    return found


def shape_files(root: Path) -> list[Path]:
    """The declarations of the compiled classes, which lie beside their sources."""
    return [path for name in FOLDERS for path in sorted((root / name).glob("*.pxd"))]


def add_argument(parser: ArgumentParser) -> None:
    """Show `--build` in a parser's help; `asked` has taken it from the line before it is parsed."""
    parser.add_argument(
        "--build",
        choices=CHOICES,
        default=SUPPRESS,
        help=f"which build of the core runs, where {VARIABLE} is not to say",
    )


def asked(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """What `--build` says in a command line, or None, and the line without it."""
    rest: list[str] = []
    wanted: str | None = None
    words = iter(arguments)
    for word in words:
        if word == "--build":
            wanted = next(words, "")
        elif word.startswith("--build="):
            wanted = word.partition("=")[2]
        else:
            rest.append(word)
    return wanted, rest


def execute_again(wanted: str, arguments: Sequence[str]) -> None:
    """Replace this process by one of another build, with these arguments; it does not return."""
    given = len(sys.argv) - 1
    command = [*sys.orig_argv[: len(sys.orig_argv) - given], *arguments]
    sys.stdout.flush()
    os.execve(sys.executable, command, {**os.environ, VARIABLE: wanted})


def _begins(path: Path) -> bool:
    """Does the file begin with the mark?"""
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK
