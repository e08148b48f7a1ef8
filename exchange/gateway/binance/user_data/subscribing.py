"""The user data streams of one connection of the WebSocket API, by their numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from exchange.gateway.binance.errors import BAD_VALUE, refused
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.user_data.feeds import Payload, Place, Subscription, UserData
from exchange.gateway.calls import Caller

_encode: Final = msgspec.json.Encoder().encode


class Subscriptions:
    """What a connection has subscribed to. `tell` is given frames.

    A feed that is subscribed to again keeps its number; a token then moves its end.
    """

    def __init__(self, user_data: UserData, tell: Callable[[bytes], None]) -> None:
        self._user_data = user_data
        self._tell = tell
        self._next = 0
        self._held: dict[int, tuple[Subscription, Place, bool]] = {}  # And whether by a logon.

    def open(
        self, caller: Caller, scope: str, *, until_ms: int = 0, by_logon: bool = False
    ) -> dict[str, Any]:
        """Subscribe, from now on; answers its number, and its end where it has one."""
        for number, (held, place, _) in self._held.items():
            if place == (caller.account_id, scope):
                held.caller, held.until_ms = caller, until_ms
                self._held[number] = (held, place, by_logon)
                return _said(number, until_ms)
        number, self._next = self._next, self._next + 1

        def tell(payload: Payload) -> None:
            self._tell(_encode({"subscriptionId": number, "event": payload}))

        def ended(now_ms: int) -> None:
            self._held.pop(number, None)
            tell({"e": "eventStreamTerminated", "E": now_ms})

        subscription = Subscription(caller, tell, ended, until_ms)
        place = self._user_data.subscribe(subscription, scope)
        self._held[number] = (subscription, place, by_logon)
        return _said(number, until_ms)

    def open_by_token(self, token: str) -> dict[str, Any]:
        """Subscribe to what a listenToken is of, until it runs out."""
        scope, caller, until_ms = self._user_data.of_token(token)
        return self.open(caller, scope, until_ms=until_ms)

    def close(self, params: Params) -> dict[str, Any]:
        """Unsubscribe: one by its number, or all; -1130 for a number that is not held."""
        number = params.integer("subscriptionId")
        if number is not None and number not in self._held:
            raise refused(BAD_VALUE, "subscriptionId")
        self._drop(list(self._held) if number is None else [number])
        return {}

    def close_of_logon(self) -> None:
        """Whoever logged on is gone, and with him what he subscribed to by that."""
        self._drop([number for number, (_, _, by_logon) in self._held.items() if by_logon])

    def close_all(self) -> None:
        """The connection is gone."""
        self._drop(list(self._held))

    @property
    def has_logons(self) -> bool:
        """Whether something is subscribed to by a logon."""
        return any(by_logon for _, _, by_logon in self._held.values())

    def listed(self) -> list[dict[str, Any]]:
        """The numbers held."""
        return [{"subscriptionId": number} for number in self._held]

    def _drop(self, numbers: list[int]) -> None:
        for number in numbers:
            subscription, place, _ = self._held.pop(number)
            self._user_data.unsubscribe(subscription, place)


def _said(number: int, until_ms: int) -> dict[str, Any]:
    said = {"subscriptionId": number}
    return said | {"expirationTime": until_ms} if until_ms else said
