"""One socket of streams as a plain object: messages in, frames out; it opens nothing, waits never.

A shell feeds it what came (`receive`, `ponged`), calls `keep` when `next_ms` has come, and sends
what waits (`to_send`) until `close_code` says that the connection is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from exchange.bounds import REQUEST_BYTES_MAX
from exchange.gateway.auth import RateLimiter
from exchange.gateway.binance.streams.hub import Hub
from exchange.gateway.binance.streams.names import Opening
from exchange.gateway.binance.streams.outbox import CLOSE_POLICY, Outbox
from exchange.gateway.binance.symbols import Product

CLOSE_GOING: Final = 1001  # Its time is over.
CLOSE_SILENT: Final = 1011  # It answered no ping.
NAME_CHARS_MAX: Final = 200
SHUTDOWN_NOTICE_MS: Final = 10 * 60_000  # A spot socket is told so long before its time is over.
METHODS: Final = (
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "LIST_SUBSCRIPTIONS",
    "SET_PROPERTY",
    "GET_PROPERTY",
)


class Rules(NamedTuple):
    """What one product demands of its sockets; 0 lifts a limit."""

    streams_max: int
    ping_ms: int
    silent_ms: int  # Without an answer for so long it is closed.
    warns: bool  # Says `serverShutdown` before its time is over.


SPOT_RULES: Final = Rules(1_024, 20_000, 60_000, True)
FUTURES_RULES: Final = Rules(200, 180_000, 600_000, False)
RULES: Final[dict[Product, Rules]] = {
    "spot": SPOT_RULES,
    "um": FUTURES_RULES,
    "cm": FUTURES_RULES,
}

assert all(rules.ping_ms < rules.silent_ms for rules in RULES.values())


class _Wrong(Exception):
    """A message that is answered with an error: its code and text."""

    def __init__(self, code: int, msg: str) -> None:
        super().__init__(msg)
        self.code = code
        self.msg = msg


class StreamSession:
    """The conversation with one reader of streams.

    `limiter` counts its messages by `name`; `life_ms` is how long it may stay (0: for ever).
    `now_ms` is of a clock that only rises. `wake` is called when `to_send` has something new; it
    must not send at once. `wall_ms` stamps what is told of the connection itself.
    """

    packed = False  # Frames are text.

    def __init__(
        self,
        hub: Hub,
        opening: Opening,
        limiter: RateLimiter,
        *,
        name: str,
        life_ms: int,
        now_ms: Callable[[], int],
        wall_ms: Callable[[], int],
        wake: Callable[[], None],
    ) -> None:
        self._hub = hub
        self._product = opening.product
        self._rules = RULES[opening.product]
        self._limiter = limiter
        self._name = name
        self._now_ms = now_ms
        self._wake = wake
        self._wall_ms = wall_ms
        self._outbox = Outbox(wake, combined=opening.combined)
        self._outbox.events = opening.events
        self._held: dict[str, None] = {}
        self._closing: int | None = None
        begun_ms = now_ms()
        self._heard_ms = begun_ms
        self._ping_ms = begun_ms + self._rules.ping_ms
        self._end_ms = begun_ms + life_ms if life_ms else None
        notice_ms = min(SHUTDOWN_NOTICE_MS, life_ms // 2)
        self._warn_ms = begun_ms + life_ms - notice_ms if life_ms and self._rules.warns else None
        self._own: dict[str, Callable[[Any], Any]] = {
            "SUBSCRIBE": self._subscribe,
            "UNSUBSCRIBE": self._unsubscribe,
            "LIST_SUBSCRIPTIONS": self._list,
            "SET_PROPERTY": self._set_property,
            "GET_PROPERTY": self._get_property,
        }
        if len(opening.names) > self._rules.streams_max:
            self._outbox.close(CLOSE_POLICY)
            return
        self._hold(opening.names)
        self._greet(opening.names)

    # -- the shell's side ----------------------------------------------------------------------

    def receive(self, payload: bytes | str, *, binary: bool = False) -> None:
        """A message came; whether it came as text or as `binary` is no matter."""
        if self.close_code is not None:
            return
        self._heard_ms = now_ms = self._now_ms()
        if not self._limiter.take(self._name, now_ms).allowed:
            self._closing = CLOSE_POLICY
            self._wake()
            return
        id_: Any = None
        fresh: list[str] = []
        try:
            fields = _decoded(payload)
            id_ = fields.get("id")
            method, params = _request(fields, id_)
            before = set(self._held)
            said = {"result": self._own[method](params), "id": id_}
            fresh = [name for name in self._held if name not in before]
        except _Wrong as wrong:
            said = {"error": {"code": wrong.code, "msg": wrong.msg}, "id": id_}
        self._outbox.tell(_encode(said))
        self._greet(fresh)

    def ponged(self) -> None:
        """The reader answered a ping."""
        self._heard_ms = self._now_ms()

    @property
    def next_ms(self) -> int:
        """When `keep` has something to do next."""
        moments = (self._ping_ms, self._warn_ms, self._end_ms)
        return min(moment for moment in moments if moment is not None)

    def keep(self) -> bytes | None:
        """Do what has fallen due; answers the payload of a ping to send now.

        A reader who has not answered, or whose time is over, is closed.
        """
        now_ms = self._now_ms()
        if self._warn_ms is not None and now_ms >= self._warn_ms:
            self._warn_ms = None
            self._outbox.tell(_encode({"e": "serverShutdown", "E": self._wall_ms()}))
        if self._end_ms is not None and now_ms >= self._end_ms:
            self._closing = CLOSE_GOING
        if now_ms < self._ping_ms:
            return None
        if now_ms - self._heard_ms >= self._rules.silent_ms:
            self._closing = CLOSE_SILENT
        self._ping_ms = now_ms + self._rules.ping_ms
        return str(self._wall_ms()).encode()

    def to_send(self) -> list[bytes]:
        """Frames to send, in this order."""
        return self._outbox.drain()

    @property
    def close_code(self) -> int | None:
        """Why the connection must be closed, once it must.

        1001 its time is over, 1008 too slow or too many messages, 1011 it answered no ping.
        """
        return self._closing if self._closing is not None else self._outbox.close_code

    def closed(self) -> None:
        """The connection is gone: nothing more is told. Saying it twice does no harm."""
        held, self._held = self._held, {}
        for name in held:
            self._hub.drop(self._outbox, self._product, name)

    # -- messages ------------------------------------------------------------------------------

    def _subscribe(self, params: Any) -> None:
        names = _names(params)
        if len(self._held.keys() | names) > self._rules.streams_max:
            raise _Wrong(2, f"Invalid request: at most {self._rules.streams_max} streams")
        self._hold(names)

    def _unsubscribe(self, params: Any) -> None:
        for name in _names(params):
            if name in self._held:
                del self._held[name]
                self._hub.drop(self._outbox, self._product, name)

    def _list(self, params: Any) -> list[str]:
        return list(self._held)

    def _set_property(self, params: Any) -> None:
        if not isinstance(params, list) or len(params) != 2:  # noqa: PLR2004
            raise _Wrong(2, "Invalid request: a property and its value are needed")
        _known_property(params[0])
        if not isinstance(params[1], bool):
            raise _Wrong(1, "Invalid value type: expected Boolean")
        self._outbox.combined = params[1]

    def _get_property(self, params: Any) -> bool:
        if not isinstance(params, list) or len(params) != 1:
            raise _Wrong(2, "Invalid request: one property is needed")
        _known_property(params[0])
        return self._outbox.combined

    def _hold(self, names: Any) -> None:
        for name in names:
            if name not in self._held:
                self._held[name] = None
                self._hub.hold(self._outbox, self._product, name)

    def _greet(self, names: Any) -> None:
        for name in names:
            self._hub.greet(self._outbox, self._product, name)


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


def _decoded(payload: bytes | str) -> dict[str, Any]:
    if len(payload) > REQUEST_BYTES_MAX:
        raise _Wrong(3, f"Invalid JSON: at most {REQUEST_BYTES_MAX} bytes")
    try:
        fields = _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _Wrong(3, f"Invalid JSON: {error}") from None
    if not isinstance(fields, dict):
        raise _Wrong(2, "Invalid request: an object is needed")
    return fields


def _request(fields: dict[str, Any], id_: Any) -> tuple[str, Any]:
    if isinstance(id_, (dict, list, bool)):
        raise _Wrong(2, "Invalid request: request ID must be an integer or a string")
    method = fields.get("method")
    if method is None:
        raise _Wrong(2, "Invalid request: missing field `method`")
    if method not in METHODS:
        known = ", ".join(f"`{name}`" for name in METHODS)
        raise _Wrong(2, f"Invalid request: unknown variant `{method}`, expected one of {known}")
    return method, fields.get("params")


def _names(params: Any) -> dict[str, None]:
    if not isinstance(params, list) or not all(isinstance(name, str) for name in params):
        raise _Wrong(2, "Invalid request: params must be a list of stream names")
    if any(not 0 < len(name) <= NAME_CHARS_MAX for name in params):
        raise _Wrong(2, f"Invalid request: a stream name has 1 to {NAME_CHARS_MAX} characters")
    return dict.fromkeys(params)


def _known_property(name: Any) -> None:
    if name != "combined":
        raise _Wrong(0, "Unknown property")
