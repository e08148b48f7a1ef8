"""The exchange's own figures over a run: its /metrics before and after, and the difference."""

from __future__ import annotations

from typing import Final

import aiohttp
import msgspec
from prometheus_client.parser import text_string_to_metric_families

TIMEOUT_S: Final = 10.0
DONE: Final = frozenset({"done", "repeated"})

_OUTCOMES: Final = "papertape_commands_total"
_GROUPS: Final = "papertape_group_commands_count"
_GROUPED: Final = "papertape_group_commands_sum"
_SYNC_S: Final = "papertape_sync_seconds_sum"
_APPLY_S: Final = "papertape_apply_seconds_sum"
_CPU_S: Final = "papertape_cpu_seconds_total"


class Reading(msgspec.Struct, frozen=True):
    """What /metrics said at one time: totals since the exchange started."""

    outcomes: dict[str, float]
    groups: float
    grouped: float
    sync_s: float
    apply_s: float
    cpu_s: float


class ServerSide(msgspec.Struct, frozen=True):
    """What the exchange did meanwhile: for this load, its own market and everybody else.

    A group is what one sync made durable.  `engine_share` is the part of the time in which the
    engine was at work, `cpu_share` the processor time of the whole process, 1 for one core.
    `cpu_us_per_command` spreads all of that over the commands: parsing, signatures, the journal,
    what readers are told.
    """

    seconds: float
    commands: int
    commands_per_s: float
    refused: dict[str, int]
    groups: int
    commands_per_group: float
    sync_ms_mean: float
    apply_us_per_command: float
    engine_share: float
    cpu_share: float
    cpu_us_per_command: float


class _Health(msgspec.Struct):
    version: str
    build: str


async def read_build(url: str) -> str:
    """Which exchange is at `url`, such as "0.1.0 compiled"; empty where it does not say."""
    try:
        health = msgspec.json.decode(await _got(f"{url}/healthz"), type=_Health)
    except (TimeoutError, aiohttp.ClientError, msgspec.MsgspecError):
        return ""
    return f"{health.version} {health.build}"


async def read_metrics(url: str) -> Reading | None:
    """The metrics of the exchange at `url`; None where they are not to be had."""
    try:
        return reading_of((await _got(f"{url}/metrics")).decode())
    except (TimeoutError, aiohttp.ClientError, ValueError):
        return None


async def _got(url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
        response.raise_for_status()
        return await response.read()


def reading_of(text: str) -> Reading:
    """A reading from Prometheus' text; a ValueError where it is none, or of something else."""
    outcomes: dict[str, float] = {}
    sums: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == _OUTCOMES:
                    outcomes[sample.labels["outcome"]] = sample.value
                elif not sample.labels:
                    sums[sample.name] = sample.value
        names = (_GROUPS, _GROUPED, _SYNC_S, _APPLY_S, _CPU_S)
        return Reading(outcomes, *(sums[name] for name in names))
    except KeyError as error:
        raise ValueError(f"these metrics lack {error}") from None


def between(before: Reading | None, after: Reading | None, seconds: float) -> ServerSide | None:
    """What happened from one reading to the next; None if one lacks or the exchange restarted."""
    if before is None or after is None or after.groups < before.groups or seconds <= 0:
        return None
    outcomes = {
        outcome: round(total - before.outcomes.get(outcome, 0))
        for outcome, total in sorted(after.outcomes.items())
    }
    commands = sum(outcomes.values())
    groups = after.groups - before.groups
    grouped = after.grouped - before.grouped
    apply_s = after.apply_s - before.apply_s
    cpu_s = after.cpu_s - before.cpu_s
    return ServerSide(
        seconds=round(seconds, 3),
        commands=commands,
        commands_per_s=round(commands / seconds, 1),
        refused={code: count for code, count in outcomes.items() if count and code not in DONE},
        groups=round(groups),
        commands_per_group=round(_ratio(grouped, groups), 2),
        sync_ms_mean=round(_ratio(after.sync_s - before.sync_s, groups) * 1e3, 3),
        apply_us_per_command=round(_ratio(apply_s, grouped) * 1e6, 1),
        engine_share=round(apply_s / seconds, 4),
        cpu_share=round(cpu_s / seconds, 4),
        cpu_us_per_command=round(_ratio(cpu_s, commands) * 1e6, 1),
    )


def _ratio(total: float, count: float) -> float:
    return total / count if count else 0.0
