"""Who listens to which account's stream: listenKeys, listenTokens, subscriptions; and what is told.

A listenKey is a stream name of the market sockets, a subscription belongs to a connection of the
WebSocket API. Keys and tokens live as long as the process does: after a restart their owners are
told -1125, as after any loss, and get new ones.
"""

from __future__ import annotations

import contextlib
import secrets
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exchange.events import AnyEvent, Marked, OrderChanged
from exchange.gateway.binance.errors import BAD_LISTEN_KEY, refused
from exchange.gateway.binance.streams.private import PrivateStreams
from exchange.gateway.binance.symbols import Product
from exchange.gateway.binance.user_data.contract_events import Realised, contract_events
from exchange.gateway.binance.user_data.margin_calls import MarginCalls
from exchange.gateway.binance.user_data.scopes import CONTRACTS, product_of_scope
from exchange.gateway.binance.user_data.spot_events import spot_events
from exchange.gateway.calls import Caller
from exchange.gateway.doors import Doors

KEY_CHARS: Final = 64
KEY_LIFE_MS: Final = 60 * 60_000
TOKEN_LIFE_MAX_MS: Final = 24 * 60 * 60_000
TOKENS_PER_FEED_MAX: Final = 30
JUDGE_EVERY_MS: Final = 1_000  # How often what has run out is looked for.

_ALPHABET: Final = string.ascii_letters + string.digits

Payload = dict[str, Any]


class Subscription:
    """One connection of the WebSocket API that hears a feed; `until_ms` 0 is without an end.

    `tell` is given each event; `ended` is called once where it runs out or its key has ended.
    """

    def __init__(
        self,
        caller: Caller,
        tell: Callable[[Payload], None],
        ended: Callable[[int], None],
        until_ms: int = 0,
    ) -> None:
        self.caller = caller
        self.tell = tell
        self.ended = ended
        self.until_ms = until_ms


class Place(NamedTuple):
    """What a feed is of."""

    account_id: int
    scope: str


