"""`papertape gateway`: one of any number of doors of a venue whose core is another process."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, Final

from exchange.cli.output import BOLD, Failure, UsageError, painted, print_json
from exchange.cli.redis_options import add_redis_options, redis_of
from exchange.cli.serve import websocket_of
from exchange.config import Config, ConfigError, load_config, with_flags

if TYPE_CHECKING:
    from exchange.cluster.gateway import Gateway

EXAMPLES: Final = """\
examples:
  papertape gateway --redis redis://10.0.0.5:6379            http://127.0.0.1:8080
  papertape gateway --redis redis://10.0.0.5 --host 0.0.0.0 --port 80 --require-admin
  papertape gateway --redis rediss://10.0.0.5 --redis-ca ca.pem --redis-user gateway

It needs a `papertape core` with the same --redis and --venue, and waits for one. It keeps nothing:
start as many as you like, and stop any of them; their clients resume with another."""


def add_commands(commands: Any) -> None:
    """Add `gateway`."""
    gateway = commands.add_parser(
        "gateway",
        help="a door of a venue whose core is another process (scale-out)",
        description="Serve HTTP and WebSockets for a venue whose core is another process, over "
        "Redis Streams.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_redis_options(gateway)
    where = gateway.add_argument_group("where")
    where.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    where.add_argument("--port", type=int, help="HTTP and WebSocket (default: 8080; 0: any)")
    where.add_argument("--fast-port", type=int, help="fast WebSocket (default: 8081; 0: any)")
    where.add_argument("--config", metavar="F", help="papertape.toml; flags win over it")
    where.add_argument(
        "--tape", metavar="FILE", help="the CSV that the cores play, for what was before it began"
    )
    who = gateway.add_argument_group("who")
    who.add_argument(
        "--admin-key", metavar="K|@FILE", help="the admin key, if not the one all gateways share"
    )
    who.add_argument(
        "--require-admin",
        action="store_true",
        default=None,
        help="opening an account needs the admin key, on loopback too",
    )
    gateway.add_argument("--json", action="store_true", help="print one JSON object once it runs")
    gateway.set_defaults(run=run_gateway)


def run_gateway(args: argparse.Namespace) -> int:
    """Run until interrupted."""
    from exchange import process
    from exchange.cluster.connecting import RedisRefused
    from exchange.cluster.gateway import Address, Gateway
    from exchange.cluster.replica import ReplicaBroken
    from exchange.ports import PortRefused

    config = _config_of(args)
    address = Address(*redis_of(args))

    async def opened(gateway: Gateway) -> None:
        tell(gateway, as_json=args.json)

    try:
        return process.run(
            lambda: Gateway.start(address, config),
            opened,
            refusals=(RedisRefused, ReplicaBroken, PortRefused),
        )
    except ConfigError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise Failure(str(error)) from None


def _config_of(args: argparse.Namespace) -> Config:
    names = ("host", "port", "fast_port", "admin_key", "require_admin", "tape")
    flags = {name: getattr(args, name) for name in names}
    if args.tape is not None:
        flags["prices"] = "tape"
    try:
        return with_flags(load_config(args.config), flags)
    except ConfigError as error:
        raise UsageError(str(error)) from None


def tell(gateway: Gateway, *, as_json: bool) -> None:
    """Print where everything is."""
    if as_json:
        print_json({"gateway": gateway.name, "url": gateway.url, "fast_url": gateway.fast_url})
    else:
        rows = [
            ("page", gateway.url + "/"),
            ("API", gateway.url + "/docs"),
            ("WebSocket", websocket_of(gateway.url)),
            ("fast WebSocket", websocket_of(gateway.fast_url)),
        ]
        title = painted("A gateway of Papertape is open. PAPER: nothing here is real money.", BOLD)
        print("\n".join([title, *(f"  {name:15} {value}" for name, value in rows)]))
    sys.stdout.flush()
