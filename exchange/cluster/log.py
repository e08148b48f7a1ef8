"""The log of a cluster: the journal's frames as entries of a stream, each of them written fenced.

An entry's id is LAST_SEQ-0, and its frame is what the journal would hold, so the chain of hashes
runs through it and a log can be replayed anywhere. Beside the frame stands whose commands they are
and how far the command stream is used up with it: both become durable in the same moment as the
commands, so no crash can part them.
"""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import redis
from redis.asyncio import Redis

from exchange.cluster.connecting import AWAY, Connection, Patience
from exchange.cluster.lease import FENCE, Deposed, Lease
from exchange.cluster.names import Names
from exchange.storage.frames import GENESIS, BadFrame, Frame, encoded, hashed, read_frame

START: Final = "0-0"  # Before the first entry of a stream.
GATEWAYS_HEARD_MAX: Final = 10_000
ENTRIES_PER_READ: Final = 64
READ_WAIT_MS: Final = 2_000

# KEYS epoch, leader, log; ARGV epoch, holder, ttl, first seq, last seq, frame, at, from.
_APPEND: Final = (
    FENCE
    + """
local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
if last and last[1] == ARGV[5] .. '-0' then
    for at = 1, #last[2], 2 do
        if last[2][at] == 'frame' and last[2][at + 1] == ARGV[6] then return 'ALREADY' end
    end
    return 'LOST'
end
local follows = last and tonumber(string.match(last[1], '^%d+')) or 0
if follows ~= tonumber(ARGV[4]) - 1 then return 'LOST' end
redis.call('XADD', KEYS[3], ARGV[5] .. '-0', 'frame', ARGV[6], 'at', ARGV[7], 'from', ARGV[8],
    'epoch', ARGV[1])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 'OK'
"""
)

log = logging.getLogger(__name__)


class BadEntry(Exception):
    """An entry of the log that is none; the text says in what way."""


class LogLost(Exception):
    """The log in Redis does not end where this core left it: Redis has forgotten part of it."""


