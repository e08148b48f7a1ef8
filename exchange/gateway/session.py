"""One WebSocket connection as a plain object: messages in, requests out; answers in, frames out.

A session opens no socket and waits for nothing. A shell feeds it what came (`receive`), carries
out what it hands over (`requests`, answered by `answer`), and sends what waits (`to_send`) until
`close_code` says that the connection is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from exchange import __version__
from exchange.bounds import (
    REQUEST_BYTES_MAX,
    REQUEST_ID_CHARS_MAX,
    REQUESTS_WAITING_MAX,
    SUBSCRIPTIONS_MAX,
)
from exchange.gateway.auth import RateLimiter
from exchange.gateway.calls import ANYBODY, ApiError, Caller, refusal
from exchange.gateway.native.fields import converted
from exchange.gateway.native.routes import BY_OP
from exchange.publisher import UNNUMBERED, Publisher
from exchange.wire import (
    PRIVATE_CHANNELS,
    Ask,
    ErrorSay,
    LoginAsk,
    Push,
    Reply,
    ResumeAsk,
    SubscribeAsk,
)
from exchange.wire.stream import (
    ENV,
    LoginSay,
    PongSay,
    ResumedSay,
    StatusSay,
    SubscribedSay,
)
from matching.reasons import Reason

PACKED_PROTOCOL: Final = "papertape.v1.msgpack"
JSON_PROTOCOL: Final = "papertape.v1.json"
PROTOCOLS: Final = (PACKED_PROTOCOL, JSON_PROTOCOL)

RequestId = str | int | float | None
AskKind = TypeVar("AskKind", bound=Ask)

Authenticate = Callable[[LoginAsk], Caller]  # Raises an ApiError where the signature fails.


class Pending:
    """A request for the shell to carry out: `op` with its `fields`, on behalf of `caller`."""

    __slots__ = ("caller", "fields", "frame", "id", "op", "ordered", "queued")

    def __init__(
        self, id_: RequestId, op: str, fields: dict[str, Any], caller: Caller, ordered: bool
    ) -> None:
        self.id = id_
        self.op = op
        self.fields = fields
        self.caller = caller
        self.ordered = ordered  # Its reply keeps its place among those of the other ordered ones.
        self.queued = False
        self.frame: bytes | None = None  # The reply, while it waits for those before it.


class PingAsk(Ask):
    """Is anybody there?"""


def always(caller: Caller) -> bool:
    """For callers whose keys never end."""
    return True


class Session:
    """The conversation with one client.

    `publisher` has the channels, `authenticate` judges logins, `limiter` counts the connection's
    messages, on the clock `now_ms`; many sessions may share it. `wake` is called when `to_send` has
    something new; it must not send at once. `packed` means MessagePack frames, else JSON text.
    `still` tells whether who logged in may go on: where not, the connection is closed with 4001.
    """

    def __init__(
        self,
        publisher: Publisher,
        authenticate: Authenticate,
        limiter: RateLimiter,
        *,
        now_ms: Callable[[], int],
        wake: Callable[[], None],
        packed: bool = False,
        address: str = "",
        still: Callable[[Caller], bool] = always,
    ) -> None:
        self.packed = packed
        self.caller: Caller = ANYBODY
        self._publisher = publisher
        self._authenticate = authenticate
        self._limiter = limiter
        self._now_ms = now_ms
        self._still = still
        self._codec: Any = msgspec.msgpack if packed else msgspec.json
        self._reader = publisher.open(packed, wake)
        self._outbox = self._reader.outbox
        self._name = f"{address} {self._reader.number}"
        self._requests: list[Pending] = []
        self._ordered: deque[Pending] = deque()
        self._waiting = 0
        self._gone = False
        self._own: dict[str, Callable[[Pending], None]] = {
            "ping": self._ping,
            "login": self._login,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "resume": self._resume,
        }
        welcome = StatusSay(ENV, "welcome", version=__version__)
        self._outbox.tell(self._encoded(Push("status", UNNUMBERED, publisher.time_ms, welcome)))

    # -- the shell's side ----------------------------------------------------------------------

    def receive(self, payload: bytes | str, *, binary: bool = False) -> None:
        """A message came. Whatever is wrong with it, the reply says so and the connection lives."""
        if self._gone or self._outbox.close_code is not None:
            return
        id_: RequestId = None
        try:
            if binary is not self.packed:
                raise refusal(Reason.MALFORMED_REQUEST, self._wrong_form())
            if len(payload) > REQUEST_BYTES_MAX:
                raise refusal(Reason.TOO_LARGE, bytes=len(payload), max=REQUEST_BYTES_MAX)
            fields = self._decoded(payload)
            id_ = _request_id(fields)
            op = _op(fields)
            route = BY_OP.get(op)
            pending = Pending(id_, op, fields, self.caller, route is not None and route.mutates)
        except ApiError as error:
            self._reply(Reply(id_, False, error=error.say()))
            return
        try:
            self._take(pending)
        except ApiError as error:
            self._answered(pending, Reply(id_, False, error=error.say()))

    def requests(self) -> list[Pending]:
        """Requests to carry out, each to be answered once; start them in this order."""
        if not self._requests:
            return []
        requests, self._requests = self._requests, []
        return requests

    def answer(self, pending: Pending, result: Any) -> None:
        """The result of a request, as its operation says it.

        Where it cannot be encoded that is raised, and the request still waits for its answer.
        """
        self._answered(pending, Reply(pending.id, True, result))
        self._waiting -= 1

    def refuse(self, pending: Pending, error: ErrorSay) -> None:
        """A request was refused; as `answer`."""
        self._answered(pending, Reply(pending.id, False, error=error))
        self._waiting -= 1

    def to_send(self) -> list[bytes]:
        """Frames to send, in this order; `packed` says of which kind they are."""
        return self._outbox.drain()

    @property
    def close_code(self) -> int | None:
        """Why the connection must be closed, once it must: 4001 the key ended, 4008 too slow."""
        return self._outbox.close_code

    def closed(self) -> None:
        """The connection is gone: nothing more is pushed. Saying it twice does no harm."""
        if not self._gone:
            self._gone = True
            self._publisher.close(self._reader)

    # -- messages ------------------------------------------------------------------------------

    def _take(self, pending: Pending) -> None:
        """Do what the session does itself, hand over the rest; raise an ApiError to refuse."""
        allowance = self._limiter.take(self._name, self._now_ms())
        if not allowance.allowed:
            raise refusal(Reason.RATE_LIMITED, retry_ms=allowance.retry_ms)
        own = self._own.get(pending.op)
        if own is not None:
            own(pending)
            return
        route = BY_OP.get(pending.op)
        if route is None or not route.websocket:
            raise refusal(Reason.UNKNOWN_OPERATION, op=pending.op)
        if self._waiting >= REQUESTS_WAITING_MAX:
            raise refusal(Reason.BUSY, "wait for the answers that are due", max=self._waiting)
        self._waiting += 1
        self._requests.append(pending)
        if pending.ordered:
            self._queue(pending)

    def _queue(self, pending: Pending) -> None:
        if not pending.queued:
            pending.queued = True
            self._ordered.append(pending)

    def _decoded(self, payload: bytes | str) -> dict[str, Any]:
        try:
            fields = self._codec.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            told = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise refusal(Reason.MALFORMED_REQUEST, told) from None
        if not isinstance(fields, dict):
            raise refusal(Reason.MALFORMED_REQUEST, "a message is one object")
        return fields

    def _wrong_form(self) -> str:
        if self.packed:
            return f"this connection speaks {PACKED_PROTOCOL}: send binary frames"
        return f"this connection speaks JSON: send text frames, or ask for {PACKED_PROTOCOL}"

    # -- answers -------------------------------------------------------------------------------

    def _answered(self, pending: Pending, reply: Reply) -> None:
        """Send a reply; an ordered one waits until those before it were sent."""
        if not pending.ordered or not self._ordered:
            self._reply(reply)
            return
        pending.frame = self._encoded(reply)
        self._queue(pending)
        while self._ordered and self._ordered[0].frame is not None:
            frame = self._ordered.popleft().frame
            assert frame is not None, "it was just looked at"
            self._outbox.tell(frame)

    def _reply(self, reply: Reply) -> None:
        self._outbox.tell(self._encoded(reply))

    def _encoded(self, message: Reply | Push) -> bytes:
        encoded: bytes = self._codec.encode(message)
        return encoded

    # -- what the session does itself ----------------------------------------------------------

    def _done(self, pending: Pending, result: Any) -> None:
        self._reply(Reply(pending.id, True, result))

    def _ping(self, pending: Pending) -> None:
        _asked(pending, PingAsk)
        self._done(pending, PongSay(self._publisher.time_ms))

    def _login(self, pending: Pending) -> None:
        caller = self._authenticate(_asked(pending, LoginAsk))
        account_id = caller.account_id
        assert account_id is not None, "a key belongs to an account"
        self.caller = caller
        self._publisher.login(self._reader, account_id)
        self._reader.still = partial(self._still, caller)
        self._done(pending, LoginSay(account_id, sorted(caller.permissions)))

    def _subscribe(self, pending: Pending) -> None:
        names = self._known(_asked(pending, SubscribeAsk))
        if any(name in PRIVATE_CHANNELS for name in names):
            self._check_may_read()
        held = len({*self._reader.public, *self._reader.private, *names})
        if held > SUBSCRIPTIONS_MAX:
            raise refusal(Reason.TOO_MANY_SUBSCRIPTIONS, max=SUBSCRIPTIONS_MAX)
        self._publisher.subscribe(self._reader, names)
        self._done(pending, self._subscribed())
        self._publisher.greet(self._reader, names)

    def _unsubscribe(self, pending: Pending) -> None:
        self._publisher.unsubscribe(self._reader, self._known(_asked(pending, SubscribeAsk)))
        self._done(pending, self._subscribed())

    def _subscribed(self) -> SubscribedSay:
        reader = self._reader
        seq = reader.told if reader.private else None
        return SubscribedSay(sorted([*reader.public, *reader.private]), seq)

    def _known(self, ask: SubscribeAsk) -> list[str]:
        unknown = [name for name in ask.channels if not self._publisher.is_channel(name)]
        if unknown:
            raise refusal(Reason.UNKNOWN_CHANNEL, unknown[0], channel=unknown[0])
        return ask.channels

    def _resume(self, pending: Pending) -> None:
        ask = _asked(pending, ResumeAsk)
        self._check_may_read()
        events = self._publisher.resume(self._reader, ask.last_seq)
        if events is None:
            account = self._publisher.account(self._reader)
            raise refusal(Reason.RESUME_TOO_OLD, seq=account.last_seq, account=account)
        self._done(pending, ResumedSay(events, self._reader.told))

    def _check_may_read(self) -> None:
        if self.caller.account_id is None:
            raise refusal(Reason.NOT_AUTHENTICATED, "log in before private channels")
        if "read" not in self.caller.permissions:
            raise refusal(Reason.PERMISSION_DENIED, permission="read")


def _asked(pending: Pending, kind: type[AskKind]) -> AskKind:
    ask = converted(pending.fields, kind)
    assert isinstance(ask, kind), "what is converted to a kind is of it"
    return ask


def _request_id(fields: dict[str, Any]) -> RequestId:
    """Take the id out of a message; an ApiError where no reply could carry it."""
    id_ = fields.pop("id", None)
    if id_ is None or (isinstance(id_, int | float) and not isinstance(id_, bool)):
        # A reply carries whole numbers of up to 64 bits.
        if not isinstance(id_, int) or -(1 << 63) <= id_ < 1 << 64:
            return id_
    elif isinstance(id_, str) and len(id_) <= REQUEST_ID_CHARS_MAX:
        return id_
    raise refusal(
        Reason.MALFORMED_REQUEST,
        f"an id is a number, or text of at most {REQUEST_ID_CHARS_MAX} characters",
        field="id",
    )


def _op(fields: dict[str, Any]) -> str:
    op = fields.pop("op", None)
    if op is None:
        raise refusal(Reason.MISSING_FIELD, field="op")
    if not isinstance(op, str):
        raise refusal(Reason.MALFORMED_REQUEST, "the op is a text", field="op")
    return op
