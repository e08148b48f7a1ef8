"""The auditor at the door."""

from __future__ import annotations

from exchange.audit import Audit
from exchange.gateway.native.auditing import Auditor, audit_say
from tests.exchange.gateway.rig import Rig, Trader


def test_an_audit_is_told_in_text() -> None:
    said = audit_say(
        Audit(False, 9, {"USDT": {"users": 150_000_000, "sum": 1}}, ["odd"], {"insurance": -1})
    )
    assert (said.ok, said.checked_at_seq, said.problems) == (False, 9, ["odd"])
    assert said.assets == {"USDT": {"users": "1.5", "sum": "0.00000001"}}
    assert said.deficits == {"insurance": "-0.00000001"}


async def test_it_looks_at_most_once_a_second(rig: Rig, alice: Trader) -> None:
    now_ms = 10_000
    auditor = Auditor(rig.doors.engine, lambda: now_ms)
    first = auditor.say()
    assert first.ok
    await alice.order("BTC-USDT", "buy", "0.01", price="49000")
    now_ms = 10_999
    assert auditor.say() is first
    now_ms = 11_000
    assert auditor.say().checked_at_seq > first.checked_at_seq
    now_ms = 5_000  # The wall was set back: what was found may be old.
    assert auditor.say().checked_at_seq == rig.doors.engine.seq
