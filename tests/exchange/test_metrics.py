"""What /metrics tells, read back as Prometheus reads it."""

from __future__ import annotations

import time

from prometheus_client.parser import text_string_to_metric_families

from exchange.events import Answered, OrderChanged
from exchange.metrics import Metrics, outcome
from exchange.sequencer import Timing
from matching.reasons import Reason
from tests.exchange.events_by_hand import event, group


def told(metrics: Metrics) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus would read them."""
    samples: dict[str, float] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            samples[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return samples


def test_commands_are_counted_by_what_came_of_them() -> None:
    metrics = Metrics()
    refused = [[event(Answered, reason=Reason.WOULD_TAKE)]]
    repeated = [[event(Answered, repeated=True)]]
    metrics.on_group([*group(event(OrderChanged)), *refused, *group(), *repeated])
    samples = told(metrics)
    assert samples["papertape_commands_total{done}"] == 2
    assert samples["papertape_commands_total{WOULD_TAKE}"] == 1
    assert samples["papertape_commands_total{repeated}"] == 1
    assert samples["papertape_events_total{OrderChanged}"] == 1
    assert samples["papertape_events_total{Answered}"] == 4
    assert outcome(refused[0]) == "WOULD_TAKE"


def test_groups_are_measured() -> None:
    metrics = Metrics()
    metrics.on_timing(Timing(3, 0.002, 0.0001))
    metrics.on_timing(Timing(5, 0.004, 0.0003))
    samples = told(metrics)
    assert samples["papertape_group_commands_sum"] == 8
    assert samples["papertape_group_commands_count"] == 2
    assert samples["papertape_sync_seconds_sum"] == 0.006
    assert samples["papertape_apply_seconds_bucket{0.0001}"] == 1


def test_requests_are_counted_by_operation_and_outcome() -> None:
    metrics = Metrics()
    for came_of_it in ("done", "done", "RATE_LIMITED"):
        metrics.request_done("order.place", came_of_it)
    samples = told(metrics)
    assert samples["papertape_requests_total{order.place,done}"] == 2
    assert samples["papertape_requests_total{order.place,RATE_LIMITED}"] == 1


def test_what_is_watched_is_read_when_somebody_looks() -> None:
    metrics = Metrics()
    sizes = {"sessions": 1.0, "drops": 2.0}
    metrics.watch("sessions", "Open connections.", lambda: sizes["sessions"])
    metrics.watch_count("outbox_drops", "Market data dropped.", lambda: sizes["drops"])
    assert told(metrics)["papertape_sessions"] == 1
    sizes.update(sessions=7.0, drops=9.0)
    samples = told(metrics)
    assert samples["papertape_sessions"] == 7
    assert samples["papertape_outbox_drops_total"] == 9


def test_two_exchanges_in_one_process_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()
    one.request_done("order.place", "done")
    assert "papertape_requests_total{order.place,done}" not in told(other)


def test_the_processor_time_of_the_process_is_told() -> None:
    before_s = time.process_time()
    assert before_s <= told(Metrics())["papertape_cpu_seconds_total"] <= time.process_time()
