"""`terminal`, `bots`, `load` and `bench`: programs of their own, imported when asked for."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from typing import Any, Final

from exchange import build
from exchange.cli.output import Failure

EXTRA_HINT: Final = "the terminal needs Textual: pip install 'papertape[terminal]'"

# The words that name a program, what it is, and the module with its `add_arguments(parser)` and
# `main(args) -> int`.
PROGRAMS: Final = (
    (("terminal",), "the trading desk in the terminal", "clients.terminal.app"),
    (("load",), "open-loop load over WebSockets, with honest latencies", "clients.load.command"),
    (("bots", "run"), "run a sample bot over WebSocket", "clients.bots.runner"),
    (("bench", "matcher"), "the book alone, on the standard flow", "exchange.bench.matcher"),
    (("bench", "engine"), "risk, ledger and matching on a mixed flow", "exchange.bench.engine"),
    (
        ("bench", "flow"),
        "write a flow for the matcher, with its digest",
        "exchange.bench.flow_writer",
    ),
    (("bench", "mark"), "a mark tick over many positions", "exchange.bench.mark"),
    (("bench", "edge"), "durable orders through WebSockets", "exchange.bench.edge"),
    (("bench", "fanout"), "one channel told to many readers", "exchange.bench.fanout"),
    (("bench", "replay"), "a journal recovered", "exchange.bench.replay"),
    (("bench", "cluster"), "orders through gateways of a cluster", "exchange.bench.cluster"),
)
GROUPS: Final = {"bots": "sample bots", "bench": "benchmarks"}
OF_EXTRA: Final = frozenset({"textual", "textual_plotext", "plotext"})


def add_commands(commands: Any) -> None:
    """Name the programs in the list of commands; `run_named` is what runs them."""
    groups = {}
    for name, about in GROUPS.items():
        within = ", ".join(words[-1] for words, _, _ in PROGRAMS if words[0] == name)
        command = commands.add_parser(name, help=f"{about}: {within}", description=about)
        groups[name] = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for words, about, _ in PROGRAMS:
        where = commands if len(words) == 1 else groups[words[0]]
        where.add_parser(words[-1], help=about, description=about)


def run_named(arguments: Sequence[str]) -> int | None:
    """Run the program that the arguments begin with; None where they begin with none.

    A program declares its own options, so it is imported before they are parsed, and only then.
    """
    for words, about, module in PROGRAMS:
        if tuple(arguments[: len(words)]) == words:
            return _run(" ".join(("papertape", *words)), about, module, arguments[len(words) :])
    return None


def _run(prog: str, about: str, module: str, rest: Sequence[str]) -> int:
    program = loaded(module)
    parser = argparse.ArgumentParser(
        prog=prog,
        description=program.__doc__ or about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    program.add_arguments(parser)
    build.add_argument(parser)
    code: int = program.main(parser.parse_args(rest))
    return code


def loaded(module: str) -> Any:
    """The program's module; a Failure that says what to install where a part is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] in OF_EXTRA:
            raise Failure(EXTRA_HINT) from None
        raise
