"""Run a sample bot over WebSocket until Ctrl-C, or for some seconds.

When it stops, its own open orders are cancelled and a summary is printed; what it holds, it keeps.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from clients.api import Papertape
from clients.bots import basis, market_maker, momentum, noise
from clients.bots.strategy import (
    Amend,
    Beat,
    Cancel,
    Heard,
    Place,
    Refused,
    Rules,
    Strategy,
    Transfer,
    Wish,
)
from clients.channels import Event
from clients.errors import PapertapeError
from clients.stream import Subscription
from exchange.wire import FillSay, InstrumentSay

BEAT_S: Final = 1.0
DEFAULT_URL: Final = "http://127.0.0.1:8080"
Instruments = Mapping[str, Rules]


class Bot(msgspec.Struct, frozen=True):
    """One kind of bot: what it does, where by default, what may be set, and how it is made."""

    about: str
    symbol: str
    settings: type[Any]
    make: Callable[[Instruments, str, Any, str], Strategy]


def _make_basis(venue: Instruments, symbol: str, settings: Any, prefix: str) -> Strategy:
    spot = symbol.removesuffix("-PERP")
    return basis.Basis(venue[spot], venue[f"{spot}-PERP"], settings, prefix)


def _make(kind: Callable[[Rules, Any, str], Strategy]) -> Callable[..., Strategy]:
    return lambda venue, symbol, settings, prefix: kind(venue[symbol], settings, prefix)


BOTS: Final[dict[str, Bot]] = {
    "market-maker": Bot(
        "quotes around the mark or index and leans away from what it holds",
        "BTC-USDT-PERP",
        market_maker.Settings,
        _make(market_maker.MarketMaker),
    ),
    "momentum": Bot(
        "goes with the move on a perpetual, with leverage and a stop",
        "BTC-USDT-PERP",
        momentum.Settings,
        _make(momentum.Momentum),
    ),
    "basis": Bot(
        "trades a perpetual against its spot pair",
        "BTC-USDT",
        basis.Settings,
        _make_basis,
    ),
    "noise": Bot(
        "buys and sells for no reason",
        "BTC-USDT",
        noise.Settings,
        _make(noise.Noise),
    ),
}


class Tally(msgspec.Struct):
    """What a run came to."""

    bot: str
    symbol: str
    orders: int = 0
    refused: dict[str, int] = {}
    fills: int = 0
    volume: str = "0"  # In quote.
    fees: dict[str, str] = {}
    connections: int = 0
    equity_before: str | None = None
    equity_after: str | None = None

    def count(self, fill: FillSay) -> None:
        """One more fill."""
        self.fills += 1
        self.volume = f"{Decimal(self.volume) + Decimal(fill.quote):f}"
        paid = Decimal(self.fees.get(fill.fee_asset, "0")) + Decimal(fill.fee)
        self.fees[fill.fee_asset] = f"{paid:f}"

    def lines(self) -> list[str]:
        """The summary for people."""
        fees = ", ".join(f"{amount} {asset}" for asset, amount in self.fees.items()) or "none"
        refused = ", ".join(f"{code} x{n}" for code, n in self.refused.items()) or "none"
        lines = [
            f"{self.bot} on {self.symbol}: {self.orders} orders, {self.fills} fills, "
            f"volume {self.volume}",
            f"fees {fees}; refused {refused}; connections {self.connections}",
        ]
        if self.equity_before is not None and self.equity_after is not None:
            change = Decimal(self.equity_after) - Decimal(self.equity_before)
            lines.append(f"equity {self.equity_before} -> {self.equity_after} ({change:+f} USDT)")
        return lines


class Runner:
    """One strategy on one account; `run` until it is cancelled or the time is over."""

    def __init__(self, pt: Papertape, strategy: Strategy, prefix: str, tally: Tally) -> None:
        self._pt = pt
        self._strategy = strategy
        self._prefix = prefix
        self.tally = tally

    async def run(self, seconds: float | None) -> None:
        """Hear and fulfil; at the end, however it comes, cancel what the strategy left open."""
        self.tally.equity_before = (await self._pt.pnl()).equity
        events = self._pt.subscribe(*{*self._strategy.channels, "orders", "fills"})
        try:
            async with asyncio.timeout(seconds):
                await self._trade(events)
        except TimeoutError:
            pass
        finally:
            await self._tidy_up(events)

    async def _trade(self, events: Subscription) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        beats = 0
        while True:
            next_beat = began + (beats + 1) * BEAT_S
            try:
                async with asyncio.timeout_at(next_beat):
                    event = await anext(events)
            except TimeoutError:
                beats += 1
                await self._hear(Beat(beats))
            else:
                self._count(event)
                await self._hear(event)

    def _count(self, event: Event) -> None:
        if event.channel == "fills" and event.data.client_id.startswith(self._prefix):
            self.tally.count(event.data)

    async def _hear(self, heard: Heard) -> None:
        """Let the strategy hear; its wishes travel together, and refusals are told in turn."""
        wishes = self._strategy.hear(heard)
        if not wishes:
            return
        travelling = asyncio.gather(*map(self._fulfil, wishes))
        try:
            refusals = await asyncio.shield(travelling)
        except asyncio.CancelledError:
            await travelling  # What is on its way is waited for, or nobody would tidy it up.
            raise
        for refusal in refusals:
            if refusal is not None:
                self._strategy.refused(refusal)

    async def _fulfil(self, wish: Wish) -> Refused | None:
        try:
            match wish:
                case Place():
                    self.tally.orders += 1
                    await self._place(wish)
                case Amend(client_id, price):
                    await self._pt.amend(client_id=client_id, price=price)
                case Cancel(client_id):
                    await self._pt.cancel(client_id=client_id)
                case Transfer(source, target, asset, amount):
                    await self._pt.transfer(source, target, asset, amount)
        except PapertapeError as error:
            self.tally.refused[error.code] = self.tally.refused.get(error.code, 0) + 1
            return Refused(wish, error.code, error.message)
        return None

    async def _place(self, wish: Place) -> None:
        named = {"client_id", "symbol", "side", "qty", "price"}
        options = {k: v for k, v in msgspec.structs.asdict(wish).items() if k not in named}
        await self._pt.place(
            wish.symbol,
            wish.side,
            wish.qty,
            price=wish.price,
            client_id=wish.client_id,
            **options,
        )

    async def _tidy_up(self, events: Subscription) -> None:
        """Cancel the strategy's open orders (nobody else's), and see what is left."""
        for order in await self._pt.orders(limit=1000):
            if order.client_id.startswith(self._prefix):
                await self._fulfil(Cancel(order.client_id))
        for event in events.waiting():  # A reply comes after the events of what it answers.
            self._count(event)
        events.close()
        self.tally.equity_after = (await self._pt.pnl()).equity
        self.tally.connections = self._pt.connections


# -- the command line --------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `papertape bots run`."""
    about = "\n".join(f"  {name:13} {bot.about}" for name, bot in BOTS.items())
    settings = "\n".join(f"  {name:13} {settings_of(bot.settings)}" for name, bot in BOTS.items())
    parser.epilog = f"bots:\n{about}\n\nsettings, for --set:\n{settings}"
    parser.add_argument("name", choices=sorted(BOTS), metavar="NAME", help=", ".join(BOTS))
    parser.add_argument(
        "--url",
        default=os.environ.get("PAPERTAPE_URL", DEFAULT_URL),
        help="the exchange's address (%(default)s)",
    )
    parser.add_argument(
        "--key",
        default=os.environ.get("PAPERTAPE_KEY"),
        help="API key; without one the bot opens an account of its own",
    )
    parser.add_argument(
        "--secret", default=os.environ.get("PAPERTAPE_SECRET"), help="the key's secret"
    )
    parser.add_argument("--symbol", help="what to trade, instead of the bot's own choice")
    parser.add_argument("--seconds", type=_positive, help="stop after so many seconds")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="change one of the bot's settings; see below",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")


