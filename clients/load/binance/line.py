"""A line that speaks to the Binance door: its WebSocket API, or a socket of its market streams."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from clients.load.line import Clock, Dawdling, Line, Reply
from clients.load.record import LIMITED, Record
from clients.signing import Signer
from clients.stream import wall_ms
from exchange.wire import ErrorSay

BANNED: Final = frozenset({418, 429})  # The HTTP statuses of whoever asks too much.


class _Refusal(msgspec.Struct):
    code: int = 0
    msg: str = ""


class _Head(msgspec.Struct):
    """What of a message is read: replies carry an id, what is told unasked does not."""

    id: int | str | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _Refusal | None = None


class BinanceLine(Line):
    """One WebSocket of the door; requests go out as a `Wording` made them."""

    def __init__(self, record: Record, clock: Clock) -> None:
        super().__init__(record, clock)
        self._heads = msgspec.json.Decoder(_Head)

    async def logon(self, signer: Signer) -> None:
        """Speak for the account of a key from now on, without a signature to each request."""
        params = {"apiKey": signer.key, "timestamp": str(wall_ms())}
        await self.ask("session.logon", params=params | {"signature": signer.sign_query(params)})

    async def subscribe(self, streams: list[str]) -> None:
        """Hear these streams."""
        await self.ask("SUBSCRIBE", params=streams)

    def _worded(self, name: str, op: str, fields: dict[str, Any]) -> bytes:
        return msgspec.json.encode({"id": name, "method": op, **fields})

    def _hear(self, payload: bytes, now_ns: int) -> None:
        head = self._heads.decode(payload)
        if head.id is None:
            self._record.push(len(payload))
        elif isinstance(head.id, int):
            self._record.answer(head.id, _named(head), now_ns)
        else:
            error = None if head.error is None else ErrorSay(str(head.error.code), head.error.msg)
            self._replied(head.id, Reply(bytes(head.result), error))


class SlowStreams(Dawdling, BinanceLine):
    """A socket that hears much of the market, and dawdles."""


def _named(head: _Head) -> str:
    """What a refusal is counted as; empty for what was done."""
    if head.error is None:
        return ""
    code = f"{head.error.code} {head.error.msg}".strip()
    return f"{LIMITED} {code}" if head.status in BANNED else code
