"""Tests of the conversation, without a socket."""

import json

import msgspec

from clients.session import Session
from clients.signing import Signer
from exchange.wire import AccountSay, BookDiffSay, BookSay, OrderSay
from tests.clients.wire_samples import NOON, open_order

BOOK = "book.BTC-USDT"


def sent(session: Session) -> list[dict]:
    return [json.loads(text) for text in session.to_send()]


def reply(session: Session, to: dict, result=None, error: str = "") -> None:
    said = {"ok": True, "result": result}
    if error:
        said = {"ok": False, "error": {"code": error, "message": "no"}}
    session.receive(json.dumps({"id": to["id"], **said}))


def push(session: Session, channel: str, data, seq: int = 0, prev: int | None = None) -> None:
    frame = {"ch": channel, "seq": seq, "ts": NOON, "data": data}
    if prev is not None:
        frame["prev"] = prev
    session.receive(msgspec.json.encode(frame))


def order(number: int) -> OrderSay:
    return open_order(number, "BTC-USDT", "buy", "1", "1")


def account(last_seq: int) -> dict:
    say = AccountSay(100, "paper", "", 1, NOON, [], [], [], [], {}, last_seq)
    return msgspec.to_builtins(say)


def logged_in(session: Session | None = None) -> Session:
    session = session or Session(Signer("k", "s"))
    session.opened(NOON)
    (login,) = sent(session)
    reply(session, login)
    return session


def orders_seen(session: Session) -> list[int]:
    return [e.data.order_id if e.channel == "orders" else -1 for e in session.events()]


def test_the_login_signs_the_time_and_the_path_of_the_socket() -> None:
    session = Session(Signer("k", "s"))
    session.opened(NOON)
    (login,) = sent(session)
    assert login["op"] == "login"
    assert (login["key"], login["timestamp"]) == ("k", NOON)
    assert login["signature"] == Signer("k", "s").sign(NOON, "GET", "/v1/ws")


def test_requests_wait_for_the_login_and_keep_their_order() -> None:
    session = Session(Signer("k", "s"))
    session.request("a", {"x": 1})
    session.request("b", {})
    session.opened(NOON)
    (login,) = sent(session)
    reply(session, login)
    assert [frame["op"] for frame in sent(session)] == ["a", "b"]


def test_a_refused_login_is_told() -> None:
    session = Session(Signer("k", "s"))
    session.opened(NOON)
    (login,) = sent(session)
    reply(session, login, error="BAD_SIGNATURE")
    assert session.login_refused is not None
    assert session.login_refused.code == "BAD_SIGNATURE"
    assert not session.ready


def test_without_a_key_there_is_no_login() -> None:
    session = Session()
    session.hold([BOOK])
    session.opened(NOON)
    assert [frame["op"] for frame in sent(session)] == ["subscribe"]


def test_an_answer_carries_the_number_of_its_request() -> None:
    session = logged_in()
    first, second = session.request("a", {}), session.request("b", {})
    frames = sent(session)
    reply(session, frames[1], {"x": 2})
    reply(session, frames[0], error="NO")
    answers = session.answers()
    assert [answer.number for answer in answers] == [second, first]
    assert json.loads(answers[0].result) == {"x": 2}
    assert answers[1].error is not None
    assert answers[1].error.code == "NO"


def test_a_request_without_an_answer_is_sent_once_more_after_a_break() -> None:
    session = logged_in()
    number = session.request("order.place", {"client_id": "x"})
    (before,) = sent(session)
    session.closed()
    logged_in(session)
    assert sent(session) == [before]
    reply(session, before, {})
    (answer,) = session.answers()
    assert (answer.number, answer.again) == (number, True)


def test_after_the_second_break_a_request_is_given_up() -> None:
    session = logged_in()
    session.request("order.place", {})
    for _ in range(2):
        sent(session)
        session.closed()
        logged_in(session)
    (answer,) = session.answers()
    assert answer.error is not None
    assert answer.error.code == "CONNECTION_LOST"
    assert sent(session) == []


def test_attempts_that_find_nobody_are_no_second_break() -> None:
    session = logged_in()
    session.request("a", {})
    (before,) = sent(session)
    for _ in range(3):  # The socket broke, and twice nobody was there.
        session.closed()
    logged_in(session)
    assert session.answers() == []
    assert sent(session) == [before]


def test_a_request_never_sent_is_not_counted_as_sent_twice() -> None:
    session = Session(Signer("k", "s"))
    session.request("a", {})
    session.opened(NOON)
    session.closed()
    logged_in(session)
    reply(session, sent(session)[0], {})
    assert session.answers()[0].again is False


