"""Requests carried out at once, and their replies in order."""

from __future__ import annotations

import asyncio
from typing import Any

from exchange.gateway.calls import Caller
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
