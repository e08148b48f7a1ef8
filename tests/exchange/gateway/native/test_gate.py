"""The native address opens a session, whose requests are carried out as they come."""

from __future__ import annotations

import asyncio

from yarl import URL

from exchange.gateway.native.gate import NativeGate
from exchange.gateway.shells.gates import Asked, Socket
from tests.exchange.gateway.shells.doorway import Doorway


def quiet() -> Socket:
    return Socket(wake=lambda: None, ping=lambda payload: None)


def test_it_is_at_one_address_alone() -> None:
    door = Doorway()
    gate = NativeGate(door.new_session, door.carrier)
    assert gate.has(Asked(URL("/v1/ws?a=b"), ""))
    assert not gate.has(Asked(URL("/v1/ws/"), ""))


async def test_what_comes_is_carried_out_and_what_was_begun_is_waited_for() -> None:
    door = Doorway()
    door.answers["order.place"] = {"order_id": 7}
    gate = NativeGate(door.new_session, door.carrier)
    talk = gate.begin(Asked(URL("/v1/ws"), "10.0.0.1"), quiet())
    talk.session.to_send()
    talk.receive(b'{"id":1,"op":"order.place"}', False)
    await gate.finish()
    assert talk.session.to_send() == [b'{"id":1,"ok":true,"result":{"order_id":7}}']
    talk.over()
    assert door.publisher.sessions == 0


async def test_what_never_ends_is_not_waited_for_for_ever() -> None:
    door = Doorway()
    door.answers["order.place"] = never = asyncio.Event()
    gate = NativeGate(door.new_session, door.carrier)
    talk = gate.begin(Asked(URL("/v1/ws"), ""), quiet())
    talk.receive(b'{"id":1,"op":"order.place"}', False)
    await gate.finish()
    assert not never.is_set()
    never.set()
    await door.carrier.finish()
