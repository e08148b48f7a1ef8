"""Sessions without a socket: messages in, frames out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.bounds import (
    OUTBOX_EVENTS_MAX,
    REQUEST_BYTES_MAX,
    REQUESTS_WAITING_MAX,
    SUBSCRIPTIONS_MAX,
)
from exchange.events import BalanceChanged, DepthChanged, OrderChanged
from exchange.gateway.auth import RateLimiter
from exchange.gateway.calls import Caller, refusal
from exchange.gateway.session import Session
from exchange.publisher import Publisher
from exchange.views.board import Board
from exchange.wire import ErrorSay, LoginAsk
from matching.reasons import Reason
from tests.exchange.events_by_hand import (
    ACCOUNT,
    INSTRUMENTS,
    SPOT,
    START_MS,
    DeskByHand,
    event,
    group,
)

LOGIN = {"op": "login", "key": "k1", "timestamp": 1, "signature": "good"}
UNLIMITED = RateLimiter(0, 1)


def authenticate(ask: LoginAsk) -> Caller:
    """A signature "good" is of a key that may all, "blind" of one that may not read."""
    if ask.signature not in {"good", "blind"}:
        raise refusal(Reason.BAD_SIGNATURE)
    may = frozenset({"trade"} if ask.signature == "blind" else {"read", "trade"})
    return Caller(account_id=ACCOUNT, key=ask.key, permissions=may)


class Talk:
    """A session with its venue around it: what one says, and what one hears."""

    def __init__(self, packed: bool = False, limiter: RateLimiter = UNLIMITED) -> None:
        self.board = Board(INSTRUMENTS)
        self.desk = DeskByHand()
        self.publisher = Publisher(self.board, self.desk)
        self.now_ms = 0
        self.packed = packed
        self.codec: Any = msgspec.msgpack if packed else msgspec.json
        self.session = Session(
            self.publisher,
            authenticate,
            limiter,
            now_ms=lambda: self.now_ms,
            wake=lambda: None,
            packed=packed,
            address="127.0.0.1",
        )
        (self.welcome,) = self.heard()

    def say(self, *messages: dict[str, Any]) -> list[dict[str, Any]]:
        for message in messages:
            self.session.receive(self.codec.encode(message), binary=self.packed)
        return self.heard()

    def raw(self, payload: bytes | str, binary: bool = False) -> dict[str, Any]:
        self.session.receive(payload, binary=binary)
        (reply,) = self.heard()
        return reply

    def heard(self) -> list[dict[str, Any]]:
        return [self.codec.decode(frame) for frame in self.session.to_send()]

    def happens(self, *events: Any) -> None:
        for each in events:
            if hasattr(each, "n"):
                self.desk.last[each.account_id] = each.n
        self.board.on_group(group(*events))
        self.publisher.on_group(group(*events))

    def answer(self, number: int, result: Any = None) -> None:
        """Answer the request of that id among those handed over."""
        (pending,) = [each for each in self.requests if each.id == number]
        self.session.answer(pending, result)

    def take(self) -> list[str]:
        self.requests = self.session.requests()
        return [pending.op for pending in self.requests]


@pytest.fixture
def talk() -> Talk:
    return Talk()


def code(reply: dict[str, Any]) -> str:
    assert reply["ok"] is False, reply
    found: str = reply["error"]["code"]
    return found


# -- greetings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_the_first_frame_says_that_it_is_paper(packed: bool) -> None:
    welcome = Talk(packed).welcome
    assert (welcome["ch"], welcome["seq"]) == ("status", 0)
    assert (welcome["data"]["env"], welcome["data"]["event"]) == ("paper", "welcome")


def test_a_ping_is_answered_with_exchange_time(talk: Talk) -> None:
    talk.happens(event(OrderChanged))
    (reply,) = talk.say({"id": "p", "op": "ping"})
    assert reply == {"id": "p", "ok": True, "result": {"time": START_MS, "env": "paper"}}


@pytest.mark.parametrize("id_", [None, 0, -7, 1.5, "a", "", 2**64 - 1, -(2**63)])
def test_a_reply_carries_the_id_it_was_asked_with(talk: Talk, id_: object) -> None:
    (reply,) = talk.say({"id": id_, "op": "ping"})
    assert reply["ok"]
    assert reply["id"] == id_


# -- login -------------------------------------------------------------------------------------


def test_a_login_says_whom_the_connection_speaks_for(talk: Talk) -> None:
    (reply,) = talk.say(LOGIN)
    assert reply["result"] == {
        "account_id": ACCOUNT,
        "permissions": ["read", "trade"],
        "env": "paper",
    }


def test_a_login_that_fails_changes_nothing(talk: Talk) -> None:
    (reply,) = talk.say({**LOGIN, "signature": "bad"})
    assert code(reply) == "BAD_SIGNATURE"
    assert talk.session.caller.account_id is None
    assert code(talk.say({"op": "login", "key": "k1"})[0]) == "MISSING_FIELD"
    assert code(talk.say({**LOGIN, "password": "x"})[0]) == "UNKNOWN_FIELD"
    assert talk.session.caller.account_id is None


def test_requests_are_on_behalf_of_who_logged_in(talk: Talk) -> None:
    talk.say({"id": 1, "op": "order.place"}, LOGIN, {"id": 2, "op": "order.place"})
    assert talk.take() == ["order.place", "order.place"]
    assert [pending.caller.account_id for pending in talk.requests] == [None, ACCOUNT]


def test_who_may_no_longer_speak_for_the_account_is_closed() -> None:
    talk, ended = Talk(), set[str]()
    session = Session(
        talk.publisher,
        authenticate,
        UNLIMITED,
        now_ms=lambda: 0,
        wake=lambda: None,
        still=lambda caller: caller.key not in ended,
    )
    session.receive(msgspec.json.encode(LOGIN))
    talk.publisher.pulse(1_000)
    assert session.close_code is None
    ended.add("k1")
    talk.publisher.pulse(2_000)
    assert session.close_code == 4001
    session.receive(b'{"op":"order.place"}')
    assert (session.requests(), session.to_send()) == ([], [])
    assert talk.session.close_code is None  # Nobody logged in there.


# -- channels ----------------------------------------------------------------------------------


def test_the_reply_comes_before_the_snapshot(talk: Talk) -> None:
    talk.happens(event(DepthChanged, bids=[(100, 5)]))
    reply, snapshot = talk.say({"id": 1, "op": "subscribe", "channels": ["book.BTC-USDT"]})
    assert reply["result"] == {"channels": ["book.BTC-USDT"], "seq": None}
    assert (snapshot["ch"], snapshot["seq"], snapshot["ts"]) == ("book.BTC-USDT", 1, START_MS)


def test_an_unknown_channel_is_named_and_nothing_is_subscribed(talk: Talk) -> None:
    (reply,) = talk.say({"op": "subscribe", "channels": ["bbo.BTC-USDT", "bbo.DOGE"]})
    assert code(reply) == "UNKNOWN_CHANNEL"
    assert reply["error"]["details"] == {"channel": "bbo.DOGE"}
    (reply,) = talk.say({"op": "unsubscribe", "channels": ["bbo.BTC-USDT"]})
    assert reply["result"]["channels"] == []


def test_private_channels_need_a_login_that_may_read(talk: Talk) -> None:
    orders = {"op": "subscribe", "channels": ["orders"]}
    assert code(talk.say(orders)[0]) == "NOT_AUTHENTICATED"
    assert code(talk.say({"op": "resume", "last_seq": 0})[0]) == "NOT_AUTHENTICATED"
    talk.say({**LOGIN, "signature": "blind"})
    assert code(talk.say(orders)[0]) == "PERMISSION_DENIED"
    talk.say(LOGIN)
    assert talk.say(orders)[0]["result"] == {"channels": ["orders"], "seq": 0}


def test_too_many_subscriptions_are_refused(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.gateway.session.SUBSCRIPTIONS_MAX", 2)
    assert SUBSCRIPTIONS_MAX > 2
    assert talk.say({"op": "subscribe", "channels": ["bbo.BTC-USDT", "liquidations"]})[0]["ok"]
    again = {"op": "subscribe", "channels": ["bbo.BTC-USDT"]}
    assert talk.say(again)[0]["ok"]  # It is held already.
    (reply,) = talk.say({"op": "subscribe", "channels": ["trades.BTC-USDT"]})
    assert code(reply) == "TOO_MANY_SUBSCRIPTIONS"


def test_missed_events_come_before_the_answer_to_resume(talk: Talk) -> None:
    talk.happens(event(OrderChanged, n=1), event(BalanceChanged, n=2), event(OrderChanged, n=3))
    talk.say(LOGIN, {"op": "subscribe", "channels": ["orders"]})
    pushes = talk.say({"id": "r", "op": "resume", "last_seq": 1})
    assert [(push.get("seq"), push.get("prev")) for push in pushes] == [(3, 1), (None, None)]
    assert pushes[-1] == {"id": "r", "ok": True, "result": {"events": 1, "seq": 3}}


def test_a_resume_that_comes_too_late_is_given_the_account_as_it_stands(talk: Talk) -> None:
    talk.happens(event(OrderChanged, n=9))
    talk.say(LOGIN)
    (reply,) = talk.say({"op": "resume", "last_seq": 3})
    assert code(reply) == "RESUME_TOO_OLD"
    assert reply["error"]["details"]["seq"] == 9
    account = reply["error"]["details"]["account"]
    assert (account["account_id"], account["last_seq"], account["env"]) == (ACCOUNT, 9, "paper")


def test_a_connection_that_is_gone_hears_nothing(talk: Talk) -> None:
    talk.say(LOGIN, {"op": "subscribe", "channels": ["orders"]})
    talk.session.closed()
    talk.happens(event(OrderChanged))
    assert talk.heard() == []
    assert talk.publisher.sessions == 0


# -- requests for others -----------------------------------------------------------------------


def test_an_op_is_handed_over_with_its_fields_alone(talk: Talk) -> None:
    talk.say({"id": 7, "op": "order.place", "symbol": SPOT.symbol, "qty": "1"})
    assert talk.take() == ["order.place"]
    (pending,) = talk.requests
    assert pending.fields == {"symbol": SPOT.symbol, "qty": "1"}
    talk.session.answer(pending, {"order_id": 1})
    assert talk.heard() == [{"id": 7, "ok": True, "result": {"order_id": 1}}]
    assert talk.take() == []


def test_replies_to_mutating_ops_keep_the_order_of_their_requests(talk: Talk) -> None:
    talk.say(*[{"id": n, "op": "order.place"} for n in (1, 2, 3)])
    talk.take()
    talk.answer(3)
    assert talk.heard() == []
    talk.session.refuse(talk.requests[0], ErrorSay("BUSY", "busy"))
    assert [reply["id"] for reply in talk.heard()] == [1]
    talk.answer(2)
    assert [reply["id"] for reply in talk.heard()] == [2, 3]


def test_a_question_is_answered_as_soon_as_its_answer_is_there(talk: Talk) -> None:
    talk.say({"id": 1, "op": "order.place"}, {"id": 2, "op": "order.list"})
    talk.take()
    talk.answer(2)
    assert [reply["id"] for reply in talk.heard()] == [2]
    talk.answer(1)
    assert [reply["id"] for reply in talk.heard()] == [1]


def test_a_refusal_at_the_door_waits_for_the_replies_before_it() -> None:
    talk = Talk(limiter=RateLimiter(2, 1_000))
    talk.say(*[{"id": n, "op": "order.place"} for n in (1, 2, 3)])
    assert len(talk.take()) == 2
    assert talk.heard() == []
    talk.answer(1)
    talk.answer(2)
    first, second, third = talk.heard()
    assert [first["id"], second["id"], third["id"]] == [1, 2, 3]
    assert code(third) == "RATE_LIMITED"


@given(st.permutations(range(8)), st.sets(st.integers(0, 7)))
def test_no_order_of_answers_mixes_up_the_replies(answered: list[int], questions: set[int]) -> None:
    talk = Talk()
    ops = ["order.list" if n in questions else "order.cancel" for n in range(8)]
    talk.say(*[{"id": n, "op": op} for n, op in enumerate(ops)])
    talk.take()
    for number in answered:
        talk.answer(number)
    ids = [reply["id"] for reply in talk.heard()]
    assert sorted(ids) == list(range(8))
    mutating = [number for number in ids if number not in questions]
    assert mutating == sorted(mutating)


def test_an_operation_nobody_knows_is_refused(talk: Talk) -> None:
    (reply,) = talk.say({"id": 1, "op": "order.destroy"})
    assert code(reply) == "UNKNOWN_OPERATION"
    assert reply["error"]["details"] == {"op": "order.destroy"}


def test_the_administrators_operations_are_not_for_sockets(talk: Talk) -> None:
    (reply,) = talk.say({"id": 1, "op": "admin.clock", "speed": 2})
    assert code(reply) == "UNKNOWN_OPERATION"


def test_who_asks_on_without_waiting_for_answers_is_stopped(talk: Talk) -> None:
    for _ in range(REQUESTS_WAITING_MAX):
        talk.session.receive(b'{"op":"order.list"}')
    (reply,) = talk.say({"id": "one more", "op": "order.list"})
    assert code(reply) == "BUSY"
    talk.take()
    talk.session.answer(talk.requests[0], None)
    talk.heard()
    assert talk.say({"id": "again", "op": "order.list"}) == []


# -- rate limit --------------------------------------------------------------------------------


def test_messages_are_limited_and_time_lifts_the_limit() -> None:
    talk = Talk(limiter=RateLimiter(2, 1_000))
    replies = talk.say(*[{"id": n, "op": "ping"} for n in (1, 2, 3)])
    assert [reply["ok"] for reply in replies] == [True, True, False]
    assert code(replies[2]) == "RATE_LIMITED"
    assert replies[2]["error"]["details"] == {"retry_ms": 500}  # Two a second.
    talk.now_ms = 500
    assert talk.say({"op": "ping"})[0]["ok"]


def test_each_connection_has_its_own_limit() -> None:
    limiter = RateLimiter(1, 1_000)
    publisher = Talk().publisher
    heard = []
    for _ in range(2):
        session = Session(
            publisher, authenticate, limiter, now_ms=lambda: 0, wake=lambda: None, address="a"
        )
        session.to_send()
        for _ in range(2):
            session.receive(b'{"op":"ping"}')
        heard.append([msgspec.json.decode(frame)["ok"] for frame in session.to_send()])
    assert heard == [[True, False], [True, False]]


# -- hostile and mistaken input ----------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b'{"op":"ping"} {"op":"ping"}',
        b"\xff\xfe{}",
        b'{"op":"ping","x":1e999}',
        b'{"op":"ping","x":"\\ud800"}',
        b"[" * 60_000,
        b'{"op":' + b'{"a":' * 10_000,
        b'{"op":7}',
        b'{"op":null}',
        b'{"id":1}',
        b'{"op":["ping"]}',
    ],
)
def test_what_cannot_be_read_is_refused_and_the_connection_lives(
    talk: Talk, payload: bytes
) -> None:
    assert code(talk.raw(payload)) in {"MALFORMED_REQUEST", "MISSING_FIELD"}
    assert talk.say({"op": "ping"})[0]["ok"]


@pytest.mark.parametrize("id_", ["true", "[1]", '{"a":1}', "1" * 30, '"' + "x" * 200 + '"'])
def test_an_id_no_reply_can_carry_is_refused(talk: Talk, id_: str) -> None:
    reply = talk.raw(f'{{"op":"ping","id":{id_}}}')
    assert code(reply) == "MALFORMED_REQUEST"
    assert reply["id"] is None
    assert reply["error"]["details"] == {"field": "id"}


def test_an_error_carries_the_id_where_it_could_be_read(talk: Talk) -> None:
    assert talk.raw(b'{"id":5,"op":7}')["id"] == 5
    assert talk.raw(b'{"id":5}')["id"] == 5
    assert talk.raw(b'{"id":6,"op":"subscribe","channels":"orders"}')["id"] == 6


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"op": "subscribe"}, "MISSING_FIELD"),
        ({"op": "subscribe", "channels": []}, "FIELD_OUT_OF_RANGE"),
        ({"op": "subscribe", "channels": ["x" * 61]}, "FIELD_OUT_OF_RANGE"),
        ({"op": "subscribe", "channels": ["bbo.BTC-USDT"] * 201}, "FIELD_OUT_OF_RANGE"),
        ({"op": "subscribe", "channels": [7]}, "MALFORMED_REQUEST"),
        ({"op": "subscribe", "channels": ["orders"], "depth": 5}, "UNKNOWN_FIELD"),
        ({"op": "ping", "payload": 1}, "UNKNOWN_FIELD"),
        ({"op": "resume", "last_seq": -1}, "FIELD_OUT_OF_RANGE"),
        ({"op": "resume", "last_seq": "1"}, "MALFORMED_REQUEST"),
        ({"op": "login", "key": 1, "timestamp": 1, "signature": ""}, "MALFORMED_REQUEST"),
    ],
)
def test_fields_of_a_wrong_kind_are_refused(
    talk: Talk, message: dict[str, Any], expected: str
) -> None:
    (reply,) = talk.say(message)
    assert code(reply) == expected


def test_a_message_that_is_too_long_is_refused_unread(talk: Talk) -> None:
    reply = talk.raw(b'{"op":"ping","x":"' + b"x" * REQUEST_BYTES_MAX + b'"}')
    assert code(reply) == "TOO_LARGE"
    assert reply["error"]["details"]["max"] == REQUEST_BYTES_MAX
    assert talk.say({"op": "ping"})[0]["ok"]


def test_the_other_form_of_frame_is_refused(talk: Talk) -> None:
    assert code(talk.raw(b'{"op":"ping"}', binary=True)) == "MALFORMED_REQUEST"
    packed = Talk(packed=True)
    packed.session.receive('{"op":"ping"}', binary=False)
    (reply,) = packed.heard()
    assert code(reply) == "MALFORMED_REQUEST"
    assert packed.say({"op": "ping"})[0]["ok"]


@pytest.mark.parametrize("payload", [b"\xc1", b"\x81\x01\x02", b"\x93", b"\x81\xa2op\xc4\x01a"])
def test_messagepack_that_is_none_is_refused(payload: bytes) -> None:
    assert code(Talk(packed=True).raw(payload, binary=True)) in {
        "MALFORMED_REQUEST",
        "MISSING_FIELD",
    }


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_break_a_session(payload: bytes, packed: bool) -> None:
    talk = Talk(packed)
    talk.session.receive(payload, binary=packed)
    assert talk.session.close_code is None
    for pending in talk.session.requests():
        talk.session.answer(pending, None)
    assert len(talk.heard()) == 1


def test_a_reader_of_messagepack_is_told_the_same() -> None:
    plain, packed = Talk(), Talk(packed=True)
    for talk in (plain, packed):
        talk.happens(event(DepthChanged, bids=[(100, 5)]))
    asked = (
        LOGIN,
        {"id": 1, "op": "subscribe", "channels": ["book.BTC-USDT", "orders"]},
        {"id": 2, "op": "resume", "last_seq": 0},
    )
    assert plain.say(*asked) == packed.say(*asked)


def test_a_reader_who_never_reads_is_closed_and_heard_no_longer(talk: Talk) -> None:
    for _ in range(OUTBOX_EVENTS_MAX + 1):
        talk.session.receive(b'{"op":"ping"}')
    assert talk.session.close_code == 4008
    assert talk.say({"op": "order.list"}) == []
    assert talk.take() == []
