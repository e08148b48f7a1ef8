"""Tests of two reports compared: better, worse, and what is only noise."""

import msgspec
import pytest

from clients.load.compare import Comparison, Difference, compare, lines_of
from clients.load.report import GeneratorSay, Report, SliceSay, make_report
from clients.load.server_side import between, reading_of
from tests.clients.load.metrics import AFTER, BEFORE
from tests.clients.load.test_report import URL, reported
from tests.clients.load.worlds import driven, prompt, silent, stalling, surly


def by_name(comparison: Comparison) -> dict[str, Difference]:
    return {difference.name: difference for difference in comparison.differences}


def with_tenths(report: Report, times: list[float], **figures: float) -> Report:
    """The report with tenths of these medians and maxima, and other figures of all requests."""
    slices = [SliceSay(0, 1, 100, 100, 0, ms, ms, ms, ms, ms) for ms in times]
    latency = report.latency_ms["all"]
    latency = msgspec.structs.replace(
        latency, from_planned=msgspec.structs.replace(latency.from_planned, **figures)
    )
    latencies = report.latency_ms | {"all": latency}
    return msgspec.structs.replace(report, slices=slices, latency_ms=latencies)


async def test_a_run_against_itself_is_no_different() -> None:
    report = await reported(prompt)
    comparison = compare(report, report)
    assert {difference.verdict for difference in comparison.differences} == {"noise"}
    assert (comparison.better, comparison.worse, comparison.unlike) == (0, 0, [])


async def test_a_stall_is_worse_and_its_end_is_better() -> None:
    steady, stalled = await reported(prompt), await reported(stalling(2, 4))
    found = by_name(compare(steady, stalled))
    # Two of ten seconds stood still: the middle is as it was, one in a hundred is not.
    assert found["all p50, ms"].verdict == "noise"
    assert found["all p99, ms"].verdict == "worse"
    assert by_name(compare(stalled, steady))["all p99, ms"].verdict == "better"


@pytest.mark.parametrize(
    ("tenths", "new_ms", "verdict"),
    [
        # Equal tenths: nothing but the floor of 5 %.
        ([2.0] * 10, 2.09, "noise"),
        ([2.0] * 10, 2.11, "worse"),
        ([2.0] * 10, 1.89, "better"),
        # 1 and 3 by turns scatter by 1.054; over the root of 10 by 0.333; both runs by 0.471, and
        # twice that is 47 % of 2.
        ([1.0, 3.0] * 5, 2.9, "noise"),
        ([1.0, 3.0] * 5, 2.96, "worse"),
    ],
)
async def test_a_difference_counts_beyond_what_tenths_scatter(
    tenths: list[float], new_ms: float, verdict: str
) -> None:
    report = await reported(prompt)
    old, new = (with_tenths(report, tenths, p99=ms) for ms in (2.0, new_ms))
    assert by_name(compare(old, new))["all p99, ms"].verdict == verdict


async def test_one_bad_tenth_blurs_the_tail_and_not_the_middle() -> None:
    report = await reported(prompt)
    tenths = [1.0] * 9 + [100.0]
    old, new = (with_tenths(report, tenths, p50=ms, p99=ms) for ms in (1.0, 1.5))
    found = by_name(compare(old, new))
    assert (found["all p50, ms"].verdict, found["all p99, ms"].verdict) == ("worse", "noise")


async def test_of_a_run_too_short_nobody_can_tell() -> None:
    report = await reported(prompt)
    old, new = (with_tenths(report, [1.0] * 3, p99=ms) for ms in (1.0, 9.0))
    difference = by_name(compare(old, new))["all p99, ms"]
    assert (difference.noise, difference.verdict) == (None, "noise")
    assert "unknown" in "\n".join(lines_of(compare(old, new), colour=False))


async def test_fewer_answers_and_more_refusals_are_worse() -> None:
    well = await reported(prompt)
    found = by_name(compare(well, await reported(silent)))
    assert found["answered a second"].verdict == "worse"
    assert found["unanswered, share"].verdict == "worse"
    assert found["unanswered, share"].change == 1.0
    refused = by_name(compare(well, await reported(surly)))["refused, share"]
    assert (refused.old, refused.new, refused.verdict) == (0.0, 1.0, "worse")


async def test_what_the_exchange_says_of_its_own_cost_is_compared() -> None:
    plan, record, _ = await driven(prompt)
    server = between(reading_of(BEFORE), reading_of(AFTER), 2)
    assert server is not None
    dearer = msgspec.structs.replace(server, apply_us_per_command=112.0, cpu_us_per_command=2_600.0)
    old, new = (make_report(plan, record, url=URL, server=each) for each in (server, dearer))
    found = by_name(compare(old, new))
    # From 100 to 112 us is beyond a tenth, from 2,500 to 2,600 is not.
    assert found["exchange: apply us per command"].verdict == "worse"
    assert found["exchange: cpu us per command"].verdict == "noise"


async def test_loads_that_are_not_alike_are_told() -> None:
    old = await reported(prompt)
    new = await reported(prompt, rate=50)
    behind = GeneratorSay(1, 1, 100, 0.5, 0.2)
    new = msgspec.structs.replace(new, generator=behind)
    assert compare(old, new).unlike == [
        "rate_per_s: 100 before, 50 now",
        "in the new run the generator was behind",
    ]


async def test_people_read_a_table_in_colours_where_they_want_them() -> None:
    old, new = await reported(prompt), await reported(stalling(2, 4))
    comparison = compare(old, new)
    plain = lines_of(comparison, colour=False)
    assert plain[0].split() == ["against", "the", "old", "run", "old", "new", "change", "noise"]
    assert not any("\x1b" in line for line in plain)
    coloured = lines_of(comparison, colour=True)
    worse = [line for line in coloured if line.startswith("\x1b[31m")]
    assert len(worse) == comparison.worse > 0
    assert all(line.endswith("worse\x1b[0m") for line in worse)
    assert coloured[-1].endswith("the others are noise")


async def test_another_build_of_the_exchange_is_told() -> None:
    report = await reported(prompt)
    old, new = (msgspec.structs.replace(report, exchange=e) for e in ("1 pure", "1 compiled"))
    assert "the exchange was 1 pure, and is 1 compiled" in lines_of(compare(old, new), colour=False)
    assert "the exchange was" not in "\n".join(lines_of(compare(old, old), colour=False))
