"""Frames of a WebSocket server as bytes, for shells that write many at once, or a last one."""

from __future__ import annotations

import asyncio
from operator import is_
from typing import Final

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9

CLOSE_WAIT_S: Final = 5.0  # How long a reader that is told to go may take to read it.

_FINAL: Final = 0x80
_LENGTH_7_MAX: Final = 125
_LENGTH_16_MAX: Final = 0xFFFF


def frame_bytes(opcode: int, payload: bytes) -> bytes:
    """One unmasked frame (RFC 6455, section 5.2)."""
    length = len(payload)
    if length <= _LENGTH_7_MAX:
        return bytes((_FINAL | opcode, length)) + payload
    if length <= _LENGTH_16_MAX:
        return bytes((_FINAL | opcode, 126)) + length.to_bytes(2, "big") + payload
    return bytes((_FINAL | opcode, 127)) + length.to_bytes(8, "big") + payload


class Framer:
    """Frames for many readers, each list of payloads as one write.

    What is told to all is the same bytes for each of them, so the last list made is kept, of
    either form: it is framed and joined once, however many read it.
    """

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: dict[int, tuple[list[bytes], bytes]] = {}  # By opcode.

    def joined(self, opcode: int, payloads: list[bytes]) -> bytes:
        """All of them: a call of the kernel costs more than making one piece of them."""
        made = self._made.get(opcode)
        if made is not None and len(made[0]) == len(payloads) and all(map(is_, made[0], payloads)):
            return made[1]
        if len(payloads) == 1:
            framed = frame_bytes(opcode, payloads[0])
        else:
            framed = b"".join([frame_bytes(opcode, payload) for payload in payloads])
        self._made[opcode] = payloads, framed
        return framed


def hang_up(transport: asyncio.WriteTransport, code: int) -> None:
    """Say why, behind all that was written, and close; at last without waiting for the reader."""
    if transport.is_closing():
        return
    transport.write(frame_bytes(CLOSE, code.to_bytes(2, "big")))
    transport.close()
    asyncio.get_running_loop().call_later(CLOSE_WAIT_S, transport.abort)
