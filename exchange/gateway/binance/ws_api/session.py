"""One connection of the WebSocket API as a plain object: frames in, calls out; answers in.

Like `exchange.gateway.session` it opens no socket and waits for nothing: a shell feeds it what
came (`receive`), carries out what it hands over (`requests`), and sends what waits (`to_send`).
Answers go out as they are ready, so those to quick requests may overtake others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from exchange.bounds import REQUESTS_WAITING_MAX
from exchange.gateway.binance.calls import SIGNED, Api, Call, Dialect, Route, Security
from exchange.gateway.binance.door import refuse_unless_permitted
from exchange.gateway.binance.errors import BUSY, KEY_REJECTED, BinanceError, Refusal, refused
from exchange.gateway.binance.routes import BY_METHOD
from exchange.gateway.binance.signing import check_time, known_caller, signed_caller
from exchange.gateway.binance.streams.outbox import Outbox
from exchange.gateway.binance.streams.session import CLOSE_GOING
from exchange.gateway.binance.user_data.scopes import SCOPES
from exchange.gateway.binance.user_data.subscribing import Subscriptions
from exchange.gateway.binance.ws_api import frames
from exchange.gateway.binance.ws_api.frames import BAD_FRAME, BadFrame, Request
from exchange.gateway.calls import Caller

UNKNOWN_METHOD: Final[Refusal] = (-1020, "This operation is not supported.")
OWN_WEIGHT: Final = 2  # Of the session's own methods.


class Pending:
    """A request for the shell to carry out: the route's handler, called with `call`."""

    __slots__ = ("call", "request", "route")

    def __init__(self, request: Request, route: Route, call: Call) -> None:
        self.request = request
        self.route = route
        self.call = call


