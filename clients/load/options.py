"""The options of `papertape load`: what they are called, and what they mean."""

from __future__ import annotations

import argparse
import ipaddress
import math
import os
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from clients.api import websocket_url
from clients.load.plan import CONNECTIONS_MAX, DEFAULT_MIX, KINDS, Kind, Shape

Dialect = Literal["native", "binance"]

DEFAULT_URL: Final = "http://127.0.0.1:8080"
DEFAULT_FAST_PORT: Final = 8081
DEFAULT_SYMBOLS: Final = "BTC-USDT,ETH-USDT,BTC-USDT-PERP,ETH-USDT-PERP"
ADMIN_KEY_VARIABLE: Final = "PAPERTAPE_ADMIN_KEY"
EXAMPLES: Final = """examples:
  papertape load                                    twenty bots, 200 requests a second, 10 s
  papertape load --ramp 100 --rate 3000 --seconds 60 --plot climb.html
                                                    where does it bend? with a picture
  papertape load --fast --json > new.json           the fast port, for machines
  papertape load --fast --compare old.json          the same again: better, worse or noise?
  papertape load --compare old.json new.json        two reports, without a new run
  papertape load --dialect binance --mix place=1,cancel=1
                                                    by the Binance door, orders only
  papertape load --ws ws://127.0.0.1:8080/v1/ws ws://127.0.0.1:8090/v1/ws
                                                    two gateways of a cluster

An exchange for more than a few connections needs its limits lifted:
  printf '[limits]\\naccounts_per_minute = 0\\nconnections_per_address = 0\\n\\
  messages_per_second = 0\\norders_per_10_seconds = 0\\nweight_per_minute = 0\\n' > load.toml
  papertape serve --ephemeral --config load.toml

exit codes: 0 a report; 1 nothing was answered, or every connection was lost; 2 options that cannot
be; 3 with --compare, something is worse than before by more than noise.  docs/load.md explains all
figures."""


class Target(msgspec.Struct, frozen=True):
    """Where the load goes: REST and metrics to `url`, WebSockets to those of `ws` by turns."""

    url: str
    ws: tuple[str, ...]
    key: str | None = None
    secret: str | None = None
    slow_readers: int = 0
    dialect: Dialect = "native"
    admin_key: str = ""

    def ws_of(self, connection: int) -> str:
        """The WebSocket of a connection of the plan."""
        return self.ws[connection % len(self.ws)]

    def root_of(self, connection: int) -> str:
        """The same without a path: ws://host:port."""
        parts = urlsplit(self.ws_of(connection))
        return f"{parts.scheme}://{parts.netloc}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `papertape load`."""
    parser.epilog = EXAMPLES
    _add_where(parser)
    _add_what(parser)
    add = parser.add_argument_group("the report").add_argument
    add("--json", action="store_true", help="print the report as one JSON object")
    add("--plot", type=Path, metavar="FILE.html", help="draw latencies by time and by percentile")
    add(
        "--compare",
        type=Path,
        nargs="+",
        metavar="FILE.json",
        help="against an earlier --json report: better, worse or noise; of two, nothing is run",
    )


