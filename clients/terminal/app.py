"""The trading desk in the terminal: book, chart, ticket, positions, loans and margin.

Its account is, in this order: --key and --secret, PAPERTAPE_KEY and PAPERTAPE_SECRET, the stored
demo key, or a new account that it opens.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from clients.api import Papertape
from clients.errors import PapertapeError

DEFAULT_URL: Final = "http://127.0.0.1:8080"
DEMO_FILE: Final = "demo.json"
EXTRA_HINT: Final = "the terminal needs Textual: pip install 'papertape[terminal]'"


class Identity(msgspec.Struct, frozen=True):
    """Where the exchange is, and who speaks to it; without a key, nobody yet."""

    url: str = DEFAULT_URL
    key: str | None = None
    secret: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `papertape terminal`."""
    parser.add_argument("--url", help=f"the exchange's address ({DEFAULT_URL})")
    parser.add_argument("--key", help="API key")
    parser.add_argument("--secret", help="the key's secret")
    parser.add_argument("--symbol", help="what to look at first")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("papertape-data"),
        help="the directory in which `papertape demo` stored its key",
    )


def main(args: argparse.Namespace) -> int:
    """Run the desk until it is quit; 1 if there is no exchange or no Textual."""
    try:
        screen = importlib.import_module("clients.terminal.screen")
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith(("textual", "plotext", "rich")):
            raise
        print(f"papertape terminal: {EXTRA_HINT}", file=sys.stderr)
        return 1
    try:
        asyncio.run(_run(screen.Terminal, find_identity(args, os.environ), args.symbol))
    except (PapertapeError, ValueError) as error:
        print(f"papertape terminal: {error}", file=sys.stderr)
        return 1
    return 0


def find_identity(args: argparse.Namespace, environment: Mapping[str, str]) -> Identity:
    """Who is to trade, and where; a ValueError if the stored key cannot be read."""
    url = args.url or environment.get("PAPERTAPE_URL")
    if args.key:
        return Identity(url or DEFAULT_URL, args.key, args.secret)
    if environment.get("PAPERTAPE_KEY"):
        secret = environment.get("PAPERTAPE_SECRET")
        return Identity(url or DEFAULT_URL, environment["PAPERTAPE_KEY"], secret)
    stored = Path(args.data) / DEMO_FILE
    if stored.exists():
        try:
            demo = msgspec.json.decode(stored.read_bytes(), type=Identity)
        except msgspec.MsgspecError as error:
            raise ValueError(f"{stored} is not a stored key: {error}") from None
        return msgspec.structs.replace(demo, url=url or demo.url)
    return Identity(url or DEFAULT_URL)


async def _run(terminal: Any, identity: Identity, symbol: str | None) -> None:
    key, secret = identity.key, identity.secret
    if key is None:
        async with Papertape(identity.url) as nobody:
            opened = await nobody.open_account("terminal")
        key, secret = opened.api_key, opened.api_secret
    async with Papertape(identity.url, key, secret) as pt:
        venue = await pt.instruments()
        if symbol is not None and symbol not in {say.symbol for say in venue.instruments}:
            raise ValueError(f"there is no {symbol} at {identity.url}")
        await terminal(pt, venue, symbol).run_async()
