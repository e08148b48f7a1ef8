"""The gate at an address is the first that has it."""

from __future__ import annotations

from yarl import URL

from exchange.gateway.native.gate import NativeGate
from exchange.gateway.shells.gates import Asked, Gate, gate_at
from tests.exchange.gateway.shells.doorway import Doorway


def test_an_address_has_one_gate_or_none() -> None:
    door = Doorway()
    gates: list[Gate] = [NativeGate(door.new_session, door.carrier) for _ in range(2)]
    assert gate_at(gates, Asked(URL("/v1/ws?x=1"), "")) is gates[0]
    assert gate_at(gates, Asked(URL("/v1"), "")) is None
    assert gate_at([], Asked(URL("/v1/ws"), "")) is None
