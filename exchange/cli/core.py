"""`papertape core`: the process that sequences a venue, or stands by to, over Redis Streams."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exchange.cli.output import BOLD, Failure, UsageError, painted, print_json
from exchange.cli.redis_options import add_redis_options, redis_of
from exchange.cli.serve import SPEED_HELP, speed
from exchange.config import Config, ConfigError, Storage, load_config, with_flags

if TYPE_CHECKING:
    from exchange.cluster.core import Core

EXAMPLES: Final = """\
examples:
  papertape core --redis redis://10.0.0.5:6379
  papertape core --redis redis://10.0.0.5 --data ./standby      a second one stands by
  papertape core --redis rediss://10.0.0.5 --redis-ca ca.pem --redis-user core

The first core makes the venue; whichever holds the lease leads, the others stand by and take over
within seconds. Redis must run with appendonly yes and appendfsync always. Clients connect to a
`papertape gateway` with the same --redis and --venue."""

FLAGS: Final = ("data", "speed", "seed", "prices", "tape", "paranoid")


def add_commands(commands: Any) -> None:
    """Add `core`."""
    core = commands.add_parser(
        "core",
        help="the heart of a venue whose doors are other processes (scale-out)",
        description="Sequence a venue over Redis Streams, or stand by to take over.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_redis_options(core)
    where = core.add_argument_group("where")
    where.add_argument("--data", help="directory of its own (default: ./papertape-core-data)")
    where.add_argument("--config", metavar="F", help="papertape.toml; flags win over it")
    where.add_argument(
        "--allow-forgetting",
        action="store_true",
        help="accept a Redis that may forget what was acknowledged",
    )
    what = core.add_argument_group("what, where this core makes the venue or leads it")
    what.add_argument("--speed", type=speed, help=SPEED_HELP)
    what.add_argument("--seed", type=int, help="of the market; the same seed, the same market")
    what.add_argument("--prices", choices=("walk", "fixed", "tape"), help="what moves the index")
    what.add_argument("--tape", metavar="FILE", help="CSV of candles or trades for --prices tape")
    what.add_argument("--agents", choices=("on", "off"), help="house agents (default: on)")
    core.add_argument(
        "--paranoid",
        action="store_true",
        default=None,
        help="assert every invariant behind every command, and stop at the first that is broken",
    )
    core.add_argument("--json", action="store_true", help="print one JSON object once it runs")
    core.set_defaults(run=run_core)


def run_core(args: argparse.Namespace) -> int:
    """Run until interrupted."""
    from exchange import process
    from exchange.cluster.connecting import RedisRefused
    from exchange.cluster.core import Core, CoreRefused, Place
    from exchange.storage.lock import DirectoryInUse

    config = config_of(args)
    connection, names = redis_of(args)
    place = Place(connection, names, Path(config.storage.data), args.allow_forgetting)

    async def opened(core: Core) -> None:
        tell(core, place.directory, as_json=args.json)

    try:
        return process.run(
            lambda: Core.start(place, config),
            opened,
            refusals=(CoreRefused, DirectoryInUse, RedisRefused),
        )
    except ConfigError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise Failure(str(error)) from None


def config_of(args: argparse.Namespace) -> Config:
    """The configuration: the file's, with the flags over it; a mistake is a UsageError."""
    from exchange.cluster.core import DATA

    flags = {name: getattr(args, name) for name in FLAGS}
    flags["agents"] = None if args.agents is None else args.agents == "on"
    if args.tape is not None and args.prices is None:
        flags["prices"] = "tape"
    try:
        given = load_config(args.config)
        if args.data is None and given.storage.data == Storage().data:
            flags["data"] = DATA
        return with_flags(given, flags)
    except ConfigError as error:
        raise UsageError(str(error)) from None


def tell(core: Core, directory: Path, *, as_json: bool) -> None:
    """Print who it is."""
    if as_json:
        said: dict[str, Any] = {"core": core.name, "data": str(directory)}
        if core.forgetful is not None:
            said["forgetful"] = core.forgetful
        print_json(said)
    else:
        print(painted(f"The core {core.name} of Papertape runs; its data is in {directory}.", BOLD))
        if core.forgetful is not None:
            print(f"  This Redis may forget what was acknowledged: {core.forgetful}.")
    sys.stdout.flush()