def _add_where(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where it goes")
    add = group.add_argument
    add("--url", default=os.environ.get("PAPERTAPE_URL", DEFAULT_URL), help="the exchange")
    ports = group.add_mutually_exclusive_group()
    ports.add_argument(
        "--fast",
        type=int,
        nargs="?",
        const=DEFAULT_FAST_PORT,
        metavar="PORT",
        help=f"WebSockets to its fast port ({DEFAULT_FAST_PORT}), REST still to --url",
    )
    ports.add_argument(
        "--ws",
        nargs="+",
        metavar="URL",
        help="or to this one, ws://127.0.0.1:8090/v1/ws; of several (gateways), by turns",
    )
    add(
        "--dialect", choices=("native", "binance"), default="native", help="what it speaks (native)"
    )
    add("--key", help="trade on this key's account instead of new ones")
    add("--secret", help="the secret of --key, or the PEM text of its Ed25519 key")
    add(
        "--admin-key",
        default=os.environ.get(ADMIN_KEY_VARIABLE, ""),
        metavar="K|@FILE",
        help=f"to open accounts where that takes the admin key (${ADMIN_KEY_VARIABLE})",
    )


def _add_what(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what it asks").add_argument
    add("--connections", type=int, default=20, metavar="N", help="each with its own account (20)")
    add("--rate", type=float, default=200.0, metavar="R", help="requests a second in all (200)")
    add("--ramp", type=float, metavar="FROM", help="climb evenly to --rate, from this rate")
    add("--seconds", type=float, default=10.0, metavar="S", help="measured time (10)")
    add("--warm-up", type=float, default=2.0, metavar="S", help="time before it, unmeasured (2)")
    add("--seed", type=int, default=1, metavar="K", help="the same seed asks the same (1)")
    add("--symbols", default=DEFAULT_SYMBOLS, metavar="S,S", help=f"({DEFAULT_SYMBOLS})")
    mix = ",".join(f"{kind}={weight}" for kind, weight in DEFAULT_MIX.items())
    add("--mix", default=mix, metavar="KIND=WEIGHT,...", help=f"how often what ({mix})")
    add(
        "--slow-readers",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="so many more connections, as a share of them, hear everything and hardly read (0)",
    )


def shape_of(args: argparse.Namespace) -> Shape:
    """The shape that the options ask for."""
    return Shape(
        seed=args.seed,
        connections=args.connections,
        rate=args.rate,
        seconds=args.seconds,
        symbols=tuple(dict.fromkeys(filter(None, map(str.strip, args.symbols.split(","))))),
        warm_up_s=args.warm_up,
        ramp_from=args.ramp,
        mix=mix_of(args.mix),
    )


def mix_of(text: str) -> dict[Kind, int]:
    """`place=3,cancel=1` as weights; a ValueError says what it may be."""
    mix: dict[Kind, int] = {}
    known: dict[str, Kind] = {kind: kind for kind in KINDS}
    for part in filter(None, text.split(",")):
        name, _, weight = part.strip().partition("=")
        if name not in known or not (weight.isascii() and weight.isdigit()):
            raise ValueError(f"--mix takes KIND=WEIGHT of {', '.join(KINDS)}, not {part!r}")
        mix[known[name]] = int(weight)
    return mix


def target_of(args: argparse.Namespace) -> Target:
    """Where the options point; a ValueError for anywhere but this machine."""
    url = args.url.rstrip("/")
    addresses = args.ws or [_fast(url, args.fast) or websocket_url(url)]
    for ws in addresses:
        if urlsplit(ws).scheme not in ("ws", "wss"):
            raise ValueError(f"a WebSocket is at ws://... or wss://..., not {ws!r}")
    for address in (url, *addresses):
        if not _is_loopback(urlsplit(address).hostname or ""):
            raise ValueError(
                f"{address} is not on this machine; a load test is for an exchange of your own, at"
                " localhost, 127.0.0.1 or ::1 (for one elsewhere, run it there)"
            )
    if (args.key is None) != (args.secret is None):
        raise ValueError("--key and --secret come together")
    if not 0 <= args.slow_readers < math.inf:
        raise ValueError("--slow-readers is a share of the connections, such as 0.1")
    slow = math.ceil(args.slow_readers * args.connections)
    if slow > CONNECTIONS_MAX:
        raise ValueError(f"{slow} slow readers are too many; at most {CONNECTIONS_MAX} may be")
    account = args.key, args.secret
    return Target(url, tuple(addresses), *account, slow, args.dialect, _secret(args.admin_key))


def _fast(url: str, port: int | None) -> str | None:
    """The same WebSocket on another port."""
    if port is None:
        return None
    parts = urlsplit(websocket_url(url))
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return parts._replace(netloc=f"{host}:{port}").geturl()


def _secret(text: str) -> str:
    """A key, or what is in the @file it names; a ValueError if that cannot be read."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(f"--admin-key {text}: {error.strerror}") from error


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
