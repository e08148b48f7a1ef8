"""Tests of the watch: whoever a price can hurt is due, and nobody else is looked at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from risk.watch import Band, Watch


def test_a_scope_is_due_when_its_price_reaches_a_bound() -> None:
    watch = Watch()
    watch.put(100, "perp", [("BTC", 90, None)])
    watch.move("BTC", 91)
    assert not watch.due
    watch.move("BTC", 90)
    assert list(watch.due) == [(100, "perp")]


def test_new_bands_take_the_place_of_the_old() -> None:
    watch = Watch()
    watch.put(100, "perp", [("BTC", 90, None)])
    watch.put(100, "perp", [("BTC", 80, None)])
    watch.move("BTC", 85)
    assert not watch.due
    watch.move("BTC", 80)
    assert list(watch.due) == [(100, "perp")]


def test_a_dropped_scope_is_never_due_again() -> None:
    watch = Watch()
    watch.put(100, "margin", [("BTC", 90, 110)])
    watch.drop(100, "margin")
    watch.move("BTC", 1)
    watch.move("BTC", 1000)
    assert not watch.due
    watch.check()


def test_what_a_scope_loses_within_its_allowance_makes_it_not_due() -> None:
    """7 of 10, then 3, then one more than there is."""
    watch = Watch()
    watch.put(100, "perp", [("BTC", 90, None)], allowance=10)
    watch.spend(100, "perp", 7)
    watch.spend(100, "perp", -50)  # A gain does not widen what the bands allow for.
    watch.spend(100, "perp", 3)
    assert not watch.awaits(100, "perp")
    watch.check()
    watch.spend(100, "perp", 1)
    assert watch.awaits(100, "perp")


def test_what_is_lost_beyond_the_allowance_at_once_makes_it_due() -> None:
    watch = Watch()
    watch.put(100, "perp", [("BTC", 90, None)], allowance=10)
    watch.spend(100, "perp", 11)
    watch.gather()
    assert list(watch.due) == [(100, "perp")]


def test_an_allowance_goes_with_its_bands() -> None:
    watch = Watch()
    for forget in (
        lambda: watch.drop(100, "perp"),
        lambda: watch.put(100, "perp", [("BTC", 80, None)]),
        lambda: watch.move("BTC", 90),
    ):
        watch.put(100, "perp", [("BTC", 90, None)], allowance=10)
        forget()
        watch.check()
        watch.gather()
        watch.due.clear()
        watch.spend(100, "perp", 1)
        assert watch.awaits(100, "perp")


def test_an_allowance_survives_a_restart() -> None:
    watch, copy = Watch(), Watch()
    watch.put(100, "perp", [("BTC", 90, None)], allowance=10)
    watch.spend(100, "perp", 4)
    copy.restore(watch.state())
    assert copy.state() == watch.state()
    copy.spend(100, "perp", 6)
    assert not copy.awaits(100, "perp")
    copy.spend(100, "perp", 1)
    assert copy.awaits(100, "perp")


_bands = st.dictionaries(
    st.integers(100, 112),
    st.lists(
        st.tuples(
            st.sampled_from(["BTC", "ETH"]),
            st.none() | st.integers(1, 60),
            st.none() | st.integers(40, 100),
        ),
        max_size=2,
    ),
    max_size=12,
)


@given(st.lists(_bands, max_size=4), st.lists(st.integers(1, 100), max_size=8))
def test_the_watch_agrees_with_looking_at_everybody(
    rounds: list[dict[int, list[Band]]], prices: list[int]
) -> None:
    """A naive twin: keep all bands in a table and look at each of them at every price."""
    watch, table = Watch(), {}
    for bands in rounds:
        for account_id, its in bands.items():
            watch.put(account_id, "perp", its)
            table[account_id] = its
    expected: set[tuple[int, str]] = set()
    for price in prices:
        watch.move("BTC", price)
        for account_id, its in table.items():
            for source, low, high in its:
                low_hit = low is not None and price <= low
                high_hit = high is not None and price >= high
                if source == "BTC" and (low_hit or high_hit):
                    expected.add((account_id, "perp"))
    assert set(watch.due) == expected
    watch.check()


@given(_bands, st.integers(1, 100))
def test_a_restored_watch_answers_alike(bands: dict[int, list[Band]], price: int) -> None:
    watch = Watch()
    for account_id, its in bands.items():
        watch.put(account_id, "perp", its)
    copy = Watch()
    copy.restore(watch.state())
    for each in (watch, copy):
        each.move("BTC", price)
    assert set(watch.due) == set(copy.due)


def test_old_entries_do_not_pile_up() -> None:
    watch = Watch()
    for step in range(5_000):
        watch.put(100, "perp", [("BTC", step % 50, None)])
    entries = sum(len(bounds.heap) for bounds in watch._low.values())
    assert entries < 200
