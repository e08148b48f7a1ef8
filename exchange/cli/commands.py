"""The parser of all commands, and what becomes of an error in any of them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from exchange import __version__, build
from exchange.cli import (
    cluster,
    compare,
    core,
    gateway,
    journals,
    keys,
    programs,
    serve,
    trade,
    why,
)
from exchange.cli.output import Failure, UsageError, complain

DESCRIPTION: Final = """\
A paper-trading exchange you run yourself: spot margin and perpetual contracts.
Nothing here is real money."""

EPILOG: Final = """\
a first minute:
  papertape demo                                   a living market and a funded account
  papertape buy BTC-USDT-PERP 0.1 --leverage 10    in another terminal
  papertape positions
  papertape compare BTC --stake 1000               borrowed coins or a perpetual?
  papertape terminal                               the trading desk

`papertape COMMAND --help` explains each command with examples."""

USAGE_CODE: Final = 2
FAILURE_CODE: Final = 1
INTERRUPTED_CODE: Final = 130


def parser() -> argparse.ArgumentParser:
    """The parser; each command's `run` default takes the arguments and returns the exit code."""
    root = argparse.ArgumentParser(
        prog="papertape",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"papertape {__version__} ({build.running()})"
    root.add_argument("--version", action="version", version=version)
    build.add_argument(root)
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for subject in (serve, trade, compare, why, keys, journals, core, gateway, cluster, programs):
        subject.add_commands(commands)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed, 2 used wrongly."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    wanted, given = build.asked(given)
    try:
        if wanted is not None:
            if wanted not in build.CHOICES:
                raise UsageError(f"--build takes one of {', '.join(build.CHOICES)}")
            build.execute_again(wanted, given)
        code = programs.run_named(given)
        if code is None:
            args = parser().parse_args(given)
            code = int(args.run(args))
        sys.stdout.flush()
    except UsageError as error:
        complain(str(error))
        return USAGE_CODE
    except Failure as error:
        complain(str(error))
        return FAILURE_CODE
    except KeyboardInterrupt:
        return INTERRUPTED_CODE
    except BrokenPipeError:
        # The reader left (`| head`): what is still to be written has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE_CODE
    return code
