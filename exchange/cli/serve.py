"""`papertape serve` and `papertape demo`: start the exchange."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from exchange.cli.client import Identity, keep_identity
from exchange.cli.output import BOLD, Failure, UsageError, painted, print_json
from exchange.commands import Deposit, OpenAccount
from exchange.config import Config, ConfigError, load_config, with_flags
from exchange.events import Answered
from exchange.gateway.doors import Opened
from exchange.storage.keys import ApiKey
from matching.limits import MINOR_PER_UNIT

SERVE_EXAMPLES: Final = """\
examples:
  papertape serve                                  http://127.0.0.1:8080, ./papertape-data
  papertape serve --ephemeral --port 0             a throw-away exchange on a free port
  papertape serve --speed 60 --seed 7              an hour of market a minute, another market
  papertape serve --prices fixed --agents off      a still market; prices by PUT /v1/admin/index/...
  papertape serve --admin-key @/run/secrets/admin  the admin key from a file

The admin key is made at the first start unless you give one (--admin-key, or PAPERTAPE_ADMIN_KEY);
`papertape keys admin` shows it."""

DEMO_EXAMPLES: Final = """\
examples:
  papertape demo                     a living market and a funded account, kept for the next start
  papertape demo --speed 10          ten times as fast
  papertape demo --ephemeral         nothing is kept

