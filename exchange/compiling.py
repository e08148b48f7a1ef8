"""Compiles the marked modules of the core into extensions: the build hook's and scripts/build's.

The compiler works on a copy, so nothing it makes lies beside a source.  Cython, setuptools and a
C compiler are asked for only here: whoever lacks one of them runs the same sources interpreted.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from exchange.build import BUILT, FOLDERS, ROOT, extensions, faults, marked, shape_files

# What all marked modules have in common; each says for itself that it checks for overflow.
DIRECTIVES: Final = {
    "language_level": 3,
    "annotation_typing": False,  # An `int` of the sources is Python's; the *.pxd say which are C's.
    "infer_types": True,
    "nonecheck": True,  # A bug is a crash with a name, as it is interpreted.
}
POSIX_FLAGS: Final = ["-O2", "-g0", "-w"]


NO_TOOLS_CODE: Final = 3


class CannotCompile(Exception):
    """Why there will be no extensions: a sentence."""


class ToolsMissing(CannotCompile):
    """What would have to be installed first."""


def main() -> int:
    """Compile for a checkout; 0 done or nothing to do, 1 failed, 3 nothing to compile with."""
    folder = ROOT / BUILT
    if not faults(ROOT, folder):
        print("papertape: what is compiled is fresh", file=sys.stderr)
        return 0
    try:
        files = compile_marked(ROOT, folder, ROOT / "build" / "cython")
    except CannotCompile as reason:
        print(f"papertape: not compiled: {reason}", file=sys.stderr)
        return NO_TOOLS_CODE if isinstance(reason, ToolsMissing) else 1
    print(f"papertape: compiled {', '.join(files)}", file=sys.stderr)
    print("papertape: PAPERTAPE_BUILD=auto or --build auto runs them", file=sys.stderr)
    return 0


def compile_marked(root: Path, folder: Path, work: Path) -> dict[str, Path]:
    """Put extensions of all marked modules of `root` into `folder`, in place of older ones.

    CannotCompile where something is missing or the compiler fails; the folder is gone then: the
    core is compiled as a whole, or not at all.  `work` is scratch, and stays for whoever wonders.
    """
    for old in (folder, work):
        shutil.rmtree(old, ignore_errors=True)
    _demand_tools()
    copies = _copied(root, work / "source")
    built = _built(copies, work)
    files = extensions(root, folder)
    folder.mkdir(parents=True)
    for module, file in files.items():
        shutil.move(built[module], file)
    return files


def _demand_tools() -> None:
    missing = [name for name in ("Cython", "setuptools") if find_spec(name) is None]
    if missing:
        raise ToolsMissing(f"{' and '.join(missing)} not installed (pip install cython setuptools)")
    told = os.environ.get("CC") or sysconfig.get_config_var("CC")
    if not told:
        return  # Not a compiler of the kind that is asked like this; the build will tell.
    command = shlex.split(told)
    if shutil.which(command[0]) is None:
        raise ToolsMissing(f"no C compiler: there is no {command[0]} on PATH")
    include = sysconfig.get_path("include")
    asked = [*command, "-I", include, "-x", "c", "-c", "-", "-o", os.devnull]
    tried = subprocess.run(asked, input=b"#include <Python.h>\n", capture_output=True, check=False)
    if tried.returncode:
        raise ToolsMissing(f"{command[0]} finds no Python.h in {include} (apt install python3-dev)")


def _copied(root: Path, into: Path) -> dict[str, Path]:
    """Copies of the marked modules, of the shapes of their classes and of their packages' doors."""
    doors = [door for name in FOLDERS if (door := root / name / "__init__.py").is_file()]
    sources = marked(root)
    for path in [*doors, *shape_files(root), *sources.values()]:
        copy = into / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return {module: into / path.relative_to(root) for module, path in sources.items()}


def _built(copies: dict[str, Path], work: Path) -> dict[str, Path]:
    """The extensions as the compiler left them, by module."""
    setuptools: Any = import_module("setuptools")  # Before Cython, which asks it for distutils.
    cython: Any = import_module("Cython.Build")
    errors: Any = import_module("Cython.Compiler.Errors")
    flags = [] if sys.platform == "win32" else POSIX_FLAGS
    try:
        made = cython.cythonize(
            [
                # `optional`: a compiler that fails is told of below, and ends no installation.
                setuptools.Extension(name, [str(path)], extra_compile_args=flags, optional=True)
                for name, path in copies.items()
            ],
            include_path=[str(work / "source")],
            compiler_directives=DIRECTIVES,
            quiet=True,
        )
    except errors.CompileError as error:
        raise CannotCompile(f"Cython refuses {error}") from None
    distribution = setuptools.Distribution({"name": "papertape", "ext_modules": made})
    command = distribution.get_command_obj("build_ext")
    command.build_lib = str(work / "lib")
    command.build_temp = str(work / "objects")
    command.parallel = os.cpu_count()
    command.ensure_finalized()
    command.run()
    built = {name: Path(command.get_ext_fullpath(name)) for name in copies}
    failed = [name for name, path in built.items() if not path.is_file()]
    if failed:
        raise CannotCompile(f"the C compiler fails at {', '.join(failed)}")
    return built


if __name__ == "__main__":
    sys.exit(main())
