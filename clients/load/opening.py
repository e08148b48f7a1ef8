"""Before the start: the market surveyed, accounts opened and paid in, connections logged in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from decimal import ROUND_UP, Decimal
from functools import partial
from typing import Final, TypeVar

import msgspec

from clients.errors import PapertapeError
from clients.load.line import Clock, connect
from clients.load.native_line import NativeLine, SlowReader
from clients.load.record import Record
from clients.load.wording import Market
from clients.rest import Rest, segment
from clients.signing import Signer
from exchange.wire import (
    AccountAsk,
    AccountOpenedSay,
    InstrumentSay,
    InstrumentsSay,
    MarkSay,
    OrderSay,
    TickerSay,
)

Answer = TypeVar("Answer")
SomeNative = TypeVar("SomeNative", bound=NativeLine)
Place = tuple[str, str]  # A wallet and an asset in it.
Markets = Mapping[str, Market]
Tidying = Coroutine[None, None, None]

PATIENCE_S: Final = 120.0  # How long the exchange's limits may hold up one step of the opening.
LABEL: Final = "load"

# What each connection may spend of an asset, in smallest orders: 40 rest at a time, of up to 10
# smallest ones each, and takes wander to one side by chance.
STAKE_TIMES: Final = 1_000
ORDERS_LISTED: Final = 1_000
MINOR: Final = Decimal("0.00000001")

# What a slow reader hears: much, and what must not be dropped.
SLOW_PUBLIC: Final = ("book", "trades", "bbo", "ticker")
SLOW_PRIVATE: Final = ("orders", "fills", "balances")


# -- the market --------------------------------------------------------------------------------


async def survey(rest: Rest, symbols: Sequence[str]) -> dict[str, Market]:
    """The markets of these symbols; a ValueError if one is unknown, shut, or without a price."""
    said = await rest.get(InstrumentsSay, "/v1/instruments")
    known = {instrument.symbol: instrument for instrument in said.instruments}
    markets = {}
    for symbol in symbols:
        if symbol not in known:
            raise ValueError(f"there is no {symbol} here; there are {', '.join(sorted(known))}")
        if known[symbol].state != "trading":
            raise ValueError(f"{symbol} does not trade: its state is {known[symbol].state}")
        markets[symbol] = Market.of(known[symbol], await _reference(rest, known[symbol]))
    return markets


async def _reference(rest: Rest, instrument: InstrumentSay) -> Decimal:
    """The price that orders are placed around: the mark, else the index, else the last trade."""
    path = segment(instrument.symbol)
    mark = await rest.get(MarkSay, f"/v1/mark/{path}")
    price = mark.mark or mark.index
    if price is None:
        price = (await rest.get(TickerSay, f"/v1/ticker/{path}")).last
    if price is None or Decimal(price) <= 0:
        raise ValueError(f"{instrument.symbol} has no price yet; try again when it trades")
    return Decimal(price)


# -- accounts ----------------------------------------------------------------------------------


async def open_accounts(rest: Rest, count: int, tell: Callable[[int], None]) -> list[Signer]:
    """As many new accounts; `tell` hears how many there are so far."""
    signers: list[Signer] = []
    ask = partial(rest.open_account, AccountOpenedSay, AccountAsk(LABEL))
    while len(signers) < count:
        opened = await patiently(ask)
        signers.append(Signer(opened.api_key, opened.api_secret))
        tell(len(signers))
    return signers


def stakes_of(markets: Iterable[Market], sharers: int) -> dict[Place, str]:
    """What an account needs to trade these markets, if `sharers` connections spend from it."""
    stakes: dict[Place, Decimal] = {}
    for market in markets:
        instrument = market.instrument
        qty = market.qty * STAKE_TIMES * sharers
        quote = qty * market.reference
        if instrument.kind == "spot":
            needs = {("spot", instrument.base): qty, ("spot", instrument.quote): quote}
        else:
            needs = {("perp", instrument.settle): quote}
        for place, amount in needs.items():
            stakes[place] = stakes.get(place, Decimal(0)) + amount
    return {place: f"{amount.quantize(MINOR, ROUND_UP):f}" for place, amount in stakes.items()}


async def fund(line: NativeLine, stakes: Mapping[Place, str]) -> None:
    """Pay the account of a line its stakes from the faucet."""
    for (wallet, asset), amount in stakes.items():
        await patiently(partial(line.ask, "faucet", wallet=wallet, asset=asset, amount=amount))


# -- connections -------------------------------------------------------------------------------


async def open_line(url: str, signer: Signer, record: Record, clock: Clock) -> NativeLine:
    """A connection, logged in."""
    return await _logged_in(await connect(url, lambda: NativeLine(record, clock)), signer)


async def open_slow_reader(
    url: str, signer: Signer, symbols: Sequence[str], record: Record, clock: Clock
) -> NativeLine:
    """A connection that hears all of these symbols and its account, and dawdles."""
    reader = SlowReader(record, clock)
    await _logged_in(await connect(url, lambda: reader), signer)
    channels = [f"{kind}.{symbol}" for kind in SLOW_PUBLIC for symbol in symbols]
    await reader.ask("subscribe", channels=[*channels, *SLOW_PRIVATE])
    reader.dawdle()
    return reader


async def _logged_in(line: SomeNative, signer: Signer) -> SomeNative:
    try:
        await patiently(partial(line.login, signer))
    except BaseException:
        await line.close()
        raise
    return line


async def cancel_all(line: NativeLine) -> None:
    """Cancel what an account has open, if it was opened for this run."""
    await patiently(partial(line.ask, "order.cancel_all"))


async def cancel_own(line: NativeLine, run: str) -> None:
    """Cancel the open orders of a run, and nobody else's, on an account that others use too."""
    orders = msgspec.json.decode(
        await patiently(partial(line.ask, "order.list", limit=ORDERS_LISTED)), type=list[OrderSay]
    )
    for order in orders:
        if order.client_id.startswith(f"{run}-"):
            await patiently(partial(line.ask, "order.cancel", order_id=order.order_id))


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask again when the exchange says it was too often, after the time it names."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return await ask()
                except PapertapeError as error:
                    retry_ms = error.details.get("retry_ms")
                    if error.code != "RATE_LIMITED" or not isinstance(retry_ms, int):
                        raise
                    await asyncio.sleep(retry_ms / 1_000)
    except TimeoutError:
        raise PapertapeError(
            "RATE_LIMITED", f"the exchange's limits held this up for {PATIENCE_S:.0f} s"
        ) from None