class Origin(msgspec.Struct, frozen=True, array_like=True):
    """Commands of a frame that came as one batch: `place` is that of the first, from 0 on."""

    place: int
    gateway: str
    batch: int
    count: int


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One group of commands; `at` is the newest entry of the command stream that is in the log."""

    frame: Frame
    at: str
    origins: list[Origin]
    epoch: int

    @property
    def first_seq(self) -> int:
        """The seq of its first command."""
        return self.frame.first_seq

    @property
    def last_seq(self) -> int:
        """The seq of its last command."""
        return self.frame.last_seq

    @property
    def count(self) -> int:
        """How many commands it holds."""
        return self.frame.count


@dataclass(slots=True)
class Batch:
    """A batch on its way into the log: with it the command stream is used up to `upto`."""

    gateway: str
    number: int
    upto: str
    is_taken: bool = False


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_origins: Final = msgspec.msgpack.Decoder(list[Origin]).decode


def entry_id(seq: int) -> str:
    """The id of the entry that ends with `seq`."""
    return f"{seq}-0"


def seq_of(found: bytes | str) -> int:
    """The seq that an id of the log names."""
    text = found.decode() if isinstance(found, bytes) else found
    return int(text.partition("-")[0])


def entry_of(found: bytes, fields: dict[bytes, bytes]) -> LogEntry:
    """An entry as it was read; BadEntry where frame, checksum or id do not hold."""
    try:
        frame = read_frame(io.BytesIO(fields[b"frame"]))
        origins = _decode_origins(fields[b"from"])
        at, epoch = fields[b"at"].decode(), int(fields[b"epoch"])
    except (BadFrame, KeyError, ValueError) as error:
        raise BadEntry(f"the log's entry {found.decode()} cannot be read: {error!r}") from error
    if frame is None or found.decode() != entry_id(frame.last_seq):
        raise BadEntry(f"the log's entry {found.decode()} holds another frame")
    return LogEntry(frame, at, origins, epoch)


async def entries_behind(
    client: Redis, names: Names, seq: int, *, count: int = ENTRIES_PER_READ, wait_ms: int = 0
) -> list[LogEntry]:
    """The next entries behind the one that ends with `seq`; waits for one if told to."""
    found: Any = await client.xread({names.log: entry_id(seq)}, count=count, block=wait_ms or None)
    return [entry_of(*each) for each in found[0][1]] if found else []


async def last_entry(client: Redis, names: Names) -> LogEntry | None:
    """The newest entry of the log."""
    found: Any = await client.xrevrange(names.log, count=1)
    return entry_of(*found[0]) if found else None


async def bounds_of(client: Redis, names: Names) -> tuple[int, int]:
    """The last seqs of the oldest and the newest entry; zeros for an empty log."""
    oldest: Any = await client.xrange(names.log, count=1)
    newest: Any = await client.xrevrange(names.log, count=1)
    return (seq_of(oldest[0][0]), seq_of(newest[0][0])) if oldest and newest else (0, 0)


class Heard:
    """The newest batch of each gateway: what is no newer was sent twice.

    Of more than GATEWAYS_HEARD_MAX gateways those that were silent longest are forgotten.
    """

    def __init__(self, state: Iterable[tuple[str, int]] = ()) -> None:
        self._batches = dict(state)

    def is_new(self, gateway: str, batch: int) -> bool:
        """Was nothing as new heard from this gateway?"""
        return batch > self._batches.get(gateway, -1)

    def note(self, gateway: str, batch: int) -> None:
        """A batch went into the log."""
        self._batches.pop(gateway, None)
        self._batches[gateway] = batch
        if len(self._batches) > GATEWAYS_HEARD_MAX:
            del self._batches[next(iter(self._batches))]

    def state(self) -> list[tuple[str, int]]:
        """To be made anew from."""
        return list(self._batches.items())


class LogKeeper:
    """Keeps the sequencer's groups in the log, in the sequencer's thread: see `Keeper`.

    While Redis is away it waits, for ever, and nothing is obeyed or told. `Deposed` where another
    core leads, or after `close`; LogLost where the log is not what this core left behind.
    """

    def __init__(
        self, connection: Connection, lease: Lease, *, chain: bytes, at: str, heard: Heard
    ) -> None:
        self.at = at  # How far the command stream is used up by what is durable,
        self.heard = heard  # and by whose batches.
        self.chain = chain
        self._lease = lease
        self._client: redis.Redis = connection.sync_client()
        self._script = self._client.register_script(_APPEND)
        self._origins: list[Origin] = []
        self._next_at = at
        self._closed = threading.Event()
        self._patience = Patience("keeping the log")

    def on_taken(self, skip: int, origins: Sequence[object]) -> None:
        """The next group's batches; belongs into the sequencer's `on_taken`."""
        self._origins = []
        batch: object = None
        for place, each in enumerate(origins, start=skip):
            if not isinstance(each, Batch):
                continue
            if each is batch:
                last = self._origins[-1]
                self._origins[-1] = msgspec.structs.replace(last, count=last.count + 1)
                continue
            batch = each
            each.is_taken = True
            self.heard.note(each.gateway, each.number)
            self._origins.append(Origin(place, each.gateway, each.number, 1))
            self._next_at = each.upto

    def pass_over(self, upto: str) -> None:
        """The command stream up to there holds nothing that is not in the log."""
        self._next_at = upto

    def append_and_sync(self, first_seq: int, count: int, payload: bytes) -> None:
        """Return when the group is in the log; for a thread."""
        frame = encoded(first_seq, count, payload, self.chain)
        at = self._next_at
        arguments = [
            self._lease.epoch,
            self._lease.holder,
            self._lease.ttl_ms,
            first_seq,
            first_seq + count - 1,
            frame,
            at,
            _encode(self._origins),
        ]
        names = self._lease.names
        self._append([names.epoch, names.leader, names.log], arguments, first_seq)
        self.chain = hashed(frame)
        self.at = at

    def _append(self, keys: list[str], arguments: list[Any], first_seq: int) -> None:
        while not self._closed.is_set():
            try:
                answer: Any = self._script(keys, arguments)
            except AWAY as error:
                self._closed.wait(self._patience.failed(error))
                continue
            self._patience.done()
            if self._lease.judge(answer) == b"LOST":
                raise LogLost(f"the log in Redis does not end before seq {first_seq}")
            return
        raise Deposed("the log was closed")

    def close(self) -> None:
        """Keep nothing more, and let go of whoever waits."""
        self._closed.set()

    def release(self) -> None:
        """Let go of the connections, once nothing is being kept."""
        self._client.close()


def genesis_keeper(connection: Connection, lease: Lease) -> LogKeeper:
    """The keeper of an empty log."""
    return LogKeeper(connection, lease, chain=GENESIS, at=START, heard=Heard())