Then, in another terminal:
  papertape buy BTC-USDT-PERP 0.1 --leverage 10
  papertape positions"""

DEMO_MARGIN_USDT: Final = 50_000  # Collateral, so that `buy --margin cross --borrow` works at once.
DEMO_LABEL: Final = "demo"

PRODUCTS: Final = {"spot": "spot", "um": "USD-M", "cm": "COIN-M"}  # That may have ports.
SPEED_HELP: Final = "exchange seconds a second, or max"


def add_commands(commands: Any) -> None:
    """Add `serve` and `demo`."""
    serve = commands.add_parser(
        "serve",
        help="run the exchange",
        description="Run the exchange: HTTP, page and WebSockets on --port, the same WebSocket on "
        "--fast-port.",
        epilog=SERVE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(serve)
    serve.set_defaults(run=run_serve)
    demo = commands.add_parser(
        "demo",
        help="run the exchange with a living market and a funded account",
        description="Run the exchange with agents and a funded account, and print what connects "
        "to it.",
        epilog=DEMO_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(demo)
    demo.set_defaults(run=run_demo)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What can be chosen on the command line; the rest stands in the configuration file."""
    where = command.add_argument_group("where")
    where.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    where.add_argument("--port", type=int, help="HTTP and WebSocket (default: 8080; 0: any)")
    where.add_argument("--fast-port", type=int, help="fast WebSocket (default: 8081; 0: any)")
    for name, product in PRODUCTS.items():
        where.add_argument(
            f"--{name}-port", type=int, help=f"Binance's {product} alone, streams without prefix"
        )
    kept = where.add_mutually_exclusive_group()
    kept.add_argument("--data", help="directory to keep everything in (default: ./papertape-data)")
    kept.add_argument("--ephemeral", action="store_true", default=None, help="keep nothing")
    where.add_argument("--config", metavar="F", help="papertape.toml; flags win over it")
    what = command.add_argument_group("what")
    what.add_argument("--speed", type=speed, help=SPEED_HELP)
    what.add_argument("--seed", type=int, help="of the market; the same seed, the same market")
    what.add_argument("--prices", choices=("walk", "fixed", "tape"), help="what moves the index")
    what.add_argument("--tape", metavar="FILE", help="CSV of candles or trades for --prices tape")
    what.add_argument("--agents", choices=("on", "off"), help="house agents (default: on)")
    what.add_argument("--redis", metavar="URL", help="publish the event stream on Redis Streams")
    who = command.add_argument_group("who")
    who.add_argument("--admin-key", metavar="K|@FILE", help="the admin key, or a file with it")
    who.add_argument(
        "--require-admin",
        action="store_true",
        default=None,
        help="opening an account needs the admin key, on loopback too",
    )
    command.add_argument(
        "--paranoid",
        action="store_true",
        default=None,
        help="assert every invariant behind every command, and stop at the first that is broken",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object once it runs")


def speed(text: str) -> float | str:
    """A speed as the command line says it."""
    if text == "max":
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a speed is a number or max, not {text!r}") from None


def config_of(args: argparse.Namespace) -> Config:
    """The configuration: the file's, with the flags over it; a mistake is a UsageError."""
    flags = {
        name: getattr(args, name)
        for name in (
            *("host", "port", "fast_port", "data", "ephemeral", "speed", "seed", "prices"),
            *("tape", "redis", "admin_key", "require_admin", "paranoid"),
            *(f"{product}_port" for product in PRODUCTS),
        )
    }
    flags["agents"] = None if args.agents is None else args.agents == "on"
    if args.tape is not None and args.prices is None:
        flags["prices"] = "tape"
    try:
        return with_flags(load_config(args.config), flags)
    except ConfigError as error:
        raise UsageError(str(error)) from None


# -- serve -------------------------------------------------------------------------------------


def run_serve(args: argparse.Namespace) -> int:
    """Run until interrupted."""
    return _run(config_of(args), lambda opened: serving(opened, as_json=args.json))


def _run(config: Config, on_open: Callable[[Opened], Awaitable[None]]) -> int:
    from exchange.server import run

    try:
        return run(config, on_open)
    except ConfigError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise Failure(str(error)) from None


async def serving(opened: Opened, *, as_json: bool) -> None:
    """Print where everything is."""
    if as_json:
        said = _addresses(opened)
        if opened.ephemeral:
            said["admin_key"] = opened.doors.admin_key
        print_json(said)
    else:
        print(serving_text(opened))
    sys.stdout.flush()


def _addresses(opened: Opened) -> dict[str, str]:
    """Where everything is, for machines."""
    own = {f"{product}_url": url for product, url in opened.product_urls.items()}
    return {"url": opened.url, "fast_url": opened.fast_url, **own, "data": str(opened.data)}


def serving_text(opened: Opened) -> str:
    """Where everything is."""
    data = shlex.quote(str(opened.data))
    rows = [
        ("page", opened.url + "/"),
        ("API", opened.url + "/docs"),
        ("WebSocket", websocket_of(opened.url)),
        ("fast WebSocket", websocket_of(opened.fast_url)),
        *((f"Binance {PRODUCTS[name]}", url) for name, url in opened.product_urls.items()),
        ("data", "nothing is kept" if opened.ephemeral else str(opened.data)),
    ]
    if opened.ephemeral:
        rows.append(("admin key", opened.doors.admin_key))  # It is nowhere else to be had.
    else:
        rows.append(("admin key", f"papertape keys admin --data {data}"))
    title = painted("Papertape is open. PAPER: nothing here is real money.", BOLD)
    return "\n".join([title, *(f"  {name:15} {value}" for name, value in rows)])


def websocket_of(url: str) -> str:
    """The WebSocket of an address."""
    return url.replace("http", "ws", 1) + "/v1/ws"


# -- demo --------------------------------------------------------------------------------------


def run_demo(args: argparse.Namespace) -> int:
    """Run with a funded account until interrupted."""
    return _run(config_of(args), lambda opened: welcome(opened, as_json=args.json))


async def welcome(opened: Opened, *, as_json: bool) -> None:
    """Print what connects to the demo, and leave its key for one-line trading."""
    key = await demo_key(opened)
    identity = Identity(opened.url, key.key, key.secret)
    await asyncio.to_thread(keep_identity, Path(opened.data), identity)
    if as_json:
        print_json(
            {
                **_addresses(opened),
                "account_id": key.account_id,
                "api_key": key.key,
                "api_secret": key.secret,
            }
        )
    else:
        print(serving_text(opened) + "\n" + welcome_text(opened, key))
    sys.stdout.flush()


async def demo_key(opened: Opened) -> ApiKey:
    """The demo account's key: the one of the last start, or that of an account opened now."""
    doors = opened.doors
    found = await asyncio.to_thread(doors.keys.demo_key)
    if found is not None and found.account_id in doors.engine.risk.accounts:
        return found
    answer = await _done(opened, OpenAccount(label=DEMO_LABEL))
    account_id = answer.result_id
    collateral = DEMO_MARGIN_USDT * MINOR_PER_UNIT
    quote = doors.engine.risk.venue.quote
    await _done(
        opened,
        Deposit(account_id=account_id, wallet="margin", asset=quote, amount_minor=collateral),
    )
    made = await asyncio.to_thread(doors.keys.create, account_id, label=DEMO_LABEL)
    await asyncio.to_thread(doors.keys.store_demo_key, made)
    return made


async def _done(opened: Opened, command: OpenAccount | Deposit) -> Answered:
    answer = (await opened.doors.sequencer.submit(command))[-1]
    assert isinstance(answer, Answered)
    if answer.reason is not None:
        raise Failure(f"the demo account could not be made: {answer.reason.value}")
    return answer


def welcome_text(opened: Opened, key: ApiKey) -> str:
    """What connects to the demo."""
    data = shlex.quote(str(opened.data))
    ours = "" if opened.data_is_default else f" --data {data}"
    lines = [
        "",
        painted("The demo account", BOLD) + f" {key.account_id}, funded and kept:",
        f"  key     {key.key}",
        f"  secret  {key.secret}",
        "",
        painted("In another terminal", BOLD),
        f"  papertape buy BTC-USDT-PERP 0.1 --leverage 10{ours}",
        f"  papertape positions{ours}",
        f"  papertape buy BTC-USDT 1 --margin cross --borrow{ours}",
        f"  papertape terminal --url {opened.url}",
        "",
        f"  curl -s '{opened.url}/v1/book/BTC-USDT?limit=5'",
        f"  curl -s -X POST {opened.url}/v1/accounts",
        f"  websocat {websocket_of(opened.url)}",
        '    {"id":1,"op":"subscribe","channels":["bbo.BTC-USDT","trades.BTC-USDT-PERP"]}',
        "",
        painted("In Python", BOLD),
        "  from clients.api import Papertape",
        f'  async with Papertape("{opened.url}", key, secret) as pt: ...',
        "",
    ]
    if opened.doors.config.binance.enabled:
        lines += [painted("A bot written for Binance", BOLD) + " (others: docs/connect.md)"]
        lines += [f"  {line}" for line in ccxt_lines(opened.url, key)] + [""]
    return "\n".join([*lines, "Stop with Ctrl-C."])


def ccxt_lines(url: str, key: ApiKey) -> list[str]:
    """What points ccxt at this exchange, with the demo's key."""
    return [
        "import ccxt",
        f'bot = ccxt.binance({{"apiKey": "{key.key}", "secret": "{key.secret}"}})',
        'for name, url in bot.urls["api"].items():',
        "    if isinstance(url, str):",
        f'        bot.urls["api"][name] = "{url}/" + url.split("/", 3)[3]',
    ]
