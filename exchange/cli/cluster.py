"""`papertape cluster`: a whole cluster on this machine with one command, to try."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exchange.cli.output import BOLD, Failure, UsageError, painted, print_json
from exchange.cli.redis_options import add_redis_options, redis_flags, redis_of

if TYPE_CHECKING:
    from exchange.cluster.local import LocalCluster

DATA: Final = "./papertape-cluster-data"
EXAMPLES: Final = """\
examples:
  papertape cluster                          Redis, a core and a gateway at http://127.0.0.1:8080
  papertape cluster --gateways 2 --standby   gateways at 8080 and 8090, and a standby
  papertape cluster --redis redis://10.0.0.5:6379 --gateways 4

Then end the core that leads (its number stands in what is printed), and watch the other lead:
  kill -9 PID

Over several machines, start the parts yourself: papertape core and papertape gateway."""

PASSED_ON: Final = ("config", "speed", "seed", "prices", "tape", "agents")


def add_commands(commands: Any) -> None:
    """Add `cluster`."""
    cluster = commands.add_parser(
        "cluster",
        help="a whole cluster on this machine, to try: Redis, cores and gateways",
        description="Start Redis, a core and gateways as processes of this machine, keep them "
        "running, and end them together.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = cluster.add_argument_group("parts")
    parts.add_argument("--gateways", type=int, default=1, help="how many (default: 1)")
    parts.add_argument("--standby", action="store_true", help="a second core, to take over")
    parts.add_argument("--data", default=DATA, help=f"directory of all of it (default: {DATA})")
    parts.add_argument("--host", default="127.0.0.1", help="of the gateways (default: 127.0.0.1)")
    parts.add_argument(
        "--port",
        type=int,
        default=8080,
        help="of the first gateway; the fast port is the next one, and each further gateway "
        "begins ten higher (default: 8080; 0: any)",
    )
    add_redis_options(cluster, required=False)
    what = cluster.add_argument_group("what, of the cores")
    what.add_argument("--config", metavar="F", help="papertape.toml, of cores and gateways")
    what.add_argument("--speed", help="exchange seconds a second, or max")
    what.add_argument("--seed", help="of the market; the same seed, the same market")
    what.add_argument("--prices", choices=("walk", "fixed", "tape"), help="what moves the index")
    what.add_argument("--tape", metavar="FILE", help="CSV of candles or trades for --prices tape")
    what.add_argument("--agents", choices=("on", "off"), help="house agents (default: on)")
    cluster.add_argument("--json", action="store_true", help="print one JSON object once it runs")
    cluster.set_defaults(run=run_cluster)


def run_cluster(args: argparse.Namespace) -> int:
    """Run until interrupted."""
    from exchange import process
    from exchange.cluster.local import ClusterRefused, LocalCluster, Plan

    if args.gateways < 1:
        raise UsageError("a cluster has at least one gateway")
    if args.redis is not None:
        redis_of(args)  # What is wrong with it is said here, and not by every process.
    known = [word for name in ("config", "tape") for word in _flag(args, name)]
    plan = Plan(
        data=Path(args.data),
        gateways=args.gateways,
        cores=2 if args.standby else 1,
        redis=args.redis,
        host=args.host,
        port=args.port,
        redis_flags=redis_flags(args),
        core_flags=[word for name in PASSED_ON for word in _flag(args, name)],
        gateway_flags=known,
    )

    async def opened(cluster: LocalCluster) -> None:
        tell(cluster, as_json=args.json)

    try:
        return process.run(lambda: LocalCluster.start(plan), opened, refusals=(ClusterRefused,))
    except OSError as error:
        raise Failure(str(error)) from None


def _flag(args: argparse.Namespace, name: str) -> list[str]:
    """An option as it is passed on, if it was given."""
    value = getattr(args, name)
    return [] if value is None else [f"--{name}", value]


def tell(cluster: LocalCluster, *, as_json: bool) -> None:
    """Print where everything is."""
    parts = {
        name: {"pid": child.process.pid if child.process else 0, **child.said}
        for name, child in cluster.children.items()
    }
    if as_json:
        print_json({"redis": cluster.redis, "parts": parts})
    else:
        title = painted("A cluster of Papertape runs. PAPER: nothing here is real money.", BOLD)
        rows = [
            f"  {name:12} {each['pid']:<8} {each.get('url', '')}" for name, each in parts.items()
        ]
        first = next(each["url"] for each in parts.values() if "url" in each)
        more = [
            "",
            f"  curl -s {first}/healthz",
            f"  curl -s -X POST {first}/v1/accounts",
            "",
            "Stop with Ctrl-C.",
        ]
        print("\n".join([title, *rows, *more]))
    sys.stdout.flush()
