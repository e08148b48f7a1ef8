"""What listens to the engine: the board, the readers, the history, Redis; in this order."""

from __future__ import annotations

from exchange.engine import Engine
from exchange.history_rows import HistoryRows, Rows
from exchange.metrics import Metrics
from exchange.publisher import Publisher
from exchange.sequencer import Listener
from exchange.storage.redis_log import RedisEvents
from exchange.views.accounts import Accounts
from exchange.views.board import Board


class House:
    """The parts that are told of every applied group, and of a recovery's replay.

    They are made of an engine that stands where the replay will begin. Without a history, what
    happened is kept elsewhere.
    """

    def __init__(
        self, engine: Engine, history: Rows | None, redis: RedisEvents | None = None
    ) -> None:
        self.board = Board(engine.instruments, engine.venue.perps)
        self.desk = Accounts(engine, self.board)
        self.publisher = Publisher(self.board, self.desk)
        self.metrics = Metrics()
        self.redis = redis
        # The board comes first: whoever is told afterwards finds it up to date.
        self.listeners: list[Listener] = [self.board.on_group, self.publisher.on_group]
        if history is not None:
            rows = HistoryRows(history, self.board, self.desk.is_user, engine.time_ms)
            self.listeners.append(rows.on_group)
        self._published_seq = engine.seq
        if redis is not None:
            self.publisher.batches.append(self._publish)

    def _publish(self, seq: int, batch: bytes) -> None:
        """A batch covers all commands since the one before: those between told nobody anything."""
        assert self.redis is not None
        self.redis.publish(self._published_seq + 1, seq - self._published_seq, batch)
        self._published_seq = seq
