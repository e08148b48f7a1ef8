"""How the running exchange is: the body of /healthz, and the gauges of /metrics."""

from __future__ import annotations

from typing import Any

from exchange import __version__, build
from exchange.audit import Auditor
from exchange.clock import Clock
from exchange.engine import Engine
from exchange.housekeeping import Housekeeping
from exchange.metrics import Metrics
from exchange.publisher import Publisher
from exchange.sequencer import Sequencer
from exchange.storage.history import History
from exchange.storage.journal import Journal
from exchange.storage.redis_log import RedisEvents


class Health:
    """Answers how it is; `status` is "starting", "ok", "stopping" or "failed".

    It is told as "degraded" where all is ok but an invariant: trading goes on then.
    """

    def __init__(
        self,
        engine: Engine,
        sequencer: Sequencer,
        clock: Clock,
        journal: Journal,
        history: History,
        housekeeping: Housekeeping,
        auditor: Auditor,
    ) -> None:
        self.status = "starting"
        self.engine = engine
        self.sequencer = sequencer
        self.clock = clock
        self.journal = journal
        self.history = history
        self.housekeeping = housekeeping
        self.auditor = auditor

    def say(self) -> dict[str, Any]:
        """The body of /healthz. `speed` is the speed achieved of late, `speed_max` its ceiling.

        A ceiling of None is "as fast as it goes", one of 0 a time that stands.
        """
        speed_max = self.clock.speed
        return {
            "status": "degraded" if self._is_degraded else self.status,
            "env": "paper",
            "version": __version__,
            "build": build.running(),
            "speed": round(self.clock.achieved_speed(), 2),
            "speed_max": 0.0 if speed_max is None else speed_max,
            "seq": self.engine.seq,
            "exchange_time": self.sequencer.time_ms,
            "wall_time": self.clock.wall_ms(),
            "behind_ms": self.sequencer.behind_ms,
            "catching_up": self.engine.pending_work,
            "backlog": self.sequencer.backlog,
            "snapshot_seq": self.housekeeping.saved_seq,
            "problems": self.problems(),
        }

    @property
    def _is_degraded(self) -> bool:
        return self.status == "ok" and not self.auditor.ok

    def problems(self) -> list[str]:
        """What does not stop the exchange, and should not stay so."""
        found = []
        if self.history.error is not None:
            found.append(f"the history is not written: {self.history.error}")
        if self.housekeeping.error is not None:
            found.append(f"the last snapshot was not kept: {self.housekeeping.error}")
        found += [
            f"an invariant is broken: {each.invariant}: {each.says}"
            for each in self.auditor.violations.values()
        ]
        return found


def watch(
    metrics: Metrics, health: Health, publisher: Publisher, redis: RedisEvents | None
) -> None:
    """Show the numbers that are read when somebody looks."""
    metrics.watch("seq", "The last command obeyed.", lambda: health.engine.seq)
    metrics.watch("backlog_commands", "Commands that wait.", lambda: health.sequencer.backlog)
    metrics.watch(
        "behind_seconds",
        "Exchange time that work that is due lies behind the clock.",
        lambda: health.sequencer.behind_ms / 1_000,
    )
    metrics.watch("speed", "Exchange seconds a second.", health.clock.achieved_speed)
    metrics.watch("accounts", "Accounts.", lambda: len(health.engine.risk.accounts))
    metrics.watch("audit_ok", "1 while no invariant was found broken.", lambda: health.auditor.ok)
    metrics.watch_count(
        "audit_violations", "Invariants found broken.", lambda: health.auditor.found
    )
    metrics.watch_count(
        "audit_rounds", "Times every account was looked at.", lambda: health.auditor.rounds
    )
    metrics.watch("journal_bytes", "The journal on disk.", lambda: health.journal.size_bytes)
    metrics.watch("snapshot_seq", "The newest snapshot.", lambda: health.housekeeping.saved_seq)
    metrics.watch("history_backlog_rows", "Rows not yet written.", lambda: health.history.backlog)
    metrics.watch("sessions", "Open WebSocket connections.", lambda: publisher.sessions)
    metrics.watch_count(
        "market_dropped", "Market data that readers were too slow for.", lambda: publisher.dropped
    )
    metrics.watch_count(
        "readers_closed",
        "Readers closed for not keeping up with their private events.",
        lambda: publisher.private_closes,
    )
    if redis is not None:
        metrics.watch("redis_backlog_batches", "Batches not yet in Redis.", lambda: redis.backlog)
        metrics.watch_count(
            "redis_dropped", "Commands whose events Redis did not get.", lambda: redis.dropped
        )
