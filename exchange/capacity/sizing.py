"""The arithmetic of size: what one venue takes of cores, memory, disk, Redis and network.

The model is that of the cluster.  The core sequences, keeps and applies every command of its venue.
Each gateway replays the log through an engine of its own, so it pays for every command of the venue
too, and besides for its own connections: parsing, signatures, answers, and what readers are told.
So gateways scale sessions and fan-out, and not the engine.

Commands travel in groups, and a group costs each process something besides.  Groups grow where time
is short, so that cost fills idle time and makes room for commands: it counts in what a demand
takes, and not in what can be carried.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from exchange.capacity.figures import Figures

US_PER_S: Final = 1_000_000
MS_PER_S: Final = 1_000
DAY_S: Final = 86_400


class Demand(NamedTuple):
    """What is asked of one venue: a second, and what it holds."""

    orders_per_s: float
    deliveries_per_s: float = 0.0
    connections: float = 0.0
    accounts: float = 0.0
    resting: float = 0.0
    with_market: bool = False


class Ceiling(NamedTuple):
    """Commands a second that one core carries while it is no more than `busy`."""

    single_interpreted: float
    single: float
    core: float


class Size(NamedTuple):
    """What a demand takes; of gateways None, where no number of them will do.

    `follower_core` is what a standby takes, and each gateway, which has `edge_core` besides.
    """

    single_core: float
    core: float
    gateways: int | None
    follower_core: float
    edge_core: float
    redis_core: float
    memory_bytes: float
    disk_bytes_day: float
    log_bytes_s: float
    fan_out_bytes_s: float


def ceiling(figures: Figures) -> Ceiling:
    """What one venue can take at most, with nobody to read along."""
    room_us = figures["busy"] * US_PER_S
    return Ceiling(
        room_us / (figures["engine_interpreted_us"] + figures["edge_us"]),
        room_us / (figures["engine_us"] + figures["edge_us"]),
        room_us / core_us(figures),
    )


def core_us(figures: Figures) -> float:
    """What a command costs the core of a cluster."""
    return figures["engine_us"] + figures["intake_us"]


def replica_share(figures: Figures, orders_per_s: float) -> float:
    """What of each gateway's core goes into following the venue."""
    return orders_per_s * figures["replica_us"] / US_PER_S


def groups_per_s(figures: Figures, orders_per_s: float) -> float:
    """How many groups so many orders a second come to, over Redis.

    Bunches by themselves while the core has time between them; else as many as fit.  In a cycle of
    n orders, n = orders x (append + n x cost), so n = orders x append / (1 - orders x cost).
    """
    idle = max(0.0, 1 - orders_per_s * core_us(figures) / US_PER_S)
    return min(orders_per_s / figures["bunch"], idle / figures["append_ms"] * MS_PER_S)


def group_share(figures: Figures, orders_per_s: float, whose: str) -> float:
    """What the groups themselves cost a process: of `whose`, core, gateway or redis."""
    return groups_per_s(figures, orders_per_s) * figures[f"{whose}_group_us"] / US_PER_S


def edge_share(figures: Figures, demand: Demand) -> float:
    """What all connections together cost, in cores."""
    orders_us = demand.orders_per_s * figures["edge_us"]
    return (orders_us + demand.deliveries_per_s * figures["delivery_us"]) / US_PER_S


def gateways_for(figures: Figures, demand: Demand) -> int | None:
    """The fewest gateways that carry it, each no more than busy; None where the log fills each."""
    room = figures["busy"] - replica_share(figures, demand.orders_per_s)
    if room <= 0 or _core_share(figures, demand) > figures["busy"]:
        return None
    return max(1, math.ceil(edge_share(figures, demand) / room - 1e-9))


def deliveries_carried(figures: Figures, orders_per_s: float, gateways: int) -> float:
    """Messages a second that so many gateways tell their readers, beside the venue's orders."""
    room = gateways * (figures["busy"] - replica_share(figures, orders_per_s))
    left = room - edge_share(figures, Demand(orders_per_s))
    return max(0.0, left * US_PER_S / figures["delivery_us"])


def size(figures: Figures, demand: Demand) -> Size:
    """What a demand takes, as one process and as a cluster with a standby."""
    orders = demand.orders_per_s
    gateways = gateways_for(figures, demand)
    count = gateways or 1
    replicas = count + 1  # The standby follows too.
    edge = edge_share(figures, demand)
    market = figures["market_share"] if demand.with_market else 0.0
    return Size(
        single_core=orders * figures["engine_us"] / US_PER_S + edge + market,
        core=_core_share(figures, demand) + group_share(figures, orders, "core"),
        gateways=gateways,
        follower_core=replica_share(figures, orders) + group_share(figures, orders, "gateway"),
        edge_core=edge / count,
        redis_core=orders * figures["redis_us"] / US_PER_S + group_share(figures, orders, "redis"),
        memory_bytes=memory(figures, demand),
        disk_bytes_day=disk_a_day(figures, demand, DAY_S),
        log_bytes_s=orders * figures["command_bytes"] * replicas,
        fan_out_bytes_s=demand.deliveries_per_s * figures["delivery_bytes"],
    )


def memory(figures: Figures, demand: Demand) -> float:
    """Bytes of one process that holds the venue: its core, its standby, or a gateway."""
    return (
        figures["process_bytes"]
        + demand.accounts * figures["account_bytes"]
        + demand.resting * figures["order_bytes"]
        + demand.connections * figures["session_bytes"]
    )


def disk_a_day(figures: Figures, demand: Demand, seconds: float) -> float:
    """Bytes of journal and history for so many seconds of trading in a day."""
    per_command = figures["command_bytes"] + figures["history_bytes"]
    market = figures["market_bytes_day"] * seconds / DAY_S if demand.with_market else 0.0
    return demand.orders_per_s * seconds * per_command + market


def _core_share(figures: Figures, demand: Demand) -> float:
    market = figures["market_share"] if demand.with_market else 0.0
    return demand.orders_per_s * core_us(figures) / US_PER_S + market
