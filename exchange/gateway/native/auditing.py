"""The auditor's findings as a native message, looked for at most once a second."""

from __future__ import annotations

from collections.abc import Callable

from exchange.audit import Audit, audit
from exchange.engine import Engine
from exchange.wire import AuditSay
from matching.instrument import amount_text

# An audit reads every account and order, so it must not be had as often as one likes to ask.
AUDIT_EVERY_MS = 1_000


class Auditor:
    """Audits the running exchange; `wall_ms` is the clock by which it keeps from doing so often."""

    def __init__(self, engine: Engine, wall_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._wall_ms = wall_ms
        self._found: AuditSay | None = None
        self._found_ms = 0

    def say(self) -> AuditSay:
        """What was found at `checked_at_seq`, which is at most a second ago."""
        now_ms = self._wall_ms()
        if self._found is None or not 0 <= now_ms - self._found_ms < AUDIT_EVERY_MS:
            self._found = audit_say(audit(self._engine))
            self._found_ms = now_ms
        return self._found


def audit_say(found: Audit) -> AuditSay:
    """An audit with its amounts as text."""
    return AuditSay(
        ok=found.ok,
        checked_at_seq=found.checked_at_seq,
        assets={asset: _texts(owners) for asset, owners in found.assets.items()},
        problems=found.problems,
        deficits=_texts(found.deficits),
    )


def _texts(amounts: dict[str, int]) -> dict[str, str]:
    return {name: amount_text(minor) for name, minor in amounts.items()}