class ApiSession:
    """The conversation with one client of one product's WebSocket API.

    `wake` is called when `to_send` has something new; it must not send at once.
    `tells_limits` is whether answers tell of the limits where a request does not choose.
    """

    packed = False  # Frames are text.

    def __init__(
        self,
        dialect: Dialect,
        api: Api,
        *,
        wake: Callable[[], None],
        address: str = "",
        tells_limits: bool = True,
    ) -> None:
        self._dialect = dialect
        self._api: Api = api
        self._address = address
        self._tells_limits = tells_limits
        self._outbox = Outbox(wake)
        self._subscriptions = Subscriptions(dialect.user_data, self._outbox.tell)
        self._scope = SCOPES[api]
        self._requests: list[Pending] = []
        self._waiting = 0
        self._caller: Caller | None = None  # Who logged on,
        self._since_ms = 0  # when,
        self._connected_ms = dialect.doors.clock.wall_ms()  # and when the connection was made.
        self._own: dict[str, Callable[[Request], Any]] = {
            "session.logon": self._logon,
            "session.status": self._status,
            "session.logout": self._logout,
            "session.subscriptions": self._listed,
            "userDataStream.subscribe": self._subscribe,
            "userDataStream.subscribe.signature": self._subscribe_signed,
            "userDataStream.subscribe.listenToken": self._subscribe_by_token,
            "userDataStream.unsubscribe": self._unsubscribe,
        }

    # -- the shell's side ----------------------------------------------------------------------

    def receive(self, payload: bytes | str, *, binary: bool = False) -> None:
        """A frame came. Whatever is wrong with it, it is answered and the connection lives."""
        if self._outbox.close_code is not None:
            return
        try:
            request = frames.request_of(payload, binary=binary)
        except BadFrame as bad:
            self._refuse_frame(bad.id)
            return
        try:
            self._take(request)
        except BinanceError as error:
            self._refuse(request, error, None)

    def requests(self) -> list[Pending]:
        """Requests to carry out, each to be answered once; start them in this order."""
        requests, self._requests = self._requests, []
        return requests

    def answer(self, pending: Pending, result: Any) -> None:
        """The result of a request."""
        self._waiting -= 1
        self._answer(pending.request, result, pending.call)

    def refuse(self, pending: Pending, error: BinanceError) -> None:
        """A request was refused."""
        self._waiting -= 1
        self._refuse(pending.request, error, pending.call)

    def to_send(self) -> list[bytes]:
        """Text frames to send, in this order."""
        return self._outbox.drain()

    def warn(self) -> None:
        """Its time is nearly over."""
        self._outbox.tell(frames.shutdown(self._now_ms()))

    def expire(self) -> None:
        """Its time is over."""
        self._outbox.close(CLOSE_GOING)

    @property
    def close_code(self) -> int | None:
        """Why the connection must be closed, once it must: 1001 its time is over, 1008 too slow."""
        return self._outbox.close_code

    def closed(self) -> None:
        """The connection is gone. Saying it twice does no harm."""
        self._caller = None
        self._subscriptions.close_all()

    # -- requests ------------------------------------------------------------------------------

    def _take(self, request: Request) -> None:
        """Do what the session does itself, hand over the rest; a BinanceError to refuse."""
        own = self._own.get(request.method)
        if own is not None:
            self._weigh(OWN_WEIGHT)
            self._answer(request, own(request), None)
            return
        route = BY_METHOD.get((self._api, request.method))
        if route is None:
            self._weigh(1)
            raise refused(UNKNOWN_METHOD)
        if self._waiting >= REQUESTS_WAITING_MAX:
            raise refused(BUSY)
        weight = route.weigh(request.params)
        # Before anything is checked, so that who cannot sign cannot go on trying for nothing.
        self._weigh(1 if route.by_account else weight)
        caller = self._who(request, route.security)
        refuse_unless_permitted(route, caller)
        if route.by_account:
            self._weigh(weight, f"account {caller.account_id}")
        call = Call(
            dialect=self._dialect,
            api=self._api,
            params=request.params,
            caller=caller,
            refusals=route.refusals,
            by_websocket=True,
        )
        self._waiting += 1
        self._requests.append(Pending(request, route, call))

    def _weigh(self, weight: int, name: str | None = None) -> None:
        limits = self._dialect.limits[self._api]
        limits.take_weight(self._address if name is None else name, self._now_ms(), weight)

    def _who(self, request: Request, security: Security) -> Caller:
        """Who asks: whoever signed or named a key, else whoever logged on."""
        params, doors = request.params, self._dialect.doors
        if security == "N":
            return Caller(address=self._address)
        key = params.get("apiKey")
        if self._caller is not None and not key and not params.has(frames.SIGNATURE):
            if security in SIGNED:
                check_time(doors, params)
            return self._logged_on()
        if security not in SIGNED and not params.has(frames.SIGNATURE):
            return known_caller(doors, key or self._key(), self._address)
        return self._signer(request)

    def _signer(self, request: Request) -> Caller:
        key = request.params.get("apiKey") or self._key()
        messages = frames.signed_messages(request.texts)
        return signed_caller(self._dialect.doors, key, messages, request.params, self._address)

    def _key(self) -> str:
        return self._caller.key if self._caller is not None else ""

    def _logged_on(self) -> Caller:
        caller = self._caller
        if caller is None or not self._dialect.doors.still(caller):
            self._caller = None
            raise refused(KEY_REJECTED)
        return caller

    def _now_ms(self) -> int:
        return self._dialect.doors.clock.wall_ms()

    # -- answers -------------------------------------------------------------------------------

    def _answer(self, request: Request, result: Any, call: Call | None) -> None:
        self._outbox.tell(frames.answer(request.id, result, self._limits(request, call)))

    def _refuse(self, request: Request, error: BinanceError, call: Call | None) -> None:
        limits = self._limits(request, call)
        self._outbox.tell(frames.refusal(request.id, error, limits, self._now_ms()))

    def _refuse_frame(self, id_: bytes) -> None:
        error = refused(BAD_FRAME)
        try:
            self._weigh(1)
        except BinanceError as over:
            error = over
        self._outbox.tell(frames.refusal(id_, error, None, self._now_ms()))

    def _limits(self, request: Request, call: Call | None) -> list[dict[str, Any]] | None:
        """How much of each limit is used, unless the client does not want to know."""
        try:
            told = request.params.flag("returnRateLimits", self._tells_limits)
        except BinanceError:
            told = self._tells_limits
        if not told:
            return None
        limits = self._dialect.limits[self._api]
        weight, used = limits.weight_used(self._address, self._now_ms())
        orders = call.used if call is not None else []
        return [rule.say(count) for rule, count in [*orders, (weight, used)]]

    # -- what the session does itself ----------------------------------------------------------

    def _logon(self, request: Request) -> dict[str, Any]:
        self._caller = self._signer(request)
        self._since_ms = self._now_ms()
        self._tells_limits = request.params.flag("returnRateLimits", self._tells_limits)
        return self._status(request)

    def _status(self, request: Request) -> dict[str, Any]:
        caller = self._caller
        return {
            "apiKey": caller.key if caller is not None else None,
            "authorizedSince": self._since_ms if caller is not None else None,
            "connectedSince": self._connected_ms,
            "returnRateLimits": self._tells_limits,
            "serverTime": self._now_ms(),
            "userDataStream": self._subscriptions.has_logons,
        }

    def _logout(self, request: Request) -> dict[str, Any]:
        self._caller = None
        self._subscriptions.close_of_logon()
        return self._status(request)

    # -- user data -----------------------------------------------------------------------------

    def _listed(self, request: Request) -> list[dict[str, Any]]:
        return self._subscriptions.listed()

    def _subscribe(self, request: Request) -> dict[str, Any]:
        """To the product's own stream, of whoever logged on."""
        return self._subscriptions.open(_reader(self._logged_on()), self._scope, by_logon=True)

    def _subscribe_signed(self, request: Request) -> dict[str, Any]:
        """By a signature of its own, which whoever logged on may leave out as ever."""
        caller, signed = self._who(request, "U"), request.params.has(frames.SIGNATURE)
        return self._subscriptions.open(_reader(caller), self._scope, by_logon=not signed)

    def _subscribe_by_token(self, request: Request) -> dict[str, Any]:
        return self._subscriptions.open_by_token(request.params.need("listenToken"))

    def _unsubscribe(self, request: Request) -> dict[str, Any]:
        return self._subscriptions.close(request.params)


def _reader(caller: Caller) -> Caller:
    """-2015 unless the key may read."""
    if "read" not in caller.permissions:
        raise refused(KEY_REJECTED)
    return caller
