"""The auditor's findings as a native message."""

from __future__ import annotations

from exchange.audit import Audit
from exchange.wire import AuditSay, ViolationSay
from matching.instrument import amount_text


def audit_say(found: Audit) -> AuditSay:
    """An audit with its amounts as text."""
    return AuditSay(
        ok=found.ok,
        checked_at_seq=found.checked_at_seq,
        assets={asset: _texts(owners) for asset, owners in found.assets.items()},
        violations=[
            ViolationSay(each.invariant, each.says, each.found_at_seq) for each in found.violations
        ],
        checked=found.checked,
        deficits=_texts(found.deficits),
        pending_instants=found.pending_instants,
    )


def _texts(amounts: dict[str, int]) -> dict[str, str]:
    return {name: amount_text(minor) for name, minor in amounts.items()}
