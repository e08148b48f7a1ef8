"""Tests of the arithmetic of size, each sum done by hand."""

import pytest

from exchange.capacity.sizing import (
    Demand,
    ceiling,
    core_us,
    deliveries_carried,
    disk_a_day,
    edge_share,
    gateways_for,
    group_share,
    groups_per_s,
    memory,
    replica_share,
    size,
)
from tests.exchange.capacity.worlds import figures


def test_a_ceiling_is_the_room_of_a_core_over_what_an_order_costs_it() -> None:
    # Half a core is 500,000 us. Interpreted 90 + 10, compiled 40 + 10; the core of a cluster
    # engine 40 and intake 10.
    assert ceiling(figures()) == (5_000, 10_000, 10_000)
    assert core_us(figures()) == 50


def test_every_gateway_pays_for_every_command_of_its_venue() -> None:
    assert replica_share(figures(), 1_000) == 0.05  # 50 us each.
    # 1,000 orders at 10 us, 10,000 messages at 10 us.
    assert edge_share(figures(), Demand(1_000, 10_000)) == pytest.approx(0.11)


@pytest.mark.parametrize(
    ("orders", "deliveries", "gateways"),
    [
        # Following 1,000 a second takes 0.05 of each, so 0.45 are left; orders take 0.01.
        (1_000, 0, 1),
        (1_000, 44_000, 1),  # 0.01 + 0.44 = 0.45.
        (1_000, 44_100, 2),
        (1_000, 89_000, 2),
        (1_000, 89_100, 3),
        # Following 8,000 takes 0.4 of each: 0.1 is left, and the orders alone need 0.08.
        (8_000, 0, 1),
        (8_000, 12_000, 2),  # 0.08 + 0.12 = 0.2.
        # At 10,000 following fills each, whatever their number.
        (10_000, 0, None),
        (11_000, 0, None),
    ],
)
def test_gateways_share_their_sessions_and_not_the_log(
    orders: float, deliveries: float, gateways: int | None
) -> None:
    assert gateways_for(figures(), Demand(orders, deliveries)) == gateways


def test_a_core_with_a_market_of_its_own_has_less_room() -> None:
    # 9,000 at 50 us are 0.45; the market's 0.1 on top is more than half a core.
    assert gateways_for(figures(), Demand(9_000, with_market=True)) is None
    assert gateways_for(figures(), Demand(7_900, with_market=True)) is not None


def test_groups_are_bunches_while_there_is_time_and_then_as_many_as_fit() -> None:
    # Bunches of two. An append takes a millisecond, an order 50 us of the core.
    assert groups_per_s(figures(), 1_000) == 500
    # At 10,000 half of the time is left for appends: 500, of 20 orders each.
    assert groups_per_s(figures(), 10_000) == pytest.approx(500)
    assert groups_per_s(figures(), 16_000) == pytest.approx(200)
    assert groups_per_s(figures(), 30_000) == 0  # Nothing is left, and it does not keep up.
    assert group_share(figures(), 1_000, "core") == pytest.approx(0.25)


def test_what_gateways_carry_is_what_fits_and_no_more() -> None:
    figs = figures()
    for count in (1, 2, 5):
        most = deliveries_carried(figs, 1_000, count)
        assert most == pytest.approx((count * 0.45 - 0.01) * 100_000)
        assert gateways_for(figs, Demand(1_000, most)) == count
        assert gateways_for(figs, Demand(1_000, most + 10)) == count + 1
    assert deliveries_carried(figs, 20_000, 9) == 0


def test_the_size_of_a_demand() -> None:
    demand = Demand(1_000, 44_100, connections=100, accounts=10, resting=20, with_market=True)
    took = size(figures(), demand)
    # One process: engine 0.04, edge 0.01 and 0.441, market 0.1.
    assert took.single_core == pytest.approx(0.591)
    # 500 groups besides: 0.25 in the core, 0.2 in each follower, 0.05 in Redis.
    assert took.core == pytest.approx(0.15 + 0.25)
    assert took.gateways == 2
    assert took.follower_core == pytest.approx(0.05 + 0.2)
    assert took.edge_core == pytest.approx(0.451 / 2)
    assert took.redis_core == pytest.approx(0.004 + 0.05)
    assert took.log_bytes_s == 300_000  # 100 bytes a command, to two gateways and a standby.
    assert took.fan_out_bytes_s == 44_100 * 200
    assert took.memory_bytes == memory(figures(), demand)


def test_memory_and_disk_add_up() -> None:
    demand = Demand(10, connections=100, accounts=10, resting=20)
    assert memory(figures(), demand) == 1e8 + 10 * 4_000 + 20 * 1_000 + 100 * 20_000
    # 1,000 bytes a command; the market's share of a day.
    assert disk_a_day(figures(), demand, 3_600) == 36_000_000
    assert disk_a_day(figures(), demand._replace(with_market=True), 43_200) == 932_000_000
