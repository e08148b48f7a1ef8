"""A line that speaks the exchange's own protocol."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from clients.load.line import Clock, Dawdling, Line, Reply
from clients.load.record import Record
from clients.signing import WINDOW_MS, Signer
from clients.stream import wall_ms
from exchange.wire import ErrorSay

_MALFORMED: Final = ErrorSay("MALFORMED_REPLY", "a refusal without an error")


class _Head(msgspec.Struct):
    """What of a message is read: a push has a channel, a reply an id and maybe an error."""

    id: int | str | None = None
    ch: str = ""
    ok: bool = False
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: ErrorSay | None = None


class NativeLine(Line):
    """One WebSocket at /v1/ws."""

    def __init__(self, record: Record, clock: Clock) -> None:
        super().__init__(record, clock)
        self._heads = msgspec.json.Decoder(_Head)

    async def login(self, signer: Signer) -> None:
        """Speak for the account of a key from now on."""
        now_ms = wall_ms()
        await self.ask(
            "login",
            key=signer.key,
            timestamp=now_ms,
            window=WINDOW_MS,
            signature=signer.sign(now_ms, "GET", "/v1/ws"),
        )

    def _worded(self, name: str, op: str, fields: dict[str, Any]) -> bytes:
        return msgspec.json.encode({"id": name, "op": op, **fields})

    def _hear(self, payload: bytes, now_ns: int) -> None:
        head = self._heads.decode(payload)
        if head.ch:
            self._record.push(len(payload))
        elif isinstance(head.id, int):
            error = "" if head.ok else (head.error or _MALFORMED).code
            self._record.answer(head.id, error, now_ns)
        elif isinstance(head.id, str):
            error_say = None if head.ok else head.error or _MALFORMED
            self._replied(head.id, Reply(bytes(head.result), error_say))


class SlowReader(Dawdling, NativeLine):
    """A connection that hears much of the market and of its account, and dawdles."""
