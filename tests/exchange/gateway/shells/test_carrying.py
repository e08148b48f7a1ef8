"""Requests carried out at once, and their replies in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from exchange.gateway.calls import ApiError, Caller
from exchange.gateway.shells.carrying import Carrier
from tests.exchange.gateway.shells.doorway import Doorway


async def test_replies_wait_for_those_before_them_however_long_each_takes() -> None:
    door = Doorway()
    gates = [asyncio.Event() for _ in range(3)]

    async def call(op: str, fields: Any, caller: Caller) -> int:
        await gates[fields["n"]].wait()
        return int(fields["n"])

    carrier = Carrier(call, door.failures.append)
    session = door.new_session(False, lambda: None, "")
    session.to_send()
    for number in range(3):
        session.receive(f'{{"id":{number},"op":"order.place","n":{number}}}')
    carrier.carry(session)
    for gate in reversed(gates):
        gate.set()
    await carrier.finish()
    ids = [frame.split(b",")[0] for frame in session.to_send()]
    assert ids == [b'{"id":0', b'{"id":1', b'{"id":2']
    assert door.failures == []


async def test_finishing_with_nothing_begun_is_no_wait() -> None:
    await Doorway().carrier.finish()


async def test_what_can_be_begun_at_once_is_no_task_unless_a_task_is_before_it() -> None:
    door = Doorway()
    began: list[int] = []

    async def call(op: str, fields: Any, caller: Caller) -> int:
        began.append(fields["n"])
        return int(fields["n"])

    def begin(op: str, fields: Any, caller: Caller, tell: Callable[[Any], None]) -> bool:
        if op != "order.place":
            return False
        began.append(fields["n"])
        tell(fields["n"])
        return True

    carrier = Carrier(call, door.failures.append, begin)
    session = door.new_session(False, lambda: None, "")
    session.to_send()
    ops = ["order.place", "order.batch", "order.place", "order.place"]
    for number, op in enumerate(ops):
        session.receive(f'{{"id":{number},"op":"{op}","n":{number}}}')
    carrier.carry(session)
    assert began == [0]
    await carrier.finish()
    assert began == [0, 1, 2, 3]
    session.receive('{"id":4,"op":"order.place","n":4}')
    carrier.carry(session)
    assert began == [0, 1, 2, 3, 4]
    ids = [frame.split(b",")[0] for frame in session.to_send()]
    assert ids == [b'{"id":%d' % number for number in range(5)]


async def test_what_is_told_is_answered_refused_or_awaited() -> None:
    door = Doorway()
    fault = ZeroDivisionError("a bug")

    async def later() -> str:
        return "late"

    outcomes = {0: "now", 1: ApiError("NO", "no"), 2: fault, 3: later()}

    def begin(op: str, fields: Any, caller: Caller, tell: Callable[[Any], None]) -> bool:
        tell(outcomes[fields["n"]])
        return True

    carrier = Carrier(door._call, door.failures.append, begin)
    session = door.new_session(False, lambda: None, "")
    session.to_send()
    for number in range(4):
        session.receive(f'{{"id":{number},"op":"order.place","n":{number}}}')
    carrier.carry(session)
    await carrier.finish()
    replies = [msgspec.json.decode(frame) for frame in session.to_send()]
    assert [reply.get("result") for reply in replies] == ["now", None, None, "late"]
    assert [reply.get("error", {}).get("code") for reply in replies] == [None, "NO", "BUSY", None]
    assert door.failures == [fault]


async def test_an_answer_that_cannot_be_encoded_holds_up_nobody() -> None:
    door = Doorway()

    def begin(op: str, fields: Any, caller: Caller, tell: Callable[[Any], None]) -> bool:
        tell(object() if fields["n"] == 0 else fields["n"])
        return True

    carrier = Carrier(door._call, door.failures.append, begin)
    session = door.new_session(False, lambda: None, "")
    session.to_send()
    for number in range(2):
        session.receive(f'{{"id":{number},"op":"order.place","n":{number}}}')
    carrier.carry(session)
    replies = [msgspec.json.decode(frame) for frame in session.to_send()]
    assert [(reply["id"], reply["ok"]) for reply in replies] == [(0, False), (1, True)]
    assert replies[0]["error"]["code"] == "BUSY"
    (failure,) = door.failures
    assert isinstance(failure, TypeError)
