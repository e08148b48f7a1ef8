"""What a venue, a thousand classrooms and a public exchange would take, from measured figures.

Prints the tables of docs/scale.md; --write puts them there. --take puts what reports of `papertape
bench engine`, `replay`, `edge` and `fanout` say (--json) into docs/scale-figures.json, where the
other figures stand too. --set answers what if: what the tables would say with another one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from exchange.capacity.figures import MEASURED, BadFigures, Figures, read_figures
from exchange.capacity.page import with_tables
from exchange.capacity.tables import tables
from exchange.capacity.taking import taken

DOCS: Final = Path("docs")
EXAMPLES: Final = """examples:
  scripts/capacity                          the tables
  scripts/capacity --set engine_us=6.7      what if the engine took 6.7 us a command?
  scripts/capacity --take engine.json edge.json --machine "two cores of ..."
                                            put what these reports say into the figures
  scripts/capacity --write                  put the tables into docs/scale.md
  scripts/capacity --check                  1 if docs/scale.md says something else"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, write or check; 2 for figures that cannot be, 1 where the page differs."""
    args = _parser().parse_args(arguments)
    try:
        figures = read_figures(args.figures)
        if args.take:
            _take(args, figures)
            return 0
        made = tables(figures.but(dict(map(_change, args.set))))
        if not (args.write or args.check):
            print(
                "\n\n".join("\n".join([f"## {name}", "", *lines]) for name, lines in made.items())
            )
            return 0
        if args.set:
            raise BadFigures("--set is for trying; what is written must follow from the file")
        old = args.page.read_text("utf-8")
        new = with_tables(old, made)
    except (ValueError, OSError) as error:
        print(f"scripts/capacity: {error}", file=sys.stderr)
        return 2
    if args.check:
        return _checked(old == new, args.page)
    args.page.write_text(new, "utf-8")
    return 0


def _take(args: argparse.Namespace, old: Figures) -> None:
    """Put what reports say into the file of figures, and tell what changed."""
    new = taken(old, args.take)
    if args.machine:
        new = msgspec.structs.replace(new, machine=args.machine)
    text = msgspec.json.format(msgspec.json.encode(new), indent=2)
    args.figures.write_bytes(text + b"\n")
    for name in MEASURED:
        if old[name] != new[name]:
            print(f"{name}: {old[name]:,.4g} -> {new[name]:,.4g}")


def _checked(same: bool, page: Path) -> int:
    if not same:
        print(f"{page} is not what its figures say: scripts/capacity --write", file=sys.stderr)
    return 0 if same else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/capacity",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--figures", type=Path, default=DOCS / "scale-figures.json", help="(%(default)s)")
    add("--page", type=Path, default=DOCS / "scale.md", help="(%(default)s)")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="another figure")
    add("--machine", default="", metavar="TEXT", help="with --take: what it was measured on")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--write", action="store_true", help="put the tables into the page")
    which.add_argument(
        "--take", type=Path, nargs="+", metavar="REPORT", help="read figures from these reports"
    )
    which.add_argument("--check", action="store_true", help="see whether they are there")
    return parser


def _change(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise BadFigures(f"--set takes NAME=VALUE, not {text!r}") from None


if __name__ == "__main__":
    sys.exit(main())
