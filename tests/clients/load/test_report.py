"""Tests of the report: what it says, to people and to machines."""

from typing import Any

import msgspec
import pytest

from clients.load.histogram import Histogram
from clients.load.plan import KINDS, NS_PER_S, Plan, make_plan
from clients.load.record import OwnWork, Record
from clients.load.report import CURVE, FROM_SENDING, Report, SlowSay, Times, make_report
from clients.load.report_text import lines_of
from clients.load.server_side import between, reading_of
from tests.clients.load.metrics import AFTER, BEFORE
from tests.clients.load.worlds import MS, Manners, driven, prompt, shape, silent, stalling, surly

TIMES = {"count", "mean", "p50", "p90", "p99", "p99_9", "p99_99", "max"}
URL = "ws://127.0.0.1:8080/v1/ws"


async def reported(manners: Manners = prompt, **changes: Any) -> Report:
    plan, record, _ = await driven(manners, shape(**changes))
    return make_report(plan, record, url=URL)


def as_json(report: Report) -> Any:
    return msgspec.json.decode(msgspec.json.encode(report))


async def test_the_json_is_one_object_with_everything_in_it() -> None:
    plan, record, _ = await driven(prompt)
    server = between(reading_of(BEFORE), reading_of(AFTER), 2)
    report = make_report(
        plan, record, url=URL, server=server, slow_readers=SlowSay(2, 70, {"4008": 1})
    )
    said = as_json(report)
    plain = {
        "load": "open-loop",
        "url": URL,
        "seed": 1,
        "connections": 2,
        "symbols": ["BTC-USDT", "BTC-USDT-PERP"],
        "rate_per_s": 100.0,
        "ramp_from_per_s": None,
        "warm_up_s": 1.0,
        "seconds": 10.0,
        "measured_s": 10.0,
        "interrupted": False,
        "warm_up_requests": 100,
        "planned": 1_000,
        "sent": 1_000,
        "unsent": 0,
        "done": 1_000,
        "refused": 0,
        "unanswered": 0,
        "planned_per_s": 100.0,
        "sent_per_s": 100.0,
        "answered_per_s": 100.0,
        "errors": {},
        "connections_lost": {},
        "notes": [],
        "slow_readers": {"readers": 2, "messages": 70, "lost": {"4008": 1}},
        "dialect": "native",
        "sockets": 2,
    }
    assert {name: said[name] for name in plain} == plain
    assert set(said["mix"]) == set(KINDS)
    assert set(said["latency_ms"]) == {"all", *KINDS}
    for latency in said["latency_ms"].values():
        assert set(latency) == {"from_planned", "from_sent"}
        assert set(latency["from_planned"]) == set(latency["from_sent"]) == TIMES
    everything = said["latency_ms"]["all"]["from_planned"]
    assert (everything["count"], everything["max"]) == (1_000, 1.0)
    assert set(said["lateness_ms"]) == TIMES
    assert said["server"]["commands_per_s"] == 200.0
    assert [(piece["from_s"], piece["to_s"]) for piece in said["slices"]] == [
        (float(second), float(second + 1)) for second in range(10)
    ]
    assert all(piece["planned_per_s"] == 100 and piece["max"] == 1.0 for piece in said["slices"])


async def test_the_picture_of_a_run_is_within_its_json() -> None:
    said = as_json(await reported(prompt))
    # A hundred pieces of a tenth of a second, ten requests in each.
    assert [piece["from_s"] for piece in said["timeline"]] == [n / 10 for n in range(100)]
    assert all(piece["done"] == 10 and piece["p99_9"] == 1.0 for piece in said["timeline"])
    assert set(said["curves"]) == {"all", FROM_SENDING, *KINDS}
    assert all(len(curve) == len(CURVE) + 1 for curve in said["curves"].values())
    assert said["curves"]["all"][-1] == [100.0, 1.0]


def test_times_are_milliseconds() -> None:
    histogram = Histogram()
    for ms in range(1, 101):
        histogram.record(ms * MS)
    times = Times.of(histogram)
    # 1 ... 100 ms: the mean is 50.5; percentiles within 0.8 % of 50, 90, 99.
    assert (times.count, times.mean, times.max) == (100, 50.5, 100.0)
    assert times.p50 == pytest.approx(50, rel=0.008)
    assert times.p90 == pytest.approx(90, rel=0.008)
    assert times.p99 == pytest.approx(99, rel=0.008)
    assert times.p99_9 == times.p99_99 == 100.0


async def test_what_was_refused_stands_by_itself_with_its_codes() -> None:
    report = await reported(surly)
    assert (report.done, report.refused) == (0, 1_000)
    assert set(report.latency_ms) == {"refused"}
    counts = [codes["INSUFFICIENT_BALANCE"] for codes in report.errors.values()]
    assert sum(counts) == 1_000


async def test_who_was_not_answered_is_in_the_percentiles_and_a_note_says_so() -> None:
    report = await reported(silent)
    assert (report.unanswered, report.answered_per_s) == (1_000, 0.0)
    # All waited at least the five seconds after the last was sent.
    assert report.latency_ms["all"].from_planned.p50 > 5_000
    assert any("1,000 requests without an answer" in note for note in report.notes)
    assert any("did not keep up" in note for note in report.notes)