def test_private_events_begin_with_the_account_as_it_stands() -> None:
    session = logged_in()
    session.hold(["orders"])
    subscribe, baseline = sent(session)
    assert (subscribe["op"], baseline["op"]) == ("subscribe", "account.get")
    push(session, "orders", order(4), seq=4, prev=3)  # Already in the account's state.
    push(session, "orders", order(6), seq=6, prev=5)
    assert session.events() == []
    reply(session, baseline, account(last_seq=5))
    first, second = session.events()
    assert first.channel == "account"
    assert first.data.account_id == 100
    assert second.data.order_id == 6
    assert session.last_seq == 6


def listening() -> Session:
    """A session that has heard private events up to number five."""
    session = logged_in()
    session.hold(["orders"])
    _, baseline = sent(session)
    reply(session, baseline, account(last_seq=5))
    session.events()
    return session


def test_after_a_break_missed_private_events_come_once_and_in_order() -> None:
    session = listening()
    push(session, "orders", order(6), seq=6, prev=5)
    session.closed()
    logged_in(session)
    _subscribe, resume = sent(session)
    assert (resume["op"], resume["last_seq"]) == ("resume", 6)
    push(session, "orders", order(9), seq=9, prev=8)  # Live, before what was missed.
    push(session, "orders", order(7), seq=7, prev=6)
    push(session, "orders", order(8), seq=8, prev=7)
    push(session, "orders", order(9), seq=9, prev=8)
    reply(session, resume, {"events": 3, "seq": 9})
    push(session, "orders", order(10), seq=10, prev=9)
    assert orders_seen(session) == [6, 7, 8, 9, 10]


def test_a_break_too_long_to_resume_begins_again_from_the_account() -> None:
    session = listening()
    session.closed()
    logged_in(session)
    _, resume = sent(session)
    reply(session, resume, error="RESUME_TOO_OLD")
    (baseline,) = sent(session)
    assert baseline["op"] == "account.get"
    push(session, "orders", order(900), seq=900, prev=899)
    reply(session, baseline, account(last_seq=899))
    assert orders_seen(session) == [-1, 900]


def test_a_gap_on_a_living_connection_is_asked_for() -> None:
    session = listening()
    push(session, "orders", order(8), seq=8, prev=7)
    (resume,) = sent(session)
    assert (resume["op"], resume["last_seq"]) == ("resume", 5)
    push(session, "orders", order(7), seq=7, prev=5)
    reply(session, resume, {})
    assert orders_seen(session) == [7, 8]


def test_gauges_have_no_number_and_are_delivered_as_they_come() -> None:
    session = listening()
    push(session, "orders", order(1))
    push(session, "orders", order(1))
    assert orders_seen(session) == [1, 1]
    assert session.last_seq == 5


def book_frames(session: Session) -> list[int]:
    return [event.data.last_id for event in session.events()]


def test_a_book_out_of_step_is_asked_for_afresh() -> None:
    session = logged_in()
    session.hold([BOOK])
    sent(session)
    push(session, BOOK, BookSay("BTC-USDT", 5, [("1", "1")], []))
    push(session, BOOK, BookDiffSay("BTC-USDT", 7, 7, [("2", "1")], []))
    assert [frame["op"] for frame in sent(session)] == ["unsubscribe", "subscribe"]
    push(session, BOOK, BookDiffSay("BTC-USDT", 8, 8, [("2", "1")], []))  # Still on its way.
    push(session, BOOK, BookSay("BTC-USDT", 8, [("2", "1")], []))
    push(session, BOOK, BookDiffSay("BTC-USDT", 9, 9, [("2", "2")], []))
    assert book_frames(session) == [5, 8, 9]
    book = session.book(BOOK)
    assert book is not None
    assert book.bids == [("2", "2")]


def test_after_a_break_a_book_begins_again_from_its_snapshot() -> None:
    session = logged_in()
    session.hold([BOOK])
    sent(session)
    push(session, BOOK, BookSay("BTC-USDT", 5, [("1", "1")], []))
    session.closed()
    assert session.book(BOOK) is None
    logged_in(session)
    assert [frame["channels"] for frame in sent(session)] == [[BOOK]]
    push(session, BOOK, BookSay("BTC-USDT", 50, [("3", "1")], []))
    assert book_frames(session) == [5, 50]


def test_a_refused_subscription_is_told_and_not_held() -> None:
    session = logged_in()
    session.hold(["book.NOPE"])
    (subscribe,) = sent(session)
    reply(session, subscribe, error="UNKNOWN_CHANNEL")
    ((channels, error),) = session.refused()
    assert (channels, error.code) == (("book.NOPE",), "UNKNOWN_CHANNEL")
    session.closed()
    logged_in(session)
    assert sent(session) == []


def test_a_dropped_channel_is_silent_from_then_on() -> None:
    session = logged_in()
    session.hold([BOOK])
    sent(session)
    session.drop([BOOK])
    assert [frame["op"] for frame in sent(session)] == ["unsubscribe"]
    push(session, BOOK, BookSay("BTC-USDT", 5, [], []))
    assert session.events() == []
