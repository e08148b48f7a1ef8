"""Client ids used before: what each stood for, and what came of it."""

from __future__ import annotations

import hashlib

import msgspec

from exchange.commands import Command
from matching.limits import DUPLICATE_IDS_KEPT_MAX
from risk.account import Account


def content_hash(command: Command) -> bytes:
    """What a client id stands for: the command without its number and moment."""
    bare = msgspec.structs.replace(command, seq=0, time_ms=0)
    return hashlib.blake2b(msgspec.msgpack.encode(bare), digest_size=8).digest()


def remember(account: Account, client_id: str, content: bytes, result_id: int) -> None:
    """Keep the newest client ids and what they did."""
    account.recent[client_id] = (content, result_id)
    if len(account.recent) > DUPLICATE_IDS_KEPT_MAX:
        del account.recent[next(iter(account.recent))]