def main(args: argparse.Namespace) -> int:
    """Run the bot; 0 when it was stopped or its time was over, 1 if the exchange failed it."""
    bot = BOTS[args.name]
    try:
        settings = read_settings(bot.settings, args.settings)
        tally = asyncio.run(_run(bot, settings, args))
    except ValueError as error:
        print(f"papertape bots: {error}", file=sys.stderr)
        return 2
    except PapertapeError as error:
        print(f"papertape bots: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0  # Stopped before it had begun.
    if args.json:
        print(msgspec.json.encode(tally).decode())
    else:
        print("\n".join(tally.lines()))
    return 0


async def _run(bot: Bot, settings: Any, args: argparse.Namespace) -> Tally:
    key, secret = args.key, args.secret
    if key is None:
        async with Papertape(args.url) as nobody:
            opened = await nobody.open_account(f"bot {args.name}")
        key, secret = opened.api_key, opened.api_secret
        print(f"opened account {opened.account_id} with key {key}", file=sys.stderr)
    symbol = args.symbol or bot.symbol
    tally = Tally(args.name, symbol)
    async with Papertape(args.url, key, secret) as pt:
        instruments = (await pt.instruments()).instruments
        venue = {say.symbol: Rules.of(say) for say in instruments}
        _refuse_unfit(symbol, instruments, (await pt.account()).settings)
        prefix = f"{args.name}-{secrets.token_hex(3)}-"
        strategy = _strategy(bot, venue, symbol, settings, prefix)
        runner = Runner(pt, strategy, prefix, tally)
        stopping = asyncio.current_task()
        assert stopping is not None
        if sys.platform != "win32":  # Ctrl-C is the event loop's own doing; this is for `kill`.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.cancel)
        try:
            await runner.run(args.seconds)
        except asyncio.CancelledError:
            stopping.uncancel()  # This is how it is stopped: the summary is still wanted.
    return tally


def _refuse_unfit(
    symbol: str, instruments: Sequence[InstrumentSay], settings: Mapping[str, Any]
) -> None:
    """Raise a ValueError where a bot's orders could only be refused, or be of another size."""
    if symbol in {say.symbol for say in instruments if say.kind == "inverse"}:
        raise ValueError(f"bots reckon in the base, and {symbol} is counted in contracts")
    if settings.get("position_mode") == "hedge":
        raise ValueError(
            "bots hold one net position, and this account is in hedge mode: give them another one,"
            " or switch with position_mode.set"
        )


def _strategy(bot: Bot, venue: Instruments, symbol: str, settings: Any, prefix: str) -> Strategy:
    try:
        return bot.make(venue, symbol, settings, prefix)
    except KeyError as error:
        known = ", ".join(sorted(venue))
        raise ValueError(f"there is no {error.args[0]} here; there are {known}") from None


def read_settings(kind: type[Any], changes: list[str]) -> Any:
    """A bot's settings from `NAME=VALUE` texts; a ValueError says what they may be."""
    fields = {name: value for name, _, value in (change.partition("=") for change in changes)}
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{error}; the settings are {settings_of(kind)}") from None


def settings_of(kind: type[Any]) -> str:
    """What may be set, each with its value if it is not."""
    return " ".join(f"{field.name}={field.default}" for field in msgspec.structs.fields(kind))


def _positive(text: str) -> float:
    seconds = float(text)
    if not seconds > 0:
        raise argparse.ArgumentTypeError("must be more than nothing")
    return seconds
