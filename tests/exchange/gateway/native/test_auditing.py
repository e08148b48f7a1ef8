"""The auditor at the door."""

from __future__ import annotations

from exchange.audit import Audit, Violation
from exchange.gateway.native.auditing import audit_say
from exchange.wire import ViolationSay
from tests.exchange.gateway.rig import Rig, Trader


def test_an_audit_is_told_in_text() -> None:
    said = audit_say(
        Audit(
            ok=False,
            checked_at_seq=9,
            assets={"USDT": {"users": 150_000_000, "sum": 1}},
            violations=[Violation("I1", "odd", 8)],
            checked={"I1": 9},
            deficits={"insurance": -1},
            pending_instants=2,
        )
    )
    assert (said.ok, said.checked_at_seq, said.pending_instants) == (False, 9, 2)
    assert said.violations == [ViolationSay("I1", "odd", 8)]
    assert said.checked == {"I1": 9}
    assert said.assets == {"USDT": {"users": "1.5", "sum": "0.00000001"}}
    assert said.deficits == {"insurance": "-0.00000001"}


async def test_it_is_told_behind_the_last_command_whenever_somebody_asks(
    rig: Rig, alice: Trader
) -> None:
    for price in ("49000", "48000"):
        await alice.order("BTC-USDT", "buy", "0.01", price=price)
        said = audit_say(rig.doors.auditor.look())
        assert said.ok, said.violations
        assert said.checked_at_seq == rig.doors.engine.seq
        assert {owners["sum"] for owners in said.assets.values()} == {"0"}
