"""Tests of the import contracts: each refuses a planted import, in a house of empty modules."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
MODULES = [
    "matching.book",
    "risk.margin",
    "exchange.cli.trade",
    "exchange.clock",
    "exchange.gateway.session",
    "exchange.market.agents",
    "exchange.sequencer",
    "exchange.server",
    "exchange.wire",
    "clients.bots.runner",
]


def module_file(house: Path, module: str) -> Path:
    return house.joinpath(*module.split(".")).with_suffix(".py")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The packages with an empty module for each that a contract or a test names."""
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    contracts = tomllib.loads(project)["tool"]["importlinter"]["contracts"]
    (pure,) = (contract for contract in contracts if contract["id"] == "pure")
    for module in [*MODULES, *(name for name in pure["source_modules"] if "." in name)]:
        file = module_file(tmp_path, module)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    for folder in tmp_path.rglob("*/"):
        (folder / "__init__.py").touch()
    return tmp_path


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LINT_IMPORTS), "--no-cache", "--no-logo"],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_house_in_order_keeps_every_contract(house: Path) -> None:
    allowed = {
        "risk.margin": "matching.book",
        "exchange.gateway.session": "exchange.sequencer",
        "exchange.cli.trade": "clients.bots.runner",
        "clients.bots.runner": "exchange.wire",
        "exchange.clock": "time",
    }
    for module, imported in allowed.items():
        module_file(house, module).write_text(f"import {imported}\n")
    run = lint(house)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("module", "imported", "broken"),
    [
        ("matching.book", "risk.margin", "Dependencies point one way"),
        ("exchange.sequencer", "exchange.gateway.session", "Dependencies point one way"),
        ("exchange.gateway.session", "exchange.market.agents", "Dependencies point one way"),
        ("exchange.sequencer", "exchange.server", "Dependencies point one way"),
        ("risk.margin", "exchange.wire", "The book and the money know nothing"),
        ("matching.book", "time", "The core does no I/O"),
        ("exchange.commands", "random", "The core does no I/O"),
        # Not at second hand either.
        ("exchange.events", "exchange.clock", "The core does no I/O"),
        ("clients.bots.runner", "exchange.gateway.session", "Clients know the exchange"),
        ("clients.bots.runner", "matching.book", "Clients know the exchange"),
        ("exchange.server", "clients.bots.runner", "The exchange knows no client"),
    ],
)
def test_a_planted_import_is_refused(house: Path, module: str, imported: str, broken: str) -> None:
    module_file(house, "exchange.clock").write_text("import time\n")
    module_file(house, module).write_text(f"import {imported}\n")
    run = lint(house)
    assert run.returncode == 1
    kept_or_broken = [line for line in run.stdout.splitlines() if line.startswith(broken)]
    assert any(line.rstrip().endswith("BROKEN") for line in kept_or_broken), run.stdout
