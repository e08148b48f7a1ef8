"""Tests of the plan: seeded, pure, and sensible whatever the exchange will answer."""

import ast
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.load import plan as plan_module
from clients.load.plan import (
    DEFAULT_MIX,
    KINDS,
    NS_PER_S,
    OPEN_MAX,
    Item,
    Plan,
    Shape,
    make_plan,
)
from tests.clients.load.worlds import SYMBOLS, shape

shapes = st.builds(
    Shape,
    seed=st.integers(0, 99),
    connections=st.integers(1, 5),
    rate=st.floats(5, 500),
    seconds=st.floats(0.5, 3),
    symbols=st.just(SYMBOLS),
    warm_up_s=st.floats(0, 2),
    ramp_from=st.none() | st.floats(1, 500),
    mix=st.dictionaries(st.sampled_from(KINDS), st.integers(1, 9), min_size=1),
)


def measured(plan: Plan) -> list[Item]:
    return [item for item in plan.items if item.at_ns >= plan.measured_from_ns]


@given(shapes)
def test_the_same_shape_is_the_same_plan(any_shape: Shape) -> None:
    assert make_plan(any_shape) == make_plan(any_shape)


def test_another_seed_is_another_plan() -> None:
    assert make_plan(shape(seed=1)).items != make_plan(shape(seed=2)).items


def test_a_plan_is_made_without_a_clock_a_socket_or_an_event_loop() -> None:
    tree = ast.parse(Path(plan_module.__file__).read_text("utf-8"))
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names.isdisjoint({"asyncio", "time", "datetime", "os", "socket", "secrets", "picows"})
    assert "random" in names  # A seeded `Random` alone: the module's own dice are never thrown.
    drawn = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "Random"]
    module = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "random"]
    assert len(module) == sum(isinstance(n.value, ast.Name) for n in drawn)


@given(shapes)
def test_requests_come_in_order_and_within_their_phases(any_shape: Shape) -> None:
    plan = make_plan(any_shape)
    times = [item.at_ns for item in plan.items]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= plan.ends_ns
    warm_up = round(any_shape.first_rate * any_shape.warm_up_s)
    mean = (any_shape.first_rate + any_shape.rate) / 2
    # A request that falls on the border to the nanosecond may count for either side.
    assert abs(len(measured(plan)) - round(mean * any_shape.seconds)) <= 1
    assert abs(len(plan.items) - len(measured(plan)) - warm_up) <= 1


def test_every_slot_of_a_constant_rate_has_one_arrival() -> None:
    # 100 a second: one in each hundredth, the first 100 of them in the second of warm-up.
    plan = make_plan(shape())
    slots = [item.at_ns * 100 // NS_PER_S for item in plan.items]
    assert slots == list(range(1_100))
    gaps = {later.at_ns - earlier.at_ns for earlier, later in pairwise(plan.items)}
    assert len(gaps) > 1_000  # At random moments of their slots, not in step.


def test_a_ramp_climbs_evenly_from_one_rate_to_the_other() -> None:
    # From 0 ... 10 s at 20 + 8 t a second: until t there came 20 t + 4 t^2, which is 200 of the
    # 600 at 5 s, and 384 = 160 + 256 - 32 ... at 8 s: 20 x 8 + 4 x 64 = 416.
    plan = make_plan(shape(rate=100, ramp_from=20, warm_up_s=0))
    for seconds, came in ((1, 24), (5, 200), (8, 416), (10, 600)):
        count = sum(item.at_ns < seconds * NS_PER_S for item in plan.items)
        assert abs(count - came) <= 1


def test_a_ramp_may_fall_and_its_warm_up_keeps_to_where_it_begins() -> None:
    plan = make_plan(shape(rate=20, ramp_from=100, warm_up_s=2))
    assert len(plan.items) - len(measured(plan)) == 200
    half_ns = plan.measured_from_ns + 5 * NS_PER_S
    # 100 t - 4 t^2 is 400 of the 600 at 5 s.
    assert abs(sum(item.at_ns < half_ns for item in measured(plan)) - 400) <= 1


@given(shapes)
def test_who_amends_or_cancels_means_an_order_of_its_own_that_it_left_open(
    any_shape: Shape,
) -> None:
    resting: dict[tuple[int, int], tuple[str, str, int]] = {}
    placed: Counter[int] = Counter()
    for item in make_plan(any_shape).items:
        key = (item.connection, item.order)
        if item.kind in ("place", "take"):
            placed[item.connection] += 1
            assert item.order == placed[item.connection]
        if item.kind == "place":
            resting[key] = (item.symbol, item.side, item.distance_bps)
        elif item.kind == "amend":
            symbol, side, distance_bps = resting[key]
            assert (item.symbol, item.side) == (symbol, side)
            assert item.distance_bps != distance_bps  # Else there were nothing to amend.
            resting[key] = (symbol, side, item.distance_bps)
        elif item.kind == "cancel":
            del resting[key]
        open_orders = Counter(connection for connection, _ in resting)
        assert max(open_orders.values(), default=0) <= OPEN_MAX


def test_who_only_places_cancels_where_enough_is_open() -> None:
    plan = make_plan(shape(connections=1, mix={"place": 1}))
    assert [item.kind for item in plan.items[: OPEN_MAX + 2]] == [
        *["place"] * OPEN_MAX,
        "cancel",
        "place",
    ]


def test_who_only_cancels_must_place_first() -> None:
    plan = make_plan(shape(connections=1, mix={"cancel": 1}))
    assert [item.kind for item in plan.items[:4]] == ["place", "cancel", "place", "cancel"]


@given(shapes)
def test_a_channel_is_left_only_if_it_is_heard_and_joined_only_if_it_is_not(
    any_shape: Shape,
) -> None:
    heard: set[tuple[int, str]] = set()
    for item in make_plan(any_shape).items:
        if item.kind == "subscribe":
            key = (item.connection, item.channel)
            assert item.leave is (key in heard)
            heard ^= {key}


def test_the_mix_is_kept_to() -> None:
    items = make_plan(shape(rate=2_000)).items
    kinds = Counter(item.kind for item in items)
    # Of 22,000: 7,700, 3,300, 7,700, 2,200, 1,100; the standard deviation of the largest is 71.
    # Now and then nothing is open to cancel, or too much to place.
    for kind, weight in DEFAULT_MIX.items():
        assert abs(kinds[kind] - 220 * weight) < 350, kind
    assert {item.symbol for item in items} == set(SYMBOLS)
    assert {item.side for item in items if item.kind == "take"} == {"buy", "sell"}
    assert {item.connection for item in items} == {0, 1}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"connections": 0}, "connections"),
        ({"connections": 1_001}, "1000"),
        ({"rate": 0}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"rate": float("inf")}, "rate"),
        ({"ramp_from": 0}, "rate"),
        ({"seconds": 0}, "time"),
        ({"seconds": float("nan")}, "time"),
        ({"warm_up_s": -1}, "time"),
        ({"seconds": 3_600}, "time"),  # And a second of warm-up: one too many.
        ({"rate": 0.04}, "no request"),  # In ten seconds 0.4, which rounds to none.
        ({"rate": 100_000}, "1,100,000"),
        ({"symbols": ()}, "symbol"),
        ({"mix": {}}, "weight"),
        ({"mix": {"place": 0}}, "weight"),
        ({"mix": {"place": -1, "take": 2}}, "weights"),
        ({"mix": {"eat": 1}}, "weights"),
    ],
)
def test_a_shape_that_cannot_be_is_refused_in_words(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_plan(shape(**changes))
