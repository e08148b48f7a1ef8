"""Asking why: a reason tree as a person reads it, each formula above its numbers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from exchange.cli.client import Exchange, find_identity, segment
from exchange.cli.output import BOLD, DIM, UsageError, painted, plain, print_json
from exchange.cli.trade import add_connection
from exchange.wire import WhyInput, WhySay, WhyStep

KINDS: Final = ("reject", "fill", "interest", "funding", "call", "liquidation", "adl")
INDENT: Final = "  "

EXAMPLES: Final = """\
examples:
  papertape why fill BTC-USDT-PERP:1201     its price, fee, profit and margin
  papertape why reject 5120                 what a refused request lacked
  papertape why interest/14                 as a refusal or a message names it

What can be asked about carries a `why`: refusals, fills, and the messages of the margin channel.
See docs/why.md."""


def add_commands(commands: Any) -> None:
    """Add `why`."""
    command = commands.add_parser(
        "why",
        help="why something was decided: rule, inputs, formulas and numbers",
        description="Say why something was decided, with every number it was decided by.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("kind", metavar="KIND", help=f"{', '.join(KINDS)}; or KIND/ID in one")
    command.add_argument("id", metavar="ID", nargs="?", help="what follows the kind in a `why`")
    add_connection(command)
    command.set_defaults(run=why)


def why(args: argparse.Namespace) -> int:
    """Print the tree of the arguments."""
    kind, name = args.kind, args.id
    if name is None:
        kind, _, name = kind.partition("/")
    if kind not in KINDS or not name:
        raise UsageError(f"it takes a kind ({', '.join(KINDS)}) and an id, as in `fill BTC-USDT:7`")
    exchange = Exchange.of(find_identity(args.data, args.url))
    tree = exchange.get(f"/v1/why/{kind}/{segment(name)}", WhySay)
    if args.json:
        print_json(tree)
    else:
        print("\n".join(lines(tree)))
    return 0


def lines(tree: WhySay, depth: int = 0) -> Iterator[str]:
    """A tree line by line; what belongs to it is indented beneath it."""
    at = INDENT * depth
    moment = datetime.fromtimestamp(tree.ts / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    head = f"{tree.kind} {tree.id}, by rule {tree.rule or '-'}, {moment}"
    yield at + painted(plain(head), BOLD)
    yield f"{at}{INDENT}{plain(tree.says)}"
    for line in _inputs(tree.inputs):
        yield f"{at}{INDENT}{line}"
    for step in tree.steps:
        for line in _step(step, f"{step.name} ="):
            yield f"{at}{INDENT}{line}"
    for step in tree.thresholds:
        for line in _step(step, f"{step.name}:"):
            yield f"{at}{INDENT}{line}"
    for child in tree.children:
        yield from lines(child, depth + 1)


def _inputs(inputs: Sequence[WhyInput]) -> Iterator[str]:
    """Names and values in columns, and where each came from."""
    told = [(each.name, f"{each.value} {each.unit}".rstrip(), each.source) for each in inputs]
    widths = [max((len(line[at]) for line in told), default=0) for at in (0, 1)]
    for name, value, source in told:
        line = f"{name.ljust(widths[0])}  {value.ljust(widths[1])}  "
        yield plain(line) + painted(f"({plain(source)})", DIM)


def _step(step: WhyStep, name: str) -> Iterator[str]:
    """The formula, and beneath it the numbers and what they come to."""
    yield f"{name} {step.formula}  " + painted(f"({plain(step.says)})", DIM)
    ends = f"= {step.value} {step.unit}".rstrip()
    if step.value in ("true", "false"):
        ends = f"is {step.value}"
    yield f"{' ' * len(name)} {step.filled} {ends}"
