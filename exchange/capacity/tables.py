"""The tables of docs/scale.md, each made of the figures alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from exchange.capacity.figures import ASSUMED, MEASURED, Figure, Figures
from exchange.capacity.queueing import Serving, simulate
from exchange.capacity.sizing import (
    DAY_S,
    Demand,
    ceiling,
    core_us,
    deliveries_carried,
    disk_a_day,
    edge_share,
    groups_per_s,
    memory,
    replica_share,
    size,
)

UTILISATIONS: Final = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
GATEWAYS: Final = (1, 2, 4, 8, 16)
SHARES: Final = (0.1, 0.5, 0.9)  # Of the core's ceiling.
CLASSROOMS: Final = (1, 10, 100, 1_000)
ROUND_RATE: Final = 1_000.0
HOUR_S: Final = 3_600
THOUSAND: Final = 1_000

Row = Sequence[str]


def tables(figures: Figures) -> dict[str, list[str]]:
    """Every table as lines of Markdown, by the name that marks its place."""
    made: dict[str, Callable[[Figures], list[str]]] = {
        "measured": measured,
        "assumed": assumed,
        "ceilings": ceilings,
        "waits": waits,
        "gateways": gateways,
        "thousand": thousand,
        "classrooms": classrooms,
        "public": public,
    }
    return {name: make(figures) for name, make in made.items()}


# -- what goes in ------------------------------------------------------------------------------


def measured(figures: Figures) -> list[str]:
    """The figures themselves, with what repeats them."""
    rows = [_figure(name, figures.measured[name], unit) for name, unit in MEASURED.items()]
    return [f"Measured on {figures.machine}.", "", *_table(("figure", "", "from"), rows)]


def assumed(figures: Figures) -> list[str]:
    """The assumptions, with their sources."""
    rows = [_figure(name, figures.assumed[name], unit) for name, unit in ASSUMED.items()]
    return _table(("assumption", "", "source"), rows)


def _figure(name: str, figure: Figure, unit: str) -> Row:
    return f"`{name}`: {figure.says}", f"{_number(figure.value)} {unit}", figure.source


# -- one venue ---------------------------------------------------------------------------------


def ceilings(figures: Figures) -> list[str]:
    """What one core carries, by how the exchange runs."""
    top = ceiling(figures)
    outside = figures["edge_us"]
    rows = [
        ("one process, interpreted", figures["engine_interpreted_us"] + outside),
        ("one process, compiled", figures["engine_us"] + outside),
        ("core of a cluster, compiled", core_us(figures)),
    ]
    body = [
        (name, f"{us:,.1f}", f"{rate:,.0f}", f"{rate / figures['busy']:,.0f}")
        for (name, us), rate in zip(rows, top, strict=True)
    ]
    busy = f"{figures['busy']:.0%}"
    return _table(("", "us an order", f"orders a second at {busy}", "at 100 %"), body)


def waits(figures: Figures) -> list[str]:
    """Latency against load, simulated: one process, and a core behind Redis."""
    single_us = figures["engine_us"] + figures["edge_us"]
    single = Serving(single_us, figures["sync_ms"])
    # To the core over the command stream, back on the log; the append is the sync.
    core = Serving(core_us(figures), figures["append_ms"], outside_ms=2 * figures["hop_ms"])
    rows = []
    for share in UTILISATIONS:
        row = [f"{share:.0%}"]
        for serving in (single, core):
            rate = share * 1_000_000 / serving.us
            waited = simulate(serving, rate, bunch=figures["bunch"])
            row += [f"{rate:,.0f}", *(f"{ms:.2f}" for ms in waited[1:4]), f"{waited.group:.1f}"]
        rows.append(row)
    half = ("orders/s", "p50, ms", "p99", "p99.9", "a group")
    return _table(
        ("busy", *(f"one process: {half[0]}", *half[1:]), f"core: {half[0]}", *half[1:]), rows
    )


def thousand(figures: Figures) -> list[str]:
    """What a thousand orders a second take, piece by piece."""
    demand = Demand(ROUND_RATE)
    took, groups = size(figures, demand), groups_per_s(figures, ROUND_RATE)
    journal = demand.orders_per_s * figures["command_bytes"] * DAY_S
    history = demand.orders_per_s * figures["history_bytes"] * DAY_S
    rows = [
        ("core: sequence, keep, apply", _share(took.core)),
        ("standby, and each gateway: follow", _share(took.follower_core)),
        ("gateways together: parse, sign, answer", _share(edge_share(figures, demand))),
        ("gateways together: each 1,000 messages a second to readers",
         _share(figures["delivery_us"] / 1_000)),
        ("Redis, in groups", _share(took.redis_core)),
        ("journal, without pruning", f"{_bytes(journal)} a day"),
        ("history", f"{_bytes(history)} a day"),
        ("log to each gateway and to the standby",
         f"{_bits(ROUND_RATE * figures['command_bytes'])}"),
        ("each 1,000 messages a second to readers", _bits(1_000 * figures["delivery_bytes"])),
        ("memory of each process: 100,000 accounts, 1,000,000 resting orders",
         _bytes(memory(figures, Demand(0, accounts=100_000, resting=1_000_000)))),
    ]  # fmt: skip
    return _table((f"1,000 orders a second, in {groups:,.0f} groups", "take"), rows)


# -- gateways ----------------------------------------------------------------------------------


def gateways(figures: Figures) -> list[str]:
    """What readers hear through so many gateways, beside so many orders of the venue."""
    top = ceiling(figures).core
    rates = [share * top for share in SHARES]
    head = ["gateways"] + [f"at {rate:,.0f} orders/s" for rate in rates]
    rows: list[Row] = [
        ["of each, for the venue's orders"]
        + [_share(replica_share(figures, rate)) for rate in rates]
    ]
    for count in GATEWAYS:
        carried = [deliveries_carried(figures, rate, count) for rate in rates]
        rows.append(
            [str(count)] + [f"{each:,.0f}" if each else "not even these" for each in carried]
        )
    return _table(head, rows)


# -- many venues -------------------------------------------------------------------------------


def classroom(figures: Figures, *, with_market: bool) -> Demand:
    """One class on a venue of its own."""
    bots = figures["class_students"] * figures["class_bots"]
    connections = bots + figures["class_students"]  # And everybody looks at a page or a terminal.
    return Demand(
        orders_per_s=bots * figures["class_bot_orders"],
        deliveries_per_s=connections * figures["class_heard"],
        connections=connections,
        accounts=figures["class_students"] * (1 + figures["class_bots"]),
        resting=bots * figures["class_resting"],
        with_market=with_market,
    )


def classrooms(figures: Figures) -> list[str]:
    """Venues side by side: no Redis, a process each."""
    rows = []
    seconds = figures["class_hours_day"] * HOUR_S
    for count in CLASSROOMS:
        for with_market in (False, True):
            demand = classroom(figures, with_market=with_market)
            took = size(figures, demand)
            cores = math.ceil(count * took.single_core / figures["busy"])
            rows.append(
                (
                    f"{count:,}",
                    "living" if with_market else "of the students alone",
                    _share(took.single_core),
                    f"{cores:,}",
                    _bytes(count * took.memory_bytes),
                    _bytes(count * disk_a_day(figures, demand, seconds)),
                    _bits(count * took.fan_out_bytes_s),
                )
            )
    head = ("classrooms", "market", "core each", "cores", "memory", "disk a day", "to readers")
    return _table(head, rows)


def public(figures: Figures) -> list[str]:
    """How many such venues the busiest second and day of others would be."""
    top = ceiling(figures).core
    rows = []
    for name, rate in (
        ("the advertised capacity of a crypto venue", figures["public_claimed_orders"]),
        ("the busiest second of a stock exchange", figures["public_peak_orders"]),
        ("the same exchange's busiest day, on average", figures["public_day_orders"] / DAY_S),
    ):
        parts = math.ceil(rate / top)
        took = size(figures, Demand(rate / parts))
        rows.append(
            (
                name,
                f"{rate:,.0f}",
                f"{parts:,}",
                f"{parts * took.core:,.1f}",
                f"{parts * took.follower_core:,.1f}",
                f"{rate * figures['edge_us'] / 1e6:,.1f}",
                f"{parts * took.redis_core:,.1f}",
                _bits(rate * figures["command_bytes"]),
                _bytes(rate * figures["command_bytes"] * DAY_S),
            )
        )
    head = ("", "orders/s", "venues", "cores: cores of venues", "standbys", "sessions", "Redis",
            "log, a reader", "journal a day")  # fmt: skip
    each = figures["public_account_orders"]
    accounts = top / each
    lines = _table(head, rows)
    return [
        *lines,
        "",
        f"One venue's {top:,.0f} orders a second are {accounts:,.0f} accounts, each of which uses"
        f" up the {each:g} a second that Binance grants it, without a pause.",
    ]


# -- how things are written --------------------------------------------------------------------


def _table(head: Row, rows: Sequence[Row]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


def _share(cores: float) -> str:
    return f"{cores:.1%} of a core" if cores < 1 else f"{cores:,.1f} cores"


def _bytes(count: float) -> str:
    return _scaled(count, ("B", "KB", "MB", "GB", "TB", "PB"))


def _bits(bytes_s: float) -> str:
    return _scaled(bytes_s * 8, ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"))


def _scaled(value: float, units: Sequence[str]) -> str:
    """In the largest unit of which there is one, to three digits."""
    step = min(len(units) - 1, max(0, math.floor(math.log(max(1.0, value), THOUSAND) + 1e-9)))
    return f"{value / THOUSAND**step:,.3g} {units[step]}"
