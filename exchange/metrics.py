"""What /metrics tells, in Prometheus' text: counts and sizes the exchange keeps of itself."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.events import Answered, AnyEvent
from exchange.sequencer import Timing

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

_GROUP_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_SYNC_SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
_APPLY_SECONDS: Final = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25)


class Metrics:
    """Counters the exchange moves, and gauges that are read when somebody looks.

    Each exchange has a registry of its own, so several may live in one process.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Counted in place: a counter of the library costs ten times as much for each.
        self._commands: Tally[str] = Tally()
        self._answered: Tally[tuple[str, str]] = Tally()
        self._events: Tally[type] = Tally()
        self._show_tallies()
        self._groups = Histogram(
            "papertape_group_commands",
            "Commands kept with one sync.",
            buckets=_GROUP_SIZES,
            registry=self.registry,
        )
        self._syncs = Histogram(
            "papertape_sync_seconds",
            "Time to make a group durable.",
            buckets=_SYNC_SECONDS,
            registry=self.registry,
        )
        self._applies = Histogram(
            "papertape_apply_seconds",
            "Time the engine took for a group.",
            buckets=_APPLY_SECONDS,
            registry=self.registry,
        )
        self.watch_count(
            "cpu_seconds", "Processor time the process has taken, in seconds.", time.process_time
        )

    def _show_tallies(self) -> None:
        for tallied in (
            _Tallied(
                "commands",
                "Commands applied, by outcome: done, repeated, or the reason of the refusal.",
                ("outcome",),
                lambda: {(of,): count for of, count in self._commands.items()},
            ),
            _Tallied(
                "requests",
                "Requests answered, by operation and outcome: done, or the code of the refusal.",
                ("op", "outcome"),
                lambda: {of: count for of, count in self._answered.items()},
            ),
            _Tallied(
                "events",
                "Events told, by kind.",
                ("kind",),
                lambda: {(of.__name__,): count for of, count in self._events.items()},
            ),
        ):
            self.registry.register(tallied)

    def on_timing(self, timing: Timing) -> None:
        """A group was kept and applied; belongs into the sequencer's `on_timing`."""
        self._groups.observe(timing.commands)
        self._syncs.observe(timing.keep_s)
        self._applies.observe(timing.obey_s)

    def on_group(self, groups: Sequence[list[AnyEvent]]) -> None:
        """Count what a group brought about; belongs into the sequencer's `listeners`."""
        self._commands.update(map(outcome, groups))
        self._events.update(map(type, chain.from_iterable(groups)))

    def request_done(self, op: str, came_of_it: str) -> None:
        """A request of a known operation was answered: "done", or the code of its refusal."""
        self._answered[op, came_of_it] += 1

    def watch(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Show a number that is read whenever the metrics are: a size, a lag, a backlog."""
        gauge = Gauge(f"papertape_{name}", meaning, registry=self.registry)
        gauge.set_function(read)

    def watch_count(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """The same for a number that only rises, kept by its owner."""
        self.registry.register(_Count(f"papertape_{name}", meaning, read))

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)


def outcome(events: Sequence[AnyEvent]) -> str:
    """What came of a command: "done", "repeated", or the reason it was refused for."""
    answer = events[-1]
    assert isinstance(answer, Answered), "the last event answers the command"
    if answer.reason is not None:
        return answer.reason.name
    return "repeated" if answer.repeated else "done"


class _Tallied(Collector):
    """A counter whose samples are read from a tally: how many of each combination of labels."""

    def __init__(
        self,
        name: str,
        meaning: str,
        labels: Sequence[str],
        read: Callable[[], Mapping[tuple[str, ...], int]],
    ) -> None:
        self._name = f"papertape_{name}"
        self._meaning = meaning
        self._labels = labels
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """A sample for each combination."""
        metric = CounterMetricFamily(self._name, self._meaning, labels=self._labels)
        for labels, count in self._read().items():
            metric.add_metric(labels, count)
        return [metric]


class _Count(Collector):
    def __init__(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        self._name = name
        self._meaning = meaning
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """The one sample."""
        return [CounterMetricFamily(self._name, self._meaning, value=self._read())]
