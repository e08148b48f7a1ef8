"""The intake: what gateways ask for, read from the command stream and handed to the sequencer.

It goes on behind the entry that the log names last, so after a take-over nothing is left out and
nothing is taken twice. An entry that cannot be read is passed over, and so is one that a gateway
sent twice because it did not hear that the first arrived.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from exchange.cluster.connecting import Connection, patiently
from exchange.cluster.log import READ_WAIT_MS, Batch, Heard, LogKeeper
from exchange.cluster.names import Names
from exchange.commands import AnyCommand, Continue, FeedPrices, Tick
from exchange.events import AnyEvent
from exchange.groups import decode_group
from exchange.sequencer import Sequencer

BATCH_COMMANDS_MAX: Final = 256
BATCH_BYTES_MAX: Final = 1024 * 1024
GATEWAY_BYTES_MAX: Final = 64
NUMBER_DIGITS_MAX: Final = 15
BACKLOG_MAX: Final = 4_096  # Commands that wait; with more nothing is read.
ENTRIES_PER_READ: Final = 128

# Time and outside prices are the leader's own business.
NOT_OF_GATEWAYS: Final = (Tick, Continue, FeedPrices)

log = logging.getLogger(__name__)


class BadBatch(ValueError):
    """An entry of the command stream that is no batch; the text says in what way."""


def batch_of(fields: dict[bytes, bytes]) -> tuple[str, int, list[AnyCommand]]:
    """The gateway, the number and the commands of an entry; BadBatch where it is none."""
    gateway, number, data = (fields.get(name, b"") for name in (b"g", b"n", b"data"))
    if not 0 < len(gateway) <= GATEWAY_BYTES_MAX or not gateway.isascii():
        raise BadBatch("it names no gateway")
    if not number.isdigit() or len(number) > NUMBER_DIGITS_MAX:
        raise BadBatch("it has no number")
    if len(data) > BATCH_BYTES_MAX:
        raise BadBatch(f"it has {len(data)} bytes")
    try:
        commands = decode_group(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadBatch(f"its commands cannot be read: {error}") from error
    if not 0 < len(commands) <= BATCH_COMMANDS_MAX:
        raise BadBatch(f"it holds {len(commands)} commands")
    strange = [each for each in commands if isinstance(each, NOT_OF_GATEWAYS)]
    if strange:
        raise BadBatch(f"no gateway may ask for {type(strange[0]).__name__}")
    return gateway.decode(), int(number), commands


class Intake:
    """Reads the command stream behind `keeper.at` for as long as `run` runs."""

    def __init__(
        self, connection: Connection, names: Names, sequencer: Sequencer, keeper: LogKeeper
    ) -> None:
        self.passed_over = 0
        self._connection = connection
        self._names = names
        self._sequencer = sequencer
        self._keeper = keeper
        self._position = keeper.at
        self._heard = Heard(keeper.heard.state())
        self._newest: Batch | None = None
        self._obeyed = asyncio.Event()
        sequencer.listeners.append(self._on_group)

    async def run(self) -> None:
        """Take in what comes, until cancelled; SequencerFailed where nothing is taken any more."""
        client = self._connection.client()
        try:
            while True:
                while self._sequencer.backlog >= BACKLOG_MAX:
                    self._obeyed.clear()
                    await self._obeyed.wait()
                for found, fields in await patiently(lambda: self._read(client), "the intake"):
                    self._position = found.decode()
                    self.take(self._position, fields)
        finally:
            await client.aclose()

    async def _read(self, client: Redis) -> list[tuple[bytes, dict[bytes, bytes]]]:
        found: Any = await client.xread(
            {self._names.commands: self._position}, count=ENTRIES_PER_READ, block=READ_WAIT_MS
        )
        return list(found[0][1]) if found else []

    def take(self, position: str, fields: dict[bytes, bytes]) -> None:
        """Hand one entry of the stream to the sequencer, or pass it over."""
        try:
            gateway, number, commands = batch_of(fields)
        except BadBatch as error:
            log.warning("passed over the entry %s of the command stream: %s", position, error)
            self._pass_over(position)
            return
        if not self._heard.is_new(gateway, number):
            log.info("passed over batch %d of %s, which came twice", number, gateway)
            self._pass_over(position)
            return
        self._heard.note(gateway, number)
        self._newest = Batch(gateway, number, position)
        self._sequencer.take_in(commands, self._newest)

    def _pass_over(self, position: str) -> None:
        """The position moves with the batch before, or where that is in the log, by itself."""
        self.passed_over += 1
        if self._newest is not None and not self._newest.is_taken:
            self._newest.upto = position
        else:
            self._keeper.pass_over(position)

    def _on_group(self, groups: Sequence[list[AnyEvent]]) -> None:
        self._obeyed.set()
