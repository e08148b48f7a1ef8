"""Frames of the WebSocket API: a request as it was sent, number by number, and its answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec

from exchange.bounds import REQUEST_BYTES_MAX, REQUEST_ID_CHARS_MAX
from exchange.gateway.binance.errors import BinanceError, Refusal
from exchange.gateway.binance.params import Params

BAD_FRAME: Final[Refusal] = (-1135, "Invalid JSON Request")
NO_ID: Final = b"null"
SIGNATURE: Final = "signature"

_encode: Final = msgspec.json.Encoder().encode
_fields_of: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_id_of: Final = msgspec.json.Decoder(str | int | None).decode
_text_of: Final = msgspec.json.Decoder(str).decode


class BadFrame(Exception):
    """A frame that is no request; `id` is what its answer carries."""

    def __init__(self, id_: bytes = NO_ID) -> None:
        super().__init__("no request")
        self.id = id_


class Request:
    """One request: `id` as the JSON it was sent as, and each parameter as the text it was sent as.

    A number keeps its digits, since the client signed them: 0.10 does not become 0.1.
    """

    __slots__ = ("id", "method", "params", "texts")

    def __init__(self, id_: bytes, method: str, texts: dict[str, str]) -> None:
        self.id = id_
        self.method = method
        self.texts = texts
        self.params = Params(texts.items())


def request_of(payload: bytes | str, *, binary: bool = False) -> Request:
    """The request in a frame; a BadFrame where there is none."""
    if binary or len(payload) > REQUEST_BYTES_MAX:
        raise BadFrame
    fields = _read(_fields_of, payload, NO_ID)
    id_ = bytes(fields.get("id", NO_ID))
    if len(id_) > REQUEST_ID_CHARS_MAX:
        raise BadFrame
    _read(_id_of, id_, NO_ID)
    method = _read(_text_of, fields.get("method", b""), id_)
    sent = _read(_fields_of, fields.get("params", b"{}"), id_)
    return Request(id_, method, {name: _text(raw, id_) for name, raw in sent.items()})


def _read(decode: Any, raw: Any, id_: bytes) -> Any:
    try:
        return decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadFrame(id_) from None


def _text(raw: msgspec.Raw, id_: bytes) -> str:
    written = bytes(raw)
    if written[:1] == b'"':
        text: str = _read(_text_of, raw, id_)
        return text
    return "" if written == b"null" else written.decode()


def signed_messages(texts: dict[str, str]) -> Iterator[bytes]:
    """What may have been signed: the parameters by name, plain or percent-encoded either way."""
    pairs = sorted((name, text) for name, text in texts.items() if name != SIGNATURE)
    for encoded in (str, quote_plus, _quoted):
        yield "&".join(f"{name}={encoded(text)}" for name, text in pairs).encode()


def _quoted(text: str) -> str:
    return quote(text, safe="")


def answer(id_: bytes, result: Any, limits: list[dict[str, Any]] | None) -> bytes:
    """The frame of a result."""
    return _frame({"id": msgspec.Raw(id_), "status": 200, "result": result}, limits)


def refusal(
    id_: bytes, error: BinanceError, limits: list[dict[str, Any]] | None, now_ms: int
) -> bytes:
    """The frame of a refusal; one over a limit says when to come back."""
    body = error.body()
    if error.retry_s is not None:
        body["data"] = {"serverTime": now_ms, "retryAfter": now_ms + error.retry_s * 1_000}
    return _frame({"id": msgspec.Raw(id_), "status": error.status, "error": body}, limits)


def shutdown(now_ms: int) -> bytes:
    """The frame that says the connection will be closed soon."""
    return _encode({"event": {"e": "serverShutdown", "E": now_ms}})


def _frame(said: dict[str, Any], limits: list[dict[str, Any]] | None) -> bytes:
    if limits is not None:
        said["rateLimits"] = limits
    return _encode(said)