class Feed:
    """The stream of one scope of one account, while anybody may hear it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.key = ""
        self.caller: Caller | None = None  # Who got the key.
        self.key_until_ms = 0
        self.tokens: dict[str, tuple[int, Caller]] = {}  # With when each runs out.
        self.subscriptions: dict[Subscription, None] = {}  # A set that keeps its order.
        self.realised = Realised()
        self.margin_calls = MarginCalls()

    @property
    def is_idle(self) -> bool:
        """Whether nobody can hear it any more."""
        return not (self.key or self.tokens or self.subscriptions)


class UserData:
    """All feeds; `on_group` belongs behind the board's in the sequencer's listeners.

    Of accounts that nobody listens to nothing is looked at.
    """

    def __init__(self, doors: Doors, private: PrivateStreams) -> None:
        self._doors = doors
        self._private = private
        private.resolver = self._resolve
        self._feeds: dict[int, dict[str, Feed]] = {}  # By account and scope.
        self._keys: dict[str, Feed] = {}
        self._tokens: dict[str, Feed] = {}
        self._judged_ms = 0
        self._names: dict[int, str] = {}  # Client ids of cancellations under way, by order.
        # Orders from this number on came to be in the present group; of these some were told.
        self._first_new = self._next_order_id
        self._told: set[int] = set()

    # -- listenKeys ----------------------------------------------------------------------------

    def open_key(self, caller: Caller, scope: str) -> str:
        """The feed's listenKey, a new one where it has none, good for an hour from now."""
        self._judge()
        feed = self._feed(caller, scope)
        if not feed.key:
            feed.key = _secret()
            self._keys[feed.key] = feed
        feed.caller = caller
        feed.key_until_ms = self._now_ms() + KEY_LIFE_MS
        return feed.key

    def extend_key(self, caller: Caller, scope: str, key: str) -> str:
        """Good for another hour; -1125 where the caller has no such key; empty: any."""
        feed = self._feed_of_key(caller, scope, key)
        feed.key_until_ms = self._now_ms() + KEY_LIFE_MS
        return feed.key

    def close_key(self, caller: Caller, scope: str, key: str) -> None:
        """Nothing more comes by the key; -1125 where the caller has no such key."""
        self._end_key(self._feed_of_key(caller, scope, key))

    def _feed_of_key(self, caller: Caller, scope: str, key: str) -> Feed:
        self._judge()
        place = _place(caller, scope)
        feed = self._feeds.get(place.account_id, {}).get(scope)
        if feed is None or not feed.key or (key and key != feed.key):
            raise refused(BAD_LISTEN_KEY)
        return feed

    def _end_key(self, feed: Feed) -> None:
        self._private.end(feed.key)
        del self._keys[feed.key]
        feed.key = ""
        self._forget_idle(feed)

    def _resolve(self, product: Product, key: str) -> int | None:
        """Whose key it is, for the sockets that may carry it."""
        self._judge()
        feed = self._keys.get(key)
        if feed is None or product_of_scope(feed.place.scope) != product:
            return None
        return feed.place.account_id

    # -- tokens and subscriptions --------------------------------------------------------------

    def new_token(self, caller: Caller, scope: str, life_ms: int) -> tuple[str, int]:
        """A token to subscribe with, and when it runs out; the oldest go where there are many."""
        self._judge()
        feed = self._feed(caller, scope)
        while len(feed.tokens) >= TOKENS_PER_FEED_MAX:
            oldest = next(iter(feed.tokens))
            del feed.tokens[oldest], self._tokens[oldest]
        token, until_ms = _secret(), self._now_ms() + life_ms
        feed.tokens[token] = (until_ms, caller)
        self._tokens[token] = feed
        return token, until_ms

    def of_token(self, token: str) -> tuple[str, Caller, int]:
        """A token's scope, who got it, and when it runs out; -1125 for an unknown one."""
        self._judge()
        feed = self._tokens.get(token)
        if feed is None:
            raise refused(BAD_LISTEN_KEY)
        until_ms, caller = feed.tokens[token]
        return feed.place.scope, caller, until_ms

    def subscribe(self, subscription: Subscription, scope: str) -> Place:
        """Tell a connection what happens from now on."""
        feed = self._feed(subscription.caller, scope)
        feed.subscriptions[subscription] = None
        return feed.place

    def unsubscribe(self, subscription: Subscription, place: Place) -> None:
        """Tell it no more. Saying it twice does no harm."""
        feed = self._feeds.get(place.account_id, {}).get(place.scope)
        if feed is not None:
            feed.subscriptions.pop(subscription, None)
            self._forget_idle(feed)

    # -- cancellations -------------------------------------------------------------------------

    @contextlib.contextmanager
    def naming(self, names: Mapping[int, str]) -> Iterator[None]:
        """While cancellations are under way, what each of them, by its order, is called."""
        self._names.update(names)
        try:
            yield
        finally:
            for order_id in names:
                self._names.pop(order_id, None)

    # -- what has run out ----------------------------------------------------------------------

    def _judge(self) -> None:
        """End what has run out, and what belongs to an API key that was revoked.

        All feeds are looked at, so at most once in `JUDGE_EVERY_MS`.
        """
        now_ms = self._now_ms()
        if 0 <= now_ms - self._judged_ms < JUDGE_EVERY_MS:
            return
        self._judged_ms = now_ms
        still = self._doors.still
        for feed in [feed for scopes in self._feeds.values() for feed in scopes.values()]:
            for token, (until_ms, caller) in list(feed.tokens.items()):
                if until_ms <= now_ms or not still(caller):
                    del feed.tokens[token], self._tokens[token]
            for each in list(feed.subscriptions):
                if (each.until_ms and each.until_ms <= now_ms) or not still(each.caller):
                    del feed.subscriptions[each]
                    each.ended(now_ms)
            revoked = feed.caller is not None and not still(feed.caller)
            if feed.key and (feed.key_until_ms <= now_ms or revoked):
                expired = {"e": "listenKeyExpired", "E": now_ms, "listenKey": feed.key}
                self._private.push(feed.key, expired)
                self._end_key(feed)
            self._forget_idle(feed)

    def _feed(self, caller: Caller, scope: str) -> Feed:
        place = _place(caller, scope)
        scopes = self._feeds.setdefault(place.account_id, {})
        feed = scopes.get(scope)
        if feed is None:
            feed = scopes[scope] = Feed(place)
        return feed

    def _forget_idle(self, feed: Feed) -> None:
        scopes = self._feeds.get(feed.place.account_id)
        if scopes is None or not feed.is_idle:
            return
        scopes.pop(feed.place.scope, None)
        if not scopes:
            del self._feeds[feed.place.account_id]

    def _now_ms(self) -> int:
        return self._doors.clock.wall_ms()

    # -- groups --------------------------------------------------------------------------------

    def on_group(self, groups: Sequence[list[AnyEvent]]) -> None:
        """Tell what an applied group brought about: a list of events for each command."""
        try:
            if self._feeds:
                self._judge()
                # Of which commands marks have moved: their last moment.
                marked_ms = [events[-1].time_ms for events in groups if self._command(events)]
                if marked_ms:
                    self._call_margins(marked_ms[-1])
        finally:
            self._first_new = self._next_order_id
            self._told.clear()

    @property
    def _next_order_id(self) -> int:
        return self._doors.engine.trading.next_order_id

    def _is_new(self, order_id: int) -> bool:
        """Whether an order came to be in the command that is being told."""
        return order_id >= self._first_new and order_id not in self._told

    def _command(self, events: list[AnyEvent]) -> bool:
        """Tell one command; whether marks have moved in it."""
        own: dict[int, list[AnyEvent]] = {}
        feeds, marked = self._feeds, False
        for event in events:
            account_id = getattr(event, "account_id", None)
            if account_id in feeds:
                own.setdefault(account_id, []).append(event)
            elif account_id is None and type(event) is Marked:
                marked = True
        for account_id, told in own.items():
            for feed in list(feeds[account_id].values()):
                if feed.subscriptions or self._private.is_held(feed.key):
                    self._tell(feed, told)
            self._told.update(event.order_id for event in told if isinstance(event, OrderChanged))
        return marked

    def _call_margins(self, time_ms: int) -> None:
        """Marks have moved: tell who listens of positions that came near their liquidation."""
        risk = self._doors.engine.risk
        for account_id, scopes in list(self._feeds.items()):
            for scope in sorted(CONTRACTS & scopes.keys()):
                feed, account = scopes[scope], risk.accounts.get(account_id)
                if account and (feed.subscriptions or self._private.is_held(feed.key)):
                    self._push(feed, feed.margin_calls.news(risk, account, scope, time_ms))

    def _tell(self, feed: Feed, events: list[AnyEvent]) -> None:
        risk, (account_id, scope) = self._doors.engine.risk, feed.place
        if scope in CONTRACTS:
            account = risk.accounts[account_id]
            said = contract_events(risk, scope, account, events, feed.realised, self._is_new)
        else:
            said = spot_events(scope, events, risk.instruments, self._is_new, self._names)
        self._push(feed, said)

    def _push(self, feed: Feed, said: Sequence[Payload]) -> None:
        for payload in said:
            for subscription in feed.subscriptions:
                subscription.tell(payload)
            if feed.key:
                self._private.push(feed.key, payload)


def _place(caller: Caller, scope: str) -> Place:
    assert caller.account_id is not None, "a key belongs to an account"
    return Place(caller.account_id, scope)


def _secret() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(KEY_CHARS))
