"""Who sent a request: its key, its signature over what was sent, and its window of time."""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from exchange.gateway import auth
from exchange.gateway.binance.errors import (
    BAD_SIGNATURE,
    BAD_WINDOW,
    KEY_FORMAT,
    KEY_REJECTED,
    MANDATORY,
    TIMESTAMP_AHEAD,
    TIMESTAMP_BEHIND,
    refused,
)
from exchange.gateway.binance.params import Params
from exchange.gateway.calls import Caller
from exchange.gateway.doors import Doors

KEY_HEADER: Final = "X-MBX-APIKEY"
KEY_CHARS_MAX: Final = 128
MICROSECONDS_FROM: Final = 10**14  # A timestamp above it counts microseconds.
WINDOW_DEFAULT_MS: Final = 5_000
WINDOW_MAX_MS: Final = 60_000


def without_signature(query: str, body: str) -> bytes:
    """What was signed: raw query and raw body end to end, without the signature itself."""
    return (_cut(query) + _cut(body)).encode("utf-8", "surrogateescape")


def _cut(text: str) -> str:
    if "signature=" not in text:
        return text
    return "&".join(part for part in text.split("&") if not part.startswith("signature="))


def known_caller(doors: Doors, key_text: str, address: str) -> Caller:
    """The caller whose key this is, without a signature (security K and S)."""
    if not key_text or len(key_text) > KEY_CHARS_MAX or not key_text.isalnum():
        raise refused(KEY_FORMAT)
    key = doors.keys.get(key_text)
    if key is None or (key.expires_ms is not None and doors.clock.wall_ms() >= key.expires_ms):
        raise refused(KEY_REJECTED)
    if not auth.address_allowed(key.ips, address):
        raise refused(KEY_REJECTED)
    return Caller(
        account_id=key.account_id,
        key=key.key,
        permissions=frozenset(key.permissions),
        address=address,
    )


def signed_caller(
    doors: Doors, key_text: str, messages: Iterable[bytes], params: Params, address: str
) -> Caller:
    """The caller who signed one of the messages, in time; the refusals are -1021, -1022, -20xx."""
    caller = known_caller(doors, key_text, address)
    signature = params.need("signature")
    check_time(doors, params)
    key = doors.keys.get(caller.key)
    if key is None:
        raise refused(KEY_REJECTED)
    if key.public_key is not None:
        signature = _base64_text(signature)
    if not any(auth.signature_fits(key, message, signature) for message in messages):
        raise refused(BAD_SIGNATURE)
    return caller


def check_time(doors: Doors, params: Params) -> None:
    """The timestamp must lie in the window of the wall's clock or the exchange's."""
    stamp = params.need_integer("timestamp")
    stamp_ms = stamp // 1_000 if stamp >= MICROSECONDS_FROM else stamp
    window_ms = _window_ms(params)
    clocks_ms = doors.clocks_ms()
    if auth.within_window(stamp_ms + 1, window_ms + 1, clocks_ms):
        return
    ahead = all(stamp_ms >= now_ms + auth.AHEAD_MAX_MS for now_ms in clocks_ms)
    raise refused(TIMESTAMP_AHEAD if ahead else TIMESTAMP_BEHIND)


def _window_ms(params: Params) -> int:
    """The receive window, which may carry a fraction of a millisecond."""
    text = params.get("recvWindow")
    if not text:
        return WINDOW_DEFAULT_MS
    whole, _, fraction = text.partition(".")
    if not (whole + fraction).isdigit() or not whole or len(whole) > len(str(WINDOW_MAX_MS)):
        raise refused(MANDATORY, "recvWindow")
    if int(whole) > WINDOW_MAX_MS:
        raise refused(BAD_WINDOW)
    return int(whole)


def _base64_text(signature: str) -> str:
    """Base64 as it was before transit: a plus may have become a space, or stay encoded."""
    text = unquote(signature) if "%" in signature else signature
    text = text.replace(" ", "+")
    try:
        binascii.a2b_base64(text)
    except binascii.Error:
        raise refused(BAD_SIGNATURE) from None
    return text