async def test_a_stall_at_the_end_shows_in_the_rate_of_answers() -> None:
    # The last second's 100 of 1,000 are answered when two more have passed.
    report = await reported(stalling(10, 13))
    assert report.sent_per_s == 100.0
    # 1,000 in the ten seconds and two more, to the millisecond: 1,000 / 12.001.
    assert report.answered_per_s == 83.3
    assert any("did not keep up" in note for note in report.notes)


async def test_a_run_that_was_stopped_reports_what_fell_due_until_then() -> None:
    plan, record = make_plan(shape()), Record(make_plan(shape()))
    for number, item in enumerate(plan.items):
        if item.at_ns >= 4 * NS_PER_S:
            break
        record.send(number, item, item.at_ns)
        record.answer(number, "", item.at_ns + MS)
    record.end(4 * NS_PER_S)
    report = make_report(plan, record, url=URL)
    # One second of warm-up, three measured.
    assert (report.measured_s, report.planned, report.sent, report.done) == (3.0, 300, 300, 300)
    assert (report.planned_per_s, report.sent_per_s) == (100.0, 100.0)
    assert len(report.slices) == 3
    assert "3 s after 1 s of warm-up, seed 1, stopped early" in "\n".join(lines_of(report))


def test_a_run_that_was_stopped_in_its_warm_up_has_nothing_to_report_and_says_so() -> None:
    plan = make_plan(shape())
    record = Record(plan)
    record.send(0, plan.items[0], 0)
    record.end(NS_PER_S // 2)
    report = make_report(plan, record, url=URL)
    assert (report.measured_s, report.planned, report.sent, report.slices) == (0.0, 0, 0, [])
    assert report.latency_ms == {}
    assert report.warm_up_requests == 1
    assert "planned 0" in "\n".join(lines_of(report))


def late_record(plan: Plan, late_ns: int) -> Record:
    record = Record(plan)
    for number, item in enumerate(plan.items):
        record.send(number, item, item.at_ns + late_ns)
        record.answer(number, "", item.at_ns + late_ns + MS)
    record.end(plan.ends_ns + late_ns)
    return record


@pytest.mark.parametrize(("late_ms", "told"), [(1, False), (20, True)])
def test_a_generator_that_was_late_says_so(late_ms: int, told: bool) -> None:
    plan = make_plan(shape())
    report = make_report(plan, late_record(plan, late_ms * MS), url=URL)
    assert any("generator itself was late" in note for note in report.notes) is told
    assert report.lateness_ms.max == late_ms


def test_who_limits_requests_is_told_how_to_lift_it() -> None:
    plan = make_plan(shape())
    record = Record(plan)
    for number, item in enumerate(plan.items):
        record.send(number, item, item.at_ns)
        record.answer(number, "RATE_LIMITED" if number % 2 else "", item.at_ns)
    record.end(plan.ends_ns)
    (note,) = make_report(plan, record, url=URL).notes
    assert note.startswith("500 requests were over the exchange's limits")


def test_fewer_sent_than_planned_is_said() -> None:
    plan = make_plan(shape())
    report = make_report(plan, late_record(plan, 2 * NS_PER_S), url=URL)
    # All 1,000 were sent, but it took twelve seconds, less what the last was early: 2 of 12.
    assert report.sent_per_s == pytest.approx(1_000 / 12, abs=0.1)
    assert report.generator.behind_share == pytest.approx(2 / 12, abs=0.001)
    (note,) = (note for note in report.notes if "behind: it" in note)
    assert note.startswith("the load generator was 17% behind: it sent 83.4 requests a second")


def test_what_the_generator_itself_had_to_do_is_told() -> None:
    plan = make_plan(shape())
    record = late_record(plan, 0)
    # Of eleven seconds it was at work in 4.4, in half of that only waiting; 1,100 requests.
    record.own = OwnWork(4_400 * MS, 2_200 * MS)
    own = make_report(plan, record, url=URL).generator
    assert (own.cpu_share, own.busy_share, own.us_per_request) == (0.4, 0.2, 2_000.0)
    assert (own.late_share, own.behind_share) == (0.0, 0.0)
    late = make_report(plan, late_record(plan, 20 * MS), url=URL).generator
    assert late.late_share == 1.0


async def test_a_curve_goes_to_the_last_nine_and_rises() -> None:
    report = await reported(stalling(5, 6))
    for curve in report.curves.values():
        percents, times = zip(*curve, strict=True)
        assert list(percents) == sorted(percents)
        assert list(times) == sorted(times)
    assert {50.0, 90.0, 99.0, 99.9, 99.99, 100.0} <= {
        percent for percent, _ in report.curves["all"]
    }


def test_a_door_that_counts_every_socket_says_what_to_lift() -> None:
    plan = make_plan(shape())
    record = Record(plan)
    record.lose("1008")
    for number, item in enumerate(plan.items):
        record.send(number, item, item.at_ns)
        record.answer(number, "RATE_LIMITED -1 too many" if number % 2 else "", item.at_ns)
    record.end(plan.ends_ns)
    report = make_report(plan, record, url=URL, dialect="binance", sockets=4)
    assert not report.lost_all
    limited, flooded = report.notes
    assert limited.startswith("500 requests were over")
    assert "[binance]" in limited
    assert flooded.startswith("sockets of streams were closed for asking too often")
