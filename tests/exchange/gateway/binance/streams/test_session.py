"""Sessions of streams without a socket: requests, limits, pings, the end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exchange.bounds import REQUEST_BYTES_MAX
from exchange.events import Traded
from exchange.gateway.auth import RateLimiter
from exchange.gateway.binance.streams.names import Opening
from exchange.gateway.binance.streams.outbox import CLOSE_POLICY
from exchange.gateway.binance.streams.session import (
    CLOSE_GOING,
    CLOSE_SILENT,
    FUTURES_RULES,
    SHUTDOWN_NOTICE_MS,
    SPOT_RULES,
    StreamSession,
)
from exchange.gateway.binance.symbols import Product
from tests.exchange.events_by_hand import event
from tests.exchange.gateway.binance.streams.listening import Floor

HOUR_MS = 3_600_000
WALL_MS = 1_700_000_000_000


class Talk:
    """A session with its venue around it: what one says, and what one hears."""

    def __init__(
        self,
        *names: str,
        product: Product = "spot",
        combined: bool = False,
        messages: int = 0,
        life_ms: int = 0,
    ) -> None:
        self.floor = Floor()
        self.now_ms = 0
        self.session = StreamSession(
            self.floor.hub,
            Opening(product, combined, names),
            RateLimiter(messages, 1_000),
            name="one",
            life_ms=life_ms,
            now_ms=lambda: self.now_ms,
            wall_ms=lambda: WALL_MS + self.now_ms,
            wake=lambda: None,
        )

    def heard(self) -> list[Any]:
        return [msgspec.json.decode(frame) for frame in self.session.to_send()]

    def say(self, message: Any) -> list[Any]:
        self.session.receive(msgspec.json.encode(message))
        return self.heard()

    def ask(self, method: str, *params: Any) -> Any:
        (said,) = self.say({"method": method, "params": list(params), "id": 1})
        assert said["id"] == 1
        return said["result"]

    def keep_until(self, moment_ms: int) -> list[int]:
        """Let time go by; answers when pings were sent."""
        pings = []
        while self.session.close_code is None and self.session.next_ms <= moment_ms:
            self.now_ms = self.session.next_ms
            if self.session.keep() is not None:
                pings.append(self.now_ms)
        return pings


def test_streams_are_subscribed_listed_and_let_go() -> None:
    talk = Talk("btcusdt@trade")
    assert talk.ask("SUBSCRIBE", "btcusdt@aggTrade", "btcusdt@trade") is None
    assert talk.ask("LIST_SUBSCRIPTIONS") == ["btcusdt@trade", "btcusdt@aggTrade"]
    talk.floor.tell(event(Traded))
    assert [each["e"] for each in talk.heard()] == ["trade", "aggTrade"]
    assert talk.ask("UNSUBSCRIBE", "btcusdt@trade", "never@held") is None
    talk.floor.tell(event(Traded, trade_id=2))
    assert [each["e"] for each in talk.heard()] == ["aggTrade"]


def test_payloads_are_wrapped_where_that_is_the_property() -> None:
    talk = Talk("btcusdt@trade", combined=True)
    assert talk.ask("GET_PROPERTY", "combined") is True
    talk.floor.tell(event(Traded))
    assert [each["stream"] for each in talk.heard()] == ["btcusdt@trade"]
    assert talk.ask("SET_PROPERTY", "combined", False) is None
    talk.floor.tell(event(Traded, trade_id=2))
    assert [each["e"] for each in talk.heard()] == ["trade"]


@pytest.mark.parametrize("id_", [7, "seven", None, -1])
def test_an_id_is_echoed_with_its_type(id_: Any) -> None:
    said = Talk().say({"method": "LIST_SUBSCRIPTIONS", "id": id_})
    assert said == [{"result": [], "id": id_}]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ([], 2),
        ({"id": 1}, 2),
        ({"method": "DANCE", "id": 1}, 2),
        ({"method": ["SUBSCRIBE"], "id": 1}, 2),
        ({"method": "SUBSCRIBE", "id": {}}, 2),
        ({"method": "SUBSCRIBE", "params": "btcusdt@trade", "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": [1], "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": [""], "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": ["x" * 201], "id": 1}, 2),
        ({"method": "SET_PROPERTY", "params": ["combined"], "id": 1}, 2),
        ({"method": "SET_PROPERTY", "params": ["combined", 1], "id": 1}, 1),
        ({"method": "SET_PROPERTY", "params": ["colour", True], "id": 1}, 0),
        ({"method": "GET_PROPERTY", "params": ["colour"], "id": 1}, 0),
        ({"method": "GET_PROPERTY", "params": [], "id": 1}, 2),
    ],
)
def test_a_wrong_request_is_answered_and_the_connection_lives(message: Any, code: int) -> None:
    talk = Talk()
    (said,) = talk.say(message)
    assert said["error"]["code"] == code
    assert said["error"]["msg"]
    assert said["id"] == (message.get("id") if isinstance(message, dict) else None)
    assert talk.session.close_code is None


@pytest.mark.parametrize("payload", [b"{", b"\xff", b"x" * (REQUEST_BYTES_MAX + 1), b"[" * 9_000])
def test_what_is_no_json_is_answered_without_an_id(payload: bytes) -> None:
    talk = Talk()
    talk.session.receive(payload, binary=True)
    (said,) = talk.heard()
    assert (said["error"]["code"], said["id"]) == (3, None)


def test_a_connection_holds_only_so_many_streams() -> None:
    talk = Talk(product="um")
    names = [f"x{number}@trade" for number in range(FUTURES_RULES.streams_max)]
    assert talk.ask("SUBSCRIBE", *names) is None
    assert talk.ask("SUBSCRIBE", names[0]) is None  # Held already: no error.
    (said,) = talk.say({"method": "SUBSCRIBE", "params": ["one@more"], "id": 2})
    assert said["error"]["code"] == 2
    assert Talk(*names, "one@more", product="um").session.close_code == CLOSE_POLICY
    assert Talk(*names, "one@more").session.close_code is None  # Spot has more.


def test_too_many_messages_in_a_second_end_the_connection() -> None:
    talk = Talk(messages=5)
    for _ in range(5):
        assert talk.ask("LIST_SUBSCRIPTIONS") == []
    assert talk.say({"method": "LIST_SUBSCRIPTIONS", "id": 6}) == []
    assert talk.session.close_code == CLOSE_POLICY
    assert talk.say({"method": "LIST_SUBSCRIPTIONS", "id": 7}) == []


def test_spot_pings_every_twenty_seconds_and_drops_who_is_silent_for_sixty() -> None:
    talk = Talk()
    assert talk.keep_until(40_000) == [20_000, 40_000]
    talk.session.ponged()
    # Silent from 40 s on: at 100 s it is over.
    assert talk.keep_until(HOUR_MS)[-1] == 100_000
    assert talk.session.close_code == CLOSE_SILENT


def test_futures_ping_every_three_minutes_and_drop_after_ten() -> None:
    talk = Talk(product="cm")
    minute_ms = 60_000
    assert talk.keep_until(HOUR_MS) == [3 * minute_ms, 6 * minute_ms, 9 * minute_ms, 12 * minute_ms]
    assert talk.session.close_code == CLOSE_SILENT


def test_a_spot_socket_is_warned_before_its_time_is_over() -> None:
    talk = Talk(life_ms=24 * HOUR_MS)
    heard = []
    while talk.session.close_code is None:
        talk.session.ponged()
        talk.keep_until(talk.session.next_ms)
        heard += talk.heard()
    warned_ms = WALL_MS + 24 * HOUR_MS - SHUTDOWN_NOTICE_MS
    assert heard == [{"e": "serverShutdown", "E": warned_ms}]
    assert (talk.now_ms, talk.session.close_code) == (24 * HOUR_MS, CLOSE_GOING)


def test_a_futures_socket_ends_without_a_warning() -> None:
    talk = Talk(product="um", life_ms=60_000)
    talk.keep_until(60_000)
    assert talk.heard() == []
    assert talk.session.close_code == CLOSE_GOING


def test_a_connection_that_is_gone_holds_nothing() -> None:
    talk = Talk("btcusdt@trade", "0")
    talk.session.closed()
    talk.session.closed()
    talk.floor.tell(event(Traded))
    assert talk.heard() == []


def test_the_rules_of_a_product_are_its_own() -> None:
    assert (SPOT_RULES.streams_max, FUTURES_RULES.streams_max) == (1_024, 200)
